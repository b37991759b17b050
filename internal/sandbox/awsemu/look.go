package awsemu

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Unit is the root of the organization, whose Parent is empty, or an organizational unit.
type Unit struct{ ID, Parent, Name string }

// Units returns the root and the organizational units, ordered by name and ID.
func (s *Server) Units() []Unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Unit
	for _, u := range s.units {
		out = append(out, Unit{ID: u.id, Parent: u.parent, Name: u.name})
	}
	slices.SortFunc(out, func(a, b Unit) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Accounts returns the accounts of the organization in the order in which they were added.
func (s *Server) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Account
	for _, id := range s.order {
		out = append(out, s.accounts[id].Account)
	}
	return out
}

// Users returns the IAM users of an account, ordered by name.
func (s *Server) Users(acct string) (out []User) {
	s.with(acct, func(a *account) {
		for _, name := range a.names {
			u := a.user(name)
			c := u.User
			c.Tags, c.Groups, c.PolicyARNs = maps.Clone(u.Tags), slices.Clone(u.Groups), slices.Clone(u.PolicyARNs)
			out = append(out, c)
		}
	})
	return out
}

// KMSKeys returns the KMS keys of an account, ordered by ID.
func (s *Server) KMSKeys(acct string) (out []KMSKey) {
	s.with(acct, func(a *account) {
		for _, id := range slices.Sorted(maps.Keys(a.kms)) {
			k := *a.kms[id]
			k.Aliases, k.Tags = slices.Clone(k.Aliases), maps.Clone(k.Tags)
			out = append(out, k)
		}
	})
	return out
}

// subject is the IAM user whom a call is about: whom it names, whose key it names, or who signed it with a key of their own.
func (s *Server) subject(r *request) string {
	if name := r.form.Get("UserName"); name != "" {
		return name
	}
	if k := s.keys[r.form.Get("AccessKeyId")]; k != nil && k.user != nil {
		return k.user.Name
	}
	if u := r.who.user(); u != nil {
		return u.Name
	}
	return ""
}

// secretNamed is the secret that a call to Secrets Manager names.
func secretNamed(r *request) string {
	for _, field := range []string{"SecretId", "Name"} {
		if name, _ := r.in[field].(string); name != "" && r.service == "secretsmanager" {
			return name
		}
	}
	return ""
}
