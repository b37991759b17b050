package bot

import (
	"context"
	"errors"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// Calendar is what Options.Rules may do besides: say when keys are deactivated at all. Rules that do not leave /keys why
// without a word about it.
type Calendar interface {
	// When returns the next moment, t at the earliest, at which something may be done about r, and why not earlier. hours:
	// working hours count too, as they do for a deactivation.
	When(r rotation.Rotation, hours bool, t time.Time) (at time.Time, why string)
}

// why explains a key's rotation; of a key without one it says what is known.
func (b *Bot) why(ctx context.Context, key rotation.KeyID, who approval.Person) (templates.Message, error) {
	r, err := b.o.Store.RotationByKey(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return b.whyKey(ctx, key, who)
	}
	if err != nil {
		return templates.Message{}, err
	}
	return templates.AnswerWhy(b.explain(ctx, r, who), b.o.Now()), nil
}

// whyKey explains a key that no rotation is about.
func (b *Bot) whyKey(ctx context.Context, key rotation.KeyID, who approval.Person) (templates.Message, error) {
	s, u, k, err := b.findKey(ctx, key)
	if err != nil {
		return templates.Message{}, err
	}
	if k.ID == "" {
		return b.unknownKey(key), nil
	}
	out, err := b.userStatus(ctx, s, u, key)
	if err != nil {
		return templates.Message{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.lookup*2/3)
	defer cancel()
	w := templates.Why{}
	w.Policy, w.Rule, w.Covered = b.o.Rules.For(targetOf(s, u))
	if w.Covered {
		b.rights(ctx, &w, approval.Subject{Owner: b.ownerOf(s, u), AccountEmail: s.Email, Teams: b.o.Teams}, who, b.memberships())
	}
	return templates.AnswerWhyKey(out, w, b.o.Now()), nil
}

// rights finds out what today's rule lets a person do.
func (b *Bot) rights(ctx context.Context, w *templates.Why, s approval.Subject, who approval.Person, groups memberships) approval.Subject {
	s.Groups = groups.of(ctx, w.Rule)
	w.Verdict = approval.Decide(w.Rule, s, who, w.Rotation.Approvals)
	w.Leak, w.Glass = approval.Decide(w.Rule.Leak(), s, who, nil), approval.Decide(w.Rule.Glass(), s, who, nil)
	return s
}

// mostAsked is how many people are looked up in Slack to find out whether a rule can be met: the client may ask for some
// fifty a minute, and decisions need them more.
const mostAsked = 20

// peopleOf counts the people whom a rule names.
func peopleOf(rule approval.Rule, groups approval.Groups) int {
	n := 0
	for _, c := range rule.AnyOf {
		if c.Kind == approval.UserGroup {
			n += len(groups[c.ID].Members)
		} else {
			n++
		}
	}
	return n
}

// explain collects what today's rules say of a rotation and a person.
func (b *Bot) explain(ctx context.Context, r rotation.Rotation, who approval.Person) templates.Why {
	w := templates.Why{Rotation: r}
	w.Policy, w.Rule, w.Covered = b.o.Rules.For(approval.TargetOf(r))
	if !w.Covered {
		return w
	}
	ctx, cancel := context.WithTimeout(ctx, b.lookup*2/3)
	defer cancel()
	groups := b.memberships()
	s := b.rights(ctx, &w, approval.SubjectOf(r, b.o.Teams), who, groups)
	if (r.State == rotation.Upcoming || r.State == rotation.Awaiting) && peopleOf(w.Rule.At(s.Escalated), s.Groups) <= mostAsked {
		people, err := groups.circles.People(ctx, w.Rule, s)
		if n := approval.Able(w.Rule, s, people); err == nil || n >= w.Verdict.Required {
			w.Able = &n
		} else {
			b.o.Log.Warn("approvers not looked up", "rotation", r.ID, "error", err.Error())
			w.Unable = "Slack could not say who everybody is; ask again in a minute"
		}
	}
	if c, ok := b.o.Rules.(Calendar); ok && r.Open() {
		w.When, w.WhenWhy = c.When(r, true, b.o.Now())
	}
	return w
}
