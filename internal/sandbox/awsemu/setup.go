package awsemu

import (
	"slices"
	"strings"
	"time"
)

// AddRoot adds the root of the organization.
func (s *Server) AddRoot(id string) { s.AddOU("", id, "Root") }

// AddOU adds an organizational unit.
func (s *Server) AddOU(parent, id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units[id] = &unit{id: id, parent: parent, name: name}
}

// AddAccount adds an account.
func (s *Server) AddAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.State == "" {
		a.State = "ACTIVE"
	}
	if s.accounts[a.ID] == nil {
		s.order = append(s.order, a.ID)
	}
	s.accounts[a.ID] = &account{
		Account: a, users: map[string]*user{}, byID: map[string]*user{}, groups: map[string]string{}, roles: map[string]*role{},
		secrets: map[string]*secret{}, kms: map[string]*KMSKey{}, aliases: map[string]*KMSKey{}, mail: mailAccount{ids: map[string]bool{}}, queues: map[string]*queue{},
	}
}

// SetAccountState sets the state of an account: SUSPENDED, CLOSED. What is not ACTIVE admits nobody.
func (s *Server) SetAccountState(id, state string) { s.with(id, func(a *account) { a.State = state }) }

// MoveAccount moves an account below another parent.
func (s *Server) MoveAccount(id, parent string) { s.with(id, func(a *account) { a.ParentID = parent }) }

// RemoveAccount makes an account leave the organization: it is listed no more, and nobody from the organization gets in.
func (s *Server) RemoveAccount(id string) {
	s.with(id, func(a *account) {
		a.State = "CLOSED"
		s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
	})
}

// AddRole adds a role that may be assumed from other accounts, with the external ID if it is not empty. Its sessions are one
// hour long at most, and may do everything in the account.
func (s *Server) AddRole(acct, name, externalID string) {
	s.with(acct, func(a *account) {
		a.roles[name] = &role{id: stableID("AROA", acct+"/"+name), externalID: externalID, longest: time.Hour}
	})
}

// RemoveRole takes a role away.
func (s *Server) RemoveRole(acct, name string) {
	s.with(acct, func(a *account) { delete(a.roles, name) })
}

// SetRoleDeny denies actions to a role: iam:CreateAccessKey, iam:*. kms:GenerateDataKey and kms:Decrypt keep it from writing
// and reading secrets under customer-managed keys. It replaces what was denied before.
func (s *Server) SetRoleDeny(acct, name string, actions ...string) {
	s.with(acct, func(a *account) { must(a.roles[name], "role", name).deny = slices.Clone(actions) })
}

// SetRoleMaxSession sets how long sessions of a role may be: 1 to 12 hours.
func (s *Server) SetRoleMaxSession(acct, name string, d time.Duration) {
	s.with(acct, func(a *account) { must(a.roles[name], "role", name).longest = d })
}

// ExpireSessions makes all sessions in an account expire now.
func (s *Server) ExpireSessions(acct string) {
	s.with(acct, func(*account) {
		for _, ses := range s.sessions {
			if ses.account == acct {
				ses.expires, ses.lasting = time.Time{}, false
			}
		}
	})
}

// AddGroup adds an IAM group.
func (s *Server) AddGroup(acct, name string) {
	s.with(acct, func(a *account) { a.groups[strings.ToLower(name)] = name })
}

// SetGroupPolicies attaches policies to a group, by their ARNs.
func (s *Server) SetGroupPolicies(acct, name string, arns ...string) {
	s.with(acct, func(a *account) {
		if a.groups[strings.ToLower(name)] == "" {
			panic("awsemu: no group " + name + " in " + acct)
		}
		if a.policies == nil {
			a.policies = map[string][]string{}
		}
		a.policies[strings.ToLower(name)] = arns
	})
}

// SetGroupPath gives a group another path than "/".
func (s *Server) SetGroupPath(acct, name, path string) {
	s.with(acct, func(a *account) {
		if a.groups[strings.ToLower(name)] == "" {
			panic("awsemu: no group " + name + " in " + acct)
		}
		if a.paths == nil {
			a.paths = map[string]string{}
		}
		a.paths[strings.ToLower(name)] = path
	})
}

// AddUser adds an IAM user, with its groups if they are missing. A name that AWS refuses is a mistake of the caller.
func (s *Server) AddUser(acct string, u User) {
	s.with(acct, func(a *account) {
		if u.Path == "" {
			u.Path = "/"
		}
		if u.UserID == "" {
			u.UserID = "AIDA" + s.random(idAlphabet, 17)
		}
		if u.CreatedAt.IsZero() {
			u.CreatedAt = s.opts.Now()
		}
		for _, g := range u.Groups {
			a.groups[strings.ToLower(g)] = g
		}
		a.put(&user{User: u})
	})
}

func (a *account) put(u *user) {
	if !userName.MatchString(u.Name) {
		panic("awsemu: no user can be called " + u.Name)
	}
	if a.user(u.Name) != nil {
		panic("awsemu: there is a user " + u.Name)
	}
	a.users[strings.ToLower(u.Name)], a.byID[u.UserID] = u, u
	i, _ := slices.BinarySearch(a.names, u.Name)
	a.names = slices.Insert(a.names, i, u.Name)
}

func (a *account) take(name string) *user {
	u := must(a.user(name), "user", name)
	delete(a.users, strings.ToLower(name))
	delete(a.byID, u.UserID)
	a.names = slices.DeleteFunc(a.names, func(n string) bool { return n == u.Name })
	return u
}

// RemoveUser removes a user with its keys.
func (s *Server) RemoveUser(acct, name string) {
	s.with(acct, func(a *account) {
		for _, k := range a.take(name).keys() {
			s.deleteKey(k)
		}
	})
}

// RenameUser renames a user. Its unique ID and its keys stay.
func (s *Server) RenameUser(acct, from, to string) {
	s.with(acct, func(a *account) {
		u := a.take(from)
		u.Name = to
		a.put(u)
	})
}

// SetUserTags replaces a user's tags.
func (s *Server) SetUserTags(acct, name string, tags map[string]string) {
	s.with(acct, func(a *account) { must(a.user(name), "user", name).Tags = tags })
}

// SetUserGroups replaces a user's groups.
func (s *Server) SetUserGroups(acct, name string, groups ...string) {
	s.with(acct, func(a *account) {
		for _, g := range groups {
			a.groups[strings.ToLower(g)] = g
		}
		must(a.user(name), "user", name).Groups = slices.Clone(groups)
	})
}
