package lambdaemu

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// DefaultAsyncRetries is how often Lambda tries an asynchronous event again unless told otherwise.
const DefaultAsyncRetries = 2

// Async is the queue in which Lambda keeps the asynchronous events of a function, without its pauses.
type Async struct {
	Target  Target
	Retries int // after a function error, 0 to 2; throttling takes none
	// OnFailure gets the invocation record of the on-failure destination when the retries are exhausted. Nil: the event is lost.
	OnFailure func(record json.RawMessage)
}

// Outcome is how an asynchronous event ended.
type Outcome struct {
	Attempts []Result
	Failed   bool // every attempt ended with a function error
}

// Invoke accepts an event and waits for its end, which a real caller cannot do. An error says that the event was refused, or
// that ctx ended or the function was closed before its end.
func (a *Async) Invoke(ctx context.Context, event []byte) (Outcome, error) {
	if len(event) > maxAsync {
		return Outcome{}, errTooLarge(maxAsync)
	}
	event, err := checkEvent(event)
	if err != nil {
		return Outcome{}, err
	}
	var o Outcome
	for range a.Retries + 1 {
		r, err := a.Target.InvokeWhenFree(ctx, event)
		if err != nil {
			return o, err
		}
		o.Attempts = append(o.Attempts, r)
		if r.FunctionError == "" {
			return o, nil
		}
	}
	o.Failed = true
	if a.OnFailure != nil {
		record, err := a.record(event, o.Attempts)
		if err != nil {
			return o, err
		}
		a.OnFailure(record)
	}
	return o, nil
}

// record has the form of the developer guide, "Capturing records of Lambda asynchronous invocations".
func (a *Async) record(event []byte, attempts []Result) (json.RawMessage, error) {
	last := attempts[len(attempts)-1]
	payload := json.RawMessage(last.Payload)
	if !json.Valid(payload) { // an error that the process posted in a form of its own
		payload, _ = json.Marshal(string(last.Payload))
	}
	record, err := json.Marshal(map[string]any{
		"version":   "1.0",
		"timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": last.RequestID, "functionArn": a.Target.ARN() + ":" + version,
			"condition": "RetriesExhausted", "approximateInvokeCount": len(attempts),
		},
		"requestPayload":  json.RawMessage(event),
		"responseContext": responseContext{StatusCode: 200, Version: version, FunctionError: last.FunctionError},
		"responsePayload": payload,
	})
	if err != nil {
		return nil, fmt.Errorf("write an invocation record: %w", err)
	}
	return record, nil
}
