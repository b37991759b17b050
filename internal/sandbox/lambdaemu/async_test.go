package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAsync(t *testing.T) {
	for name, tc := range map[string]struct {
		failures, retries int
		attempts          int
		failed            bool
	}{
		"at once":           {0, 2, 1, false},
		"at the last retry": {2, 2, 3, false},
		"exhausted":         {3, 2, 3, true},
		"no retries":        {1, 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &target{answer: func(n int, _ []byte) (Result, error) {
				if n <= tc.failures {
					return functionError, nil
				}
				return Result{Payload: []byte(`"ok"`)}, nil
			}}
			var lost []string
			a := &Async{Target: f, Retries: tc.retries, OnFailure: func(r json.RawMessage) { lost = append(lost, string(r)) }}
			o, err := a.Invoke(t.Context(), []byte(`{"task":"scan"}`))
			if err != nil || len(o.Attempts) != tc.attempts || f.count() != tc.attempts || o.Failed != tc.failed || (len(lost) == 1) != tc.failed {
				t.Errorf("%+v %v, %d lost", o, err, len(lost))
			}
			for _, e := range f.events {
				if e != `{"task":"scan"}` {
					t.Errorf("event %s", e)
				}
			}
		})
	}
}

func TestAsyncRecord(t *testing.T) {
	for name, tc := range map[string]struct{ posted, payload string }{
		"JSON":       {`{"errorMessage":"no"}`, `{"errorMessage":"no"}`},
		"other form": {`no "way"`, `"no \"way\""`},
	} {
		t.Run(name, func(t *testing.T) {
			var got map[string]any
			a := &Async{Retries: 1, OnFailure: func(r json.RawMessage) { _ = json.Unmarshal(r, &got) }, Target: &target{
				answer: func(int, []byte) (Result, error) {
					return Result{FunctionError: "Unhandled", Payload: []byte(tc.posted)}, nil
				},
			}}
			if _, err := a.Invoke(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			delete(got, "timestamp")
			var want map[string]any
			if err := json.Unmarshal([]byte(`{"version":"1.0","requestPayload":{},"requestContext":{"requestId":"request-2",
				"functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:worker:$LATEST","condition":"RetriesExhausted",
				"approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
				"responsePayload":`+tc.payload+`}`), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSchedule(t *testing.T) {
	denied := &APIError{Status: 403, Code: "AccessDeniedException", Message: "not allowed to invoke"}
	down := errors.New("the service is down")
	for name, tc := range map[string]struct {
		refusals, retries int
		why               error
		payload           string
		invocations       int
		dead              map[string]string // "" is the error alone
	}{
		"accepted":         {0, 2, down, `{}`, 1, nil},
		"at the last try":  {2, 2, down, `{}`, 1, nil},
		"throttled":        {1, 1, errThrottled, `{}`, 1, nil},
		"retries used up":  {3, 2, down, `{}`, 0, map[string]string{"ERROR_CODE": "SERVICE_ERROR", "ERROR_MESSAGE": "the service is down", "RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"}},
		"no permission":    {1, 2, denied, `{}`, 0, map[string]string{"ERROR_CODE": "AccessDeniedException", "ERROR_MESSAGE": "not allowed to invoke", "RETRY_ATTEMPTS": "0"}},
		"too large for it": {0, 2, nil, `"` + strings.Repeat("x", maxAsync) + `"`, 0, map[string]string{"ERROR_CODE": "RequestTooLargeException", "ERROR_MESSAGE": "Request must be smaller than 1048576 bytes for the InvokeFunction operation", "RETRY_ATTEMPTS": "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &target{answer: always(`{}`)}
			var dead *DeadLetter
			s := &Schedule{ARN: "arn:schedule", TargetARN: "arn:target", MaximumRetryAttempts: tc.retries,
				Async:      &Async{Target: f, Retries: DefaultAsyncRetries},
				DeadLetter: func(d DeadLetter) { dead = &d },
				Accept: func(attempt int) error {
					if attempt < tc.refusals {
						return tc.why
					}
					return nil
				}}
			_, err := s.Fire(t.Context(), []byte(tc.payload))
			if (err == nil) != (tc.dead == nil) || f.count() != tc.invocations || (dead == nil) != (tc.dead == nil) {
				t.Fatalf("%v, %d invocations, dead letter %v", err, f.count(), dead)
			}
			if dead == nil {
				return
			}
			if string(dead.Body) != tc.payload || dead.Attributes["EXECUTION_ID"] == "" || dead.Attributes["SCHEDULED_TIME"] == "" {
				t.Errorf("%+v", dead.Attributes)
			}
			delete(dead.Attributes, "EXECUTION_ID")
			delete(dead.Attributes, "SCHEDULED_TIME")
			tc.dead["IS_PAYLOAD_TRUNCATED"], tc.dead["SCHEDULE_ARN"], tc.dead["TARGET_ARN"] = "false", "arn:schedule", "arn:target"
			if diff := cmp.Diff(tc.dead, dead.Attributes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestScheduleFunctionFails keeps a function's errors out of the schedule's dead-letter queue: Lambda had accepted the event.
func TestScheduleFunctionFails(t *testing.T) {
	f := newFunction(t)
	lost := 0
	s := &Schedule{MaximumRetryAttempts: DefaultScheduleRetries, DeadLetter: func(d DeadLetter) { t.Errorf("dead letter %s", d.Body) },
		Async: &Async{Target: f, Retries: DefaultAsyncRetries, OnFailure: func(json.RawMessage) { lost++ }}}
	o, err := s.Fire(t.Context(), []byte(`{"do":"error","text":"the scan failed"}`))
	if err != nil || !o.Failed || len(o.Attempts) != 3 || lost != 1 || f.Stats().Invocations != 3 {
		t.Errorf("%+v %v, %d lost", o, err, lost)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.DeadLetter = nil
	s.Accept = func(int) error { return errors.New("down") }
	if _, err := s.Fire(ended, nil); err == nil {
		t.Error("it was handed over")
	}
}
