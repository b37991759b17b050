package lambdaemu

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rawHandler speaks the Runtime API by itself and does what no runtime should. It answers its second event with the statuses
// that it got during the first.
func rawHandler() {
	base := "/2018-06-01/runtime/invocation/"
	var got []string
	note := func(what string, status int) { got = append(got, fmt.Sprintf("%s: %d", what, status)) }
	ask := func() (int, string) {
		resp, err := http.Get("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + base + "next")
		if err != nil {
			os.Exit(1)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
	}
	status, first := ask()
	note("next", status)
	status, _ = ask()
	note("next while an event is unanswered", status)
	note("init error after the initialization", post("/2018-06-01/runtime/init/error", `{}`))
	note("answer to an unknown event", post(base+"0000/response", `{}`))
	note("error of an unknown event", post(base+"0000/error", `{}`))
	note("unknown path", post("/2018-06-01/runtime/invocation", `{}`))
	note("other version", post("/2020-01-01/extension/register", `{}`))
	note("answer", post(base+first+"/response", `"done"`))
	note("second answer", post(base+first+"/response", `"again"`))
	note("error after an answer", post(base+first+"/error", `{}`))
	_, second := ask()
	note("answer to the event before", post(base+first+"/response", `"late"`))
	note("error without a body", post(base+second+"/error", ""))
	_, third := ask()
	b, _ := json.Marshal(got)
	post(base+third+"/response", string(b))
	ask()
}

func TestRuntimeAPI(t *testing.T) {
	f := newFunction(t, withEnv("RAW=1"))
	if r, err := f.Invoke(t.Context(), nil); err != nil || string(r.Payload) != `"done"` || r.FunctionError != "" {
		t.Errorf("first event: %s, %v", r.Payload, err)
	}
	r, err := f.Invoke(t.Context(), nil)
	if want := `{"errorType":"Runtime.Unknown","errorMessage":"RequestId: ` + r.RequestID + ` Error: Unknown application error occurred"}`; err != nil || string(r.Payload) != want {
		t.Errorf("second event: %s, %v", r.Payload, err)
	}
	r, err = f.Invoke(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("%s: %v", r.Payload, err)
	}
	want := []string{
		"next: 200",
		"next while an event is unanswered: 403",
		"init error after the initialization: 403",
		"answer to an unknown event: 400",
		"error of an unknown event: 400",
		"unknown path: 404",
		"other version: 404",
		"answer: 202",
		"second answer: 403",
		"error after an answer: 403",
		"answer to the event before: 400",
		"error without a body: 202",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAnswerAfterTimeout lets the emulator forget an invocation while its process still runs: its answer is refused.
func TestAnswerAfterTimeout(t *testing.T) {
	e := &environment{phase: running, current: &invocation{id: "a", done: make(chan struct{})}, exited: make(chan struct{})}
	for _, tc := range []struct {
		name   string
		before func()
		status int
	}{
		{"in time", func() {}, http.StatusAccepted},
		{"late", e.abandon, http.StatusBadRequest},
	} {
		tc.before()
		w := httptest.NewRecorder()
		e.api().ServeHTTP(w, must(http.NewRequest("POST", "/2018-06-01/runtime/invocation/a/response", strings.NewReader(`{}`))))
		if w.Code != tc.status {
			t.Errorf("%s: %d %s", tc.name, w.Code, w.Body)
		}
	}
}
