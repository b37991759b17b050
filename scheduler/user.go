package scheduler

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// user looks at one row of the report and does what its user needs.
func (c *scan) user(ctx context.Context, row ReportRow) *sight {
	v := &sight{row: row}
	_, known := c.known[row.User]
	err := c.guard(func() error { return c.look(ctx, v) })
	if err == nil && v.user.ID != "" {
		err = c.settle(ctx, v)
	}
	if err != nil {
		c.fail(ctx, v, err)
		if !known && !v.live.keys {
			v.user = rotation.User{} // it would look like a user without keys
		}
	}
	if v.again {
		v.user.Row = ""
	}
	return v
}

// settle decides about a user. Where somebody else changed the rotation meanwhile, everything is read and decided once
// more; if that happens again the next scan does it.
func (c *scan) settle(ctx context.Context, v *sight) error {
	for try := 1; ; try++ {
		err := c.guard(func() error { return c.decide(ctx, v) })
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		c.o.Log.Info("somebody else changed the rotation", "account", c.account.ID, "user", v.user.Name, "try", try)
		if try == 2 {
			v.again = true
			return nil
		}
		if err := c.reload(ctx, v); err != nil {
			return err
		}
	}
}

// reload forgets what was read, because the world moved on.
func (c *scan) reload(ctx context.Context, v *sight) error {
	v.live.user, v.live.keys, v.live.uses = false, false, false
	v.findings, v.reminders, v.failures = nil, nil, nil
	r, err := c.o.Store.GetRotation(ctx, rotation.MakeID(c.account.ID, v.user.ID))
	switch {
	case errors.Is(err, store.ErrNotFound):
		v.last = nil
	case err != nil:
		return fmt.Errorf("read the rotation again: %w", err)
	default:
		v.last = &r
	}
	return c.readKeys(ctx, v)
}

// decide says what a user's keys need today and does it: follow the open rotation, leave the user alone, or open one.
func (c *scan) decide(ctx context.Context, v *sight) error {
	if err := c.observe(ctx, v); err != nil {
		return err
	}
	s, covered := c.subject(v)
	v.exempt = len(v.user.Keys) > 0 && c.left(v.user) != ""
	v.uncovered = len(v.user.Keys) > 0 && !covered
	switch {
	case !covered:
		return nil
	case v.last != nil && v.last.Open():
		return c.follow(ctx, v, s)
	case c.left(v.user) != "":
		return nil
	default:
		return c.propose(ctx, v, s)
	}
}

// subject is the user as today's configuration sees it. It is not covered if no rule matches, or if the one that does lets
// nobody decide: then nothing is done.
func (c *scan) subject(v *sight) (s rotation.Subject, covered bool) {
	p, rule, ok := c.o.Rules.For(targetOf(c.account, v.user))
	if ok && p.Mode != rotation.ModeAudit && (rule.Required < 1 || len(rule.AnyOf) == 0) {
		ok = false
	}
	s = rotation.Subject{User: v.user, AccountName: c.account.Name, AccountEmail: c.account.Email, OUPath: c.account.OUPath, Policy: p}
	owner := rotation.OwnerOf(v.user.Tags, c.o.OwnerTag, c.account.Email)
	s.Owner, s.OwnerTagged = owner.Address, owner.Tagged
	s.User.Exempt = c.left(v.user) != ""
	v.failures = nil
	if owner.Useless != "" && len(v.user.Keys) > 0 && !s.User.Exempt {
		v.failures = []string{fmt.Sprintf("The owner tag of user %s says %q, which is neither an e-mail address nor a Slack user ID, so the account's owner is asked. Correct the tag %q.", v.user.Name, owner.Useless, c.o.OwnerTag)}
	}
	return s, ok
}

// left says why the user is left alone, or "".
func (c *scan) left(u rotation.User) string {
	if u.Exempt {
		return "the user is in the exemption group " + c.o.ExemptGroup
	}
	if e, ok := c.exempt[u.ID]; ok {
		return "the user is exempt until " + e.Until.UTC().Format("2006-01-02")
	}
	return ""
}

// wanted is the rotation that the user's keys ask for, if any.
func (c *scan) wanted(v *sight, s rotation.Subject, forced bool) (q rotation.Proposal, ok bool) {
	if q, ok := c.unaccounted(v); ok {
		return q, true
	}
	for _, q := range rotation.Plan(s.User, s.Policy, v.last, forced, c.now) {
		if q.Act == rotation.ActOpen {
			return q, true
		}
	}
	return rotation.Proposal{}, false
}

// remind collects the dates that come near, for information.
func (c *scan) remind(v *sight, s rotation.Subject) {
	v.reminders = nil
	for _, q := range rotation.Plan(s.User, s.Policy, v.last, false, c.now) {
		if q.Act == rotation.ActRemind {
			v.reminders = append(v.reminders, Finding{User: s.User, Owner: s.Owner, Policy: s.Policy, Proposal: q})
		}
	}
}
