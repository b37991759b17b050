package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
)

// queue hands rotations that changed to workers. A rotation is never worked on twice at a time; offered again while it is
// being worked on, it is worked on once more after that. What is lost with the process is found by the tick.
type queue struct {
	work func(context.Context, rotation.ID) error
	log  *slog.Logger

	mu      sync.Mutex
	change  *sync.Cond
	waiting []rotation.ID
	queued  map[rotation.ID]bool
	running map[rotation.ID]bool
	closed  bool
	workers sync.WaitGroup
}

func newQueue(workers int, log *slog.Logger, work func(context.Context, rotation.ID) error) *queue {
	q := &queue{work: work, log: log, queued: map[rotation.ID]bool{}, running: map[rotation.ID]bool{}}
	q.change = sync.NewCond(&q.mu)
	for range workers {
		q.workers.Go(q.run)
	}
	return q
}

// Offer asks for a rotation to be worked on. It never blocks.
func (q *queue) Offer(id rotation.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.queued[id] {
		return
	}
	q.queued[id] = true
	q.waiting = append(q.waiting, id)
	q.change.Broadcast()
}

// next waits for a rotation that nobody works on.
func (q *queue) next() (rotation.ID, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for i, id := range q.waiting {
			if !q.running[id] {
				q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
				delete(q.queued, id)
				q.running[id] = true
				return id, true
			}
		}
		if q.closed && len(q.waiting) == 0 {
			return "", false
		}
		q.change.Wait()
	}
}

func (q *queue) run() {
	for {
		id, ok := q.next()
		if !ok {
			return
		}
		if err := q.work(context.Background(), id); err != nil {
			q.log.Error("rotation not worked on; the tick will find it again", "rotation", id, "error", err)
		}
		q.mu.Lock()
		delete(q.running, id)
		q.change.Broadcast()
		q.mu.Unlock()
	}
}

// Drain waits until nothing waits and nobody works.
func (q *queue) Drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 || len(q.running) > 0 {
		q.change.Wait()
	}
}

// Close lets the workers finish what waits and ends them.
func (q *queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.change.Broadcast()
	q.mu.Unlock()
	q.workers.Wait()
}
