package slackemu

import (
	"fmt"
	"net/http"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

const responseURLMethod = "response_url"

// A response URL may be used five times within thirty minutes (Slack, handling user interaction).
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// responseURL is where the bot may answer an interaction later.
type responseURL struct {
	user, channel string
	message       *record // what was clicked, nil after a command
	issued        time.Time
	uses          int
}

// newResponseURL needs mu.
func (s *Server) newResponseURL(user, ch string, message *record) string {
	id := fmt.Sprintf("%s/%d", s.opt.TeamID, s.next())
	s.answers[id] = &responseURL{user: user, channel: ch, message: message, issued: s.real()}
	return s.listener.url + "/response/" + id
}

// respond performs a post to a response URL.
func (s *Server) respond(id string, p params) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.answers[id]
	switch {
	case r == nil || s.real().Sub(r.issued) > responseLife:
		return gone("expired_url")
	case r.uses >= responseUses:
		return gone("used_url")
	}
	r.uses++
	if blockjson.IsSet(p, "delete_original") {
		if r.message != nil {
			s.remove(r.message)
		}
		return answer{status: http.StatusOK, text: "ok"}
	}
	c, err := s.contentOf(p, mostPostText)
	if err != nil {
		a := refuse(err)
		a.status = http.StatusBadRequest // callers look at the status only
		return a
	}
	switch {
	case blockjson.IsSet(p, "replace_original") && r.message != nil:
		s.edit(r.message, c)
	case p.get("response_type") == "in_channel":
		thread := p.get("thread_ts")
		if s.replyable(r.channel, thread) != nil {
			thread = "" // whoever answers is not told why; the answer is shown
		}
		s.post(r.channel, thread, BotUserID, c)
	default:
		s.whisper(r.channel, r.user, c)
	}
	return answer{status: http.StatusOK, text: "ok"}
}

func gone(code string) answer {
	a := refuse(refusal(code))
	a.status = http.StatusNotFound
	return a
}
