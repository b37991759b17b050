package world

import (
	"context"
	"sync"
	"time"
)

// Hands is a protocol clock that goes like the real one, and that a pause moves on at once instead of lasting: leases run,
// and limits of rate are kept, without anybody waiting. The zero value shows the real time.
type Hands struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now returns what the clock shows.
func (h *Hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

// Advance moves the clock, as time that passes in the world does.
func (h *Hands) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

// Wait pauses for d, which takes no time but on this clock.
func (h *Hands) Wait(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
	return ctx.Err()
}
