package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// root is the report's name for the root user.
const root rotation.UserName = "<root_account>"

// scan is one try at one account. Once entered, it is only read until the users are done.
type scan struct {
	*run
	account Account
	now     time.Time
	iam     IAM
	before  rotation.Snapshot
	known   map[rotation.UserName]rotation.User // of the snapshot before
	keys    map[rotation.KeyID]rotation.Key     // what was known of keys before
	group   map[rotation.UserName]bool          // members of the exemption group
	exempt  map[rotation.UserID]rotation.Exemption
	pairs   map[rotation.UserID]Pair

	rotations map[rotation.UserID]*rotation.Rotation // never changed, only replaced: a large account has thousands
	asked     map[rotation.UserID]bool               // users whose request was served by this scan
}

// scan reads an account, does what its users need, and saves what it saw.
func (r *run) scan(ctx context.Context, a Account, res *result) error {
	c, err := r.enter(ctx, a)
	if err != nil {
		return err
	}
	rows, err := c.iam.Report(ctx)
	if err != nil {
		return because(err, "read the credential report", "Its credential report could not be read. `keyturn doctor` checks the access; the next scan tries again.")
	}
	thawed := c.thaw(ctx)
	served := c.serveAll(ctx)
	seen := c.users(ctx, rows)
	c.take(seen)
	left, known := c.unseen(rows, seen)
	var lost []*sight
	if left == 0 {
		lost = c.missing(ctx, seen)
		c.take(lost)
	}
	all := slices.Concat(thawed, served, seen, lost)
	for _, v := range all {
		res.changed = append(res.changed, v.changed...)
		res.Opened, res.Refreshed, res.Closed = res.Opened+v.opened, res.Refreshed+v.refreshed, res.Closed+v.closed
	}
	for _, v := range all {
		if errors.Is(v.err, ErrUnreachable) {
			return v.err // the role went away meanwhile
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.renewals(ctx, seen)
	snap := c.snapshot(rows, slices.Concat(seen, lost))
	if left > 0 {
		snap.Taken, snap.Users = c.before.Taken, append(snap.Users, known...)
	}
	if !c.dry {
		if err := c.o.Store.SaveSnapshot(ctx, snap); err != nil {
			return because(err, "save the snapshot", "What was seen could not be saved. Check the store; the next scan tries again.")
		}
	}
	if left > 0 {
		return fmt.Errorf("%d of %d users were not looked at: %w", left, len(rows), ErrOutOfTime)
	}
	res.report = c.reported(rows, snap, all)
	return nil
}

// enter reads what is read once per account, however many users it has. An error of any of it stops the account: without
// the exemption group nobody could be left alone, and without the pairs a lost store would have keys of ours removed.
func (r *run) enter(ctx context.Context, a Account) (*scan, error) {
	c := &scan{run: r, account: a, now: r.o.Now(), group: map[rotation.UserName]bool{}, known: map[rotation.UserName]rotation.User{},
		keys: map[rotation.KeyID]rotation.Key{}, exempt: map[rotation.UserID]rotation.Exemption{}, rotations: map[rotation.UserID]*rotation.Rotation{},
		asked: map[rotation.UserID]bool{}}
	var err error
	if c.iam, err = r.o.Accounts.IAM(ctx, a); err != nil {
		return nil, because(err, "open the account", "It could not be opened. `keyturn doctor` checks the access; the next scan tries again.")
	}
	if r.o.ExemptGroup != "" {
		members, err := c.iam.GroupMembers(ctx, r.o.ExemptGroup)
		if err != nil {
			return nil, because(err, "read the exemption group", "Its exemption group could not be read, and without it nobody can be left alone, so nothing was done. `keyturn doctor` checks the access.")
		}
		for _, m := range members {
			c.group[m] = true
		}
	}
	secrets, err := r.o.Accounts.Secrets(ctx, a)
	if err == nil {
		c.pairs, err = secrets.Pairs(ctx)
	}
	if err != nil {
		return nil, because(err, "find tagged secrets", "Its secrets could not be listed, so keyturn cannot tell which keys it made itself, and nothing was done. `keyturn doctor` checks the access.")
	}
	if err := c.remember(ctx); err != nil {
		return nil, because(err, "read the store", "What is known of it could not be read from the store. Check the store; the next scan tries again.")
	}
	return c, nil
}

// remember reads what the store knows of the account.
func (c *scan) remember(ctx context.Context) error {
	var err error
	if c.before, err = c.o.Store.GetSnapshot(ctx, c.account.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("snapshot: %w", err)
	}
	for _, u := range c.before.Users {
		u.Account = c.account.ID
		c.known[u.Name] = u
		for _, k := range u.Keys {
			c.keys[k.ID] = k
		}
	}
	rotations, err := c.rotationsOf(ctx, c.account.ID)
	if err != nil {
		return err
	}
	for i := range rotations {
		r := &rotations[i]
		c.rotations[r.UserID] = r
		for _, ref := range []*rotation.KeyRef{&r.Old, r.Evict, r.Other} {
			if ref == nil {
				continue
			}
			if _, ok := c.keys[ref.ID]; !ok { // the snapshot after it was not saved, or is lost
				c.keys[ref.ID] = rotation.Key{ID: ref.ID, LastUse: ref.LastUse, InactiveSince: ref.InactiveSince}
			}
		}
	}
	exemptions, err := pages(func(p store.Page) ([]rotation.Exemption, string, error) {
		return c.o.Store.ListExemptions(ctx, c.account.ID, p)
	})
	if err != nil {
		return fmt.Errorf("list exemptions: %w", err)
	}
	for _, e := range exemptions {
		if e.InForce(c.now) {
			c.exempt[e.UserID] = e
		}
	}
	return nil
}

func (r *run) rotationsOf(ctx context.Context, account rotation.AccountID) ([]rotation.Rotation, error) {
	out, err := pages(func(p store.Page) ([]rotation.Rotation, string, error) {
		return r.o.Store.RotationsByAccount(ctx, account, p)
	})
	if err != nil {
		return nil, fmt.Errorf("list rotations: %w", err)
	}
	return out, nil
}

// users looks at every row of the report, some at a time. What comes back stands in the order of the rows.
func (c *scan) users(ctx context.Context, rows []ReportRow) []*sight {
	out := make([]*sight, len(rows))
	enough, done := c.enough(ctx)
	defer done()
	each(enough, usersAtOnce, len(rows), func(i int) {
		if rows[i].User != root {
			out[i] = c.user(ctx, rows[i])
		}
	})
	return slices.DeleteFunc(out, func(v *sight) bool { return v == nil })
}

// take remembers what became of the users' rotations.
func (c *scan) take(seen []*sight) {
	for _, v := range seen {
		if v.last != nil {
			c.rotations[v.last.UserID] = v.last
		}
	}
}

// snapshot is what the next scan compares with.
func (c *scan) snapshot(rows []ReportRow, seen []*sight) rotation.Snapshot {
	a := c.account
	s := rotation.Snapshot{Account: a.ID, Name: a.Name, Email: a.Email, OUPath: a.OUPath, Taken: c.now, Tried: c.now}
	for _, row := range rows {
		if row.User == root {
			s.RootKeys = row.Active
		}
	}
	for _, v := range seen {
		if v.user.ID != "" {
			s.Users = append(s.Users, v.user)
		}
	}
	slices.SortStableFunc(s.Users, func(x, y rotation.User) int { return strings.Compare(string(x.Name), string(y.Name)) })
	return s
}
