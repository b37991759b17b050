package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// sight is one user as this scan sees it, and what came of that.
type sight struct {
	row  ReportRow
	user rotation.User      // from the snapshot, or read live as far as live says; without an ID: nothing to keep
	last *rotation.Rotation // the user's rotation as it stands now, open or closed; nil if there is none
	live struct{ user, keys, uses bool }

	changed                   []rotation.ID // people should hear of it
	opened, refreshed, closed int
	findings, reminders       []Finding
	failures                  []string
	exempt, uncovered         bool
	again                     bool // read again next time, whatever the report says
	err                       error
}

// stamp is what User.Row keeps of a row. Whose row it is comes first: a user made again under an old name, or moved to
// another path, is read anew, not only its keys.
func stamp(row ReportRow) string { return whose(row) + row.Sum }

func whose(row ReportRow) string { return row.Created.UTC().Format(time.RFC3339) + " " + row.ARN + " " }

// look finds out who stands in the row and which keys there are, with as few calls as that takes: none if the row is the
// one of the snapshot, one if it has changed, two if the user is new. A user without keys costs nothing.
func (c *scan) look(ctx context.Context, v *sight) error {
	old, known := c.known[v.row.User]
	if known {
		v.user = old
		v.last = c.lastOf(old.ID)
	}
	v.user.Account, v.user.Console, v.user.Exempt = c.account.ID, v.row.Console, c.group[v.row.User]
	same := known && strings.HasPrefix(old.Row, whose(v.row))
	switch {
	case known && old.Row == stamp(v.row), !known && v.row.Keys == 0:
		return nil
	case !same:
		if err := c.readUser(ctx, v, v.row.User); err != nil {
			return err
		}
	}
	return c.readKeys(ctx, v)
}

func (c *scan) lastOf(id rotation.UserID) *rotation.Rotation {
	return c.rotations[id]
}

// readUser reads the user of that name, who may be another one than was known under it.
func (c *scan) readUser(ctx context.Context, v *sight, name rotation.UserName) error {
	u, err := c.iam.User(ctx, name)
	if err != nil {
		return fmt.Errorf("read user %s: %w", name, err)
	}
	if u.ID == "" {
		return fmt.Errorf("read user %s: IAM gave no ID", name)
	}
	u.Account, u.Console, u.Exempt, u.Row = c.account.ID, v.user.Console, c.group[u.Name], v.user.Row
	if u.ID == v.user.ID {
		u.Keys, u.Admin = v.user.Keys, v.user.Admin
	} else {
		v.live.keys, v.live.uses = false, false
	}
	if v.last == nil || v.last.UserID != u.ID {
		v.last = c.lastOf(u.ID)
	}
	v.user, v.live.user = u, true
	return nil
}

// readKeys lists the user's keys. What was known of them stays: since when they are inactive, and a last use that was seen.
// That a key was never used may be over by now, so it does not stay.
func (c *scan) readKeys(ctx context.Context, v *sight) error {
	keys, err := c.iam.Keys(ctx, v.user.Name)
	if err != nil {
		return fmt.Errorf("list the keys of %s: %w", v.user.Name, err)
	}
	keys = slices.Clone(keys)
	for i, k := range keys {
		old := c.keys[k.ID]
		if old.LastUse.Kind == rotation.UseSeen {
			keys[i].LastUse = old.LastUse
		}
		keys[i].InactiveSince = time.Time{}
		if k.Status == rotation.Inactive {
			keys[i].InactiveSince = firstOf(inactiveSince(v.last, k.ID), old.InactiveSince, c.now)
		}
	}
	v.user.Keys, v.user.Row, v.live.keys, v.live.uses = keys, stamp(v.row), true, false
	return nil
}

// inactiveSince is what a rotation knows of a key: when keyturn deactivated it, or saw it so.
func inactiveSince(r *rotation.Rotation, id rotation.KeyID) time.Time {
	switch {
	case r == nil:
	case r.Old.ID == id:
		return r.Old.InactiveSince
	case r.Evict != nil && r.Evict.ID == id:
		return r.Evict.InactiveSince
	}
	return time.Time{}
}

func firstOf(ts ...time.Time) time.Time {
	for _, t := range ts {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// readUses reads when each key was used last. An error is an error: it never reads as "never used".
func (c *scan) readUses(ctx context.Context, v *sight) error {
	keys := make([]rotation.Key, len(v.user.Keys))
	for i, k := range v.user.Keys {
		use, owner, err := c.iam.LastUse(ctx, k.ID)
		if err != nil {
			return fmt.Errorf("read the last use of key %s: %w", k.ID, err)
		}
		if owner != "" && owner != v.user.Name {
			return fmt.Errorf("key %s belongs to %s now, and not to %s", k.ID, owner, v.user.Name)
		}
		keys[i], keys[i].LastUse = k, use
	}
	v.user.Keys, v.live.uses = keys, true
	return nil
}

// readLive reads whatever of the user was not read live by this scan: nothing is decided on less.
func (c *scan) readLive(ctx context.Context, v *sight) error {
	if !v.live.user {
		if err := c.readUser(ctx, v, v.user.Name); err != nil {
			return err
		}
	}
	if !v.live.keys {
		if err := c.readKeys(ctx, v); err != nil {
			return err
		}
	}
	if !v.live.uses {
		return c.readUses(ctx, v)
	}
	return nil
}

// readAdmin reads which policies make the user an administrator: people see it where they decide. It is two calls and one
// for each group, so it is read only for a user whose keys are asked about, and nothing waits for it.
func (c *scan) readAdmin(ctx context.Context, v *sight) {
	p, err := c.iam.AdminPolicies(ctx, v.user.Name)
	if err != nil {
		c.o.Log.Warn("administrator policies not read", "account", c.account.ID, "user", v.user.Name, "error", err)
		p = rotation.AdminPolicies{Problem: "they could not be read"}
	}
	v.user.Admin = &p
}

// fail notes that nothing could be done about the user this time. It is read again by the next scan.
func (c *scan) fail(ctx context.Context, v *sight, err error) {
	v.err, v.again = err, true
	name := v.user.Name
	if name == "" {
		name = v.row.User
	}
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, ErrNoSuchUser):
		c.o.Log.Info("user went away during the scan", "account", c.account.ID, "user", name, "error", err)
		v.user = rotation.User{}
		return
	}
	c.o.Log.Error("nothing decided about the user", "account", c.account.ID, "user", name, "error", err)
	v.failures = append(v.failures, fmt.Sprintf("Nothing was decided about the keys of user %s, because something failed on the way. The next scan tries again.", name))
}
