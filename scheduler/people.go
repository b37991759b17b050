package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// people takes the steps that concern people alone (a key became due, a snooze is over, a reminder, the next circle), and
// tells people of all of them at once, together with what they were not told yet: whoever has many of them gets one digest.
// It returns how many it served, and what is left to be woken.
func (s *Scheduler) people(ctx context.Context, ids []rotation.ID, now time.Time) (served int, left []rotation.ID, errs []error) {
	var tell []rotation.ID
	var mu sync.Mutex
	owners, known := map[string]bool{}, map[rotation.ID]bool{} // of keys that became due
	for _, id := range ids {
		known[id] = true
	}
	serve := func(ids []rotation.ID, concern func(ctx context.Context, id rotation.ID, now time.Time) (string, bool, error), rest *[]rotation.ID) {
		each(ctx, wakesAtOnce, len(ids), func(i int) {
			var owner string
			var mine bool
			err := s.guard(func() (err error) { owner, mine, err = concern(ctx, ids[i], now); return err })
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				s.o.Log.Error("rotation not carried on; it stays due", "rotation", ids[i], "error", err)
				errs = append(errs, fmt.Errorf("rotation %s: %w", ids[i], err))
			case mine:
				tell = append(tell, ids[i])
				if owner != "" {
					owners[owner] = true
				}
			default:
				*rest = append(*rest, ids[i])
			}
		})
	}
	serve(ids, s.concern, &left)
	var inTheirTime []rotation.ID
	serve(s.together(ctx, owners, known, now), s.ask, &inTheirTime)
	slices.Sort(left)
	if slices.Sort(tell); len(tell) == 0 {
		return 0, left, errs
	}
	if err := s.guard(func() error { return s.o.Teller.Opened(ctx, tell) }); err != nil {
		s.o.Log.Error("not everybody was told; a later tick tells what is left", "rotations", len(tell), "error", err)
		errs = append(errs, fmt.Errorf("tell people of %d rotations: %w", len(tell), err))
	}
	return len(tell), left, errs
}

// concern takes the step of one rotation, if it concerns people alone. mine: people have to be told of it now, and nothing
// else is due. owner is whose key became due.
func (s *Scheduler) concern(ctx context.Context, id rotation.ID, now time.Time) (owner string, mine bool, err error) {
	r, err := s.o.Store.GetRotation(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNewer) {
		return "", false, nil // a newer version's is the rotator's to say: one record must not fail every tick
	}
	if err != nil {
		return "", false, fmt.Errorf("read it: %w", err)
	}
	if !s.asks(r) {
		return "", false, nil // the rotator's
	}
	step, at := r.Next()
	if step == rotation.StepNone || at.After(now) {
		return "", r.Untold() && !r.TellAfter.After(now), nil
	}
	if step == rotation.StepDue {
		owner = r.Owner
	}
	mine, err = s.take(ctx, r, step, now)
	return owner, mine, err
}

// asks reports whether people are asked about a rotation, and nobody works on it.
func (s *Scheduler) asks(r rotation.Rotation) bool {
	p, _, ok := s.o.Rules.For(approval.TargetOf(r))
	return ok && p.Mode != rotation.ModeAudit && r.Acting == nil
}

// take takes a step that concerns people alone. It does not take others.
func (s *Scheduler) take(ctx context.Context, r rotation.Rotation, step rotation.Step, now time.Time) (taken bool, err error) {
	events, ok := s.plain(ctx, r, step, now)
	if !ok {
		return false, nil
	}
	next := r
	for _, e := range events {
		if next, err = rotation.Apply(next, e, now); err != nil {
			return false, nil // the rotator's: it knows what to make of a refusal
		}
	}
	_, err = (&run{Scheduler: s}).keep(ctx, r, next)
	if errors.Is(err, store.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range events {
		s.o.Log.Info("rotation moved", "rotation", r.ID, "account", r.Account, "event", e.Name(), "state", next.State)
	}
	return true, nil
}

// plain is what a step does that concerns people alone. ok is false for every other step.
func (s *Scheduler) plain(ctx context.Context, r rotation.Rotation, step rotation.Step, now time.Time) (events []rotation.Event, ok bool) {
	switch step {
	case rotation.StepDue:
		events = []rotation.Event{rotation.Due{}}
		if unmet, is := approval.Unmeetable(ctx, s.o.Rules, s.o.Able, r, s.o.Log); is {
			events = append(events, unmet)
		}
	case rotation.StepWake:
		events = []rotation.Event{rotation.Wake{}}
	case rotation.StepRemind:
		events = []rotation.Event{rotation.Remind{}}
	case rotation.StepEscalate:
		events = []rotation.Event{r.Unanswered(now)}
	case rotation.StepTimeout:
		if r.Policy.OnTimeout == rotation.TimeoutApprove {
			return nil, false
		}
		events = []rotation.Event{rotation.TimeIsUp{}}
	default:
		return nil, false
	}
	return events, true
}
