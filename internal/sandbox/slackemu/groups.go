package slackemu

import "slices"

// Group is a user group. To an app that does not ask for disabled ones, a disabled group is not there.
type Group struct {
	ID string
	// Handle is what people write after the @; empty means the ID.
	Handle   string
	Members  []string // user IDs
	Disabled bool
}

// PutGroup adds a user group, or replaces the one with the same ID.
func (s *Server) PutGroup(g Group) {
	g.Members = slices.Clone(g.Members)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.groups[g.ID] = g
}

// AddGroup adds a user group, or replaces the members of one and enables it again.
func (s *Server) AddGroup(id string, userIDs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.people.groups[id]
	g.ID, g.Members, g.Disabled = id, slices.Clone(userIDs), false
	s.people.groups[id] = g
}

// RemoveGroup disables a user group. Slack deletes none.
func (s *Server) RemoveGroup(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.people.groups[id]; ok {
		g.Disabled = true
		s.people.groups[id] = g
	}
}

// LeaveGroup takes a person out of a user group.
func (s *Server) LeaveGroup(id, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g, ok := s.people.groups[id]; ok {
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m string) bool { return m == userID })
		s.people.groups[id] = g
	}
}

func (s *Server) usergroupsUsersList(p params) (node, *apiError) {
	id := p.get("usergroup")
	if id == "" {
		return nil, refusal("invalid_arguments", "[ERROR] missing required field: usergroup")
	}
	g, ok := s.people.groups[id]
	if off := p.get("include_disabled"); !ok || g.Disabled && off != "true" && off != "1" {
		return nil, refusal("no_such_subteam")
	}
	return node{"users": append([]string{}, g.Members...)}, nil
}
