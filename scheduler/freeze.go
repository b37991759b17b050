package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// freeze stops the clocks of the open rotations of an account. One that cannot be saved stops no other.
func (r *run) freeze(ctx context.Context, account rotation.AccountID, why string) (changed []rotation.ID, err error) {
	rotations, err := r.rotationsOf(ctx, account)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rotations, func(a, b rotation.Rotation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	var errs []error
	for _, x := range rotations {
		if !x.Open() || x.Frozen != nil {
			continue
		}
		after, ok, err := r.change(ctx, x, rotation.Freeze{Why: why})
		if err != nil {
			errs = append(errs, err)
		}
		if ok {
			changed = append(changed, after.ID)
		}
	}
	return changed, errors.Join(errs...)
}

// thaw lets the clocks of the account's rotations run again: it can be reached.
func (c *scan) thaw(ctx context.Context) []*sight {
	var frozen []*rotation.Rotation
	for _, r := range c.rotations {
		if r.Open() && r.Frozen != nil {
			frozen = append(frozen, r)
		}
	}
	slices.SortFunc(frozen, byID)
	var out []*sight
	for _, r := range frozen {
		v := &sight{last: r}
		if _, err := c.apply(ctx, v, rotation.Thaw{}); err != nil {
			c.o.Log.Error("rotation not thawed; the next scan tries again", "account", r.Account, "rotation", r.ID, "error", err)
		}
		out = append(out, v)
	}
	c.take(out)
	return out
}

// freezeLost stops the clocks in accounts that are suspended, closed or gone from the organization. Excluded accounts, and
// those outside the configured units, are left to their rotations: keyturn can still reach them.
func (r *run) freezeLost(ctx context.Context, inv inventory) (changed []rotation.ID, err error) {
	var errs []error
	add := func(account rotation.AccountID, why string) {
		ids, err := r.freeze(ctx, account, why)
		changed = append(changed, ids...)
		if err != nil {
			errs = append(errs, fmt.Errorf("account %s: %w", account, err))
		}
	}
	for _, k := range inv.skipped {
		if k.Account.State != active && k.Account.State != "" {
			add(k.Account.ID, "the account is "+k.Account.State)
		}
	}
	if inv.whole {
		left, err := r.departed(ctx, inv)
		errs = append(errs, err)
		for _, id := range left {
			add(id, "the account has left the organization")
		}
	}
	return changed, errors.Join(errs...)
}

// snapshotsAtOnce bounds how many snapshots are in memory: each has all users of its account.
const snapshotsAtOnce = 10

// departed returns the accounts that a snapshot knows and the organization does not list any more.
func (r *run) departed(ctx context.Context, inv inventory) ([]rotation.AccountID, error) {
	var left []rotation.AccountID
	_, err := pages(func(p store.Page) ([]rotation.Snapshot, string, error) {
		p.Limit = snapshotsAtOnce
		some, next, err := r.o.Store.ListSnapshots(ctx, p)
		for _, s := range some {
			if !inv.known[s.Account] && !slices.Contains(r.o.Exclude, s.Account) {
				left = append(left, s.Account)
			}
		}
		return nil, next, err
	})
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	if len(left) == 0 || len(r.o.Include) == 0 {
		return left, nil
	}
	all, err := r.o.Organization.Accounts(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("list the whole organization: %w", err)
	}
	return slices.DeleteFunc(left, func(id rotation.AccountID) bool {
		return slices.ContainsFunc(all, func(a Account) bool { return a.ID == id && a.State == active })
	}), nil
}
