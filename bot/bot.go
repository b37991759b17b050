package bot

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Options is what a Bot needs. Store, Slack, Rules and SigningSecret are required: without a secret every request is
// refused, without rules or teams every decision is.
type Options struct {
	SigningSecret string
	Store         Store
	Slack         Slack
	Rules         approval.Rules
	Teams         []string // Slack teams whose members may ask and decide
	OwnerTag      string   // the IAM user tag that names the owner; empty: owner

	Now  func() time.Time // domain clock; nil: the real one
	Real func() time.Time // protocol clock; nil: the real one. Signatures always use the real one.

	Wake      func(rotation.ID)      // a nudge after a save; it must not block. nil: none
	Requested func(rotation.Request) // a nudge after a request was saved; it must not block. nil: none
	Log       *slog.Logger           // nil: slog.Default
	Prefix    string                 // of the slash command; empty: /keys
}

// Bot serves Slack's requests. It is an http.Handler and safe for concurrent use; Wait and Close wait for the answers that
// are still on their way.
type Bot struct {
	o   Options
	mux *http.ServeMux

	ack    time.Duration // ackWithin
	lookup time.Duration // lookupWithin

	mu     sync.Mutex
	fewer  *sync.Cond // later fell to zero, or a waiter's time is over
	closed bool
	later  int // answers on their way
}

var _ http.Handler = (*Bot)(nil)

// Limits of time. Slack gives three seconds to acknowledge; answers to clicks may follow.
const (
	ackWithin    = 2500 * time.Millisecond
	lookupWithin = 1500 * time.Millisecond // of it, for asking Slack who somebody is
	answerWithin = 30 * time.Second
)

// New returns a bot. It makes no call.
func New(o Options) *Bot {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Prefix == "" {
		o.Prefix = "/keys"
	}
	if o.OwnerTag == "" {
		o.OwnerTag = "owner"
	}
	if o.Rules == nil {
		o.Rules = noRules{}
	}
	if o.Wake == nil {
		o.Wake = func(rotation.ID) {}
	}
	if o.Requested == nil {
		o.Requested = func(rotation.Request) {}
	}
	b := &Bot{o: o, mux: http.NewServeMux(), ack: ackWithin, lookup: lookupWithin}
	b.fewer = sync.NewCond(&b.mu)
	b.mux.HandleFunc("/healthz", b.health)
	b.mux.HandleFunc("/slack/commands", b.signed(b.command))
	b.mux.HandleFunc("/slack/interactions", b.signed(b.interaction))
	b.mux.HandleFunc("/slack/events", b.signed(b.event))
	return b
}

// ServeHTTP implements http.Handler.
func (b *Bot) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

func (b *Bot) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// noRules cover nothing, so that nobody may decide.
type noRules struct{}

func (noRules) For(approval.Target) (p rotation.Policy, rule approval.Rule, ok bool) {
	return p, rule, false
}

// afterAck runs do once the request was acknowledged, with time of its own. Wait and Close wait for it. After Close it runs
// at once.
func (b *Bot) afterAck(ctx context.Context, do func(context.Context)) {
	run := func() {
		defer b.answered()
		defer func() {
			if p := recover(); p != nil {
				b.o.Log.Error("an answer to Slack panicked", "panic", p)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
		defer cancel()
		do(ctx)
	}
	b.mu.Lock()
	b.later++
	closed := b.closed
	b.mu.Unlock()
	if closed {
		run()
		return
	}
	go run()
}

func (b *Bot) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.later--; b.later == 0 {
		b.fewer.Broadcast()
	}
}

// Wait returns once no answer is on its way any more. Requests may go on meanwhile; it waits for their answers too.
func (b *Bot) Wait() { _ = b.Answered(context.Background()) }

// Answered is Wait, but for no longer than ctx.
func (b *Bot) Answered(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.fewer.Broadcast()
	})
	defer stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.later > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.fewer.Wait()
	}
	return nil
}

// Close waits until every answer went out, or ctx ends. Requests that come later still work, and answer before they return.
func (b *Bot) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.Answered(ctx)
}
