package rotator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// ending is a context whose end stands on the test's protocol clock.
type ending struct {
	context.Context
	end time.Time
}

func (e ending) Deadline() (time.Time, bool) { return e.end, true }

// A Wake whose time is nearly over begins nothing, claims nothing and tells nobody, and says so; where nothing is left to do
// it is content with any time.
func TestNothingIsBegunWhenTheTimeIsNearlyOver(t *testing.T) {
	const spare = 90 * time.Second
	l := newLife(t)
	l.open()
	l.wake()
	l.approve()
	o := l.rot.o
	o.Spare = spare
	w := New(o)
	before, told := l.get(), l.tells

	if err := w.Wake(ending{t.Context(), l.Real().Add(spare - time.Second)}, l.id); !errors.Is(err, ErrOutOfTime) {
		t.Fatalf("with too little time: %v", err)
	}
	if r := l.get(); r.Version != before.Version || l.tells != told || len(l.keys()) != 1 {
		t.Errorf("it began: version %d, then %d; told %d times, then %d", before.Version, r.Version, told, l.tells)
	}
	if err := w.Wake(ending{t.Context(), l.Real().Add(spare)}, l.id); err != nil {
		t.Fatalf("with just enough time: %v", err)
	}
	if r := l.get(); r.State != rotation.Installing || r.Untold() {
		t.Errorf("%s, untold %v", r.State, r.Untold())
	}
	if err := w.Wake(ending{t.Context(), l.Real().Add(time.Millisecond)}, l.id); err != nil {
		t.Errorf("nothing is to be done, and yet: %v", err)
	}
}

// The time may run out between two steps of one Wake: what was done stays done, and the rest is done by the next.
func TestTheTimeRunsOutBetweenSteps(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	o := l.rot.o
	o.Spare = 90 * time.Second
	w := New(o)
	end := l.Real().Add(2 * time.Minute)
	l.store.around = func(_ int, after bool) error {
		if after && l.store.all[l.id].State == rotation.Installing {
			l.pass(0) // the step took long
		}
		return nil
	}
	if err := w.Wake(ending{t.Context(), end}, l.id); !errors.Is(err, ErrOutOfTime) {
		t.Fatalf("%v", err)
	}
	if r := l.get(); r.State != rotation.Installing || r.Acting != nil || !r.Untold() {
		t.Errorf("%s, acting %v, untold %v", r.State, r.Acting, r.Untold())
	}
	l.store.around = nil
	l.wake()
	if r := l.get(); r.Untold() || len(l.keys()) != 2 {
		t.Errorf("untold %v, keys %v", r.Untold(), l.keys())
	}
}

// What begins under a new lease ends with the time of the function all the same.
func TestRenewedLeaseEndsWithTheFunction(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	const left = 10 * time.Second
	ctx := ending{t.Context(), l.Real().Add(left)}
	k, err := l.rot.claim(ctx, l.get(), rotation.OpIssue)
	if err != nil || k == nil {
		t.Fatal(k, err)
	}
	next, stop, err := k.renew(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if end, limited := next.Deadline(); !limited || time.Until(end) > left {
		t.Errorf("it may go on for %v, and the function for %v", time.Until(end), left)
	}
}

// A renewed lease has all of its time: what is left of the step that it goes on from is no limit, only the function's end is.
func TestRenewedLeaseHasItsTime(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	o := l.rot.o
	o.Real = time.Now
	k, err := New(o).claim(t.Context(), l.get(), rotation.OpIssue)
	if err != nil || k == nil {
		t.Fatal(k, err)
	}
	step, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	next, stop, err := k.renew(step)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if end, limited := next.Deadline(); !limited || time.Until(end) < k.o.Lease/2 {
		t.Errorf("of a lease of %v, %v are left", k.o.Lease, time.Until(end))
	}
}
