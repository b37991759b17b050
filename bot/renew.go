package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// exemption reads the exemption of a user; the zero value says that there never was one.
func (b *Bot) exemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error) {
	e, err := b.o.Store.GetExemption(ctx, account, user)
	if errors.Is(err, store.ErrNotFound) {
		return rotation.Exemption{}, nil
	}
	return e, err
}

// userOfID finds a user in the last snapshot of its account.
func (b *Bot) userOfID(ctx context.Context, id rotation.ID) (rotation.Snapshot, rotation.User, error) {
	account, user := id.Split()
	s, err := b.o.Store.GetSnapshot(ctx, account)
	if err != nil {
		return s, rotation.User{}, err
	}
	for _, u := range s.Users {
		if u.ID == user {
			u.Account = account
			return s, u, nil
		}
	}
	return s, rotation.User{}, fmt.Errorf("user %s: %w", id, store.ErrNotFound)
}

// askRenewal opens the window that renews an exemption.
func (b *Bot) askRenewal(ctx context.Context, p place, v templates.Value) {
	who := b.person(ctx, p.user)
	s, u, e, no := b.renewable(ctx, v.ID, who)
	if no != nil {
		b.say(ctx, p, *no)
		return
	}
	policy, _, _ := b.o.Rules.For(targetOf(s, u))
	if _, err := exemptLeft(e, policy, who, b.o.Now()); err != nil {
		b.say(ctx, p, b.sorry(ctx, who, aboutUser(templates.ActRenew, s, u), err.Error()))
		return
	}
	b.note(ctx, who, noteOpened, aboutUser(templates.ActRenew, s, u))
	b.window(ctx, p, templates.ModalRenew(e, policy, s.Name, v, b.o.Now()))
}

// renewable finds the exemption of a user, for somebody who may decide on it; otherwise the message says why not.
func (b *Bot) renewable(ctx context.Context, id rotation.ID, who approval.Person) (rotation.Snapshot, rotation.User, rotation.Exemption, *templates.Message) {
	no := func(m templates.Message) (rotation.Snapshot, rotation.User, rotation.Exemption, *templates.Message) {
		return rotation.Snapshot{}, rotation.User{}, rotation.Exemption{}, &m
	}
	if why := b.mayRead(who); why != "" {
		return no(b.turnedAway(ctx, who, templates.ActRenew, why))
	}
	s, u, err := b.userOfID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return no(b.sorry(ctx, who, templates.ActRenew+" of "+string(id), "as of the last scan the user is not there any more, so there is nothing to renew"))
	}
	if err != nil {
		return no(b.inTrouble(ctx, who, templates.ActRenew+" of "+string(id), "user not read", err))
	}
	g := b.ruleForUser(ctx, templates.ActExempt, s, u, who)
	if !g.verdict.Allowed {
		b.deniedUser(ctx, who, templates.ActRenew, s, u, g.verdict.Why)
		return no(templates.AnswerRefusedUser(s, u, g.verdict))
	}
	e, err := b.exemption(ctx, s.Account, u.ID)
	if err != nil {
		return no(b.inTrouble(ctx, who, aboutUser(templates.ActRenew, s, u), "exemption not read", err))
	}
	if e.Until.IsZero() {
		return no(b.sorry(ctx, who, aboutUser(templates.ActRenew, s, u), fmt.Sprintf("%s in %s was never exempt, so there is nothing to renew", u.Name, s.Account)))
	}
	return s, u, e, nil
}

// renewSubmitted serves the window that renews an exemption.
func (b *Bot) renewSubmitted(ctx context.Context, w http.ResponseWriter, c slack.InteractionCallback, v templates.Value, wsh wish) {
	who := b.person(ctx, c.User.ID)
	s, u, e, no := b.renewable(ctx, v.ID, who)
	if no != nil {
		reply(w, instead(*no))
		return
	}
	policy, _, _ := b.o.Rules.For(targetOf(s, u))
	next, err := renewed(e, s, u, policy, who, wsh, b.o.Now())
	if err != nil {
		b.note(ctx, who, noteNotNow, aboutUser(templates.ActRenew, s, u)+": "+err.Error())
		reply(w, slack.NewErrorsViewSubmissionResponse(map[string]string{templates.FieldUntil: capital(err.Error())}))
		return
	}
	if err := b.o.Store.SaveExemption(ctx, e, next); err != nil {
		reply(w, instead(b.exemptionNotSaved(ctx, who, aboutUser(templates.ActRenew, s, u), err)))
		return
	}
	b.exempted(ctx, who, templates.ActRenew, next)
	reply(w, instead(templates.AnswerExempted(s, next, false)))
}

// unexempt serves /keys unexempt: the exemption ends now, and who ended it and why is kept.
func (b *Bot) unexempt(ctx context.Context, c Command, who approval.Person) templates.Message {
	if why := b.mayRead(who); why != "" {
		return b.stranger(ctx, who, templates.ActEnd, c.User, why)
	}
	s, u, no := b.userAt(ctx, c.User)
	if no != nil {
		b.note(ctx, who, noteNotNow, templates.ActEnd+": no such user was found")
		return *no
	}
	about := aboutUser(templates.ActEnd, s, u)
	g := b.ruleForUser(ctx, templates.ActExempt, s, u, who)
	if !g.verdict.Allowed {
		b.deniedUser(ctx, who, templates.ActEnd, s, u, g.verdict.Why)
		return templates.AnswerRefusedUser(s, u, g.verdict)
	}
	e, err := b.exemption(ctx, s.Account, u.ID)
	if err != nil {
		return b.inTrouble(ctx, who, about, "exemption not read", err)
	}
	next, err := e.End(who.Actor(), c.Reason, b.o.Now())
	if err != nil {
		say := fmt.Sprintf("%s in %s is not exempt, so there is nothing to end", u.Name, s.Account)
		if u.Exempt {
			say += "; it is in the exemption group of IAM, so take it out of that"
		}
		return b.sorry(ctx, who, about, say)
	}
	if err := b.o.Store.SaveExemption(ctx, e, next); err != nil {
		return b.exemptionNotSaved(ctx, who, about, err)
	}
	b.exempted(ctx, who, templates.ActEnd, next)
	return templates.AnswerUnexempted(s, next)
}

// exempted notes what became of an exemption.
func (b *Bot) exempted(ctx context.Context, who approval.Person, what string, e rotation.Exemption) {
	b.o.Log.Info("decided", "account", e.Account, "user", e.UserName, "actor", who.SlackID, "what", what, "until", e.Until)
	b.noteExemption(ctx, who, what, e)
}

func (b *Bot) noteExemption(ctx context.Context, who approval.Person, what string, e rotation.Exemption) {
	about := fmt.Sprintf("%s@%s until %s", e.UserName, e.Account, e.Until.UTC().Format("2006-01-02"))
	if e.Why != "" {
		about += ": " + e.Why
	}
	b.note(ctx, who, what, about)
}
