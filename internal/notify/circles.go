package notify

import (
	"context"
	"fmt"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// mostAsked bounds how many people of a circle get a message of their own; a larger one is a user group.
const mostAsked = 20

// circles finds people through the notifier's own Slack.
func (n *Notifier) circles() *circle.Circles { return circle.New(n.o.Slack, n.o.Teams) }

// called are the circles that have to hear of r whoever its owner is: the next one of a decision that was escalated, and
// everybody whom the rule names where a key leaked.
func (n *Notifier) called(r rotation.Rotation) []approval.Circle {
	rule := n.rule(r)
	var out []approval.Circle
	if r.Leaked != nil || r.LeakedKey != nil {
		out = append(out, rule.AnyOf...)
		out = append(out, rule.Escalate...)
		out = append(out, rule.Leaked...)
	}
	if r.Escalation != nil && r.State == rotation.Awaiting {
		out = append(out, rule.Escalate...)
	}
	return out
}

// others are the places of people beside the owner who have to hear of r, each with a message of their own. Members of user
// groups are mentioned in the channel instead.
func (t *telling) others(ctx context.Context) ([]place, error) {
	if !t.r.Open() {
		return nil, nil
	}
	var single []approval.Circle
	for _, c := range t.n.called(t.r) {
		if c.Kind != approval.UserGroup {
			single = append(single, c)
		}
	}
	if len(single) == 0 {
		return nil, nil
	}
	people, err := t.n.circles().People(ctx, approval.Rule{AnyOf: single, Required: 1}, approval.SubjectOf(t.r, t.n.o.Teams))
	if err != nil {
		err = fmt.Errorf("find those who have to hear of key %s: %w", t.r.Old.ID, err)
	}
	var out []place
	for _, p := range people {
		if o := t.n.reachable(p, ""); o.reached() && len(out) < mostAsked {
			out = append(out, o.direct())
		}
	}
	return out, err
}

// mentions are whom a reply in the channel calls: the circles that have to hear of r.
func (n *Notifier) mentions(r rotation.Rotation) (ids []string) {
	for _, c := range n.called(r) {
		if c.Kind == approval.UserGroup || c.Kind == approval.SlackUser {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// becauseEscalated says to an account's owner why they get a mail.
const becauseEscalated = "You get this because nobody has decided so far, and you own the account."

// accountOwner is the mail to the account's owner about a decision that was escalated. It is sent once.
func (t *telling) accountOwner() (place, bool) {
	to := address(t.r.AccountEmail)
	if t.r.Escalation == nil || t.r.State != rotation.Awaiting || to == "" || t.n.o.Mail == nil {
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
