package slackemu

import (
	"fmt"
	"time"
)

// triggerLife is how long a trigger opens a view (Slack, trigger_id).
const triggerLife = 3 * time.Second

// trigger lets the bot open one view for the person whose interaction it came with.
type trigger struct {
	user   string
	issued time.Time
	used   bool
}

// newTrigger needs mu.
func (s *Server) newTrigger(user string) string {
	id := fmt.Sprintf("%d.%s", s.next(), user)
	s.triggers[id] = &trigger{user: user, issued: s.real()}
	return id
}

// pull finds a trigger that may still be used; the caller marks it used once the view is valid. It needs mu.
func (s *Server) pull(id string) (*trigger, *apiError) {
	t, ok := s.triggers[id]
	switch {
	case id == "":
		return nil, refusal("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case !ok:
		return nil, refusal("invalid_trigger_id")
	case t.used:
		return nil, refusal("exchanged_trigger_id")
	case s.real().Sub(t.issued) > triggerLife:
		return nil, refusal("expired_trigger_id")
	default:
		return t, nil
	}
}
