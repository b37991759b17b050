package scheduler

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// A key that was reported as leaked while no rotation named it is served like a request, but before all others, and past
// exemptions: reporting a leak is a right of its own.

// reportLeak tells the open rotation of the user that one of its keys is leaked. no says why it cannot be, as the end of a
// sentence.
func (c *scan) reportLeak(ctx context.Context, v *sight, q rotation.Request) (no string, err error) {
	e := rotation.Leaked{Actor: q.By, Key: q.Leaked, Why: q.Why, Evidence: q.Evidence}
	next, err := rotation.Apply(*v.last, e, c.now)
	switch rotation.Refused(err) {
	case "":
		if err != nil {
			return "", fmt.Errorf("report the leak: %w", err)
		}
	case rotation.Already:
		return "", nil
	default:
		return err.Error(), nil
	}
	return "", c.keepLeak(ctx, v, next)
}

// openLeaked opens a rotation for the leaked key, in which it is reported before anybody sees it: one save, after which the
// rotator cuts the key off.
func (c *scan) openLeaked(ctx context.Context, v *sight, s rotation.Subject, q rotation.Request) (no string, err error) {
	if s.Policy.Mode == rotation.ModeAudit || s.Policy.Mode == "" {
		return "keyturn changes nothing there (mode audit, or no rule). Deactivate the key in IAM", nil
	}
	p, ok := rotation.ProposeLeaked(s.User, q.Leaked, c.now)
	if !ok {
		return "the user has no such active key (any more)", nil
	}
	c.readAdmin(ctx, v)
	s.User.Admin = v.user.Admin
	r, err := rotation.Open(s, p, v.last, q.By, q.Why, c.now)
	if err != nil {
		return "", fmt.Errorf("open a rotation for a leaked key of %s: %w", s.User.Name, err)
	}
	r, err = rotation.Apply(r, rotation.Leaked{Actor: q.By, Why: q.Why, Evidence: q.Evidence}, c.now)
	if err != nil {
		return "", fmt.Errorf("report the leak: %w", err)
	}
	if err := c.keepLeak(ctx, v, r); err != nil {
		return "", err
	}
	v.opened++
	return "", nil
}

// keepLeak saves it and lets the rotator have it at once. People are told by the rotator: nothing is collected into digests.
func (c *scan) keepLeak(ctx context.Context, v *sight, r rotation.Rotation) error {
	if c.dry {
		return nil
	}
	saved, err := c.o.Store.SaveRotation(ctx, r)
	if err != nil {
		return fmt.Errorf("save rotation %s: %w", r.ID, err)
	}
	v.last = &saved
	c.o.Log.Warn("leaked key reported", "account", saved.Account, "rotation", saved.ID, "user", saved.UserName, "key", saved.Old.ID, "by", saved.RequestedBy.ID)
	if err := c.guard(func() error { return c.o.Waker.Wake(ctx, saved.ID) }); err != nil && !errors.Is(err, context.Canceled) {
		c.o.Log.Error("rotator not woken; the tick does", "rotation", saved.ID, "error", err)
	}
	return nil
}
