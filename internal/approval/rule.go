// Package approval answers one question: may this person decide on this key? It is pure: rules, subject and person come
// in, an explained verdict goes out. It must not know Slack, stores or the configuration's file format.
//
// It refuses by default: no rule, an unknown person, a guest, a bot, somebody of another team or a lookup that failed are
// all a no that says why, and who could.
package approval

import (
	"fmt"
	"strings"
)

// Circle is a group of people that a rule may name. The zero value names nobody.
type Circle struct {
	Kind CircleKind
	ID   string // Slack user ID or e-mail address; empty for owner and account_owner
}

// CircleKind says how a circle finds its people.
type CircleKind string

// The kinds of circles.
const (
	Owner        CircleKind = "owner"         // whom the user's owner tag names, else the account's e-mail address
	AccountOwner CircleKind = "account_owner" // the account's e-mail address
	SlackUser    CircleKind = "user"          // one Slack user
	Email        CircleKind = "email"         // one e-mail address
)

// ParseCircle reads a circle as the configuration writes it: owner, account_owner, user:U0123 or an e-mail address.
func ParseCircle(s string) (Circle, error) {
	kind, id, has := strings.Cut(s, ":")
	switch {
	case s == string(Owner) || s == string(AccountOwner):
		return Circle{Kind: CircleKind(s)}, nil
	case has && kind == "group":
		return Circle{}, fmt.Errorf("%q: Slack user groups as approvers are not supported by this version; name people by user:U... or e-mail address", s)
	case has && kind == "user" && len(id) > 1 && (id[0] == 'U' || id[0] == 'W'):
		return Circle{Kind: SlackUser, ID: id}, nil
	case has && kind == "email":
		s = id
		fallthrough
	default:
		at := strings.IndexByte(s, '@')
		if at < 1 || at == len(s)-1 || strings.ContainsAny(s, " <>,") {
			return Circle{}, fmt.Errorf("%q is not an approver: write owner, account_owner, user:U0123456789 or an e-mail address", s)
		}
		return Circle{Kind: Email, ID: strings.ToLower(s)}, nil
	}
}

// String writes the circle as the configuration does.
func (c Circle) String() string {
	switch c.Kind {
	case SlackUser:
		return "user:" + c.ID
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
}
