package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/scheduler"
)

// appAccount is what the product's progress is about.
type appAccount = scheduler.Account

// Tick is how often the scheduler looks for what is due.
const Tick = time.Hour

const (
	lastScan = "last_scan" // of the notes
	scanJob  = "Scan"
)

// Scan starts a scan of the organization. ErrBusy.
func (s *Stage) Scan() error {
	return s.run(scanJob, 0, func(ctx context.Context) (string, error) { return s.scan(ctx) })
}

func (s *Stage) scan(ctx context.Context) (string, error) {
	a, err := s.App(ctx)
	if err != nil {
		return "", err
	}
	sum, err := a.Scan(ctx, scheduler.RunOptions{})
	a.Drain()
	if err != nil {
		return "", s.orKilled(err)
	}
	s.SetNote(lastScan, s.Clock.Now().UTC().Format(time.RFC3339))
	said := fmt.Sprintf("Scanned accounts: %d, users: %d, keys: %d. Past their age: %d. Rotations opened: %d.", sum.Accounts, sum.Users, sum.Keys, sum.OverAge, sum.Opened)
	if n := len(sum.Failed); n > 0 {
		said += fmt.Sprintf(" Accounts that could not be scanned: %d, the first because: %s", n, sum.Failed[0].Error)
	}
	return said, nil
}

// orKilled explains an error of a process that died.
func (s *Stage) orKilled(err error) error {
	if life, after := s.Life(); life == Dead {
		return fmt.Errorf("the process of keyturn was killed after %s was performed and before it heard the answer. Let the clock go on, or start it again", after)
	}
	return err
}

// Pass starts to let time go by: an hour at a time with the tick after it, workloads every six hours, and the scan once a
// day. ErrBusy.
func (s *Stage) Pass(name string, d time.Duration) error {
	hours := int(d / Tick)
	return s.run(name, hours, func(ctx context.Context) (string, error) {
		for i := range hours {
			if err := s.hour(ctx); err != nil {
				return "", err
			}
			s.jobs.progress(name, i+1, hours)
		}
		return "It is now " + s.Clock.Now().Format("Monday 2 January 2006, 15:04 UTC") + ".", nil
	})
}

// hour is one hour of the world. It begins when the product is through with what people asked for: no claim of what is under
// way runs out because somebody was quick. Trouble of the product ends no hour: it is what is shown.
func (s *Stage) hour(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a, err := s.App(ctx)
	if err != nil {
		return err
	}
	a.Drain()
	s.Clock.Advance(Tick)
	s.Hands.Advance(Tick)
	now := s.Clock.Now()
	if now.Truncate(WorkloadEvery).After(now.Add(-Tick)) {
		s.workAll(ctx)
	}
	if last, err := time.Parse(time.RFC3339, s.Note(lastScan)); err != nil || !now.Before(last.Add(24*time.Hour)) {
		if _, err := s.scan(ctx); err != nil {
			return err
		}
	}
	if a, err = s.App(ctx); err != nil { // it may have died in the scan
		return err
	}
	_, err = a.Scheduler.Tick(ctx)
	a.Drain()
	if life, _ := s.Life(); life == Dead {
		return s.orKilled(err)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		s.logs.add("tick: " + err.Error())
	}
	s.Changed()
	return ctx.Err()
}
