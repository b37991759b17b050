package function

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// task is what a schedule, or an operator, asks of a function.
type task struct {
	Task string `json:"task"`
	// Run names the run of a scan. A schedule gives the time that it was due, which stays the same when it tries again.
	Run string `json:"run,omitempty"`
	// All lets doctor check every account, and not only some.
	All bool `json:"all,omitempty"`
}

// taskOf reads a task. ok is false if the event is none.
func taskOf(event []byte) (t task, ok bool) {
	return t, json.Unmarshal(event, &t) == nil && t.Task != ""
}

// scheduler does what a schedule asks, scans the accounts that the queue names, and serves requests that people saved.
func (h *Handler) scheduler(ctx context.Context, a *app.App, event []byte) (any, error) {
	if t, ok := taskOf(event); ok {
		switch t.Task {
		case "scan":
			return h.scan(ctx, a, t)
		case "tick":
			return h.tick(ctx, a)
		case "doctor":
			return h.doctor(ctx, a, t)
		default:
			return nil, h.unknown("there is no task %q: the scheduler knows scan, tick and doctor", t.Task)
		}
	}
	var all records
	var first source
	if err := json.Unmarshal(event, &all); err == nil && len(all.Records) > 0 {
		_ = json.Unmarshal(all.Records[0], &first) // what is no record has no source
	}
	switch first.EventSource {
	case "aws:sqs":
		return h.messages(ctx, a, all.Records)
	case "aws:dynamodb":
		return stream(h, event, changedRequest, func(qs []rotation.ID) map[rotation.ID]error { return h.serve(ctx, a, qs) })
	default:
		return nil, h.unknown("the scheduler takes a task, messages of its queue or requests of the table's stream: %s", clip(event))
	}
}

// ticked is the answer to a tick.
type ticked struct {
	Woken int `json:"woken"`
}

// tick wakes what is due by writing to it, and signs the audit chains once a day.
func (h *Handler) tick(ctx context.Context, a *app.App) (any, error) {
	n, err := a.Scheduler.Tick(ctx)
	a.Anchor(ctx)
	if err != nil {
		h.o.Log.Error("tick not complete; the next one goes on", "woken", n, "error", err.Error())
		return nil, err
	}
	return ticked{n}, nil
}

// serve serves what people asked for, if nobody has by now. What failed comes again; where there is nothing to open, the
// report of the next scan says why.
func (h *Handler) serve(ctx context.Context, a *app.App, ids []rotation.ID) map[rotation.ID]error {
	failed := map[rotation.ID]error{}
	for _, id := range ids {
		err := ctx.Err()
		if err == nil {
			err = a.ServeRequest(ctx, id)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, scheduler.ErrNothingToOpen) {
			h.o.Log.Warn("request not served; the report of the next scan says so", "rotation", id, "error", err.Error())
			continue
		}
		h.o.Log.Error("request not served; it comes again", "rotation", id, "error", err.Error())
		failed[id] = err
	}
	return failed
}

// source is what every record says of its sender.
type source struct {
	EventSource string `json:"eventSource"`
}
