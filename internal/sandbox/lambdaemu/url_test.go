package lambdaemu

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

var testURL = urlIdentity{id: "abc", region: "eu-west-1"}

func TestURLEvent(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 5e6, time.UTC)
	for name, tc := range map[string]struct {
		method, target, kind, body string
		headers                    http.Header
		want                       func(*events.LambdaFunctionURLRequest)
	}{
		"get": {"GET", "/", "", "", nil, func(*events.LambdaFunctionURLRequest) {}},
		"path and query": {"GET", "/a%20b/c?x=1&x=2&y=%41+b&z&=v&bad=%zz", "", "", nil, func(e *events.LambdaFunctionURLRequest) {
			e.RawPath, e.RequestContext.HTTP.Path = "/a%20b/c", "/a%20b/c"
			e.RawQueryString = "x=1&x=2&y=%41+b&z&=v&bad=%zz"
			e.QueryStringParameters = map[string]string{"x": "1,2", "y": "A b", "z": "", "": "v", "bad": "%zz"}
		}},
		"json": {"POST", "/", "application/json; charset=utf-8", `{"a":"ä"}`, nil, func(e *events.LambdaFunctionURLRequest) {
			e.Body = `{"a":"ä"}`
		}},
		"text": {"PUT", "/", "text/csv", "a,b", nil, func(e *events.LambdaFunctionURLRequest) { e.Body = "a,b" }},
		"form": {"POST", "/slack/commands", "application/x-www-form-urlencoded", "command=%2Fkeys&text=due+7d", nil, func(e *events.LambdaFunctionURLRequest) {
			e.RawPath, e.RequestContext.HTTP.Path = "/slack/commands", "/slack/commands"
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("command=%2Fkeys&text=due+7d")), true
		}},
		"binary":              {"POST", "/", "application/octet-stream", "\x00\xff", nil, func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = "AP8=", true }},
		"no type":             {"POST", "/", "", "abc", nil, func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = "YWJj", true }},
		"text that is none":   {"POST", "/", "text/plain", "\xff", nil, func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = "/w==", true }},
		"form without a body": {"POST", "/", "application/x-www-form-urlencoded", "", nil, func(*events.LambdaFunctionURLRequest) {}},
		"compressed": {"POST", "/", "text/plain", "abc", http.Header{"Content-Encoding": {"gzip"}}, func(e *events.LambdaFunctionURLRequest) {
			e.Body, e.IsBase64Encoded = "YWJj", true
			e.Headers["content-encoding"] = "gzip"
		}},
		"headers and cookies": {"GET", "/", "", "", http.Header{
			"X-Slack-Signature": {"v0=1"}, "X-Twice": {"a", "b"}, "Cookie": {"a=1; b=2", "c=3"}, "Connection": {"close"},
			"X-Forwarded-For": {"198.51.100.7"}, "User-Agent": {"Slackbot 1.0"},
		}, func(e *events.LambdaFunctionURLRequest) {
			e.Headers["x-slack-signature"], e.Headers["x-twice"], e.Headers["user-agent"] = "v0=1", "a,b", "Slackbot 1.0"
			e.Cookies = []string{"a=1", "b=2", "c=3"}
			e.RequestContext.HTTP.UserAgent = "Slackbot 1.0"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "http://127.0.0.1:1234"+tc.target, strings.NewReader(tc.body))
			r.RemoteAddr = "203.0.113.9:4711"
			for k, v := range tc.headers {
				r.Header[k] = v
			}
			if tc.kind != "" {
				r.Header.Set("Content-Type", tc.kind)
			}
			raw := must(json.Marshal(testURL.event(r, []byte(tc.body), "trace", noon)))
			var got events.LambdaFunctionURLRequest
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.RequestContext.RequestID) != 36 {
				t.Errorf("request ID %q", got.RequestContext.RequestID)
			}
			got.RequestContext.RequestID = ""
			const domain = "abc.lambda-url.eu-west-1.on.aws"
			want := events.LambdaFunctionURLRequest{
				Version: "2.0", RawPath: "/",
				Headers: map[string]string{
					"host": domain, "x-forwarded-for": "203.0.113.9", "x-forwarded-port": "443", "x-forwarded-proto": "https",
					"x-amzn-trace-id": "trace", "x-amzn-tls-version": "TLSv1.3", "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
				},
				RequestContext: events.LambdaFunctionURLRequestContext{
					AccountID: "anonymous", APIID: "abc", DomainName: domain, DomainPrefix: "abc",
					Time: "01/Jun/2026:12:00:00 +0000", TimeEpoch: noon.UnixMilli(),
					HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: tc.method, Path: "/", Protocol: "HTTP/1.1", SourceIP: "203.0.113.9"},
				},
			}
			if tc.kind != "" {
				want.Headers["content-type"] = tc.kind
			}
			if tc.body != "" {
				want.Headers["content-length"] = strconv.Itoa(len(tc.body))
			}
			tc.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			var more map[string]any
			if err := json.Unmarshal(raw, &more); err != nil || more["routeKey"] != "$default" {
				t.Errorf("%s %v", raw, err)
			}
			if _, ok := more["body"]; ok != (tc.body != "") {
				t.Errorf("the event has a body: %v", ok)
			}
		})
	}
}

func TestURLResponse(t *testing.T) {
	plain := http.Header{"Content-Type": {"application/json"}}
	for name, tc := range map[string]struct {
		result  Result
		err     error
		status  int
		headers http.Header
		body    string
	}{
		"response": {Result{Payload: []byte(`{"statusCode":201,"headers":{"Content-Type":"text/html","X-Number":7},"body":"<p>","cookies":["a=1; HttpOnly","b=2"],"isBase64Encoded":false}`)}, nil,
			201, http.Header{"Content-Type": {"text/html"}, "X-Number": {"7"}, "Set-Cookie": {"a=1; HttpOnly", "b=2"}}, "<p>"},
		"nulls":           {Result{Payload: []byte(`{"statusCode":200,"headers":null,"body":null,"cookies":null}`)}, nil, 200, plain, ""},
		"status alone":    {Result{Payload: []byte(`{"statusCode":204}`)}, nil, 204, plain, ""},
		"base64":          {Result{Payload: []byte(`{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`)}, nil, 200, plain, "\x00\xff"},
		"redirect":        {Result{Payload: []byte(`{"statusCode":302,"headers":{"location":"/x"}}`)}, nil, 302, http.Header{"Content-Type": {"application/json"}, "Location": {"/x"}}, ""},
		"length is ours":  {Result{Payload: []byte(`{"statusCode":200,"headers":{"Content-Length":"99","Connection":"close"},"body":"ok"}`)}, nil, 200, plain, "ok"},
		"bare object":     {Result{Payload: []byte(`{"message":"hi"}`)}, nil, 200, plain, `{"message":"hi"}`},
		"bare string":     {Result{Payload: []byte(`"hi"`)}, nil, 200, plain, `"hi"`},
		"null":            {Result{Payload: []byte(`null`)}, nil, 200, plain, `null`},
		"other case":      {Result{Payload: []byte(`{"StatusCode":404}`)}, nil, 200, plain, `{"StatusCode":404}`},
		"not JSON":        {Result{Payload: []byte(`hi`)}, nil, 502, nil, "Internal Server Error\n"},
		"nothing":         {Result{}, nil, 502, nil, "Internal Server Error\n"},
		"status is text":  {Result{Payload: []byte(`{"statusCode":"200"}`)}, nil, 502, nil, "Internal Server Error\n"},
		"status 99":       {Result{Payload: []byte(`{"statusCode":99}`)}, nil, 502, nil, "Internal Server Error\n"},
		"status 101":      {Result{Payload: []byte(`{"statusCode":101}`)}, nil, 502, nil, "Internal Server Error\n"},
		"status 600":      {Result{Payload: []byte(`{"statusCode":600}`)}, nil, 502, nil, "Internal Server Error\n"},
		"status null":     {Result{Payload: []byte(`{"statusCode":null}`)}, nil, 502, nil, "Internal Server Error\n"},
		"body is none":    {Result{Payload: []byte(`{"statusCode":200,"body":{"a":1}}`)}, nil, 502, nil, "Internal Server Error\n"},
		"bad base64":      {Result{Payload: []byte(`{"statusCode":200,"body":"%","isBase64Encoded":true}`)}, nil, 502, nil, "Internal Server Error\n"},
		"header is list":  {Result{Payload: []byte(`{"statusCode":200,"headers":{"a":["b"]}}`)}, nil, 502, nil, "Internal Server Error\n"},
		"header splits":   {Result{Payload: []byte(`{"statusCode":200,"headers":{"a":"b\r\nc: d"}}`)}, nil, 502, nil, "Internal Server Error\n"},
		"header's name":   {Result{Payload: []byte(`{"statusCode":200,"headers":{"a b":"c"}}`)}, nil, 502, nil, "Internal Server Error\n"},
		"cookie splits":   {Result{Payload: []byte(`{"statusCode":200,"cookies":["a\nb"]}`)}, nil, 502, nil, "Internal Server Error\n"},
		"function error":  {Result{Payload: []byte(`{"statusCode":200}`), FunctionError: "Unhandled"}, nil, 502, nil, "Internal Server Error\n"},
		"throttled":       {Result{}, errThrottled, 429, http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {"TooManyRequestsException"}}, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}` + "\n"},
		"emulator closed": {Result{}, ErrClosed, 500, nil, "Internal Server Error\n"},
	} {
		t.Run(name, func(t *testing.T) {
			u := functionURL{func(context.Context, []byte) (Result, error) { return tc.result, tc.err }, testURL}
			w := httptest.NewRecorder()
			u.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if w.Code != tc.status || w.Body.String() != tc.body {
				t.Errorf("%d %q", w.Code, w.Body)
			}
			h := w.Header()
			if h.Get("X-Amzn-Requestid") == "" || h.Get("X-Amzn-Trace-Id") == "" {
				t.Errorf("headers %v", h)
			}
			h.Del("X-Amzn-Requestid")
			h.Del("X-Amzn-Trace-Id")
			if diff := cmp.Diff(tc.headers, h); tc.headers != nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestURLLimit counts the event and not the body: a form grows by a third on its way.
func TestURLLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   string
		size   int
		status int
	}{
		"text that fits":      {"text/plain", maxRequest - 4096, 200},
		"text that does not":  {"text/plain", maxRequest - 100, 413},
		"more than that":      {"text/plain", maxRequest + 4096, 413},
		"a form that fits":    {"application/x-www-form-urlencoded", maxRequest/4*3 - 4096, 200},
		"a form that did not": {"application/x-www-form-urlencoded", maxRequest / 4 * 3, 413},
	} {
		u := functionURL{func(_ context.Context, event []byte) (Result, error) {
			if len(event) > maxRequest {
				t.Errorf("%s: an event of %d bytes", name, len(event))
			}
			return Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}, testURL}
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", tc.size)))
		r.Header.Set("Content-Type", tc.kind)
		w := httptest.NewRecorder()
		u.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestURLOnTheWire goes through a real server, a real client and a real process.
func TestURLOnTheWire(t *testing.T) {
	g := newGate(t)
	f := newFunction(t, func(o *Options) { o.Concurrency = 1 })
	s := httptest.NewServer(f.URL())
	t.Cleanup(s.Close)
	ask := func(path, kind, body string) (int, string, http.Header) {
		resp, err := http.Post(s.URL+path, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode, string(must(io.ReadAll(resp.Body))), resp.Header
	}
	form := "payload=%7B%22type%22%3A%22block_actions%22%7D&x=%C3%A4"
	status, body, h := ask("/slack?a=1", "application/x-www-form-urlencoded", form)
	if status != http.StatusAccepted || body != "POST /slack?a=1 base64 "+form || h.Get("Content-Type") != "text/plain" || h.Get("Set-Cookie") != "seen=1" {
		t.Errorf("%d %s %v", status, body, h)
	}
	status, body, _ = ask("/", "application/json", `{"a":1}`)
	if status != http.StatusAccepted || body != `POST /? text {"a":1}` {
		t.Errorf("%d %s", status, body)
	}
	if status, body, _ = ask("/fail", "", ""); status != http.StatusBadGateway || body != "Internal Server Error\n" {
		t.Errorf("a function error: %d %s", status, body)
	}
	p := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived
	if status, _, _ = ask("/", "", ""); status != http.StatusTooManyRequests {
		t.Errorf("%d while the function is busy", status)
	}
	g.open <- struct{}{}
	<-p.done
}

// FuzzURLResponse takes any answer of a function: a status that can be sent, and never a broken header.
func FuzzURLResponse(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b","n":1,"t":true},"cookies":["c=d"],"body":"AP8=","isBase64Encoded":true}`)
	f.Add(`{"statusCode":1e2}`)
	f.Add(`"x"`)
	f.Add(`{"statusCode":204,"headers":{"":""}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		u := functionURL{func(context.Context, []byte) (Result, error) { return Result{Payload: []byte(payload)}, nil }, testURL}
		w := httptest.NewRecorder()
		u.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("status %d", w.Code)
		}
		for name, values := range w.Result().Header {
			if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n") }) {
				t.Fatalf("%s: %q", name, values)
			}
		}
	})
}

// FuzzURLEvent takes any request: its event can be read by the handler's library and holds the same body.
func FuzzURLEvent(f *testing.F) {
	f.Add("POST", "/a?b=c&b=d", "application/x-www-form-urlencoded", "x=1", []byte("payload=%7B%7D"))
	f.Add("GET", "/%zz?%zz=%", "text/plain; charset", "", []byte{0xff})
	f.Fuzz(func(t *testing.T, method, target, kind, cookie string, body []byte) {
		r, err := http.NewRequest(method, "http://127.0.0.1", nil)
		if err != nil {
			return
		}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Cookie", cookie)
		raw, err := json.Marshal(testURL.event(r, body, "trace", time.Unix(0, 0)))
		if err != nil {
			t.Fatal(err)
		}
		var e events.LambdaFunctionURLRequest
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		got := []byte(e.Body)
		if e.IsBase64Encoded {
			if got, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != string(body) {
			t.Fatalf("body %q became %q", body, got)
		}
	})
}
