package slackemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Save returns the server's state as JSON, for Load: the people, the channels and what they show, open modals with what was
// entered, and response URLs that may still be used. Triggers, counters, rates, refusals, hooks, faults and the traffic are not
// saved: AllTraffic of the server that loads begins anew. Neither is where the bot listens.
func (s *Server) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{
		Version: savedVersion, Team: s.opt.TeamID, Serial: s.serial, LastTS: s.lastTS, Whispers: saveMessages(s.whispers), Shown: saveMessages(s.shown),
		Modals: map[string][]savedView{}, Homes: map[string]savedView{}, Answers: map[string]savedAnswer{},
	}
	for _, id := range s.people.order {
		out.Users = append(out.Users, savedUser(s.people.users[id]))
	}
	for _, id := range s.people.chOrder {
		c := s.people.channels[id]
		out.Channels = append(out.Channels, savedChannel{ID: c.id, Name: c.name, User: c.user, BotIsMember: c.botIsMember})
	}
	for _, id := range slices.Sorted(maps.Keys(s.people.groups)) {
		out.Groups = append(out.Groups, savedGroup(s.people.groups[id]))
	}
	for _, ch := range slices.Sorted(maps.Keys(s.msgs)) {
		out.Messages = append(out.Messages, saveMessages(s.msgs[ch])...)
	}
	for user, stack := range s.views.stacks {
		for _, v := range stack {
			out.Modals[user] = append(out.Modals[user], saveView(v))
		}
	}
	for user, v := range s.views.homes {
		out.Homes[user] = saveView(v)
	}
	for id, r := range s.answers {
		if s.real().Sub(r.issued) <= responseLife {
			out.Answers[id] = saveAnswer(r)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return nil, fmt.Errorf("save the emulated Slack: %w", err)
	}
	return b.Bytes(), nil
}

func saveMessages(in []*record) []savedMessage {
	var out []savedMessage
	for _, r := range in {
		out = append(out, savedMessage{
			Channel: r.Channel, TS: r.TS, ThreadTS: r.ThreadTS, Text: r.Text, Blocks: r.RawBlocks, Edits: r.Edits, Ephemeral: r.Ephemeral,
			For: r.For, From: r.From, Broadcast: r.Broadcast,
		})
	}
	return out
}

func saveView(v *view) savedView {
	return savedView{ID: v.id, Root: v.root, Previous: v.previous, Hash: v.hash, Body: v.body, State: v.state}
}

func saveAnswer(r *responseURL) savedAnswer {
	out := savedAnswer{User: r.user, Channel: r.channel, Issued: date{r.issued.UTC()}, Uses: r.uses}
	if m := r.message; m != nil {
		out.Message = &savedRef{Channel: m.Channel, TS: m.TS, Ephemeral: m.Ephemeral}
	}
	return out
}
