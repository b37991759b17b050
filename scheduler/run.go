package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
)

// RunOptions narrows a run. The zero value scans everything and acts.
type RunOptions struct {
	Only   []rotation.AccountID // scan these accounts; empty: all
	DryRun bool                 // save nothing and tell nobody: only say what would be opened
}

// run is one Run while it lasts.
type run struct {
	*Scheduler
	dry      bool
	requests map[rotation.AccountID][]rotation.Request
}

// Run scans the accounts of the organization, each on its own: what fails in one stops no other and is in Summary.Failed.
// An error means that the run as a whole could not be made, or was cut off.
func (s *Scheduler) Run(ctx context.Context, o RunOptions) (Summary, error) {
	r := &run{Scheduler: s, dry: o.DryRun}
	began := s.o.Real()
	sum := Summary{Started: s.o.Now(), DryRun: o.DryRun}
	inv, err := s.inventory(ctx, o.Only)
	if err != nil {
		return sum, err
	}
	sum.Skipped = inv.skipped
	for _, k := range inv.skipped {
		s.o.Log.Info("account skipped", "account", k.Account.ID, "why", k.Why)
	}
	if r.requests, err = s.readRequests(ctx); err != nil {
		s.o.Log.Error("requests not read", "error", err)
		sum.Problems = append(sum.Problems, "The requests for rotations could not be read, so none was served; the next scan tries again.")
	}
	var changed []rotation.ID
	var parts []Part
	for _, x := range r.accounts(ctx, inv.scan) {
		changed = append(changed, x.changed...)
		if x.done || x.Failed != "" {
			sum.add(x.Part)
			parts = append(parts, x.Part)
		} else { // cut off: what was saved counts
			sum.Opened, sum.Refreshed, sum.Closed = sum.Opened+x.Opened, sum.Refreshed+x.Refreshed, sum.Closed+x.Closed
		}
		if x.done && r.dry {
			sum.Reports = append(sum.Reports, x.report)
		}
	}
	if ctx.Err() == nil && !r.dry {
		ids, err := r.freezeLost(ctx, inv)
		changed = append(changed, ids...)
		if err != nil {
			s.o.Log.Error("rotations of lost accounts not frozen", "error", err)
			sum.Problems = append(sum.Problems, lostNotFrozen)
		}
	}
	sum.Ended = sum.Started.Add(max(0, s.o.Real().Sub(began)))
	if err := ctx.Err(); err != nil {
		return sum, fmt.Errorf("the scan was cut off; the next one goes on: %w", err)
	}
	if !r.dry && len(o.Only) == 0 {
		s.burndown(ctx, parts)
	}
	r.tell(ctx, &sum, changed)
	s.o.Log.Info("run done", "accounts", sum.Accounts, "failed", len(sum.Failed), "opened", sum.Opened, "refreshed", sum.Refreshed,
		"closed", sum.Closed, "findings", sum.Findings, "dry", r.dry)
	return sum, nil
}

// accounts scans accounts, some at a time. The results stand in the order of the accounts.
func (r *run) accounts(ctx context.Context, todo []Account) []*result {
	results := make([]*result, len(todo))
	var mu sync.Mutex
	done := 0
	each(ctx, accountsAtOnce, len(todo), func(i int) {
		results[i] = r.account(ctx, todo[i])
		mu.Lock()
		defer mu.Unlock()
		done++
		if r.o.Progress != nil {
			r.o.Progress(done, len(todo), todo[i])
		}
	})
	return slices.DeleteFunc(results, func(x *result) bool { return x == nil })
}

// add counts what an account had.
func (s *Summary) add(p Part) {
	s.Opened, s.Refreshed, s.Closed = s.Opened+p.Opened, s.Refreshed+p.Refreshed, s.Closed+p.Closed
	if p.Untold != "" {
		s.Problems = append(s.Problems, p.Untold)
	}
	if p.Failed != "" {
		s.Failed = append(s.Failed, Failed{Account: p.Account, Error: p.Failed, Attempts: p.Attempts})
		return
	}
	s.Accounts++
	s.Users, s.Keys, s.OverAge, s.Findings = s.Users+p.Users, s.Keys+p.Keys, s.OverAge+p.OverAge, s.Findings+p.Findings
	if p.RootKeys > 0 {
		s.RootKeys = append(s.RootKeys, p.Account.ID)
	}
}

// tell tells people of the run as a whole. What fails is noted and fails nothing else: the tick tells what is left untold.
func (r *run) tell(ctx context.Context, sum *Summary, changed []rotation.ID) {
	if r.dry {
		return
	}
	slices.Sort(changed)
	if changed = slices.Compact(changed); len(changed) > 0 {
		if err := r.guard(func() error { return r.o.Teller.Opened(ctx, changed) }); err != nil {
			r.o.Log.Error("digests not sent; the tick tells what is left", "error", err)
			sum.Problems = append(sum.Problems, "Not everybody could be told what the scan found; it is tried again rotation by rotation.")
		}
	}
	if err := r.guard(func() error { return r.o.Teller.RunDone(ctx, *sum) }); err != nil {
		r.o.Log.Error("summary of the run not posted", "error", err)
		sum.Problems = append(sum.Problems, "The summary of the run could not be posted.")
	}
}

// names joins at most a handful of names for a sentence.
func names[T ~string](all []T) string {
	const most = 5
	var out []string
	for _, n := range all[:min(len(all), most)] {
		out = append(out, string(n))
	}
	if n := len(all) - most; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}
