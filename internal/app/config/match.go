package config

import (
	"path"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Match says which keys a rule is for. Everything that is set has to hold; the zero value matches everything.
type Match struct {
	Accounts []rotation.AccountID
	OU       string // a path from the root (r-ab12/ou-ab12-prod...), or the ID of one unit anywhere in the path
	User     string // a glob over the user's name: build-*
	Path     string // a prefix of the user's path: /machines/
	Tags     map[string]string
	Mode     rotation.Mode // of the policy that applies; in approvals only
}

// Any reports whether the match matches everything.
func (m Match) Any() bool {
	return len(m.Accounts) == 0 && m.OU == "" && m.User == "" && m.Path == "" && len(m.Tags) == 0 && m.Mode == ""
}

// Matches reports whether the rule is for t.
func (m Match) Matches(t approval.Target) bool {
	if len(m.Accounts) > 0 && !slices.Contains(m.Accounts, t.Account) {
		return false
	}
	if m.Mode != "" && m.Mode != t.Mode {
		return false
	}
	if m.OU != "" && !rotation.InOU(m.OU, t.OUPath) {
		return false
	}
	if m.User != "" {
		if ok, err := path.Match(m.User, string(t.UserName)); err != nil || !ok {
			return false
		}
	}
	if m.Path != "" && !strings.HasPrefix(t.UserPath, m.Path) {
		return false
	}
	for k, v := range m.Tags {
		if got, ok := t.Tags[k]; !ok || got != v && v != "*" {
			return false
		}
	}
	return true
}
