package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// together finds the rotations of some owners whose keys reach their age within the next day. They are asked about now, with
// the one that is due: keys that were made in one afternoon become due in one, and would make a message each. known are left out.
// It only makes messages fewer, so what cannot be read is asked about in its own time.
func (s *Scheduler) together(ctx context.Context, owners map[string]bool, known map[rotation.ID]bool, now time.Time) (ids []rotation.ID) {
	if len(owners) == 0 {
		return nil
	}
	soon, err := s.due(ctx, now.Add(rotation.AskAhead))
	if err != nil {
		s.o.Log.Warn("keys that are due within a day not listed; each is asked about in its time", "error", err)
	}
	var mu sync.Mutex
	each(ctx, wakesAtOnce, len(soon), func(i int) {
		if known[soon[i]] {
			return
		}
		r, err := s.o.Store.GetRotation(ctx, soon[i])
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) {
				s.o.Log.Warn("rotation not read; it is asked about in its time", "rotation", soon[i], "error", err)
			}
			return
		}
		step, at := r.Next()
		if step != rotation.StepDue || !at.After(now) || !r.SnoozedUntil.IsZero() || !owners[r.Owner] {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, r.ID)
	})
	return ids
}

// ask opens the decision on a key that reaches its age within a day.
func (s *Scheduler) ask(ctx context.Context, id rotation.ID, now time.Time) (owner string, mine bool, err error) {
	r, err := s.o.Store.GetRotation(ctx, id)
	if err != nil {
		return "", false, fmt.Errorf("read it: %w", err)
	}
	if step, _ := r.Next(); step != rotation.StepDue || !s.asks(r) {
		return "", false, nil
	}
	mine, err = s.take(ctx, r, rotation.StepDue, now)
	return "", mine, err
}
