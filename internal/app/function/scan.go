package function

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

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
	if strings.ContainsAny(id, " \t\n") || len(id) > mostName {
		return nil, h.unknown("the name of a run has no spaces and at most %d characters: %s", mostName, clip([]byte(id)))
	}
	run, late, err := a.BeginRun(ctx, id, spread)
	if err != nil {
		return nil, fmt.Errorf("begin run %s: %w", id, err)
	}
	var todo []string
	for _, before := range late {
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

// mostName bounds the name of a run.
const mostName = 200
