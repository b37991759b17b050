package bot

import (
	"context"
	"errors"
	"fmt"

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

// errClosed: the rotation in which a leak was to be reported was closed in between.
var errClosed = errors.New("the rotation was closed in between")

// leaked serves a report: where an open rotation is about the key's user it is told, otherwise one is asked for. Whether the
// person may is asked of today's rule for leaks, which is a right of its own. A report is not lost to somebody who closes
// the rotation at the same moment.
func (b *Bot) leaked(ctx context.Context, l leak, who approval.Person) templates.Message {
	for range 3 { // a user's rotation is hardly closed, opened and closed within two seconds
		m, err := b.reportLeak(ctx, l, who)
		if err == nil {
			return m
		}
	}
	return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "leak not reported", errClosed), l.key)
}

// what is the report as the journal has it.
func (l leak) what() string { return templates.ActLeaked + " " + string(l.key) }

// reportLeak is leaked for the store as it is read. Its only error is errClosed.
func (b *Bot) reportLeak(ctx context.Context, l leak, who approval.Person) (templates.Message, error) {
	r, err := b.o.Store.RotationByKey(ctx, l.key)
	known := err == nil
	switch {
	case known && r.Open():
		return b.leakedIn(ctx, l, r.ID, who)
	case !known && !errors.Is(err, store.ErrNotFound):
		return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "rotation not read", err), l.key), nil
	}
	if why := b.mayRead(who); why != "" {
		return b.turnedAway(ctx, who, templates.ActLeaked, why), nil
	}
	ended := "its rotation ended on " + r.ClosedAt.UTC().Format("2006-01-02")
	if known && deletedBy(r, l.key) {
		return b.leakOff(ctx, l, who, fmt.Sprintf("key %s is not there any more: %s", l.key, ended)), nil
	}
	s, u, k, err := b.findKey(ctx, l.key)
	switch {
	case err != nil:
		return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "snapshots not read", err), l.key), nil
	case k.ID == "" && known:
		return b.leakByHand(ctx, l, who, "as of the last scan that key is not there any more, and "+ended), nil
	case k.ID == "":
		return b.leakByHand(ctx, l, who, "keyturn knows no such key: it may be younger than the last scan, of a root user, or of an account outside"), nil
	}
	return b.leakedOf(ctx, l, s, u, k, who)
}

func (b *Bot) leakOff(ctx context.Context, l leak, who approval.Person, what string) templates.Message {
	b.note(ctx, who, noteNotNow, l.what()+": "+what)
	return templates.AnswerLeakOff(l.key, what)
}

func (b *Bot) leakByHand(ctx context.Context, l leak, who approval.Person, why string) templates.Message {
	b.note(ctx, who, noteNotNow, l.what()+": "+why)
	return templates.AnswerLeakByHand(l.key, why)
}

// leakedIn reports the leak in an open rotation. errClosed.
func (b *Bot) leakedIn(ctx context.Context, l leak, id rotation.ID, who approval.Person) (templates.Message, error) {
	d := decision{what: templates.ActLeaked, id: id, person: who}
	d.event = func(r rotation.Rotation, g ruling) (rotation.Event, error) {
		if !r.Open() {
			return nil, errClosed
		}
		if g.policy.Mode == rotation.ModeAudit {
			return nil, errAudit
		}
		return rotation.Leaked{Actor: who.Actor(), Key: l.key, Why: l.why, Evidence: evidence(r, l, b.o.Now())}, nil
	}
	out := b.settle(ctx, d)
	if out.why == errClosed {
		return templates.Message{}, errClosed
	}
	b.log(ctx, d, out)
	switch {
	case out.ending == done:
		return templates.AnswerLeaked(out.rotation, l.key), nil
	case out.why == error(errAudit):
		return templates.AnswerLeakByHand(l.key, errAudit.sentence), nil
	case out.ending == denied && b.mayRead(who) == "", out.ending == failed:
		return templates.WithByHand(out.message, l.key), nil
	default:
		return out.message, nil
	}
}

var errAudit = &wordsError{"by the policy for its user keyturn only reports now (mode audit)"}

// leakedOf reports the leak of a key that no open rotation names. errClosed.
func (b *Bot) leakedOf(ctx context.Context, l leak, s rotation.Snapshot, u rotation.User, k rotation.Key, who approval.Person) (templates.Message, error) {
	id := rotation.MakeID(s.Account, u.ID)
	r, err := b.o.Store.GetRotation(ctx, id)
	switch {
	case err == nil && r.Open(): // about another key of the user
		return b.leakedIn(ctx, l, id, who)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "rotation not read", err), l.key), nil
	}
	g := b.ruleForUser(ctx, templates.ActLeaked, s, u, who)
	switch {
	case !g.verdict.Allowed:
		b.deniedUser(ctx, who, templates.ActLeaked, s, u, g.verdict.Why)
		return templates.WithByHand(templates.AnswerRefusedUser(s, u, g.verdict), l.key), nil
	case g.policy.Mode == rotation.ModeAudit:
		return b.leakByHand(ctx, l, who, errAudit.sentence), nil
	}
	before, has, err := b.requested(ctx, id)
	switch {
	case err != nil:
		return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "requests not read", err), l.key), nil
	case has && before.Leaked == l.key:
		b.note(ctx, who, noteNotNow, l.what()+": reported before")
		if err := b.o.Store.SaveRequest(ctx, before); err != nil { // saved again it is taken up again, if that had failed
			return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "leak not saved", unsure{err}), l.key), nil
		}
		b.o.Requested(before)
		return templates.AnswerLeakBefore(s, u, before), nil
	case has && before.Leaked != "": // it must not be lost; a wish for a rotation gives way
		b.note(ctx, who, noteNotNow, l.what()+": "+string(before.Leaked)+" comes first")
		b.o.Requested(before)
		return templates.AnswerLeakWaits(s, u, l.key, before.Leaked), nil
	}
	q := rotation.Request{Account: s.Account, UserID: u.ID, UserName: u.Name, By: who.Actor(), Why: l.why, At: b.o.Now(),
		Leaked: l.key, Evidence: evidenceOf(u, k, l, b.o.Now())}
	if err := b.o.Store.SaveRequest(ctx, q); err != nil {
		if before, has, no := b.requested(ctx, id); errors.Is(err, store.ErrConflict) && no == nil && has && before.Leaked != "" { // somebody was faster
			b.note(ctx, who, noteNotNow, l.what()+": "+string(before.Leaked)+" comes first")
			return templates.AnswerLeakWaits(s, u, l.key, before.Leaked), nil
		}
		return templates.WithByHand(b.inTrouble(ctx, who, l.what(), "leak not saved", unsure{err}), l.key), nil
	}
	b.o.Log.Warn("leak reported", "account", s.Account, "user", u.Name, "key", l.key, "actor", who.SlackID)
	b.note(ctx, who, templates.ActLeaked, fmt.Sprintf("%s of %s@%s", l.key, u.Name, s.Account))
	b.o.Requested(q)
	b.o.Wake(id)
	if k.Status == rotation.Inactive { // the scan is a day old, and unknown is not safe: it is looked at all the same
		return templates.AnswerLeakLook(s, u, l.key), nil
	}
	return templates.AnswerLeakRequested(s, u, l.key), nil
}

// deletedBy reports whether a closed rotation deleted the key.
func deletedBy(r rotation.Rotation, key rotation.KeyID) bool {
	return r.Old.ID == key && !r.Old.Deleted.IsZero() || r.Evict != nil && r.Evict.ID == key && !r.Evict.Deleted.IsZero()
}
