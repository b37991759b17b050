package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
)

func TestManyAccountsSomeFailing(t *testing.T) {
	w := newWorld()
	delete(w.accounts, acct)
	bad := map[rotation.AccountID]bool{}
	for i := range 300 {
		id := rotation.AccountID(fmt.Sprintf("5%011d", i))
		a := w.add(id)
		a.user("due", 95)
		switch i % 30 {
		case 0:
			a.unreachable, bad[id] = true, true
		case 1:
			a.group = []string{"poison"}
			bad[id] = true
		}
	}
	last := 0
	o := w.options()
	o.Accounts = poisoned{w}
	o.Progress = func(done, total int, _ Account) {
		if done != last+1 || total != 300 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	sum, err := New(o).Run(context.Background(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Accounts != 280 || len(sum.Failed) != 20 || sum.Opened != 280 || len(w.reports) != 300 || len(w.opened) != 1 || len(w.opened[0]) != 280 {
		t.Errorf("accounts %d, failed %d, opened %d, reports %d, told %d", sum.Accounts, len(sum.Failed), sum.Opened, len(w.reports), len(w.opened))
	}
	for _, f := range sum.Failed {
		want := 3
		if w.accounts[f.Account.ID].unreachable {
			want = 2
		}
		if !bad[f.Account.ID] || f.Attempts != want || !strings.HasSuffix(f.Error, ".") || strings.Contains(f.Error, "panic") {
			t.Errorf("failed: %+v", f)
		}
		if s := w.store.snapshots[f.Account.ID]; s.Error != f.Error || s.Tried.IsZero() || !s.Taken.IsZero() {
			t.Errorf("snapshot of a failed account: %+v", s)
		}
	}
	if !slices.IsSortedFunc(sum.Failed, func(a, b Failed) int { return strings.Compare(string(a.Account.ID), string(b.Account.ID)) }) {
		t.Error("failed accounts are not in order")
	}
}

// poisoned panics in accounts whose group says so.
type poisoned struct{ *world }

func (p poisoned) IAM(ctx context.Context, a Account) (IAM, error) {
	if slices.Contains(p.accounts[a.ID].group, "poison") {
		panic("a bad record")
	}
	return p.world.IAM(ctx, a)
}

func TestRetries(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		waits []time.Duration
		says  string
	}{
		{"unreachable", fmt.Errorf("assume: %w", ErrUnreachable), []time.Duration{5 * time.Second}, "cannot be assumed"},
		{"not ready", fmt.Errorf("report: %w", ErrNotReady), []time.Duration{5 * time.Second}, "credential report in time"},
		{"throttled", errors.New("Throttling: rate exceeded, request 4711"), []time.Duration{5 * time.Second, 10 * time.Second}, "could not be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.accounts[acct].user("due", 95)
			w.run(t, RunOptions{})
			w.later(day)
			w.fail = func(_ int, _, what string) error {
				if what == "GetCredentialReport" {
					return tt.err
				}
				return nil
			}
			sum := w.run(t, RunOptions{})
			if len(sum.Failed) != 1 || !strings.Contains(sum.Failed[0].Error, tt.says) || strings.Contains(sum.Failed[0].Error, "4711") {
				t.Fatalf("failed: %+v", sum.Failed)
			}
			if diff := cmp.Diff(tt.waits, w.waits); diff != "" {
				t.Error(diff)
			}
			s := w.store.snapshots[acct]
			if !s.Taken.Equal(start) || !s.Tried.Equal(start.Add(day)) || s.Error == "" || len(s.Users) != 1 {
				t.Errorf("snapshot: %+v", s)
			}
			if r := w.reports[1]; len(r.Failures) != 1 || len(r.Open) != 1 || r.Users != 1 || !r.Since.Equal(start) {
				t.Errorf("report: %+v", r)
			}
			w.fail = nil
			w.run(t, RunOptions{})
			if s := w.store.snapshots[acct]; s.Error != "" || !s.Taken.Equal(w.now) {
				t.Errorf("snapshot afterwards: %+v", s)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	w := newWorld()
	for i := range 50 {
		w.add(rotation.AccountID(fmt.Sprintf("5%011d", i))).user("due", 95)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.fail = func(n int, _, _ string) error {
		if n > 200 {
			cancel()
		}
		return ctx.Err()
	}
	_, err := New(w.options()).Run(ctx, RunOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	if w.total > 300 || len(w.done) != 0 {
		t.Errorf("%d calls, %d summaries", w.total, len(w.done))
	}
	for _, s := range w.store.snapshots {
		if s.Error != "" {
			t.Errorf("being cut off was taken for a failure: %s", s.Error)
		}
	}
}

func TestTellingFailsNothingElse(t *testing.T) {
	w := newWorld()
	w.accounts[acct].user("due", 95)
	w.fail = func(_ int, port, _ string) error {
		if port == "teller" {
			return errors.New("no mail server")
		}
		return nil
	}
	sum := w.run(t, RunOptions{})
	if sum.Opened != 1 || sum.Accounts != 1 || len(sum.Problems) != 3 {
		t.Errorf("summary: %+v", sum)
	}
	if w.calls["teller"] != 3 {
		t.Errorf("one failure hid another: %v", w.calls)
	}
}
