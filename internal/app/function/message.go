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
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/scheduler"
)

// message is what the queue of accounts carries: an account to scan, or a run to close.
type message struct {
	Run     string             `json:"run"`
	Part    int                `json:"part"`
	Account *scheduler.Account `json:"account,omitempty"`
	// Slice counts how often the scan of the account has gone on in another invocation.
	Slice int `json:"slice,omitempty"`
	// Close ends a run: people are told of it as a whole. Late closes one whose accounts are not all through: what is missing
	// by now is lost.
	Close bool `json:"close,omitempty"`
	Late  bool `json:"late,omitempty"`
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

// mostSlices is how often the scan of an account may go on in another invocation: 5,000 new users take a few.
const mostSlices = 20

// account scans an account. One whose time ran out is sent again and goes on where it stopped.
func (h *Handler) account(ctx context.Context, a *app.App, m message) error {
	done, err := a.PartDone(ctx, m.Run, m.Part)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return h.unknown("account %s is to be scanned for a run that the table does not know: %w", m.Account.ID, err)
	case err != nil:
		return err
	case done: // the message came twice; whoever was first may have died before the run was closed
		return h.closeIfDone(ctx, a, m.Run)
	}
	began, calls := h.o.Real(), a.Accounts.Calls()
	part, err := a.Scheduler.ScanAccount(ctx, *m.Account)
	h.o.Meter.Put(metric.ScanSeconds, h.o.Real().Sub(began).Seconds())
	h.o.Meter.Put(metric.ScanCalls, float64(a.Accounts.Calls()-calls))
	if errors.Is(err, scheduler.ErrOutOfTime) && m.Slice < mostSlices {
		m.Slice++
		h.o.Log.Info("the scan of the account goes on in another invocation", "run", m.Run, "account", m.Account.ID, "slice", m.Slice)
		return h.send(ctx, a, m)
	}
	if errors.Is(err, scheduler.ErrOutOfTime) {
		h.o.Log.Error("the scan of the account comes to no end", "run", m.Run, "account", m.Account.ID, "slices", m.Slice)
		part, err = scheduler.Part{Account: *m.Account, Attempts: m.Slice, Failed: "Its scan came to no end; the log says what takes so long. The next scan tries again."}, nil
	}
	if err != nil {
		return err
	}
	if part.Failed != "" {
		h.o.Meter.Put(metric.ScanFailures, 1)
	}
	// Its owners were mailed by now: that the part is done is noted even if the time is over, or they were mailed again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin/2)
	defer cancel()
	all, err := a.EndPart(ctx, m.Run, m.Part, part)
	if err != nil || !all {
		return err
	}
	return h.send(ctx, a, message{Run: m.Run, Close: true})
}

// closeIfDone sends the message that closes a run, if all its accounts are through and nobody has closed it.
func (h *Handler) closeIfDone(ctx context.Context, a *app.App, id string) error {
	run, err := a.Run(ctx, id)
	if err != nil || run.Closed || !run.AllDone() {
		return err
	}
	return h.send(ctx, a, message{Run: id, Close: true})
}

// send sends one message to the queue of accounts.
func (h *Handler) send(ctx context.Context, a *app.App, m message) error {
	bodies, err := add(nil, m)
	if err != nil {
		return err
	}
	if _, err := h.sender(a).Send(ctx, bodies); err != nil {
		return fmt.Errorf("send a message of run %s: %w", m.Run, err)
	}
	return nil
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
