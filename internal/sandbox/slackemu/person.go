package slackemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Person acts in Slack as one user. Its methods return when the bot has answered, and are safe for concurrent use.
type Person struct {
	s  *Server
	id string
}

// As returns somebody who acts as a user. A user who was not added acts too: to the bot that is somebody unknown.
func (s *Server) As(userID string) *Person { return &Person{s: s, id: userID} }

// ID returns the person's user ID.
func (p *Person) ID() string { return p.id }

// Messages returns the app's direct message with the person, oldest first, without ephemeral messages.
func (p *Person) Messages() []Message { return p.s.Messages(dmID(p.id)) }

// MessagesIn returns what a channel shows, oldest first, without ephemeral messages.
func (p *Person) MessagesIn(channel string) []Message { return p.s.Messages(channel) }

// Command types /keys and text in the direct message with the app.
func (p *Person) Command(text string) Result {
	p.s.mu.Lock()
	ch := p.s.people.dm(p.id).id
	p.s.mu.Unlock()
	return p.CommandIn(ch, text)
}

// CommandIn types /keys and text in a channel.
func (p *Person) CommandIn(channel, text string) Result {
	s := p.s
	u := s.userOf(p.id)
	s.mu.Lock()
	name := "directmessage"
	if c := s.people.channels[channel]; c != nil && c.user == "" {
		name = c.name
	}
	form := url.Values{
		"team_id": {u.TeamID}, "team_domain": {s.domain()}, "channel_id": {channel}, "channel_name": {name}, "user_id": {u.ID},
		"user_name": {u.Name}, "command": {"/keys"}, "text": {text}, "api_app_id": {AppID}, "is_enterprise_install": {"false"},
		"trigger_id": {s.newTrigger(u.ID)}, "response_url": {s.newResponseURL(u.ID, channel, nil)},
	}
	s.mu.Unlock()
	res := s.sendForm(PathCommands, form)
	if res.Err == nil && len(bytes.TrimSpace(res.Body)) > 0 {
		p.showAnswer(&res, channel)
	}
	return res
}

// showAnswer reads the message in the answer to a command: JSON, or else plain text.
func (p *Person) showAnswer(res *Result, channel string) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	var n node
	if err := blockjson.Decode(res.Body, &n); err != nil {
		n = node{"text": string(res.Body)}
	}
	c, bad := s.contentOf(n, mostPostText)
	if bad != nil {
		res.Err = fmt.Errorf("the message in the answer: %w", bad)
		return
	}
	r := &record{Message{Channel: channel, TS: s.stamp(), From: BotUserID, Ephemeral: true, For: p.id}}
	if blockjson.Str(n, "response_type") == "in_channel" {
		r = s.post(channel, "", BotUserID, c)
	} else { // shown, but not waited for: WaitEphemeral counts what comes later
		r.set(c)
		s.shown = append(s.shown, r)
	}
	m := r.Message
	res.Ephemeral = &m
}

// Say posts a message of the person's own, in a channel or in the direct message with the app. The bot is not told.
func (p *Person) Say(channel, text string) Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if channel == dmID(p.id) {
		p.s.people.dm(p.id)
	}
	return p.s.post(channel, "", p.id, content{text: text}).Message
}

// Reply posts a message of the person's own in the thread of another one. The bot is not told.
func (p *Person) Reply(parent Message, text string) Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.post(parent.Channel, parent.TS, p.id, content{text: text}).Message
}

// WaitEphemeral waits until n ephemeral messages came to the person in all, by chat.postEphemeral or a response URL, and
// returns all there are, oldest first. After the timeout it returns what came, which may be fewer. The answer to a command
// does not count: Result has it.
func (p *Person) WaitEphemeral(n int, timeout time.Duration) []Message {
	s := p.s
	late := false
	timer := time.AfterFunc(timeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		mine := slices.DeleteFunc(copies(s.whispers), func(m Message) bool { return m.For != p.id })
		if len(mine) >= n || late {
			return mine
		}
		s.changed.Wait()
	}
}

// Home returns the Home that was published for the person, or nil.
func (p *Person) Home() *slack.View {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.asSlack(p.s.views.homes[p.id])
}

// Modal returns the view that the person sees, or nil.
func (p *Person) Modal() *slack.View {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.asSlack(p.s.views.top(p.id))
}

// OpenHome opens the app's Home, which tells the bot by an event.
func (p *Person) OpenHome() Result { return p.s.sendEvent(p.homeEvent(), nil) }

// OpenHomeRetry opens the Home, and sends the same event again as Slack does when it saw no answer.
func (p *Person) OpenHomeRetry() (first, again Result) {
	event := p.homeEvent()
	first = p.s.sendEvent(event, nil)
	again = p.s.sendEvent(event, map[string][]string{"X-Slack-Retry-Num": {"1"}, "X-Slack-Retry-Reason": {"http_timeout"}})
	return first, again
}

func (p *Person) homeEvent() node {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ts := s.stamp()
	inner := node{"type": "app_home_opened", "user": p.id, "channel": s.people.dm(p.id).id, "event_ts": ts, "tab": "home"}
	if v := s.views.homes[p.id]; v != nil {
		inner["view"] = s.viewNode(v)
	}
	return node{
		"type": "event_callback", "team_id": s.opt.TeamID, "api_app_id": AppID, "event": inner,
		"event_id": fmt.Sprintf("Ev%d", s.next()), "event_time": s.real().Unix(),
	}
}

// VerifyURL sends the url_verification that Slack sends when somebody configures the bot's URL.
func (s *Server) VerifyURL(challenge string) Result {
	return s.sendEvent(node{"type": "url_verification", "challenge": challenge}, nil)
}

// quote shows JSON in an error.
func quote(raw json.RawMessage) string {
	if len(raw) > 200 {
		raw = raw[:200]
	}
	return string(raw)
}
