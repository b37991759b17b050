package slackemu

import (
	"fmt"
	"slices"
)

// payload is what all interactions share: who, where, and a fresh trigger. It needs mu.
func (p *Person) payload(kind string) node {
	s := p.s
	u, ok := s.people.users[p.id]
	if !ok {
		u = User{ID: p.id, Name: p.id, TeamID: s.opt.TeamID}
	}
	return node{
		"type": kind, "api_app_id": AppID, "team": node{"id": s.opt.TeamID, "domain": s.domain()}, "enterprise": nil,
		"user":       node{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID},
		"trigger_id": s.newTrigger(u.ID), "is_enterprise_install": false,
	}
}

// messagePayload is an interaction with a message, as the person's screen shows it. It needs mu.
func (p *Person) messagePayload(kind string, m Message) (node, error) {
	s := p.s
	c := s.people.channels[m.Channel]
	if c == nil {
		return nil, fmt.Errorf("the message %s is in no known channel %q", m.TS, m.Channel)
	}
	name := c.name
	if c.user != "" {
		name = "directmessage"
	}
	n := p.payload(kind)
	n["channel"] = node{"id": c.id, "name": name}
	n["container"] = node{"type": "message", "message_ts": m.TS, "channel_id": c.id, "is_ephemeral": m.Ephemeral}
	stored := s.find(m.Channel, m.TS)
	if m.Ephemeral { // Slack does not repeat what an ephemeral message said
		stored = s.findWhisper(m.TS)
	} else {
		n["message"] = s.messageNode(m)
	}
	n["response_url"] = s.newResponseURL(p.id, c.id, stored)
	return n, nil
}

func (s *Server) findWhisper(ts string) *record {
	for _, r := range slices.Concat(s.whispers, s.shown) {
		if r.TS == ts {
			return r
		}
	}
	return nil
}
