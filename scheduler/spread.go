package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// A run may be spread over many processes: Begin lists the accounts, ScanAccount scans one of them wherever it is called, and
// Finish tells people once all of them are through. Each may be called again after a crash.

// Spread is a run whose accounts are scanned one by one.
type Spread struct {
	Started  time.Time `json:"started"`
	Accounts []Account `json:"accounts"`
	Skipped  []Skipped `json:"skipped,omitempty"`
	Problems []string  `json:"problems,omitempty"`

	Lost []rotation.AccountID `json:"lost,omitempty"` // accounts that left and whose rotations were stopped
}

// Part is what a run had in one account, in numbers.
type Part struct {
	Account   Account `json:"account"`
	Attempts  int     `json:"attempts"`
	Failed    string  `json:"failed,omitempty"` // why the scan failed, a sentence; empty if it did not
	Untold    string  `json:"untold,omitempty"` // why the owner was not mailed, a sentence
	Users     int     `json:"users"`
	Keys      int     `json:"keys"`
	OverAge   int     `json:"over_age"`
	Findings  int     `json:"findings"`
	RootKeys  int     `json:"root_keys"`
	Opened    int     `json:"opened"`
	Refreshed int     `json:"refreshed"`
	Closed    int     `json:"closed"`
	Changed   int     `json:"changed"` // rotations of which people should hear
	Rotated   int     `json:"rotated"` // keys replaced since the scan before
	Removed   int     `json:"removed"` // keys removed for good since the scan before
	Stock     Stock   `json:"stock"`
}

// Begin lists the accounts to scan, and stops the clocks of rotations in accounts that left.
func (s *Scheduler) Begin(ctx context.Context) (Spread, error) {
	sp := Spread{Started: s.o.Now()}
	inv, err := s.inventory(ctx, nil)
	if err != nil {
		return sp, err
	}
	sp.Accounts, sp.Skipped = inv.scan, inv.skipped
	for _, k := range inv.skipped {
		s.o.Log.Info("account skipped", "account", k.Account.ID, "why", k.Why)
	}
	frozen, err := (&run{Scheduler: s}).freezeLost(ctx, inv)
	for _, id := range frozen {
		if a, _ := id.Split(); !slices.Contains(sp.Lost, a) {
			sp.Lost = append(sp.Lost, a)
		}
	}
	if err != nil {
		s.o.Log.Error("rotations of lost accounts not frozen", "error", err)
		sp.Problems = append(sp.Problems, lostNotFrozen)
	}
	return sp, nil
}

// ScanAccount scans one account of a spread run and mails its owner. An account that cannot be scanned is a Part that says
// so; an error means that the scan was cut off and has to be made again: ErrOutOfTime, or that of the context.
func (s *Scheduler) ScanAccount(ctx context.Context, a Account) (Part, error) {
	r := &run{Scheduler: s}
	var err error
	if r.requests, err = s.readRequests(ctx); err != nil {
		s.o.Log.Error("requests not read; the next scan serves them", "error", err)
	}
	res := r.account(ctx, a)
	if res.done || res.Failed != "" {
		return res.Part, nil
	}
	if err := ctx.Err(); err != nil {
		return Part{}, fmt.Errorf("scan account %s: %w", a.ID, err)
	}
	return Part{}, fmt.Errorf("scan account %s: %w", a.ID, ErrOutOfTime)
}

// Finish tells people of a spread run as a whole: what was opened and changed, as digests, and the summary. An account
// without a part counts as failed.
func (s *Scheduler) Finish(ctx context.Context, sp Spread, parts []Part) (Summary, error) {
	r := &run{Scheduler: s}
	sum := Summary{Started: sp.Started, Ended: s.o.Now(), Skipped: sp.Skipped, Problems: slices.Clone(sp.Problems)}
	have := map[rotation.AccountID]bool{}
	var changed []rotation.ID
	for _, p := range parts {
		if have[p.Account.ID] {
			continue
		}
		have[p.Account.ID] = true
		sum.add(p)
		if p.Changed == 0 {
			continue
		}
		ids, err := s.untold(ctx, p.Account.ID)
		if err != nil {
			return sum, err
		}
		changed = append(changed, ids...)
	}
	for _, a := range sp.Accounts {
		if !have[a.ID] {
			sum.Failed = append(sum.Failed, Failed{Account: a, Error: neverEnded})
		}
	}
	for _, a := range sp.Lost {
		ids, err := s.untold(ctx, a)
		if err != nil {
			return sum, err
		}
		changed = append(changed, ids...)
	}
	s.burndown(ctx, parts)
	r.tell(ctx, &sum, changed)
	s.o.Log.Info("run done", "accounts", sum.Accounts, "failed", len(sum.Failed), "opened", sum.Opened, "refreshed", sum.Refreshed,
		"closed", sum.Closed, "findings", sum.Findings)
	return sum, ctx.Err()
}

// Sentences of a summary.
const (
	lostNotFrozen = "The rotations of accounts that left could not all be stopped; the next scan tries again."
	neverEnded    = "Its scan did not end. The dead-letter queue of the accounts has its message, and the log says what happened; the next scan tries again."
)

// untold lists the rotations of an account of which people have yet to hear.
func (s *Scheduler) untold(ctx context.Context, account rotation.AccountID) ([]rotation.ID, error) {
	all, err := (&run{Scheduler: s}).rotationsOf(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", account, err)
	}
	var ids []rotation.ID
	for _, x := range all {
		if x.Untold() {
			ids = append(ids, x.ID)
		}
	}
	return ids, nil
}
