package lambdaemu

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// TestMain makes the test binary its own handler program: a process that Lambda has started handles events.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	initialize(os.Getenv("INIT"))
	if os.Getenv("RAW") != "" {
		rawHandler()
		return
	}
	if gate := os.Getenv("STREAM"); gate != "" {
		lambda.Start(func(e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			for _, r := range e.Records {
				get(gate + "?name=" + r.Change.SequenceNumber)
			}
			return events.DynamoDBEventResponse{}, nil
		})
	}
	lambda.Start(handle)
}

// order is what the handler program is told to do.
type order struct {
	Do   string `json:"do"`
	Text string `json:"text,omitempty"`
	N    int    `json:"n,omitempty"`

	*events.LambdaFunctionURLRequest // of an event that came through the Function URL
}

type reply struct {
	Text string   `json:"text,omitempty"`
	PID  int      `json:"pid"`
	Env  []string `json:"env,omitempty"`
}

func handle(ctx context.Context, o order) (any, error) {
	r := reply{PID: os.Getpid(), Text: o.Text}
	if o.LambdaFunctionURLRequest != nil {
		return answerURL(o.LambdaFunctionURLRequest)
	}
	switch o.Do {
	case "echo":
	case "error":
		return nil, errors.New(o.Text)
	case "panic":
		panic(o.Text)
	case "exit":
		os.Exit(o.N)
	case "gate":
		r.Text = get(o.Text)
	case "answer": // any JSON
		return json.RawMessage(o.Text), nil
	case "big":
		return strings.Repeat("x", o.N), nil
	case "env":
		r.Env = os.Environ()
		r.Text, _ = os.Getwd()
	case "print":
		fmt.Println(o.Text, "out")
		fmt.Fprint(os.Stderr, o.Text, " err")
	case "grow":
		block := bytes.Repeat([]byte{1}, o.N<<20)
		r.Text = fmt.Sprint(len(block))
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		r.Text = fmt.Sprintf("%s %s %d %s", lc.AwsRequestID, lc.InvokedFunctionArn, deadline.UnixMilli(), os.Getenv("_X_AMZN_TRACE_ID"))
	default:
		return nil, fmt.Errorf("do not know how to %q", o.Do)
	}
	return r, nil
}

// answerURL says what arrived.
func answerURL(e *events.LambdaFunctionURLRequest) (any, error) {
	if e.RawPath == "/fail" {
		return nil, errors.New("as asked")
	}
	body, how := []byte(e.Body), "text"
	if e.IsBase64Encoded {
		how = "base64"
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, err
		}
	}
	return events.LambdaFunctionURLResponse{
		StatusCode: http.StatusAccepted, Headers: map[string]string{"Content-Type": "text/plain"}, Cookies: []string{"seen=1"},
		Body: fmt.Sprintf("%s %s?%s %s %s", e.RequestContext.HTTP.Method, e.RawPath, e.RawQueryString, how, body),
	}, nil
}

// initialize is what happens before the first request for an invocation.
func initialize(how string) {
	how, arg, _ := strings.Cut(how, " ")
	switch how {
	case "exit":
		fmt.Println("about to exit")
		os.Exit(3)
	case "report":
		post("/2018-06-01/runtime/init/error", `{"errorType":"Config.Invalid","errorMessage":"no such role"}`)
		os.Exit(1)
	case "gate":
		get(arg)
	case "once": // only the first of all processes fails
		if f, err := os.OpenFile(arg, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
			_ = f.Close()
			os.Exit(4)
		}
	case "print":
		fmt.Println("initialized")
	}
}

func get(address string) string {
	resp, err := http.Get(address)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func post(path, body string) int {
	resp, err := http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// gate is where a handler can be met: it says that it is there and waits until it is let through.
type gate struct {
	url     string
	arrived chan string   // the name of each that came, buffered
	open    chan struct{} // one value lets one through
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan string, 100), open: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- r.URL.Query().Get("name")
		select {
		case <-g.open:
			_, _ = io.WriteString(w, "passed")
		case <-r.Context().Done(): // its process was ended
		}
	}))
	t.Cleanup(s.Close)
	g.url = s.URL
	return g
}

func (g *gate) named(name string) string { return g.url + "?name=" + url.QueryEscape(name) }

// timers is a Timer whose timeouts come when a test says so.
type timers map[time.Duration]chan time.Time

func (m timers) timer(d time.Duration) (<-chan time.Time, func()) { return m[d], func() {} }

// long is a timeout that no test waits for.
const long = 10 * time.Minute

// newFunction makes a function of the test binary. A race in a handler would be in its log.
func newFunction(t *testing.T, change ...func(*Options)) *Function {
	t.Helper()
	o := options(t)
	var log bytes.Buffer
	o.Log = &log
	for _, c := range change {
		c(&o)
	}
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if n := f.Stats().Live; n != 0 {
			t.Errorf("%d processes are left", n)
		}
		if strings.Contains(log.String(), "DATA RACE") {
			t.Error(log.String())
		}
	})
	return f
}

func options(t *testing.T) Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Name: "worker", Path: self, Timeout: long, InitTimeout: long + 1, MemoryMB: 256}
	o.Env = []string{"GORACE=atexit_sleep_ms=0"}
	if testing.CoverMode() != "" {
		o.Env = append(o.Env, "GOCOVERDIR="+t.TempDir())
	}
	return o
}

func withEnv(kv ...string) func(*Options) {
	return func(o *Options) { o.Env = append(o.Env, kv...) }
}

func invoke(t *testing.T, f *Function, o order) Result {
	t.Helper()
	r, err := f.Invoke(t.Context(), must(json.Marshal(o)))
	if err != nil {
		t.Fatalf("%s: %v", o.Do, err)
	}
	return r
}

// replied is invoke for what must succeed.
func replied(t *testing.T, f *Function, o order) reply {
	t.Helper()
	r := invoke(t, f, o)
	if r.FunctionError != "" {
		t.Fatalf("%s: %s\n%s", o.Do, r.Payload, r.Log)
	}
	var got reply
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// pending is an invocation that a test does not wait for yet.
type pending struct {
	result Result
	err    error
	done   chan struct{}
}

func begin(ctx context.Context, f *Function, o order) *pending {
	p := &pending{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.result, p.err = f.Invoke(ctx, must(json.Marshal(o)))
	}()
	return p
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
