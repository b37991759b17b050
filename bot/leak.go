package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// leak is a report of a leaked key.
type leak struct {
	key  rotation.KeyID
	why  string
	seen string // where: a channel and the time of a message; never its text
}

// leaked serves a report: where an open rotation is about the key's user it is told, otherwise one is asked for. Whether the
// person may is asked of today's rule for leaks, which is a right of its own.
func (b *Bot) leaked(ctx context.Context, l leak, who approval.Person) templates.Message {
	r, err := b.o.Store.RotationByKey(ctx, l.key)
	switch {
	case err == nil && r.Open():
		return b.leakedIn(ctx, l, r.ID, who)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return b.troubled("rotation not read", err)
	}
	if why := b.mayRead(who); why != "" {
		return b.turnedAway(ctx, who, templates.ActLeaked, why)
	}
	if err == nil && deletedBy(r, l.key) {
		return templates.AnswerLeakOff(l.key, fmt.Sprintf("key %s is not there any more: its rotation ended on %s", l.key, r.ClosedAt.UTC().Format("2006-01-02")))
	}
	s, u, k, err := b.findKey(ctx, l.key)
	switch {
	case err != nil:
		return b.troubled("snapshots not read", err)
	case k.ID == "":
		return templates.AnswerLeakByHand(l.key, "keyturn knows no such key: it may be younger than the last scan, of a root user, or of an account outside")
	}
	return b.leakedOf(ctx, l, s, u, k, who)
}

// leakedIn reports the leak in a rotation.
func (b *Bot) leakedIn(ctx context.Context, l leak, id rotation.ID, who approval.Person) templates.Message {
	d := decision{what: templates.ActLeaked, id: id, person: who}
	d.event = func(r rotation.Rotation, g ruling) (rotation.Event, error) {
		if g.policy.Mode == rotation.ModeAudit {
			return nil, errAudit
		}
		return rotation.Leaked{Actor: who.Actor(), Key: l.key, Why: l.why, Evidence: evidence(r.Old, l, r.Console, r.Admin)}, nil
	}
	out := b.decide(ctx, d)
	switch {
	case out.ending == done:
		return templates.AnswerLeaked(out.rotation, l.key)
	case out.why == error(errAudit):
		return templates.AnswerLeakByHand(l.key, errAudit.sentence)
	default:
		return out.message
	}
}

var errAudit = &wordsError{"by the policy for its user keyturn only reports now (mode audit)"}

// leakedOf reports the leak of a key that no rotation is about.
func (b *Bot) leakedOf(ctx context.Context, l leak, s rotation.Snapshot, u rotation.User, k rotation.Key, who approval.Person) templates.Message {
	id := rotation.MakeID(s.Account, u.ID)
	r, err := b.o.Store.GetRotation(ctx, id)
	switch {
	case err == nil && r.Open(): // about another key of the user
		return b.leakedIn(ctx, l, id, who)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return b.troubled("rotation not read", err)
	}
	g := b.ruleForUser(ctx, templates.ActLeaked, s, u, who)
	switch {
	case !g.verdict.Allowed:
		b.deniedUser(ctx, who, templates.ActLeaked, s, u, g.verdict.Why)
		return templates.AnswerRefusedUser(s, u, g.verdict)
	case g.policy.Mode == rotation.ModeAudit:
		return templates.AnswerLeakByHand(l.key, errAudit.sentence)
	case k.Status == rotation.Inactive:
		return templates.AnswerLeakOff(l.key, fmt.Sprintf("as of the last scan, key %s of %s is inactive already", l.key, u.Name))
	}
	ref := rotation.KeyRef{ID: k.ID, Created: k.Created, LastUse: k.LastUse}
	q := rotation.Request{Account: s.Account, UserID: u.ID, UserName: u.Name, By: who.Actor(), Why: l.why, At: b.o.Now(),
		Leaked: l.key, Evidence: evidence(ref, l, u.Console, u.Admin)}
	if err := b.o.Store.SaveRequest(ctx, q); err != nil {
		return b.troubled("leak not saved", unsure{err})
	}
	b.o.Log.Warn("leak reported", "account", s.Account, "user", u.Name, "key", l.key, "actor", who.SlackID)
	b.note(ctx, who, templates.ActLeaked, fmt.Sprintf("%s of %s@%s", l.key, u.Name, s.Account))
	b.o.Requested(q)
	b.o.Wake(id)
	return templates.AnswerLeakRequested(s, u, l.key)
}

// deletedBy reports whether a closed rotation deleted the key.
func deletedBy(r rotation.Rotation, key rotation.KeyID) bool {
	return r.Old.ID == key && !r.Old.Deleted.IsZero() || r.Evict != nil && r.Evict.ID == key && !r.Evict.Deleted.IsZero()
}

// evidence says what is known of a key when it is reported: the history keeps it.
func evidence(k rotation.KeyRef, l leak, console bool, admin *rotation.AdminPolicies) string {
	var out []string
	if k.ID == l.key {
		switch k.LastUse.Kind {
		case rotation.UseSeen:
			out = append(out, fmt.Sprintf("last known use %s in %s, %s", k.LastUse.Service, k.LastUse.Region, k.LastUse.At.UTC().Format("2006-01-02 15:04 UTC")))
		case rotation.UseNever:
			out = append(out, "no known use")
		default:
			out = append(out, "last use not known")
		}
		out = append(out, "created "+k.Created.UTC().Format("2006-01-02"))
	}
	if console {
		out = append(out, "the user has a console password")
	}
	if admin != nil && len(admin.Names) > 0 {
		out = append(out, "administrator by "+strings.Join(admin.Names, ", "))
	}
	if l.seen != "" {
		out = append(out, "seen in Slack, "+l.seen)
	}
	return strings.Join(out, "; ")
}
