package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// exemptRotation exempts the user of a rotation: the exemption is recorded first, because it is what keeps keyturn away;
// then the rotation is closed. What would be refused is found before anything is recorded.
func (b *Bot) exemptRotation(ctx context.Context, id rotation.ID, episode int, who approval.Person, w wish) outcome {
	d, _ := decisionOn(templates.ActExempt, id, who, w)
	d.episode = episode
	r, err := b.o.Store.GetRotation(ctx, id)
	if err != nil {
		out := trouble(rotation.Rotation{}, err)
		b.log(ctx, d, out)
		return out
	}
	out, _ := b.look(ctx, d, r, rotation.Exemption{})
	if out.ending != done {
		b.log(ctx, d, out)
		return out
	}
	before, err := b.exemption(ctx, r.Account, r.UserID)
	if err != nil {
		out := trouble(r, fmt.Errorf("read exemption: %w", err))
		b.log(ctx, d, out)
		return out
	}
	policy, _, _ := b.o.Rules.For(approval.TargetOf(r))
	e, err := renewed(before, rotation.Snapshot{Account: r.Account}, rotation.User{ID: r.UserID, Name: r.UserName}, policy, who, w, b.o.Now())
	if err != nil {
		out := notNow(r, err)
		b.log(ctx, d, out)
		return out
	}
	if err := b.o.Store.SaveExemption(ctx, before, e); err != nil {
		out := trouble(r, fmt.Errorf("save exemption: %w", unsure{err}))
		if errors.Is(err, store.ErrConflict) {
			out = notNow(r, errExemptionMoved)
		}
		b.log(ctx, d, out)
		return out
	}
	out = b.decide(ctx, d)
	noted := e
	if out.ending == done { // the reason is in the rotation's history
		noted.Why = ""
	}
	b.noteExemption(ctx, who, templates.ActExempt, noted)
	switch out.ending {
	case done:
	case refused:
		out.message = templates.AnswerExemptedStill(e, r, out.why.Error())
	default:
		out.message = templates.AnswerExemptedStill(e, r, "keyturn could not close it just now; exempt the user again in a minute")
	}
	out.why = nil // the exemption stands: no field of a window is to be filled in again
	return out
}

// stranger refuses a command about a user by somebody who may not even read, and sees to it that the history says so.
func (b *Bot) stranger(ctx context.Context, who approval.Person, what, user, why string) templates.Message {
	b.afterAck(ctx, func(ctx context.Context) {
		if s, u, no := b.userAt(ctx, user); no == nil {
			b.recordDenied(ctx, decision{what: what, id: rotation.MakeID(s.Account, u.ID), person: who}, why)
		}
	})
	return b.turnedAway(ctx, who, what, why)
}

// exemptible narrows what a window offers to what today's policy leaves for the user of a rotation. ok is false where that is
// nothing, or not known: then the outcome says so.
func (b *Bot) exemptible(ctx context.Context, r *rotation.Rotation, who approval.Person) (out outcome, ok bool) {
	before, err := b.exemption(ctx, r.Account, r.UserID)
	if err != nil {
		return trouble(*r, fmt.Errorf("read exemption: %w", err)), false
	}
	policy, _, _ := b.o.Rules.For(approval.TargetOf(*r))
	left, err := exemptLeft(before, policy, who, b.o.Now())
	if err != nil {
		return notNow(*r, err), false
	}
	r.Policy.ExemptLongest = min(r.Policy.ExemptLongest, left)
	return outcome{}, true
}

// renewed is the exemption of a user as it becomes: the next one in the policy's budget. What arrives twice spends it once.
func renewed(before rotation.Exemption, s rotation.Snapshot, u rotation.User, p rotation.Policy, who approval.Person, w wish, now time.Time) (rotation.Exemption, error) {
	if a := now.Sub(before.From); before.By.Same(who.Actor()) && before.Why == w.why && before.Until.Equal(w.until) && a >= 0 && a < time.Minute {
		return before, nil
	}
	before.Account, before.UserID, before.UserName = s.Account, u.ID, u.Name
	return before.Renew(p, who.Actor(), w.why, w.until, now)
}

// errExemptionMoved: two people decided at the same moment, and the other one was first.
var errExemptionMoved = errors.New("the exemption was changed by somebody else just now. Look at it again, and then decide")

// exemptionNotSaved answers somebody whose exemption was not saved.
func (b *Bot) exemptionNotSaved(ctx context.Context, who approval.Person, about string, err error) templates.Message {
	if errors.Is(err, store.ErrConflict) {
		return b.sorry(ctx, who, about, errExemptionMoved.Error())
	}
	return b.inTrouble(ctx, who, about, "exemption not saved", unsure{err})
}

// exemptLeft is for how long a user can be exempted from now on. Where that is no time at all, the refusal says so.
func exemptLeft(before rotation.Exemption, p rotation.Policy, who approval.Person, now time.Time) (time.Duration, error) {
	left := p.Exempts().Left(before.Used.Count, max(before.Used.Total-max(before.Until.Sub(now), 0), 0))
	if left > 0 {
		return left, nil
	}
	_, err := before.Renew(p, who.Actor(), "-", now.Add(rotation.Day), now)
	return 0, err
}

// exempt serves /keys exempt: by a rotation's rules while one is open, by the user's otherwise.
func (b *Bot) exempt(ctx context.Context, c Command, who approval.Person) templates.Message {
	if why := b.mayRead(who); why != "" {
		return b.stranger(ctx, who, templates.ActExempt, c.User, why)
	}
	s, u, no := b.userAt(ctx, c.User)
	if no != nil {
		b.note(ctx, who, noteNotNow, templates.ActExempt+": no such user was found")
		return *no
	}
	about := aboutUser(templates.ActExempt, s, u)
	w := wish{why: c.Reason, until: c.Until}
	r, err := b.o.Store.GetRotation(ctx, rotation.MakeID(s.Account, u.ID))
	switch {
	case err == nil && r.Open():
		out := b.exemptRotation(ctx, r.ID, 0, who, w)
		if out.ending == done {
			e := rotation.Exemption{Account: s.Account, UserName: u.Name, Until: c.Until}
			return templates.AnswerExempted(s, e, true)
		}
		return out.message
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return b.inTrouble(ctx, who, about, "rotation not read", err)
	}
	g := b.ruleForUser(ctx, templates.ActExempt, s, u, who)
	if !g.verdict.Allowed {
		b.deniedUser(ctx, who, templates.ActExempt, s, u, g.verdict.Why)
		return templates.AnswerRefusedUser(s, u, g.verdict)
	}
	before, err := b.exemption(ctx, s.Account, u.ID)
	if err != nil {
		return b.inTrouble(ctx, who, about, "exemption not read", err)
	}
	e, err := renewed(before, s, u, g.policy, who, w, b.o.Now())
	if err != nil {
		return b.sorry(ctx, who, about, err.Error())
	}
	if err := b.o.Store.SaveExemption(ctx, before, e); err != nil {
		return b.exemptionNotSaved(ctx, who, about, err)
	}
	b.exempted(ctx, who, templates.ActExempt, e)
	return templates.AnswerExempted(s, e, false)
}

// rotate serves /keys rotate: the request is saved, and the scheduler serves it.
func (b *Bot) rotate(ctx context.Context, c Command, who approval.Person) templates.Message {
	if why := b.mayRead(who); why != "" {
		return b.stranger(ctx, who, "rotate", c.User, why)
	}
	s, u, no := b.userAt(ctx, c.User)
	if no != nil {
		b.note(ctx, who, noteNotNow, "rotate: no such user was found")
		return *no
	}
	about := aboutUser("rotate", s, u)
	id := rotation.MakeID(s.Account, u.ID)
	r, err := b.o.Store.GetRotation(ctx, id)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return b.inTrouble(ctx, who, about, "rotation not read", err)
	}
	g := b.ruleForUser(ctx, "rotate", s, u, who)
	if !g.verdict.Allowed {
		b.deniedUser(ctx, who, "rotate", s, u, g.verdict.Why)
		return templates.AnswerRefusedUser(s, u, g.verdict)
	}
	switch {
	case known && r.Open():
		b.note(ctx, who, noteNotNow, about+": a rotation is open already")
		return templates.AnswerOpenAlready(r)
	case g.policy.Mode == rotation.ModeAudit:
		return b.sorry(ctx, who, about, "the policy for this user only reports (mode audit), so nothing can be rotated")
	case u.Exempt:
		return b.sorry(ctx, who, about, "the user is in the exemption group, so keyturn leaves it alone. Take it out of the group first")
	case len(u.Keys) == 0:
		return b.sorry(ctx, who, about, "as of the last scan the user has no access keys, so there is nothing to rotate")
	}
	if e, err := b.exemption(ctx, s.Account, u.ID); err != nil {
		return b.inTrouble(ctx, who, about, "exemption not read", err)
	} else if e.InForce(b.o.Now()) {
		return b.sorry(ctx, who, about, exemptSentence(e))
	}
	if q, ok, err := b.requested(ctx, id); err != nil {
		return b.inTrouble(ctx, who, about, "requests not read", err)
	} else if ok {
		b.note(ctx, who, noteNotNow, about+": it was asked for already")
		return templates.AnswerRequestedBefore(s, u, q)
	}
	q := rotation.Request{Account: s.Account, UserID: u.ID, UserName: u.Name, By: who.Actor(), Why: c.Reason, At: b.o.Now()}
	if err := b.o.Store.SaveRequest(ctx, q); err != nil {
		return b.inTrouble(ctx, who, about, "request not saved", unsure{err})
	}
	b.o.Log.Info("decided", "account", s.Account, "user", u.Name, "actor", who.SlackID, "what", "rotate")
	b.note(ctx, who, "rotate", fmt.Sprintf("%s@%s", u.Name, s.Account)) // the reason goes into the rotation's history
	b.o.Requested(q)
	b.o.Wake(id)
	return templates.AnswerRequested(s, u)
}

// aboutUser is something about a user as the journal has it.
func aboutUser(what string, s rotation.Snapshot, u rotation.User) string {
	return fmt.Sprintf("%s of %s@%s", what, u.Name, s.Account)
}

// requested finds the request for a user that nobody has served yet.
func (b *Bot) requested(ctx context.Context, id rotation.ID) (rotation.Request, bool, error) {
	account, user := id.Split()
	page := store.Page{Limit: store.MaxPage}
	for {
		qs, next, err := b.o.Store.ListRequests(ctx, page)
		if err != nil {
			return rotation.Request{}, false, err
		}
		for _, q := range qs {
			if q.Account == account && q.UserID == user {
				return q, true, nil
			}
		}
		if next == "" {
			return rotation.Request{}, false, nil
		}
		page.After = next
	}
}

// troubled logs an error and returns what to say instead.
func (b *Bot) troubled(what string, err error) templates.Message {
	b.o.Log.Error(what, "error", err.Error())
	return templates.AnswerTrouble(troubleOf(err))
}

func exemptSentence(e rotation.Exemption) string {
	return "the user is exempt until " + e.Until.UTC().Format("2006-01-02") + ", by " + e.By.String() + ", so keyturn leaves it alone"
}
