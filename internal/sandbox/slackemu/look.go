package slackemu

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Channel is a public channel.
type Channel struct{ ID, Name string }

// Channels returns the public channels in the order in which they were added.
func (s *Server) Channels() []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Channel
	for _, id := range s.people.chOrder {
		if c := s.people.channels[id]; c.user == "" {
			out = append(out, Channel{ID: c.id, Name: c.name})
		}
	}
	return out
}

// Users returns everybody whom the workspace knows, the app among them, in the order in which they were added.
func (s *Server) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []User
	for _, id := range s.people.order {
		out = append(out, s.people.users[id])
	}
	return out
}

// Names returns what a client shows for the ID of a person, a channel or a user group; "" if it knows none.
func (s *Server) Names() (user, channel, group func(id string) string) {
	c := s.screenFor("")
	return func(id string) string { u := c.users[id]; return or(u.RealName, u.Name) },
		func(id string) string { return c.names[id] },
		func(id string) string { return c.teams[id] }
}

// Zone returns the time zone of a person.
func (p *Person) Zone() *time.Location { return zoneOf(p.s.userOf(p.id)) }

// Visible returns what a channel, or the direct message of a user's ID, shows to the person, oldest first, with what only
// this person sees.
func (p *Person) Visible(channelOrUser string) []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.visibleTo(p.s.resolve(channelOrUser), p.id)
}

// Shown is a modal or a Home as somebody sees it. Values are what the inputs hold, by block_id and action_id, in the form of
// Slack's state.values.
type Shown struct {
	ID, Hash, Title, Submit, Close string
	Blocks                         json.RawMessage
	Values                         map[string]map[string]map[string]any
}

// Windows returns the person's open modals, the visible one last.
func (p *Person) Windows() []Shown {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []Shown
	for _, v := range p.s.views.stacks[p.id] {
		out = append(out, shown(v))
	}
	return out
}

// HomeTab returns the Home that was published for the person; ok is false if none was.
func (p *Person) HomeTab() (h Shown, ok bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if v := p.s.views.homes[p.id]; v != nil {
		return shown(v), true
	}
	return Shown{}, false
}

func shown(v *view) Shown {
	return Shown{
		ID: v.id, Hash: v.hash, Title: blockjson.Text(v.body["title"]), Submit: blockjson.Text(v.body["submit"]), Close: blockjson.Text(v.body["close"]),
		Blocks: encode(blockjson.List(v.body, "blocks")), Values: v.state.copy(),
	}
}

// Enter fills in the open modal, or the inputs of the Home if no modal is open, without submitting it. values are those of
// Submit.
func (p *Person) Enter(values map[string]any) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	v := p.visible()
	if v == nil {
		return errNoView
	}
	return v.enter(values)
}

// Refused is a call of the app that Slack refused.
type Refused struct {
	At       time.Time // domain clock
	Method   string
	Channel  string // as the app named it
	Code     string
	Messages []string
}

// mostRefused bounds how many refusals are kept.
const mostRefused = 100

// Refusals returns the latest calls that were refused, oldest first. What a fault ordered is not among them.
func (s *Server) Refusals() []Refused {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refused)
}

// noteRefusal keeps a refusal.
func (s *Server) noteRefusal(method string, p params, a answer) {
	if a.status == 200 && (a.body == nil || blockjson.IsSet(a.body, "ok")) {
		return
	}
	r := Refused{Method: method, Channel: p.get("channel"), Code: blockjson.Str(a.body, "error")}
	r.Messages, _ = blockjson.Sub(a.body, "response_metadata")["messages"].([]string)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.At = s.now()
	s.refused = append(s.refused, r)
	if more := len(s.refused) - mostRefused; more > 0 {
		s.refused = slices.Delete(s.refused, 0, more)
	}
}
