package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestQueue: one rotation is never worked on twice at a time, nothing that was offered is forgotten, and failures do not
// stop the others.
func TestQueue(t *testing.T) {
	var mu sync.Mutex
	running, done := map[rotation.ID]bool{}, map[rotation.ID]int{}
	q := newQueue(4, slog.New(slog.DiscardHandler), func(_ context.Context, id rotation.ID) error {
		mu.Lock()
		if running[id] {
			t.Errorf("%s is worked on twice at a time", id)
		}
		running[id] = true
		mu.Unlock()
		mu.Lock()
		running[id] = false
		done[id]++
		mu.Unlock()
		return errors.New("it fails")
	})
	var offers sync.WaitGroup
	for range 50 {
		offers.Go(func() {
			for _, id := range []rotation.ID{"a", "b", "c", "d", "e", "f"} {
				q.Offer(id)
			}
		})
	}
	offers.Wait()
	q.Drain()
	for _, id := range []rotation.ID{"a", "b", "c", "d", "e", "f"} {
		if done[id] == 0 {
			t.Errorf("%s was forgotten", id)
		}
	}
	q.Close()
	q.Offer("g")
	if done["g"] != 0 {
		t.Error("something was worked on after the end")
	}
}

// TestQueueOnceMore: what is offered while it is worked on is worked on once more, because it may have changed since.
func TestQueueOnceMore(t *testing.T) {
	began, goOn := make(chan bool), make(chan bool)
	n := &atomic.Int64{}
	q := newQueue(2, slog.New(slog.DiscardHandler), func(context.Context, rotation.ID) error {
		if n.Add(1) == 1 {
			began <- true
			<-goOn
		}
		return nil
	})
	q.Offer("a")
	<-began
	for range 10 {
		q.Offer("a")
	}
	goOn <- true
	q.Drain()
	if n.Load() != 2 {
		t.Errorf("worked on %d times, want 2", n.Load())
	}
	q.Close()
}
