package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	sandbox "github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/scheduler"
)

// stage is the running world with the product in it, as the story moves it.
type stage struct {
	*sandbox.Stage
	app *app.App
}

// build starts the world of the story.
func build(ctx context.Context) (*stage, error) {
	s, err := sandbox.Open(ctx, sandbox.Options{})
	if err != nil {
		return nil, err
	}
	a, err := s.App(ctx)
	return &stage{s, a}, err
}

// scan runs the daily scan to its end.
func (s *stage) scan(ctx context.Context) (scheduler.Summary, error) {
	sum, err := s.app.Scan(ctx, scheduler.RunOptions{})
	s.app.Drain()
	return sum, err
}

// pass lets time go by, hour after hour as the tick would see it.
func (s *stage) pass(ctx context.Context, d time.Duration) error {
	for d > 0 {
		step := min(d, 6*time.Hour)
		s.Clock.Advance(step)
		d -= step
		if _, err := s.app.Scheduler.Tick(ctx); err != nil {
			return err
		}
		s.app.Drain()
	}
	return nil
}

// notice returns the newest message for a person that names key.
func (s *stage) notice(person, key string) (slackemu.Message, error) {
	ms := s.Slack.Messages(person)
	for i := len(ms) - 1; i >= 0; i-- {
		if strings.Contains(string(ms[i].RawBlocks), key) && strings.Contains(string(ms[i].RawBlocks), `"actions"`) {
			return ms[i], nil
		}
	}
	return slackemu.Message{}, fmt.Errorf("%s has no notice about %s", person, key)
}
