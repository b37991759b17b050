package function

import (
	"time"

	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// stock writes the figures of the organization as a whole after a run.
func (h *Handler) stock(parts []scheduler.Part) {
	m := h.o.Meter
	active, states := map[string]int{}, map[rotation.State]int{}
	var inactive, overAge, waiting int
	var oldest time.Duration
	for _, p := range parts {
		for band, n := range p.Stock.Active {
			active[band] += n
		}
		for state, n := range p.Stock.Rotations {
			states[state] += n
		}
		inactive, overAge, waiting = inactive+p.Stock.Inactive, overAge+p.OverAge, waiting+p.Stock.Waiting
		oldest = max(oldest, p.Stock.Oldest)
	}
	for _, b := range scheduler.Bands {
		m.Put(metric.KeysByAge, float64(active[b.Name]), metric.Dimension{Name: "Band", Value: b.Name})
	}
	for _, s := range rotation.States {
		if s != rotation.Closed {
			m.Put(metric.RotationsByState, float64(states[s]), metric.Dimension{Name: "State", Value: string(s)})
		}
	}
	m.Put(metric.KeysInactive, float64(inactive))
	m.Put(metric.KeysOverAge, float64(overAge))
	m.Put(metric.ApprovalsWaiting, float64(waiting))
	m.Put(metric.OldestApprovalHours, oldest.Hours())
}
