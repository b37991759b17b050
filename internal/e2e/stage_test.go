package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/scheduler"
)

// stage is the whole application in this process, against both emulators. Time passes when a test says so.
type stage struct {
	*world.World
	tb    testing.TB
	app   *app.App
	db    string
	logs  *syncBuffer
	lease time.Duration
	hands *world.Hands // protocol clock: a pause takes no time but on it
}

type syncBuffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	most int // so many bytes are kept, more or less; 0: all
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 && b.b.Len() > 2*b.most {
		b.b.Next(b.b.Len() - b.most)
	}
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newStage builds a stage; edit changes the configuration's text.
func newStage(tb testing.TB, edit ...func(string) string) *stage {
	tb.Helper()
	w, err := world.New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = w.Close() })
	return newStageOn(tb, w, filepath.Join(tb.TempDir(), "keyturn.db"), edit...)
}

// newStageOn starts one more process of the application, on a world and a store that may be there already.
func newStageOn(tb testing.TB, w *world.World, db string, edit ...func(string) string) *stage {
	tb.Helper()
	s := &stage{World: w, tb: tb, db: db, logs: &syncBuffer{}, hands: &world.Hands{}}
	s.start(edit...)
	return s
}

// start starts the application.
func (s *stage) start(edit ...func(string) string) {
	tb, w := s.tb, s.World
	tb.Helper()
	tb.Setenv("SLACK_BOT_TOKEN", world.Token)
	tb.Setenv("SLACK_SIGNING_SECRET", world.Signing)
	text := w.Config(s.db)
	for _, e := range edit {
		text = e(text)
	}
	cfg, err := config.Parse("keyturn.yaml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	cfgAWS := w.AWSConfig()
	cfgAWS.Retryer = func() awssdk.Retryer { // the SDK pauses on the real clock
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.RateLimiter = 4, ratelimit.None
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	s.app, err = app.New(context.Background(), cfg, app.Options{
		AWS: cfgAWS, Now: w.Clock.Now,
		Log:  slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Real: s.hands.Now, Wait: s.hands.Wait, Lease: s.lease,
	})
	if err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(s.app.Handler())
	w.Slack.SetBotURL(srv.URL)
	tb.Cleanup(func() {
		srv.Close()
		if err := s.app.Close(); err != nil {
			tb.Error(err)
		}
	})
}

// scan runs the scan of every account to its end.
func (s *stage) scan() scheduler.Summary {
	s.tb.Helper()
	sum, err := s.app.Scan(context.Background(), scheduler.RunOptions{})
	if err != nil {
		s.tb.Fatalf("scan: %v\n%s", err, s.logs.String())
	}
	s.app.Drain()
	return sum
}

// pass lets time go by in steps, with the tick after each.
func (s *stage) pass(d time.Duration) {
	s.tb.Helper()
	for d > 0 {
		step := min(d, 6*time.Hour)
		s.Clock.Advance(step)
		d -= step
		if _, err := s.app.Scheduler.Tick(context.Background()); err != nil {
			s.tb.Fatalf("tick: %v\n%s", err, s.logs.String())
		}
		s.app.Drain()
	}
}

// notice is the newest message for somebody with buttons under it.
func (s *stage) notice(who string) (slackemu.Message, bool) {
	ms := s.Slack.Messages(who)
	for i := len(ms) - 1; i >= 0; i-- {
		if strings.Contains(string(ms[i].RawBlocks), `"actions"`) {
			return ms[i], true
		}
	}
	return slackemu.Message{}, false
}
