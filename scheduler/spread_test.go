package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// crowd is an organization with all kinds of accounts: due keys, a root key, one that cannot be reached, one that is closed,
// and one that left with an open rotation.
func crowd(t *testing.T) *world {
	w := newWorld()
	w.accounts[acct].user("due", 95)
	w.accounts[acct].user("both", 200, 100)
	w.accounts[acct].rootActive = 1
	w.add("222233334444").user("soon", 85)
	w.add("333344445555").user("due", 120)
	gone := w.add("444455556666")
	gone.user("due", 120)
	w.add("555566667777").user("due", 120)
	w.request(w.add("666677778888").user("young", 3))
	first := New(w.options())
	if _, err := first.Run(context.Background(), RunOptions{Only: []rotation.AccountID{"333344445555", "444455556666", "555566667777"}}); err != nil {
		t.Fatal(err)
	}
	w.accounts["333344445555"].unreachable = true
	w.accounts["555566667777"].State = "SUSPENDED"
	delete(w.accounts, "444455556666")
	w.opened, w.reports, w.done = nil, nil, nil
	w.later(day)
	return w
}

// A run that is spread over many calls does and tells what one run does.
func TestSpreadRunIsARun(t *testing.T) {
	one, many := crowd(t), crowd(t)
	want := one.run(t, RunOptions{})

	s := New(many.options())
	spread, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var parts []Part
	for _, a := range spread.Accounts {
		p, err := s.ScanAccount(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	got, err := s.Finish(t.Context(), spread, append(parts, parts[0])) // a part that comes twice counts once
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("summary: -one +spread\n%s", diff)
	}
	if diff := cmp.Diff(one.opened, many.opened); diff != "" {
		t.Errorf("told: -one +spread\n%s", diff)
	}
	byAccount := func(a, b AccountReport) int { return strings.Compare(string(a.Account.ID), string(b.Account.ID)) }
	slices.SortFunc(one.reports, byAccount)
	slices.SortFunc(many.reports, byAccount)
	if diff := cmp.Diff(one.reports, many.reports); diff != "" {
		t.Errorf("reports: -one +spread\n%s", diff)
	}
	if diff := cmp.Diff(one.store.rotations, many.store.rotations); diff != "" {
		t.Errorf("rotations: -one +spread\n%s", diff)
	}
	if len(want.Failed) != 1 || len(want.Skipped) != 1 || want.Opened != 3 || len(want.RootKeys) != 1 {
		t.Errorf("the organization shows too little: %+v", want)
	}
}

// An account whose part never came is in the summary, so that a lost message is seen.
func TestSpreadRunNamesAccountsWithoutAPart(t *testing.T) {
	w := newWorld()
	w.add("222233334444")
	s := New(w.options())
	spread, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.ScanAccount(t.Context(), spread.Accounts[0])
	if err != nil {
		t.Fatal(err)
	}
	sum, err := s.Finish(t.Context(), spread, []Part{p})
	if err != nil || sum.Accounts != 1 || len(sum.Failed) != 1 || sum.Failed[0].Account.ID != spread.Accounts[1].ID || sum.Failed[0].Error != neverEnded {
		t.Errorf("%+v %v", sum, err)
	}
	if len(w.done) != 1 {
		t.Errorf("%d summaries", len(w.done))
	}
}

// The time of a function may be over before an account is scanned: the scan stops between two users, keeps what it saw, and
// goes on from there.
func TestScanGoesOnWhereItsTimeEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := w.accounts[acct]
		const users = 50
		for i := range users {
			a.user(fmt.Sprintf("u%02d", i), 95)
		}
		w.fail = func(_ int, port, what string) error {
			if what == "ListAccessKeys" {
				time.Sleep(time.Minute)
			}
			return nil
		}
		o := w.options()
		o.Spare = 5 * time.Minute
		s := New(o)
		account := a.Account
		tries, before := 0, 0
		for {
			tries++
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			p, err := s.ScanAccount(ctx, account)
			cancel()
			if err == nil {
				if p.Users != users || p.Keys != users || p.Failed != "" || p.Stock.Waiting != users {
					t.Errorf("%+v", p)
				}
				break
			}
			if !errors.Is(err, ErrOutOfTime) {
				t.Fatal(err)
			}
			known := len(w.store.snapshots[acct].Users)
			if known <= before || known == users || !w.store.snapshots[acct].Taken.IsZero() {
				t.Fatalf("after try %d %d users are known, after the one before %d", tries, known, before)
			}
			if before = known; tries > users {
				t.Fatal("it does not end")
			}
			if len(w.reports) > 0 {
				t.Fatal("the owner was told of an account that was not scanned")
			}
		}
		if n := w.calls["aws ListAccessKeys"]; n != users {
			t.Errorf("the keys of %d users were listed by %d calls", users, n)
		}
		if tries < 2 || len(w.store.rotations) != users || w.store.saves != users || len(w.reports) != 1 {
			t.Errorf("%d tries, %d rotations by %d saves, %d reports", tries, len(w.store.rotations), w.store.saves, len(w.reports))
		}
		for _, r := range w.store.rotations {
			if len(r.History) != 1 {
				t.Errorf("%s: %d lines of history", r.ID, len(r.History))
			}
		}
	})
}

// A message of an account may come again after everything was saved, because the function died before it said so: people hear
// of what the first attempt opened all the same, and the organization's snapshots are not held in memory together.
func TestRedeliveredAccountIsTold(t *testing.T) {
	w := newWorld()
	for i := range 5 {
		w.accounts[acct].user(fmt.Sprintf("u%d", i), 95)
	}
	s := New(w.options())
	spread, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var p Part
	for range 2 {
		if p, err = s.ScanAccount(t.Context(), spread.Accounts[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Finish(t.Context(), spread, []Part{p}); err != nil {
		t.Fatal(err)
	}
	if len(w.opened) != 1 || len(w.opened[0]) != 5 {
		t.Errorf("told of %v", w.opened)
	}
}

// pagedSnapshots notes how many snapshots are asked for at a time.
type pagedSnapshots struct {
	*memory
	most int
}

func (p *pagedSnapshots) ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error) {
	p.most = max(p.most, page.Size())
	return p.memory.ListSnapshots(ctx, page)
}

// A snapshot has all users of its account, so that few are in memory at a time, however many accounts there are.
func TestBeginHoldsFewSnapshots(t *testing.T) {
	w := newWorld()
	o := w.options()
	few := &pagedSnapshots{memory: w.store}
	o.Store = few
	if _, err := New(o).Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if few.most == 0 || few.most > snapshotsAtOnce {
		t.Errorf("%d snapshots are asked for at a time", few.most)
	}
}
