package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// AccountDone implements scheduler.Teller: one mail to the account's owner with everything done or about to be done, one to
// each owner whom users' tags name with theirs, and in mode audit the findings to the channel. Everybody is tried, and who
// has nothing to hear gets nothing.
func (n *Notifier) AccountDone(ctx context.Context, done scheduler.AccountReport) error {
	view := templates.View{Now: n.o.Now()}
	all := accountView(done)
	errs := []error{n.accountMail(ctx, done, all, view)}
	owners, err := n.tagged(ctx, done)
	errs = append(errs, err)
	for _, to := range sorted(owners) {
		errs = append(errs, n.ownerMail(ctx, to, owners[to], view))
	}
	if len(done.Findings) > 0 {
		errs = append(errs, n.inDefault(ctx, templates.AuditReport(all, view), fmt.Sprintf("the audit of account %s", done.Account.ID)))
	}
	return errors.Join(errs...)
}

// RunDone implements scheduler.Teller: the run's summary goes to the channel. A dry run tells nobody.
func (n *Notifier) RunDone(ctx context.Context, s scheduler.Summary) error {
	if s.DryRun {
		return nil
	}
	return n.inDefault(ctx, templates.RunSummary(summaryView(s), templates.View{Now: n.o.Now()}), "the run's summary")
}

func (n *Notifier) inDefault(ctx context.Context, m templates.Message, what string) error {
	if n.o.DefaultChannel == "" {
		n.log.LogAttrs(ctx, slog.LevelWarn, "no channel to post in", slog.String("what", what))
		return nil
	}
	if _, _, err := n.o.Slack.Post(ctx, n.o.DefaultChannel, m.Text, m.Blocks); err != nil {
		return fmt.Errorf("post %s in %s: %w", what, n.o.DefaultChannel, err)
	}
	return nil
}

func (n *Notifier) accountMail(ctx context.Context, done scheduler.AccountReport, a templates.AccountView, v templates.View) error {
	if n.o.Mail == nil || a.Quiet() {
		return nil
	}
	to := address(done.Account.Email)
	if to == "" {
		n.log.LogAttrs(ctx, slog.LevelWarn, "the account has no e-mail address to write to", slog.String("account", string(done.Account.ID)))
		return nil
	}
	m, err := n.o.Templates.AccountMail(a, v)
	if err == nil {
		err = n.o.Mail.Send(ctx, to, m)
	}
	if err != nil {
		return fmt.Errorf("mail the owner of account %s, %s: %w", done.Account.ID, to, err)
	}
	return nil
}

func (n *Notifier) ownerMail(ctx context.Context, to string, a templates.AccountView, v templates.View) error {
	if n.o.Mail == nil || a.Quiet() {
		return nil
	}
	m, err := n.o.Templates.OwnerMail(to, a, v)
	if err == nil {
		err = n.o.Mail.Send(ctx, to, m)
	}
	if err != nil {
		return fmt.Errorf("mail %s about their keys in account %s: %w", to, a.ID, err)
	}
	return nil
}

// tagged sorts the rotations by the address of the owner whom the user's tag names. The account's owner is not among them:
// their mail has everything.
func (n *Notifier) tagged(ctx context.Context, done scheduler.AccountReport) (map[string]templates.AccountView, error) {
	found := map[string]string{}
	var errs []error
	find := func(who string) string {
		if to, ok := found[who]; ok {
			return to
		}
		to, err := n.addressOf(ctx, who)
		if err != nil {
			errs = append(errs, fmt.Errorf("look the owner %s up in Slack: %w", who, err))
		} else if to == "" {
			n.log.LogAttrs(ctx, slog.LevelInfo, "tagged owner has no e-mail address", slog.String("account", string(done.Account.ID)), slog.String("owner", who))
		}
		found[who] = to
		return to
	}
	out := map[string]templates.AccountView{}
	add := func(r rotation.Rotation, put func(*templates.AccountView)) {
		if !r.OwnerTagged || r.Owner == "" {
			return
		}
		to := find(r.Owner)
		if to == "" || to == address(done.Account.Email) {
			return
		}
		a, ok := out[to]
		if !ok {
			a = templates.AccountView{ID: done.Account.ID, Name: done.Account.Name, OUPath: done.Account.OUPath, At: done.At, Since: done.Since}
		}
		put(&a)
		out[to] = a
	}
	for _, r := range done.Open {
		add(r, func(a *templates.AccountView) { a.Open = append(a.Open, r) })
	}
	for _, r := range done.Closed {
		add(r, func(a *templates.AccountView) { a.Closed = append(a.Closed, r) })
	}
	return out, errors.Join(errs...)
}

// addressOf returns the e-mail address of an owner, or "" if none is known.
func (n *Notifier) addressOf(ctx context.Context, who string) (string, error) {
	if to := address(who); to != "" {
		return to, nil
	}
	if !slackID.MatchString(who) {
		return "", nil
	}
	p, err := n.o.Slack.UserByID(ctx, who)
	switch {
	case errors.Is(err, ErrNoUser), err == nil && (p.Deleted || p.Bot):
		return "", nil
	case err != nil:
		return "", err
	}
	return address(p.Email), nil
}
