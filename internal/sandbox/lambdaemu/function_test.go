package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		order    order
		payload  string // a pattern
		errors   bool
		log      string // a pattern
		survives bool   // the process takes the next event too
	}{
		"normal": {order{Do: "echo", Text: "hello"}, `^{"text":"hello","pid":\d+}$`, false,
			`^INIT_START .*\nSTART RequestId: [-0-9a-f]{36} Version: \$LATEST\nEND RequestId: .*\nREPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: [1-9]\d* MB\tInit Duration: \d+\.\d\d ms\n$`, true},
		"error": {order{Do: "error", Text: "no such key"}, `"errorMessage":"no such key","errorType":"errorString"`, true,
			`no such key[^\n]*\nEND RequestId`, true},
		"bad event": {order{Do: "fly"}, `do not know how to \\"fly\\"`, true, "", true},
		"panic": {order{Do: "panic", Text: "boom"}, `"errorMessage":"boom","errorType":"string","stackTrace":`, true,
			`boom`, false},
		"exit": {order{Do: "exit", N: 7}, `^{"errorType":"Runtime.ExitError","errorMessage":"RequestId: [-0-9a-f]{36} Error: Runtime exited with error: exit status 7"}$`, true,
			`Error: Runtime exited with error: exit status 7\nRuntime.ExitError\nEND .*\nREPORT .*\tStatus: error\tError Type: Runtime.ExitError\n$`, false},
		"exit without an error": {order{Do: "exit"}, `Runtime exited without providing a reason`, true, "", false},
		"largest answer":        {order{Do: "big", N: maxResponse - 2}, `^"x+"$`, false, "", true},
		"too large an answer": {order{Do: "big", N: maxResponse - 1}, `^{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size \(6291556 bytes\)."}$`, true,
			`Function.ResponseSizeTooLarge`, false},
		"output": {order{Do: "print", Text: "a line"}, `a line`, false, `Version: \$LATEST\na line out\na line err\nEND `, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t)
			r := invoke(t, f, tc.order)
			if !regexp.MustCompile(tc.payload).Match(r.Payload) {
				t.Errorf("payload: %.500s", r.Payload)
			}
			if (r.FunctionError == "Unhandled") != tc.errors {
				t.Errorf("function error: %q", r.FunctionError)
			}
			if !regexp.MustCompile(tc.log).MatchString(r.Log) {
				t.Errorf("log:\n%s", r.Log)
			}
			if !r.Cold || r.InitToNext <= 0 || r.MaxRSS < 1<<20 || r.RequestID == "" {
				t.Errorf("cold %v, %s to the first request, %d bytes", r.Cold, r.InitToNext, r.MaxRSS)
			}
			second := invoke(t, f, order{Do: "echo"})
			if second.Cold == tc.survives {
				t.Errorf("the second event met a new process: %v", second.Cold)
			}
			if !second.Cold && (second.InitToNext != 0 || strings.Contains(second.Log, "INIT")) {
				t.Errorf("a warm start with an initialization:\n%s", second.Log)
			}
			s := f.Stats()
			want := Stats{Invocations: 2, Starts: 1, Live: s.Live}
			if tc.errors {
				want.Errors = 1
			}
			if !tc.survives {
				want.Starts = 2
			}
			if diff := cmp.Diff(want, s); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_PARENT", "leaked")
	f := newFunction(t, withEnv("KEYTURN_ROLE=bot", "PATH=/elsewhere"), func(o *Options) {
		o.Region, o.Account = "eu-west-1", "111122223333"
		o.Credentials = func() Credentials { return Credentials{"ASIAX", "s", "t"} }
	})
	got := replied(t, f, order{Do: "env"})
	env := map[string]string{}
	for _, kv := range got.Env {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	for name, pattern := range map[string]string{
		"AWS_LAMBDA_RUNTIME_API": `^127\.0\.0\.1:\d+$`, "AWS_LAMBDA_LOG_STREAM_NAME": `^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`,
		"_X_AMZN_TRACE_ID": `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, // set by the handler's library
	} {
		if !regexp.MustCompile(pattern).MatchString(env[name]) {
			t.Errorf("%s=%s", name, env[name])
		}
		delete(env, name)
	}
	root := filepath.Dir(f.opts.Path)
	want := map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "worker", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "LAMBDA_TASK_ROOT": root, "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"_HANDLER": "bootstrap", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/worker", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"TZ": ":UTC", "LANG": "en_US.UTF-8", "PATH": "/elsewhere", "KEYTURN_ROLE": "bot", "AWS_ACCESS_KEY_ID": "ASIAX",
		"AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
	}
	for _, name := range []string{"PWD", "GORACE", "GOCOVERDIR"} { // of os/exec, and of newFunction
		delete(env, name)
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error(diff)
	}
	if got.Text != root {
		t.Errorf("it runs in %s", got.Text)
	}
}

func TestContext(t *testing.T) {
	f := newFunction(t)
	before := time.Now().Truncate(time.Millisecond)
	r := invoke(t, f, order{Do: "context"})
	var got reply
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	var id, arn, trace string
	var deadline int64
	if _, err := fmt.Sscan(got.Text, &id, &arn, &deadline, &trace); err != nil {
		t.Fatal(err)
	}
	if id != r.RequestID || arn != "arn:aws:lambda:us-east-1:123456789012:function:worker" || arn != f.ARN() || trace == "" {
		t.Errorf("got %s, want request %s", got.Text, r.RequestID)
	}
	if d := time.UnixMilli(deadline); d.Before(before.Add(long)) || d.After(time.Now().Add(long)) {
		t.Errorf("deadline %s", d)
	}
}

// TestLogs gives each invocation its own lines, and the function's log all of them.
func TestLogs(t *testing.T) {
	var all strings.Builder
	f := newFunction(t, func(o *Options) { o.Log = &all })
	first := invoke(t, f, order{Do: "print", Text: "first"}).Log
	second := invoke(t, f, order{Do: "print", Text: "second"}).Log
	if strings.Contains(second, "first") || !strings.Contains(second, "second out\nsecond err\n") || all.String() != first+second {
		t.Errorf("first:\n%s\nsecond:\n%s\nall:\n%s", first, second, all.String())
	}
}

func TestTimeout(t *testing.T) {
	g := newGate(t)
	fire := timers{2 * time.Second: make(chan time.Time)}
	f := newFunction(t, func(o *Options) { o.Timeout, o.Timer = 2*time.Second, fire.timer })
	pid := replied(t, f, order{Do: "echo"}).PID
	p := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived
	fire[2*time.Second] <- time.Now()
	<-p.done
	want := fmt.Sprintf(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after 2.00 seconds"}`, p.result.RequestID)
	if p.err != nil || string(p.result.Payload) != want || p.result.FunctionError != "Unhandled" || p.result.MaxRSS == 0 {
		t.Errorf("%v %s", p.err, p.result.Payload)
	}
	if !regexp.MustCompile(`(?m)^\S+Z ` + p.result.RequestID + ` Task timed out after 2\.00 seconds\n\nEND .*\nREPORT .*\tStatus: timeout$`).MatchString(p.result.Log) {
		t.Errorf("log:\n%s", p.result.Log)
	}
	if now := replied(t, f, order{Do: "echo"}).PID; now == pid {
		t.Error("the process that timed out lives on")
	}
}

func TestInitFailure(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "failed")
	for name, tc := range map[string]struct {
		init, payload, log string
		starts             int // of the first invocation; the second one meets the same
		works              bool
	}{
		"it exits": {"exit", `^{"errorType":"Runtime.ExitError","errorMessage":"RequestId: \S+ Error: Runtime exited with error: exit status 3"}$`,
			`about to exit\nINIT_REPORT Init Duration: \S+ ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\nabout to exit\nINIT_REPORT .*Phase: invoke`, 2, false},
		"it reports an error": {"report", `^{"errorType":"Config.Invalid","errorMessage":"no such role"}$`, `Error Type: Config.Invalid`, 2, false},
		"only once":           {"once " + marker, `^{"pid":\d+}$`, `INIT_REPORT .*Phase: init\t`, 2, true},
		"it writes":           {"print", `^{"pid":\d+}$`, `^INIT_START[^\n]*\ninitialized\nSTART`, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, withEnv("INIT="+tc.init))
			r := invoke(t, f, order{Do: "echo"})
			if !regexp.MustCompile(tc.payload).Match(r.Payload) || (r.FunctionError == "") != tc.works {
				t.Errorf("payload: %s", r.Payload)
			}
			if !regexp.MustCompile(tc.log).MatchString(r.Log) {
				t.Errorf("log:\n%s", r.Log)
			}
			if n := f.Stats().Starts; n != tc.starts {
				t.Errorf("%d starts, want %d", n, tc.starts)
			}
			if r := invoke(t, f, order{Do: "echo"}); (r.FunctionError == "") != tc.works || r.Cold == tc.works {
				t.Errorf("the next event: %s", r.Payload)
			}
		})
	}
}

func TestInitTimeout(t *testing.T) {
	g := newGate(t)
	fire := timers{time.Second: make(chan time.Time), 3 * time.Second: make(chan time.Time)}
	f := newFunction(t, withEnv("INIT=gate "+g.url), func(o *Options) {
		o.Timeout, o.InitTimeout, o.Timer = 3*time.Second, time.Second, fire.timer
	})
	p := begin(t.Context(), f, order{Do: "echo"})
	<-g.arrived
	fire[time.Second] <- time.Now() // the initialization is out of time, and starts again on the time of the invocation
	<-g.arrived
	fire[3*time.Second] <- time.Now()
	<-p.done
	if !strings.Contains(string(p.result.Payload), "Task timed out after 3.00 seconds") || f.Stats().Live != 0 {
		t.Errorf("%v %s, %d processes", p.err, p.result.Payload, f.Stats().Live)
	}
	if !regexp.MustCompile(`(?s)Phase: init\tStatus: timeout\n.*Phase: invoke\tStatus: timeout\n`).MatchString(p.result.Log) {
		t.Errorf("log:\n%s", p.result.Log)
	}
	p = begin(t.Context(), f, order{Do: "echo", Text: "late"})
	<-g.arrived
	g.open <- struct{}{}
	if <-p.done; p.result.FunctionError != "" {
		t.Errorf("%v %s", p.err, p.result.Payload)
	}
}

func TestNoExecutable(t *testing.T) {
	f := newFunction(t, func(o *Options) { o.Path, o.TaskRoot = filepath.Join(t.TempDir(), "bootstrap"), os.TempDir() })
	r := invoke(t, f, order{Do: "echo"})
	if !strings.HasPrefix(string(r.Payload), `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: `) || r.FunctionError == "" {
		t.Errorf("payload: %s", r.Payload)
	}
}

func TestConcurrency(t *testing.T) {
	g := newGate(t)
	f := newFunction(t, func(o *Options) { o.Concurrency = 2 })
	a := begin(t.Context(), f, order{Do: "gate", Text: g.named("a")})
	b := begin(t.Context(), f, order{Do: "gate", Text: g.named("b")})
	<-g.arrived
	<-g.arrived
	_, err := f.Invoke(t.Context(), nil)
	var api *APIError
	if !Throttled(err) || !errors.As(err, &api) || api.Status != 429 || api.Reason != "ReservedFunctionConcurrentInvocationLimitExceeded" {
		t.Errorf("a third one got %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := f.InvokeWhenFree(t.Context(), must(json.Marshal(order{Do: "echo"})))
		waiting <- err
	}()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.InvokeWhenFree(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("one that gave up got %v", err)
	}
	g.open <- struct{}{}
	g.open <- struct{}{}
	<-a.done
	<-b.done
	if err := errors.Join(a.err, b.err, <-waiting); err != nil {
		t.Fatal(err)
	}
	s := f.Stats()
	if s.Invocations != 3 || s.Starts != 2 || s.Throttles < 2 {
		t.Errorf("%+v", s)
	}
	// Both are idle now, and the one that was used last is used again.
	pids := []int{}
	for range 3 {
		pids = append(pids, replied(t, f, order{Do: "echo"}).PID)
	}
	if pids[1] != pids[0] || pids[2] != pids[0] || f.Stats().Starts != 2 {
		t.Errorf("events one after the other met %v, %d starts", pids, f.Stats().Starts)
	}
}

func TestBurst(t *testing.T) {
	g := newGate(t)
	var mu sync.Mutex
	var started []int
	f := newFunction(t, func(o *Options) {
		o.OnProcess = func(pid int) {
			mu.Lock()
			defer mu.Unlock()
			started = append(started, pid)
		}
	})
	const n = 5
	var all []*pending
	for range n {
		all = append(all, begin(t.Context(), f, order{Do: "gate", Text: g.url}))
	}
	for range n {
		<-g.arrived
	}
	for range n {
		g.open <- struct{}{}
	}
	var pids []int
	for _, p := range all {
		<-p.done
		var got reply
		if err := json.Unmarshal(p.result.Payload, &got); p.err != nil || err != nil || !p.result.Cold {
			t.Fatalf("%v %v, cold %v", p.err, err, p.result.Cold)
		}
		pids = append(pids, got.PID)
	}
	slices.Sort(pids)
	slices.Sort(started)
	if diff := cmp.Diff(started, pids); diff != "" || len(slices.Compact(pids)) != n {
		t.Errorf("each event has a process of its own: %s", diff)
	}
}

func TestCallerLeaves(t *testing.T) {
	g := newGate(t)
	f := newFunction(t)
	ctx, cancel := context.WithCancel(t.Context())
	p := begin(ctx, f, order{Do: "gate", Text: g.url})
	<-g.arrived
	cancel()
	if <-p.done; !errors.Is(p.err, context.Canceled) {
		t.Errorf("the caller got %v", p.err)
	}
	next := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived // while the first one still runs
	g.open <- struct{}{}
	g.open <- struct{}{}
	if <-next.done; next.err != nil || f.Stats().Starts != 2 {
		t.Errorf("%v, %+v", next.err, f.Stats())
	}
}

func TestRefusedEvents(t *testing.T) {
	f := newFunction(t)
	for name, tc := range map[string]struct {
		event  string
		status int
		code   string
	}{
		"too large": {`"` + strings.Repeat("x", maxRequest-1) + `"`, 413, "RequestTooLargeException"},
		"not JSON":  {`{"a":`, 400, "InvalidRequestContentException"},
	} {
		_, err := f.Invoke(t.Context(), []byte(tc.event))
		var api *APIError
		if !errors.As(err, &api) || api.Status != tc.status || api.Code != tc.code || Throttled(err) {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	if s := f.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
	if _, err := f.Invoke(t.Context(), nil); err != nil { // no event is an empty object
		t.Error(err)
	}
}
