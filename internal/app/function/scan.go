package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// message is what the queue of accounts carries: an account to scan, or a run to close.
type message struct {
	Run     string             `json:"run"`
	Part    int                `json:"part"`
	Account *scheduler.Account `json:"account,omitempty"`
	// Close ends a run: people are told of it as a whole. Late closes one whose accounts are not all through: a later run has
	// begun, so what is missing by now is lost.
	Close bool `json:"close,omitempty"`
	Late  bool `json:"late,omitempty"`
}

// started is the answer to a scan.
type started struct {
	Run      string `json:"run"`
	Accounts int    `json:"accounts"`
	Sent     int    `json:"sent"`
}

// scan begins a run: it lists the accounts and sends one message for each. A schedule that tries again goes on with the run
// that it began.
func (h *Handler) scan(ctx context.Context, a *app.App, t task) (any, error) {
	spread, err := a.Scheduler.Begin(ctx)
	if err != nil {
		h.o.Meter.Put(metric.ScanFailures, 1)
		h.o.Log.Error("the scan cannot begin; the schedule tries again", "error", err.Error())
		return nil, err
	}
	id := t.Run
	if id == "" {
		id = spread.Started.UTC().Format(time.RFC3339) + "-" + h.o.NewToken()
	}
	run, before, err := a.BeginRun(ctx, id, spread)
	if err != nil {
		return nil, fmt.Errorf("begin run %s: %w", id, err)
	}
	var todo []string
	if before != "" {
		if todo, err = add(todo, message{Run: before, Close: true, Late: true}); err != nil {
			return nil, err
		}
	}
	by := map[rotation.AccountID]scheduler.Account{}
	for _, acct := range spread.Accounts {
		by[acct.ID] = acct
	}
	for part, id := range run.Accounts {
		acct, ok := by[id]
		if !ok || run.Done[id] {
			continue // it left since this run began, or is through
		}
		if todo, err = add(todo, message{Run: run.ID, Part: part, Account: &acct}); err != nil {
			return nil, err
		}
	}
	if len(run.Accounts) == 0 || run.AllDone() {
		if todo, err = add(todo, message{Run: run.ID, Close: true}); err != nil {
			return nil, err
		}
	}
	sent, err := h.sender(a).Send(ctx, todo)
	if err != nil {
		h.o.Log.Error("not every account was sent to be scanned; the schedule tries again", "run", id, "sent", sent, "of", len(todo), "error", err.Error())
		return nil, err
	}
	h.o.Log.Info("scan begun", "run", id, "accounts", len(run.Accounts), "sent", sent, "skipped", len(spread.Skipped))
	return started{id, len(run.Accounts), sent}, nil
}

func add(bodies []string, m message) ([]string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return append(bodies, string(b)), nil
}

// messages works on messages of the queue, and answers which ones have to come again. What cannot be understood comes again
// until the queue moves it to its dead-letter queue, where a person finds it.
func (h *Handler) messages(ctx context.Context, a *app.App, raw []json.RawMessage) (any, error) {
	var out events.SQSEventResponse
	for _, r := range raw {
		var m events.SQSMessage
		if err := json.Unmarshal(r, &m); err != nil || m.MessageId == "" {
			return nil, h.unknown("a message of the queue is expected: %s", clip(r))
		}
		if err := h.message(ctx, a, m.Body); err != nil {
			h.o.Log.Error("message not done; it comes again", "message", m.MessageId, "error", err.Error())
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out, nil
}

func (h *Handler) message(ctx context.Context, a *app.App, body string) error {
	var m message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return h.unknown("a message of the queue is an account to scan, or a run to close: %w: %s", err, clip([]byte(body)))
	}
	switch {
	case m.Close && m.Run != "":
		return h.close(ctx, a, m)
	case m.Account != nil && m.Run != "" && m.Part >= 0:
		if _, err := rotation.ParseAccountID(string(m.Account.ID)); err != nil {
			return h.unknown("a message of the queue: %w", err)
		}
		return h.account(ctx, a, m)
	default:
		return h.unknown("a message of the queue names neither an account nor a run to close: %s", clip([]byte(body)))
	}
}

// account scans an account. One whose time ran out is sent again and goes on where it stopped.
func (h *Handler) account(ctx context.Context, a *app.App, m message) error {
	began, calls := h.o.Real(), a.Accounts.Calls()
	part, err := a.Scheduler.ScanAccount(ctx, *m.Account)
	h.o.Meter.Put(metric.ScanSeconds, h.o.Real().Sub(began).Seconds())
	h.o.Meter.Put(metric.ScanCalls, float64(a.Accounts.Calls()-calls))
	if errors.Is(err, scheduler.ErrOutOfTime) {
		bodies, berr := add(nil, m)
		if berr != nil {
			return berr
		}
		if _, err := h.sender(a).Send(ctx, bodies); err != nil {
			return fmt.Errorf("send account %s again: %w", m.Account.ID, err)
		}
		h.o.Log.Info("the scan of the account goes on in another invocation", "run", m.Run, "account", m.Account.ID)
		return nil
	}
	if err != nil {
		return err
	}
	if part.Failed != "" {
		h.o.Meter.Put(metric.ScanFailures, 1)
	}
	all, err := a.EndPart(ctx, m.Run, m.Part, part)
	if err != nil || !all {
		return err
	}
	bodies, err := add(nil, message{Run: m.Run, Close: true})
	if err != nil {
		return err
	}
	_, err = h.sender(a).Send(ctx, bodies)
	return err
}

// close tells people of a run as a whole, once. It is called again if it failed half way: who was told is not told again,
// but for the summary.
func (h *Handler) close(ctx context.Context, a *app.App, m message) error {
	run, err := a.Run(ctx, m.Run)
	switch {
	case err != nil:
		return fmt.Errorf("close run %s: %w", m.Run, err)
	case run.Closed, !m.Late && !run.AllDone():
		return nil
	}
	until := h.o.Real().Add(time.Minute)
	if end, limited := ctx.Deadline(); limited {
		until = end.Add(2 * margin) // when this function has ended, whatever becomes of it
	}
	if mine, err := a.ClaimRun(ctx, m.Run, until); err != nil || !mine {
		return err // whoever is at it closes the run, or its message comes again
	}
	sum, err := a.Scheduler.Finish(ctx, run.Spread(), run.Parts)
	if err != nil {
		return fmt.Errorf("close run %s: %w", m.Run, err)
	}
	first, err := a.CloseRun(ctx, run, sum)
	if err != nil {
		return fmt.Errorf("close run %s: %w", m.Run, err)
	}
	if first {
		h.stock(run.Parts)
	}
	return nil
}

// stock writes the figures of the organization as a whole after a run.
func (h *Handler) stock(parts []scheduler.Part) {
	m := h.o.Meter
	active, states := map[string]int{}, map[rotation.State]int{}
	var inactive, overAge, waiting int
	var oldest time.Duration
	for _, p := range parts {
		for band, n := range p.Stock.Active {
			active[band] += n
		}
		for state, n := range p.Stock.Rotations {
			states[state] += n
		}
		inactive, overAge, waiting = inactive+p.Stock.Inactive, overAge+p.OverAge, waiting+p.Stock.Waiting
		oldest = max(oldest, p.Stock.Oldest)
	}
	for _, b := range scheduler.Bands {
		m.Put(metric.KeysByAge, float64(active[b.Name]), metric.Dimension{Name: "Band", Value: b.Name})
	}
	for _, s := range rotation.States {
		if s != rotation.Closed {
			m.Put(metric.RotationsByState, float64(states[s]), metric.Dimension{Name: "State", Value: string(s)})
		}
	}
	m.Put(metric.KeysInactive, float64(inactive))
	m.Put(metric.KeysOverAge, float64(overAge))
	m.Put(metric.ApprovalsWaiting, float64(waiting))
	m.Put(metric.OldestApprovalHours, oldest.Hours())
}
