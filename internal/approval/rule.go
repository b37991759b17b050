// Package approval answers one question: may this person decide on this key? It is pure: rules, subject and person come
// in, an explained verdict goes out. It must not know Slack, stores or the configuration's file format.
//
// It refuses by default: no rule, an unknown person, a guest, a bot, somebody of another team or a lookup that failed are
// all a no that says why, and who could.
package approval

import (
	"fmt"
	"slices"
	"strings"
)

// Circle is a group of people that a rule may name. The zero value names nobody.
type Circle struct {
	Kind CircleKind
	ID   string // Slack user ID, e-mail address or Slack user group ID; empty for owner and account_owner
}

// CircleKind says how a circle finds its people.
type CircleKind string

// The kinds of circles.
const (
	Owner        CircleKind = "owner"         // whom the user's owner tag names, else the account's e-mail address
	AccountOwner CircleKind = "account_owner" // the account's e-mail address
	SlackUser    CircleKind = "user"          // one Slack user
	Email        CircleKind = "email"         // one e-mail address
	UserGroup    CircleKind = "group"         // the members of a Slack user group
)

// ParseCircle reads a circle as the configuration writes it: owner, account_owner, user:U0123, group:S0123 or an e-mail address.
func ParseCircle(s string) (Circle, error) {
	kind, id, has := strings.Cut(s, ":")
	switch {
	case s == string(Owner) || s == string(AccountOwner):
		return Circle{Kind: CircleKind(s)}, nil
	case has && kind == "group" && len(id) > 1 && id[0] == 'S' && !strings.ContainsAny(id, " <>,"):
		return Circle{Kind: UserGroup, ID: id}, nil
	case has && kind == "user" && len(id) > 1 && (id[0] == 'U' || id[0] == 'W'):
		return Circle{Kind: SlackUser, ID: id}, nil
	case has && kind == "email":
		s = id
		fallthrough
	default:
		at := strings.IndexByte(s, '@')
		if at < 1 || at == len(s)-1 || strings.ContainsAny(s, " <>,") {
			return Circle{}, fmt.Errorf("%q is not an approver: write owner, account_owner, user:U0123456789, group:S0123456789 or an e-mail address", s)
		}
		return Circle{Kind: Email, ID: strings.ToLower(s)}, nil
	}
}

// String writes the circle as the configuration does.
func (c Circle) String() string {
	switch c.Kind {
	case SlackUser:
		return "user:" + c.ID
	case UserGroup:
		return "group:" + c.ID
	case Email:
		return c.ID
	default:
		return string(c.Kind)
	}
}

// Rule says who may decide and how many of them it takes. The zero value lets nobody decide.
type Rule struct {
	Name          string   // where it stands in the configuration
	AnyOf         []Circle // one of these circles is enough
	Required      int      // distinct people
	SelfApproval  bool     // the one who asked for the rotation may approve it
	Justification bool     // an approval needs a reason

	Escalate   []Circle // may decide too, once nobody answered in time
	Leaked     []Circle // may report a leak; nothing: those of AnyOf and Escalate
	BreakGlass []Circle // may approve alone, with a reason; nothing: nobody
}

// At returns the rule as it holds for a rotation whose decision was escalated, or not yet.
func (r Rule) At(escalated bool) Rule {
	if escalated {
		r.AnyOf = union(r.AnyOf, r.Escalate)
	}
	return r
}

// Leak is the right to report a key as leaked: one person is enough, whoever asked for the rotation.
func (r Rule) Leak() Rule {
	if len(r.Leaked) > 0 {
		r.AnyOf = r.Leaked
	} else {
		r = r.At(true)
	}
	r.Escalate = nil
	return r.alone()
}

// Glass is the right to approve alone.
func (r Rule) Glass() Rule {
	r.AnyOf, r.Escalate = union(r.BreakGlass), nil
	r = r.alone()
	r.Justification = true
	return r
}

// Own is the right to what takes no key away: one person is enough, whoever asked for the rotation.
func (r Rule) Own() Rule { return r.alone() }

func (r Rule) alone() Rule {
	if len(r.AnyOf) > 0 {
		r.Required = 1
	}
	r.SelfApproval, r.Justification = true, false
	return r
}

// GroupIDs lists the Slack user groups that the rule names anywhere, each once.
func (r Rule) GroupIDs() []string {
	var ids []string
	for _, c := range union(r.AnyOf, r.Escalate, r.Leaked, r.BreakGlass) {
		if c.Kind == UserGroup {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// union joins circles; each stands once.
func union(all ...[]Circle) (out []Circle) {
	for _, cs := range all {
		for _, c := range cs {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}
