package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/scheduler"
)

// stage is the running world with the running product in it.
type stage struct {
	*world.World
	app  *app.App
	bot  *httptest.Server
	dir  string
	logs *bytes.Buffer
}

// build starts both emulators and the whole application, on loopback.
func build(ctx context.Context) (*stage, error) {
	w, err := world.New()
	if err != nil {
		return nil, err
	}
	s := &stage{World: w, logs: &bytes.Buffer{}}
	if s.dir, err = os.MkdirTemp("", "keyturn-demo-"); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.Seed()
	os.Setenv("SLACK_BOT_TOKEN", world.Token)
	os.Setenv("SLACK_SIGNING_SECRET", world.Signing)
	cfg, err := config.Parse("demo.yaml", []byte(w.Config(filepath.Join(s.dir, "keyturn.db"))))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	hands := &world.Hands{} // a pause takes no time
	s.app, err = app.New(ctx, cfg, app.Options{
		AWS: w.AWSConfig(), Now: w.Clock.Now,
		Log:  slog.New(slog.NewTextHandler(s.logs, nil)),
		Real: hands.Now, Wait: hands.Wait,
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.bot = httptest.NewServer(s.app.Handler())
	w.Slack.SetBotURL(s.bot.URL)
	return s, nil
}

// Close ends everything and removes the store.
func (s *stage) Close() error {
	var errs []error
	if s.bot != nil {
		s.bot.Close()
	}
	if s.app != nil {
		errs = append(errs, s.app.Close())
	}
	return errors.Join(append(errs, s.World.Close(), os.RemoveAll(s.dir))...)
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
