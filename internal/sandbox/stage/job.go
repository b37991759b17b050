package stage

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Job is a long action, the running one or the last one.
type Job struct {
	Number      int // of this process: the first one is 1
	Name        string
	Running     bool
	Done, Total int       // steps
	Began       time.Time // domain clock
	AWS         int       // calls of AWS
	Said        string    // what came of it
	Err         error
}

// ErrBusy says that another long action runs.
var ErrBusy = errors.New("something else is still running: wait until it is through")

// jobs runs one long action at a time. Its zero value is ready.
type jobs struct {
	mu     sync.Mutex
	now    Job
	stop   context.CancelFunc
	done   chan struct{}
	closed bool
}

// Job returns the running action, or the last one; the zero value if there was none.
func (s *Stage) Job() Job {
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	return s.jobs.now
}

// run starts an action. do says what came of it. ErrBusy.
func (s *Stage) run(name string, total int, do func(context.Context) (string, error)) error {
	j := &s.jobs
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now.Running || j.closed {
		return ErrBusy
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	j.now, j.stop, j.done = Job{Number: j.now.Number + 1, Name: name, Running: true, Total: total, Began: s.Clock.Now()}, stop, done
	go func() {
		defer close(done)
		defer stop()
		said, err := do(ctx)
		j.mu.Lock()
		j.now.Running, j.now.Said, j.now.Err = false, said, err
		j.mu.Unlock()
		s.Changed()
	}()
	s.news.bump()
	return nil
}

// Wait waits until no action runs, or ctx ends.
func (s *Stage) Wait(ctx context.Context) error {
	s.jobs.mu.Lock()
	done := s.jobs.done
	s.jobs.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// progress notes how far an action is; a scan within another action is no progress of that one.
func (j *jobs) progress(name string, done, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now.Running && j.now.Name == name {
		j.now.Done, j.now.Total = done, total
	}
}

func (j *jobs) called() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now.Running {
		j.now.AWS++
	}
}

func (j *jobs) close() {
	j.mu.Lock()
	j.closed = true
	stop, done := j.stop, j.done
	j.mu.Unlock()
	if done != nil {
		stop()
		<-done
	}
}
