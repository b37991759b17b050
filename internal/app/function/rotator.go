package function

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// rotator carries on the rotations that a batch of the table's stream names.
func (h *Handler) rotator(ctx context.Context, a *app.App, event []byte) (any, error) {
	if t, ok := taskOf(event); ok && t.Task == "doctor" {
		return h.doctor(ctx, a, t)
	}
	return stream(h, event, changedRotation, func(ids []rotation.ID) map[rotation.ID]error { return h.wake(ctx, a, ids) })
}

// wakesAtOnce is how many rotations of a batch are carried on at a time. Most of a step is waiting for AWS.
const wakesAtOnce = 5

// wake carries rotations on, and returns those that have to come again. In mode audit nothing is carried on.
func (h *Handler) wake(ctx context.Context, a *app.App, ids []rotation.ID) map[rotation.ID]error {
	failed := map[rotation.ID]error{}
	if a.Rotator == nil {
		h.o.Log.Warn("rotations left alone: the configuration only reports (mode audit)", "rotations", ids)
		return failed
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, wakesAtOnce)
	for _, id := range ids {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			err := h.guard(func() error { return a.Rotator.Wake(ctx, id) })
			if err == nil {
				return
			}
			if errors.Is(err, store.ErrNewer) {
				h.o.Meter.Put(metric.UnknownRecords, 1)
			}
			h.o.Log.Error("rotation not carried on; it comes again", "rotation", id, "error", err.Error())
			mu.Lock()
			defer mu.Unlock()
			failed[id] = err
		})
	}
	all.Wait()
	return failed
}

// guard turns a panic into an error: one bad record must not take down what else is carried on.
func (h *Handler) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.o.Log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}
