package rotator

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestAStopIsNobodysFailure: told to stop before or after any call to AWS or any save, the rotator leaves a claim that is
// given back or runs out, counts no attempt, and the rotation goes on to its end.
func TestAStopIsNobodysFailure(t *testing.T) {
	t.Parallel()
	whole := begun(t, situations["an idle active key in the way"])
	whole.until("closed", state(rotation.Closed))
	for kind, most := range map[string]int{"aws": len(whole.aws.calls), "store": whole.store.saves} {
		for n := 1; n <= most; n++ {
			for _, after := range []bool{false, true} {
				l := begun(t, situations["an idle active key in the way"])
				ctx, stop := context.WithCancel(t.Context())
				hit := func(at int, isAfter bool) error {
					if at != n || isAfter != after {
						return nil
					}
					stop()
					return ctx.Err()
				}
				if kind == "aws" {
					l.aws.around = func(n int, _ string, after bool) error { return hit(n, after) }
				} else {
					l.store.around = hit
				}
				for range 50 {
					if ctx.Err() != nil {
						break
					}
					_ = l.wakeErr(ctx)
					if ctx.Err() == nil {
						l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
					}
				}
				if ctx.Err() == nil {
					t.Fatalf("%s %d never came", kind, n)
				}
				stop()
				if r := l.get(); kind == "aws" && (r.Trouble != nil && r.Trouble.Attempts > 0 || r.Stuck != nil) {
					t.Fatalf("%s %d after=%t: a stop is counted as a failure: %+v", kind, n, after, r.Trouble)
				}
				l.pass(0)
				l.until("closed", state(rotation.Closed))
				l.healthy()
			}
		}
	}
}

// TestAStopDuringALookIsNobodysFailure.
func TestAStopDuringALookIsNobodysFailure(t *testing.T) {
	l := to(t, rotation.Installing)
	l.do(rotation.Freeze{Why: "no role"})
	l.pass(rotation.LookEvery)
	ctx, stop := context.WithCancel(t.Context())
	l.once("GetUser", false, func() error { stop(); return nil })
	_ = l.wakeErr(ctx)
	if r := l.get(); r.Trouble != nil || r.Frozen == nil {
		t.Fatalf("%+v, frozen %v", r.Trouble, r.Frozen)
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestAStopBeforeTheFirstCallDoesNothing.
func TestAStopBeforeTheFirstCallDoesNothing(t *testing.T) {
	l := to(t, rotation.Approved)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_ = l.wakeErr(ctx)
	if len(l.aws.calls) != 0 || l.get().Acting != nil {
		t.Fatalf("%v, %v", l.aws.calls, l.get().Acting)
	}
}

// TestADeadlineIsAFailure: a step that never fits into the time that it is given ends with a person, not in a circle.
func TestADeadlineIsAFailure(t *testing.T) {
	l := to(t, rotation.Approved)
	for range 3 * rotation.MaxAttempts {
		late := &lateContext{Context: t.Context()}
		l.hooks = nil
		l.once("CreateSecret", false, func() error { late.expire(); return context.DeadlineExceeded })
		_ = l.wakeErr(late)
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
	}
	if r := l.get(); r.Stuck == nil {
		t.Fatalf("not stuck: %+v", r.Trouble)
	}
	l.unhook()
	l.retry()
}

// lateContext runs out when it is told to.
type lateContext struct {
	context.Context
	mu   sync.Mutex
	over bool
}

func (c *lateContext) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

func (c *lateContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}

// TestManyWakesAtOnceDoEverythingOnce: twenty goroutines of four processes, one rotation, each mutation once.
func TestManyWakesAtOnceDoEverythingOnce(t *testing.T) {
	l := begun(t, situations["an idle active key in the way"])
	processes := []*Rotator{l.rot, l.rotator(), l.rotator(), l.rotator()}
	for range 100 {
		if r := l.get(); r.State == rotation.Closed && !r.Untold() {
			break
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range 20 {
			all.Go(func() {
				<-start
				if err := processes[i%len(processes)].Wake(t.Context(), l.id); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
	}
	l.healthy()
	for call, want := range map[string]int{
		"CreateAccessKey": 1, "UpdateAccessKey:Inactive": 2, "DeleteAccessKey": 2, "CreateSecret": 1, "PutSecretValue": 1, "UpdateSecretVersionStage": 1,
	} {
		if n := l.count(call); n != want {
			t.Errorf("%s was called %d times, want %d", call, n, want)
		}
	}
	seen := map[int64]int{}
	for _, r := range l.told {
		if seen[r.PeopleSeq]++; seen[r.PeopleSeq] > 1 {
			t.Errorf("people were told twice of %d", r.PeopleSeq)
		}
	}
}

// TestAStoreThatFailsIsAnError, and the rotation goes on when it works again.
func TestAStoreThatFailsIsAnError(t *testing.T) {
	l := to(t, rotation.Approved)
	down := errors.New("the table is gone")
	l.store.around = func(int, bool) error { return down }
	if err := l.wakeErr(t.Context()); !errors.Is(err, down) {
		t.Fatalf("%v", err)
	}
	if len(l.aws.calls) != 0 {
		t.Fatalf("AWS was called without a claim: %v", l.aws.calls)
	}
	l.store.around = nil
	l.until("closed", state(rotation.Closed))
	l.healthy()
}
