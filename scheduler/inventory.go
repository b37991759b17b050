package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// inventory is what becomes of each account of the organization.
type inventory struct {
	whole   bool                        // every account was asked for
	known   map[rotation.AccountID]bool // all that the organization lists, wanted or not
	scan    []Account                   // in the order of their IDs
	skipped []Skipped
}

// inventory lists the organization. Accounts that were asked for and are not there are an error: a typing mistake must not
// look like success.
func (s *Scheduler) inventory(ctx context.Context, only []rotation.AccountID) (inventory, error) {
	all, err := s.o.Organization.Accounts(ctx, s.o.Include)
	if err != nil {
		return inventory{}, fmt.Errorf("list the accounts of the organization: %w", err)
	}
	if len(all) == 0 {
		return inventory{}, errors.New("the organization lists no accounts: check organization.include_ous and the role that lists them")
	}
	slices.SortFunc(all, func(a, b Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
	inv := inventory{whole: len(only) == 0, known: map[rotation.AccountID]bool{}}
	for _, a := range all {
		if inv.known[a.ID] {
			continue
		}
		inv.known[a.ID] = true
		if len(only) > 0 && !slices.Contains(only, a.ID) {
			continue
		}
		if why := s.skip(a); why != "" {
			inv.skipped = append(inv.skipped, Skipped{Account: a, Why: why})
		} else {
			inv.scan = append(inv.scan, a)
		}
	}
	var unknown []rotation.AccountID
	for _, id := range only {
		if !inv.known[id] && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return inventory{}, fmt.Errorf("the organization does not list %s (within the configured units): check the account IDs and organization.include_ous", names(unknown))
	}
	return inv, nil
}

// active is the one state in which an account is scanned. Organizations' older field Status is not asked: AWS retired it.
const active = "ACTIVE"

// skip says why an account is not scanned, or "".
func (s *Scheduler) skip(a Account) string {
	switch {
	case a.State == "":
		return "Organizations does not say its state"
	case a.State != active:
		return "its state is " + a.State
	case slices.Contains(s.o.Exclude, a.ID):
		return "excluded by the configuration"
	case a.Management && !s.o.ManagementDirect:
		return "the management account; organization.include_management brings it in"
	default:
		return ""
	}
}
