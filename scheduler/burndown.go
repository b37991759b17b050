package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/report"
)

// burndown adds today's point to the organization's burn-down. It is a figure for people: what fails is noted, and fails
// nothing else.
func (s *Scheduler) burndown(ctx context.Context, parts []Part) {
	p := report.Point{Day: s.o.Now().UTC().Format(time.DateOnly)}
	for _, a := range parts {
		for _, n := range a.Stock.Active {
			p.Active += n
		}
		for _, n := range a.Stock.Rotations {
			p.Open += n
		}
		p.OverAge, p.Rotated, p.Removed = p.OverAge+a.OverAge, p.Rotated+a.Rotated, p.Removed+a.Removed
	}
	if err := s.point(ctx, p); err != nil {
		s.o.Log.Error("point of the burn-down not added", "day", p.Day, "error", err)
	}
}

func (s *Scheduler) point(ctx context.Context, p report.Point) error {
	state, err := s.o.Store.GetState(ctx, report.StateKey)
	if err != nil {
		return fmt.Errorf("read the burn-down: %w", err)
	}
	if state, err = report.AddPoint(state, p); err != nil {
		return err
	}
	if err := s.o.Store.SetState(ctx, report.StateKey, state); err != nil {
		return fmt.Errorf("save the burn-down: %w", err)
	}
	return nil
}
