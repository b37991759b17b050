package notify

import (
	"context"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// mostAsked bounds how many people of a circle get a message of their own; a larger one is a user group.
const mostAsked = 20

// found are people whom a call has looked up.
type found struct {
	people []approval.Person
	err    error
}

// circles finds people through the notifier's own Slack.
func (n *Notifier) circles() *circle.Circles { return circle.New(n.o.Slack, n.o.Teams) }

// called are the circles that have to hear of r whoever its owner is: those whom a decision waits for where the owner's word is
// not enough, the next one of a decision that was escalated, and everybody whom the rule names where a key leaked.
func (n *Notifier) called(r rotation.Rotation) []approval.Circle {
	rule := n.rule(r)
	var out []approval.Circle
	if r.Leaked != nil || r.LeakedKey != nil {
		out = append(out, rule.AnyOf...)
		out = append(out, rule.Escalate...)
		out = append(out, rule.Leaked...)
	}
	ownerDecides := rule.Required <= 1 && slices.ContainsFunc(rule.AnyOf, func(c approval.Circle) bool { return c.Kind == approval.Owner })
	if r.State == rotation.Awaiting && !ownerDecides {
		out = append(out, rule.AnyOf...)
	}
	if r.Escalation != nil && r.State == rotation.Awaiting {
		out = append(out, rule.Escalate...)
	}
	return out
}

// others are the places of people beside the owner who have to hear of r, each with a message of their own. Members of user
// groups are mentioned in the channel instead. An error says who could not be looked up, beside those who were found.
func (n *Notifier) others(ctx context.Context, c *call, r rotation.Rotation) ([]place, error) {
	if !r.Open() {
		return nil, nil
	}
	var single []approval.Circle
	for _, k := range n.called(r) {
		if k.Kind != approval.UserGroup {
			single = append(single, k)
		}
	}
	if len(single) == 0 {
		return nil, nil
	}
	key := fmt.Sprintf("%q %q %q", single, r.Owner, r.AccountEmail)
	f, known := c.circles[key]
	if !known {
		f.people, f.err = n.circles().People(ctx, approval.Rule{AnyOf: single, Required: 1}, approval.SubjectOf(r, n.o.Teams))
		if f.err != nil {
			f.err = fmt.Errorf("find those who have to hear of a key: %w", f.err)
		}
		if ctx.Err() == nil { // otherwise it is no fault of Slack, and the next rotation has its own time
			c.circles[key] = f
		}
	}
	var out []place
	for _, p := range f.people {
		if o := n.reachable(p, ""); o.reached() && !c.lost[p.SlackID] && len(out) < mostAsked {
			out = append(out, o.direct())
		}
	}
	return out, f.err
}

// mentions are whom a reply in the channel calls: the circles that have to hear of r.
func (n *Notifier) mentions(r rotation.Rotation) (ids []string) {
	for _, c := range n.called(r) {
		if (c.Kind == approval.UserGroup || c.Kind == approval.SlackUser) && !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// becauseEscalated says to an account's owner why they get a mail.
const becauseEscalated = "You get this because nobody has decided so far, and you own the account."

// accountOwner is the mail to the account's owner about a decision that was escalated. It is sent once.
func (n *Notifier) accountOwner(r rotation.Rotation) (place, bool) {
	to := address(r.AccountEmail)
	if r.Escalation == nil || r.State != rotation.Awaiting || to == "" || n.o.Mail == nil {
		return place{}, false
	}
	return place{kind: byMail, id: to, once: true, because: becauseEscalated, reader: rotation.Actor{Email: to}}, true
}

// reachable is how a person is reached just now. who is what they are called where Slack does not reach them.
func (n *Notifier) reachable(p approval.Person, who string) owner {
	o := owner{}
	if !p.Deleted && !p.Bot {
		o.mail = address(p.Email)
	}
	switch why := n.unreachable(p); {
	case why == "":
		o.person = p
	default:
		o.why = fmt.Sprintf(why, templates.Cut(who, 80))
	}
	return o
}
