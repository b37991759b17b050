package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// process is the product from its start to its end or its death. What is dead reaches nothing any more: no AWS, no Slack and
// no store.
type process struct {
	app   *app.App
	store app.Store // as it is opened; for looking also after the process died
	dead  atomic.Bool
}

// errDead is what a dead process sees of everything outside. It says that it is a cancellation, so that nobody tries again.
type errDead struct{}

func (errDead) Error() string       { return "the process is dead" }
func (errDead) CanceledError() bool { return true }

// awsClient carries calls to AWS while the process lives.
type awsClient struct{ p *process }

// Do implements the SDK's HTTPClient.
func (c awsClient) Do(r *http.Request) (*http.Response, error) {
	if c.p.dead.Load() {
		return nil, errDead{}
	}
	resp, err := http.DefaultClient.Do(r)
	if c.p.dead.Load() {
		if err == nil {
			err = resp.Body.Close()
		}
		return nil, errors.Join(errDead{}, err)
	}
	return resp, err
}

// restart starts a new process of the product.
func (s *Stage) restart(ctx context.Context) error {
	for name, value := range map[string]string{"SLACK_BOT_TOKEN": world.Token, "SLACK_SIGNING_SECRET": world.Signing} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	s.dead.Wait() // what is left of a dead one says nothing beside the new one
	p := &process{}
	cfg, err := config.Parse("demo.yaml", []byte(s.Config(s.database())))
	if err != nil {
		return err
	}
	p.app, err = app.New(ctx, cfg, app.Options{
		AWS: s.awsConfig(p), Now: s.Clock.Now, Real: s.Hands.Now, Wait: s.Hands.Wait,
		Log:       slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{ReplaceAttr: s.logTime})),
		WrapStore: func(st app.Store) app.Store { p.store = st; return guarded{st, s, p} },
		Progress:  func(done, total int, _ appAccount) { s.jobs.progress(scanJob, done, total) },
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	before := s.process
	s.process, s.killed = p, ""
	s.mu.Unlock()
	s.bot.serve(p.app.Handler())
	s.Changed()
	if before != nil {
		if err := before.store.Close(); err != nil {
			s.logs.add("the store of the dead process: " + err.Error())
		}
	}
	return nil
}

// awsConfig is how a process reaches AWS. The SDK would pause on the real clock between its attempts.
func (s *Stage) awsConfig(p *process) awssdk.Config {
	cfg := s.AWSConfig()
	cfg.HTTPClient = awsClient{p}
	cfg.Retryer = func() awssdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.RateLimiter = ratelimit.None
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return cfg
}

// logTime lets the log show the world's time.
func (s *Stage) logTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Time(slog.TimeKey, s.Clock.Now())
	}
	return a
}

var errClosed = errors.New("the local world has ended: start it again with make demo")

// App returns the product as it runs now. A killed one is replaced first, as whatever watches over it would do.
func (s *Stage) App(ctx context.Context) (*app.App, error) {
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	p, closed := s.process, s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if p.dead.Load() {
		if err := s.restart(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		p = s.process
		s.mu.Unlock()
	}
	return p.app, nil
}

// Store returns the product's store, for looking.
func (s *Stage) Store() app.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.store
}
