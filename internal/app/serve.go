package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/scheduler"
)

// Serve answers Slack, ticks and scans until ctx ends; then it finishes what is under way. listening is called with the
// address once requests are answered.
func (a *App) Serve(ctx context.Context, listening func(net.Addr)) error {
	if a.table != nil {
		return errOneProcess
	}
	l, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (is another keyturn running? change listen): %w", a.Config.Listen, err)
	}
	srv := &http.Server{Handler: a.bot, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var loops sync.WaitGroup
	loops.Go(func() { a.every(ctx, a.Config.TickEvery, a.tick) })
	loops.Go(func() { a.every(ctx, scanLook, a.scanIfDue) })
	loops.Go(func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			a.log.Error("requests cut off at shutdown", "error", err)
		}
	})
	if listening != nil {
		listening(l.Addr())
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop(err)
	}
	stop(nil)
	loops.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// scanLook is how often serve asks whether the next scan has come.
const scanLook = time.Minute

// every calls f at once and then after each pause, until ctx ends.
func (a *App) every(ctx context.Context, d time.Duration, f func(context.Context)) {
	for ctx.Err() == nil {
		f(ctx)
		if pause.For(ctx, d) != nil {
			return
		}
	}
}

func (a *App) tick(ctx context.Context) {
	if n, err := a.Scheduler.Tick(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("tick not complete; the next one goes on", "woken", n, "error", err)
	}
	a.Anchor(ctx)
}

// lastScan is the store's note of when a whole scan ended last.
const lastScan = "last_scan"

func (a *App) scanIfDue(ctx context.Context) {
	last, err := a.Store.GetState(ctx, lastScan)
	if err != nil {
		a.log.Error("time of the last scan not read", "error", err)
		return
	}
	if at, err := time.Parse(time.RFC3339, last); err == nil && a.now().Before(at.Add(a.Config.ScanEvery)) {
		return
	}
	if _, err := a.Scan(ctx, scheduler.RunOptions{}); err != nil && ctx.Err() == nil {
		a.log.Error("scan not complete; what failed is tried again by the next one", "error", err)
	}
}

// Scan runs the scheduler once and notes a whole run.
func (a *App) Scan(ctx context.Context, o scheduler.RunOptions) (scheduler.Summary, error) {
	s, err := a.Scheduler.Run(ctx, o)
	if err == nil && !o.DryRun && len(o.Only) == 0 {
		err = a.Store.SetState(ctx, lastScan, a.now().UTC().Format(time.RFC3339))
	}
	return s, err
}
