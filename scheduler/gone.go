package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
)

// missing looks live for the users of open rotations whom the report does not show: deleted, renamed, or younger than the
// report.
func (c *scan) missing(ctx context.Context, seen []*sight) []*sight {
	shown := map[rotation.UserID]bool{}
	for _, v := range seen {
		shown[v.user.ID] = true
	}
	var lost []*rotation.Rotation
	for _, r := range c.rotations {
		if r.Open() && !shown[r.UserID] {
			lost = append(lost, r)
		}
	}
	slices.SortFunc(lost, byID)
	var out []*sight
	for _, r := range lost {
		if ctx.Err() != nil {
			break
		}
		v := &sight{row: ReportRow{User: r.UserName}, last: r}
		if err := c.guard(func() error { return c.findUser(ctx, v) }); err != nil {
			c.fail(ctx, v, err)
		}
		v.user.Row = ""
		out = append(out, v)
	}
	return out
}

// findUser finds the user of a rotation by name or, after a rename, by its ID; and decides about it, or notes that it is gone.
func (c *scan) findUser(ctx context.Context, v *sight) error {
	r := *v.last
	u, err := c.iam.User(ctx, r.UserName)
	if err != nil && !errors.Is(err, ErrNoSuchUser) {
		return fmt.Errorf("read user %s: %w", r.UserName, err)
	}
	if err == nil && u.ID == r.UserID {
		return c.found(ctx, v, r.UserName)
	}
	name, err := c.iam.FindUser(ctx, r.UserID)
	if err == nil {
		return c.found(ctx, v, name)
	}
	if !errors.Is(err, ErrNoSuchUser) {
		return fmt.Errorf("look for user %s: %w", r.UserName, err)
	}
	if !r.AbsentSince.IsZero() {
		return nil // the second look is the tick's
	}
	_, err = c.apply(ctx, v, rotation.Absent{What: fmt.Sprintf("user %s is gone", r.UserName), User: true})
	return err
}

func (c *scan) found(ctx context.Context, v *sight, name rotation.UserName) error {
	if err := c.readUser(ctx, v, name); err != nil {
		return err
	}
	if err := c.readKeys(ctx, v); err != nil {
		return err
	}
	return c.settle(ctx, v)
}
