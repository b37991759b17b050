package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/aws"
	"github.com/keyturn/keyturn/internal/metric"
)

// Options is what a function needs. Open, Queue of the scheduler and Log are required.
type Options struct {
	Role app.Function
	// Open wires the application. It is called by the first invocation, and again by the next one if it failed: what a
	// function needs from outside may be back then.
	Open  func(ctx context.Context) (*app.App, error)
	Queue string // the URL of the queue of accounts to scan; scheduler only

	Real     func() time.Time // protocol clock; nil: the real one
	NewToken func() string    // names a run that the schedule did not name
	Meter    *metric.Meter    // nil: no figures
	Log      *slog.Logger
}

// Handler is one of the three functions. It implements lambda.Handler. An execution environment invokes it once at a time.
type Handler struct {
	o      Options
	handle func(ctx context.Context, a *app.App, event []byte) (any, error)

	mu  sync.Mutex
	app *app.App
}

// New returns the function of a role.
func New(o Options) (*Handler, error) {
	if o.Real == nil {
		o.Real = time.Now
	}
	h := &Handler{o: o}
	switch o.Role {
	case app.Bot:
		h.handle = h.bot
	case app.Scheduler:
		if o.Queue == "" {
			return nil, errors.New("KEYTURN_QUEUE_URL is not set: the scheduler sends the accounts to scan to that queue")
		}
		h.handle = h.scheduler
	case app.Rotator:
		h.handle = h.rotator
	default:
		return nil, fmt.Errorf("%q is none of the functions", o.Role)
	}
	return h, nil
}

// margin is what is kept of the time of an invocation to answer in: what runs in a function ends so long before AWS kills it.
const margin = 10 * time.Second

// Invoke implements lambda.Handler.
func (h *Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if end, limited := ctx.Deadline(); limited && h.o.Role != app.Bot {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(margin, end.Sub(h.o.Real())/4)))
		defer cancel()
	}
	a, err := h.open(ctx)
	if err != nil {
		h.o.Log.Error("the function cannot begin; the next invocation tries again", "error", err.Error())
		return nil, err
	}
	answer, err := h.handle(ctx, a, event)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (h *Handler) open(ctx context.Context) (*app.App, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.app != nil {
		return h.app, nil
	}
	a, err := h.o.Open(ctx)
	if err != nil {
		return nil, err
	}
	h.app = a
	return a, nil
}

// unknown counts and logs an event, or a part of one, that this version does not understand, and returns the error.
func (h *Handler) unknown(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	h.o.Meter.Put(metric.UnknownRecords, 1)
	h.o.Log.Error("event not understood", "error", err.Error())
	return err
}

// sender is the queue of accounts to scan.
func (h *Handler) sender(a *app.App) *aws.Queue { return a.Accounts.Queue(h.o.Queue) }

// clip bounds what a log line shows of an event.
func clip(b []byte) string {
	const most = 300
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}
