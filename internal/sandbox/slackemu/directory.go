package slackemu

import "strings"

// User is a person, or a bot, that the workspace knows.
type User struct {
	ID, Name, RealName, Email string
	// TeamID is the person's own team; empty means the server's.
	TeamID string
	// TZ is an IANA time zone; empty means UTC.
	TZ string
	// Guest is Slack's is_restricted, UltraGuest is_ultra_restricted.
	Guest, UltraGuest, Bot, Deleted bool
	// Stranger is Slack's is_stranger: an outsider who shares no visible channel.
	Stranger bool
}

// channel is a conversation. A direct message has a user and no name.
type channel struct {
	id, name, user string
	botIsMember    bool
}

// directory holds people, conversations and user groups in the order in which they came. Server.mu guards it.
type directory struct {
	users    map[string]User
	order    []string
	channels map[string]*channel
	chOrder  []string
	groups   map[string]Group
}

func newDirectory() directory {
	return directory{users: map[string]User{}, channels: map[string]*channel{}, groups: map[string]Group{}}
}

func (d *directory) put(u User) {
	if _, ok := d.users[u.ID]; !ok {
		d.order = append(d.order, u.ID)
	}
	d.users[u.ID] = u
}

func (d *directory) addChannel(c *channel) {
	if _, ok := d.channels[c.id]; !ok {
		d.chOrder = append(d.chOrder, c.id)
	}
	d.channels[c.id] = c
}

// dm returns the app's direct message with a person, opening it if need be.
func (d *directory) dm(user string) *channel {
	id := dmID(user)
	if c, ok := d.channels[id]; ok {
		return c
	}
	c := &channel{id: id, user: user, botIsMember: true}
	d.addChannel(c)
	return c
}

// dmID derives the ID of a direct message, so that tests can name it.
func dmID(user string) string { return "D" + strings.TrimPrefix(user, "U") }

func (d *directory) byEmail(email, team string) (User, bool) {
	for _, id := range d.order {
		u := d.users[id]
		if email != "" && strings.EqualFold(u.Email, email) && !u.Deleted && !u.Stranger && u.TeamID == team {
			return u, true
		}
	}
	return User{}, false
}

// AddUser adds a person, or replaces the one with the same ID.
func (s *Server) AddUser(u User) {
	if u.TeamID == "" {
		u.TeamID = s.opt.TeamID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.put(u)
}

// UpdateUser changes what is known of a person, for example that the account was deactivated.
func (s *Server) UpdateUser(u User) { s.AddUser(u) }

// AddChannel adds a public channel.
func (s *Server) AddChannel(id, name string, botIsMember bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.addChannel(&channel{id: id, name: name, botIsMember: botIsMember})
}

// DM returns the channel ID of the app's direct message with a person.
func (s *Server) DM(userID string) string { return dmID(userID) }

func (s *Server) userOf(id string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.people.users[id]
	if !ok {
		return User{ID: id, Name: id, RealName: id, TeamID: s.opt.TeamID}
	}
	return u
}
