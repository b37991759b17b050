package notify

import (
	"context"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// kind is what sort of place a rotation is shown in.
type kind int

const (
	direct kind = iota
	channel
	byMail
)

// place is where a rotation is shown to somebody. Its id is what a MessageRef calls For.
type place struct {
	kind   kind
	id     string         // Slack user ID, channel ID or e-mail address
	reader rotation.Actor // who reads it; nobody in particular for a channel
	help   string         // said at the foot of the notice

	call    []string // whom a message in a channel calls: Slack users and user groups
	once    bool     // a mail of which no news is sent
	because string   // why somebody gets the mail, a sentence; empty: Slack does not reach the owner
}

func (o owner) direct() place {
	return place{kind: direct, id: o.person.SlackID, reader: o.person.Actor()}
}

func (o owner) byMail() place {
	return place{kind: byMail, id: o.mail, reader: rotation.Actor{Email: o.mail}}
}

// channel is the place where those look who are not the owner.
func (n *Notifier) channel(o owner, r rotation.Rotation) place {
	p := place{kind: channel, id: n.o.Channel(r), help: o.why, call: n.mentions(r)}
	if !o.reached() && o.mail != "" && n.o.Mail != nil {
		p.help += " A mail tells them."
	}
	return p
}

// urgent reports whether others than the owner have to find r whoever the owner is: it needs a person, or a key was cut off,
// so that whoever is on call at three in the morning sees which one, and the button that restores it.
func urgent(r rotation.Rotation) bool {
	if r.Stuck != nil || r.Escalated || r.Leaked != nil || r.LeakedKey != nil {
		return true
	}
	for _, a := range r.Approvals {
		if a.BreakGlass { // one person decided alone: everybody may know
			return true
		}
	}
	for _, e := range r.History {
		switch e.Event {
		case "deactivated", "observed_deactivated", "restored", "observed_reactivated":
			return true
		}
	}
	return false
}

// waitsForOthers reports whether a decision is due that the owner alone cannot take.
func (n *Notifier) waitsForOthers(ctx context.Context, r rotation.Rotation, o owner) bool {
	if r.State != rotation.Awaiting || !r.SnoozedUntil.IsZero() {
		return false
	}
	rule := n.rule(r)
	if rule.Required != 1 || r.Escalation != nil {
		return true
	}
	s := approval.SubjectOf(r, []string{o.person.TeamID})
	if approval.Decide(rule, s, o.person, nil).Allowed {
		return false
	}
	s.Groups = n.circles().Groups(ctx, rule)
	return !approval.Decide(rule, s, o.person, nil).Allowed
}

// inChannel reports whether r belongs into the channel, for an owner who was found out.
func (n *Notifier) inChannel(ctx context.Context, r rotation.Rotation, o owner) bool {
	return n.o.Channel(r) != "" && (!o.reached() || urgent(r) || n.waitsForOthers(ctx, r, o))
}
