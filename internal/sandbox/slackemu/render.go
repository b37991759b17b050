package slackemu

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// width is how wide a rendering is, in characters.
const width = 100

// screen renders for one reader.
type screen struct {
	zone  *time.Location // nil shows a date's fallback
	users map[string]User
	names map[string]string // channels
	teams map[string]string // user groups
}

// screenFor takes what a rendering needs; an empty viewer is nobody in particular.
func (s *Server) screenFor(viewer string) screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := screen{users: map[string]User{}, names: map[string]string{}, teams: map[string]string{}}
	for id, u := range s.people.users {
		c.users[id] = u
	}
	for id, ch := range s.people.channels {
		c.names[id] = ch.name
	}
	for id, g := range s.people.groups {
		c.teams[id] = g.Handle
	}
	if u, ok := s.people.users[viewer]; ok {
		c.zone = zoneOf(u)
	}
	return c
}

// Render shows a message as plain text, the way its reader would see it: the person of a direct message, or the one for whom
// an ephemeral message is. Elsewhere dates show their fallback.
func (s *Server) Render(m Message) string {
	viewer := m.For
	if viewer == "" {
		s.mu.Lock()
		if c := s.people.channels[m.Channel]; c != nil {
			viewer = c.user
		}
		s.mu.Unlock()
	}
	return s.screenFor(viewer).message(m)
}

// RenderView shows a modal or a Home as plain text, the way the person who sees it would.
func (s *Server) RenderView(v *slack.View) string {
	if v == nil {
		return ""
	}
	s.mu.Lock()
	viewer := ""
	if known := s.views.byID[v.ID]; known != nil {
		viewer = known.user
	}
	s.mu.Unlock()
	return s.screenFor(viewer).view(v)
}

// Render shows a message as this person sees it.
func (p *Person) Render(m Message) string { return p.s.screenFor(p.id).message(m) }

// RenderView shows a view as this person sees it.
func (p *Person) RenderView(v *slack.View) string {
	if v == nil {
		return ""
	}
	return p.s.screenFor(p.id).view(v)
}

func (c screen) message(m Message) string {
	if len(m.RawBlocks) == 0 {
		return wrap(c.mrkdwn(m.Text), width)
	}
	var blocks []node
	if err := blockjson.Decode(m.RawBlocks, &blocks); err != nil {
		return wrap(c.mrkdwn(m.Text), width)
	}
	return c.blocks(blocks, nil)
}

func (c screen) view(v *slack.View) string {
	raw, err := json.Marshal(v.Blocks)
	if err != nil {
		return ""
	}
	var blocks []node
	if err := blockjson.Decode(raw, &blocks); err != nil {
		return ""
	}
	state := inputs{}
	if v.State != nil {
		state = readInputs(v.State)
	}
	var parts []string
	if v.Title != nil {
		parts = append(parts, underlined(v.Title.Text))
	}
	if body := c.blocks(blocks, state); body != "" {
		parts = append(parts, body)
	}
	var buttons []string
	for _, b := range []*slack.TextBlockObject{v.Close, v.Submit} {
		if b != nil && b.Text != "" {
			buttons = append(buttons, "["+b.Text+"]")
		}
	}
	if len(buttons) > 0 {
		parts = append(parts, strings.Join(buttons, " "))
	}
	return strings.Join(parts, "\n\n")
}

// readInputs takes the state of a view back into the form of the wire.
func readInputs(state *slack.ViewState) inputs {
	raw, err := json.Marshal(state.Values)
	if err != nil {
		return inputs{}
	}
	var in inputs
	if err := blockjson.Decode(raw, &in); err != nil {
		return inputs{}
	}
	return in
}

// blocks renders blocks with an empty line between them.
func (c screen) blocks(blocks []node, state inputs) string {
	var parts []string
	for _, b := range blocks {
		if text := c.block(b, state); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n\n")
}

func underlined(title string) string {
	return title + "\n" + strings.Repeat("=", min(width, columns(title)))
}
