package slackemu

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

func (s *Server) usersInfo(p params) (node, *apiError) {
	u, ok := s.people.users[p.get("user")]
	if !ok {
		return nil, refusal("user_not_found")
	}
	return node{"user": s.userNode(u)}, nil
}

func (s *Server) usersLookupByEmail(p params) (node, *apiError) {
	u, ok := s.people.byEmail(p.get("email"), s.opt.TeamID)
	if !ok {
		return nil, refusal("users_not_found")
	}
	return node{"user": s.userNode(u)}, nil
}

func (s *Server) usersList(p params) (node, *apiError) {
	page, next, err := paged(s.people.order, p, 200)
	if err != nil {
		return nil, err
	}
	members := make([]node, len(page))
	for i, id := range page {
		members[i] = s.userNode(s.people.users[id])
	}
	return node{"members": members, "response_metadata": node{"next_cursor": next}}, nil
}

func (s *Server) userNode(u User) node {
	profile := node{"real_name": u.RealName, "display_name": u.Name, "team": u.TeamID}
	if s.hasScope("users:read.email") && u.Email != "" && !u.Stranger {
		profile["email"] = u.Email
	}
	zone := zoneOf(u)
	label, offset := s.real().In(zone).Zone()
	n := node{
		"id": u.ID, "team_id": u.TeamID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted, "profile": profile,
		"is_bot": u.Bot, "is_restricted": u.Guest || u.UltraGuest, "is_ultra_restricted": u.UltraGuest,
		"tz": zone.String(), "tz_label": label, "tz_offset": offset, "is_app_user": false,
	}
	if u.Stranger {
		n["is_stranger"] = true
	}
	return n
}

func zoneOf(u User) *time.Location {
	zone, err := time.LoadLocation(u.TZ)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (s *Server) conversationsOpen(p params) (node, *apiError) {
	if id := p.get("channel"); id != "" {
		c := s.people.channels[id]
		if c == nil || c.user == "" {
			return nil, refusal("channel_not_found")
		}
		return node{"channel": s.channelNode(c)}, nil
	}
	ids := p.get("users")
	if ids == "" {
		return nil, refusal("users_list_not_supplied")
	}
	if strings.Contains(ids, ",") {
		return nil, refusal("missing_scope", "the emulator opens direct messages with one person only")
	}
	u, ok := s.people.users[ids]
	if !ok {
		return nil, refusal("user_not_found")
	}
	if err := reachable(u); err != nil {
		return nil, err
	}
	known := s.people.channels[dmID(u.ID)] != nil
	return node{"channel": s.channelNode(s.people.dm(u.ID)), "already_open": known, "no_op": known}, nil
}

func (s *Server) conversationsInfo(p params) (node, *apiError) {
	c, ok := s.people.channels[p.get("channel")]
	if !ok {
		return nil, refusal("channel_not_found")
	}
	return node{"channel": s.channelNode(c)}, nil
}

func (s *Server) conversationsList(p params) (node, *apiError) {
	types := or(p.get("types"), "public_channel")
	var ids []string
	for _, id := range s.people.chOrder {
		if im := s.people.channels[id].user != ""; im && strings.Contains(types, "im") || !im && strings.Contains(types, "public_channel") {
			ids = append(ids, id)
		}
	}
	page, next, err := paged(ids, p, 100)
	if err != nil {
		return nil, err
	}
	out := make([]node, len(page))
	for i, id := range page {
		out[i] = s.channelNode(s.people.channels[id])
	}
	return node{"channels": out, "response_metadata": node{"next_cursor": next}}, nil
}

func (s *Server) channelNode(c *channel) node {
	if c.user != "" {
		return node{"id": c.id, "is_im": true, "user": c.user, "is_open": true, "context_team_id": s.opt.TeamID}
	}
	return node{
		"id": c.id, "name": c.name, "name_normalized": c.name, "is_channel": true, "is_private": false, "is_archived": false,
		"is_member": c.botIsMember, "context_team_id": s.opt.TeamID,
	}
}

// paged cuts a page out of a list by limit and cursor.
func paged(ids []string, p params, most int) (page []string, next string, err *apiError) {
	from := 0
	if cursor := p.get("cursor"); cursor != "" {
		b, bad := base64.StdEncoding.DecodeString(cursor)
		n, bad2 := strconv.Atoi(strings.TrimPrefix(string(b), "from:"))
		if bad != nil || bad2 != nil || n < 0 || n > len(ids) {
			return nil, "", refusal("invalid_cursor")
		}
		from = n
	}
	to := min(len(ids), from+min(p.number("limit", most), 1000))
	if to < len(ids) {
		next = base64.StdEncoding.EncodeToString([]byte("from:" + strconv.Itoa(to)))
	}
	return ids[from:to], next, nil
}
