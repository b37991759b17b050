package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// mostErrors is how many errors of a tick are joined; the rest is counted.
const mostErrors = 10

// Tick carries on every rotation whose time has come and returns how many these were. What concerns people alone it does
// itself, so that nobody gets a message for each; the others it wakes, some at a time. One that fails, or panics, stops no
// other: the error says which ones did, and they stay due.
func (s *Scheduler) Tick(ctx context.Context) (int, error) {
	now := s.o.Now()
	ids, err := s.due(ctx, now)
	errs := []error{err}
	served, ids, fails := s.people(ctx, ids, now)
	var woken atomic.Int64
	failed := make([]error, len(ids))
	each(ctx, wakesAtOnce, len(ids), func(i int) {
		woken.Add(1)
		if err := s.guard(func() error { return s.o.Waker.Wake(ctx, ids[i]) }); err != nil {
			s.o.Log.Error("rotation not carried on; it stays due", "rotation", ids[i], "error", err)
			failed[i] = fmt.Errorf("rotation %s: %w", ids[i], err)
		}
	})
	fails = slices.DeleteFunc(append(fails, failed...), func(err error) bool { return err == nil })
	errs = append(errs, fails[:min(len(fails), mostErrors)]...)
	if more := len(fails) - mostErrors; more > 0 {
		errs = append(errs, fmt.Errorf("and %d rotations more", more))
	}
	if err := ctx.Err(); err != nil {
		errs = append(errs, fmt.Errorf("the tick was cut off; the next one goes on: %w", err))
	}
	n := int(woken.Load()) + served
	if n > 0 {
		s.o.Log.Info("tick done", "woken", n-served, "told", served, "failed", len(fails))
	}
	return n, errors.Join(errs...)
}

// due lists everything that is due, before any of it is woken: waking moves rotations about in the list. What was listed
// before an error is still woken.
func (s *Scheduler) due(ctx context.Context, now time.Time) ([]rotation.ID, error) {
	var ids []rotation.ID
	seen := map[rotation.ID]bool{}
	_, err := pages(func(p store.Page) ([]rotation.ID, string, error) {
		some, next, err := s.o.Store.Due(ctx, now, p)
		for _, id := range some {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		return nil, next, err
	})
	if err != nil {
		return ids, fmt.Errorf("list what is due: %w", err)
	}
	return ids, nil
}
