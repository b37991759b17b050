package bot

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

var paths = []string{"/slack/commands", "/slack/interactions", "/slack/events"}

func TestForgedRequests(t *testing.T) {
	approve := func(e *bench) string {
		r := e.kept(opened(rotation.Awaiting))
		return click{user: owner, action: "approve", value: value(r)}.body()
	}
	now := time.Now()
	for _, c := range []struct {
		name   string
		header func(body string) http.Header
		tamper func(body string) string
	}{
		{name: "no headers", header: func(string) http.Header { return http.Header{} }},
		{name: "no signature", header: func(string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {stamp(now)}}
		}},
		{name: "no timestamp", header: func(b string) http.Header {
			return http.Header{"X-Slack-Signature": {sign(stamp(now), b, secret)}}
		}},
		{name: "another secret", header: signedAs(now, now, "another")},
		{name: "the empty secret", header: signedAs(now, now, "")},
		{name: "six minutes old", header: signedAs(now.Add(-6*time.Minute), now.Add(-6*time.Minute), secret)},
		{name: "six minutes ahead", header: signedAs(now.Add(6*time.Minute), now.Add(6*time.Minute), secret)},
		{name: "replayed with a new timestamp", header: signedAs(now.Add(-time.Hour), now, secret)},
		{name: "an absurd timestamp", header: func(b string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {"9223372036854775807"}, "X-Slack-Signature": {sign("9223372036854775807", b, secret)}}
		}},
		{name: "no number for a timestamp", header: func(b string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {"now"}, "X-Slack-Signature": {sign("now", b, secret)}}
		}},
		{name: "no hexadecimal digits", header: func(string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {stamp(now)}, "X-Slack-Signature": {"v0=zz"}}
		}},
		{name: "half a signature", header: func(b string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {stamp(now)}, "X-Slack-Signature": {sign(stamp(now), b, secret)[:35]}}
		}},
		{name: "version 1", header: func(b string) http.Header {
			return http.Header{"X-Slack-Request-Timestamp": {stamp(now)}, "X-Slack-Signature": {"v1" + sign(stamp(now), b, secret)[2:]}}
		}},
		{name: "another body", header: signedAs(now, now, secret), tamper: func(b string) string { return b + "&x=1" }},
		{name: "no body", header: signedAs(now, now, secret), tamper: func(string) string { return "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range paths {
				e := newBench(t)
				body := approve(e)
				before := e.store.get(t, opened(rotation.Awaiting).ID)
				sent := body
				if c.tamper != nil {
					sent = c.tamper(body)
				}
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(sent))
				r.Header = c.header(body)
				w := httptest.NewRecorder()
				e.bot.ServeHTTP(w, r)
				e.bot.Wait()
				if w.Code != http.StatusUnauthorized {
					t.Errorf("%s: status %d", path, w.Code)
				}
				lines := e.log.lines()
				if len(lines) != 1 || !strings.Contains(lines[0], "request refused") || strings.Contains(lines[0], "approve") {
					t.Errorf("%s: logged %q", path, lines)
				}
				if calls := e.store.counted(); len(calls) != 0 || len(e.slack.counted()) != 0 {
					t.Errorf("%s: calls %v", path, calls)
				}
				if got := e.store.get(t, before.ID); got.Version != before.Version {
					t.Errorf("%s: saved version %d", path, got.Version)
				}
			}
		})
	}
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// signedAs signs for one time and claims another.
func signedAs(signed, claimed time.Time, with string) func(string) http.Header {
	return func(body string) http.Header {
		return http.Header{"X-Slack-Request-Timestamp": {stamp(claimed)}, "X-Slack-Signature": {sign(stamp(signed), body, with)}}
	}
}

func TestFourMinutesOldIsServed(t *testing.T) {
	for _, off := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		e := newBench(t)
		body := commandForm(owner, "help")
		r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
		r.Header = signedAs(time.Now().Add(off), time.Now().Add(off), secret)(body)
		w := httptest.NewRecorder()
		e.bot.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", off, w.Code)
		}
	}
}

func TestWithoutSecretEverythingIsRefused(t *testing.T) {
	e := newBench(t, func(o *Options) { o.SigningSecret = "" })
	body := commandForm(owner, "help")
	r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
	r.Header = signedAs(time.Now(), time.Now(), "")(body)
	w := httptest.NewRecorder()
	e.bot.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}

// broken is a body whose connection breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestRequestsThatAreNotRead(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		body               io.Reader
		status, lines      int
	}{
		{"a body that is too large", "POST", "/slack/commands", strings.NewReader(strings.Repeat("x", MostBody+1)), 413, 1},
		{"a body as large as it may be, unsigned", "POST", "/slack/commands", strings.NewReader(strings.Repeat("x", MostBody)), 401, 1},
		{"a connection that breaks", "POST", "/slack/events", broken{}, 400, 1},
		{"GET", "GET", "/slack/commands", nil, 405, 0},
		{"GET of a certificate check", "GET", "/slack/commands?ssl_check=1", nil, 405, 0},
		{"PUT", "PUT", "/slack/interactions", nil, 405, 0},
		{"DELETE", "DELETE", "/slack/events", nil, 405, 0},
		{"an unknown path", "POST", "/slack/nothing", nil, 404, 0},
		{"the root", "GET", "/", nil, 404, 0},
		{"health", "GET", "/healthz", nil, 200, 0},
		{"health, head", "HEAD", "/healthz", nil, 200, 0},
		{"health, posted", "POST", "/healthz", nil, 405, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newBench(t)
			w := httptest.NewRecorder()
			e.bot.ServeHTTP(w, httptest.NewRequest(c.method, c.path, c.body))
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if lines := e.log.lines(); len(lines) != c.lines {
				t.Errorf("logged %q", lines)
			}
			if calls := e.store.counted(); len(calls) > 0 {
				t.Errorf("calls %v", calls)
			}
		})
	}
}

func TestSignedButMalformed(t *testing.T) {
	for _, c := range []struct{ name, path, body string }{
		{"no command", "/slack/commands", "user_id=U1&text=help"},
		{"no person", "/slack/commands", "command=%2Fkeys&text=help"},
		{"a broken form", "/slack/commands", "command=%zz"},
		{"an empty body", "/slack/commands", ""},
		{"no payload", "/slack/interactions", "x=1"},
		{"a broken form", "/slack/interactions", "payload=%zz"},
		{"no JSON", "/slack/interactions", url.Values{"payload": {"{"}}.Encode()},
		{"null", "/slack/interactions", url.Values{"payload": {"null"}}.Encode()},
		{"a list", "/slack/interactions", url.Values{"payload": {"[]"}}.Encode()},
		{"nobody", "/slack/interactions", url.Values{"payload": {`{"type":"block_actions"}`}}.Encode()},
		{"actions of another kind", "/slack/interactions", url.Values{"payload": {`{"type":"block_actions","user":{"id":"U1"},"actions":7}`}}.Encode()},
		{"two payloads in one", "/slack/interactions", url.Values{"payload": {`{"type":"block_actions","user":{"id":"U1"}} {}`}}.Encode()},
		{"no JSON", "/slack/events", "x"},
		{"null", "/slack/events", "null"},
		{"a list", "/slack/events", "[]"},
		{"no type", "/slack/events", `{"challenge":"x"}`},
	} {
		t.Run(c.path+" "+c.name, func(t *testing.T) {
			e := newBench(t)
			w := e.send(c.path, c.body)
			if w.Code != http.StatusBadRequest {
				t.Errorf("status %d, body %q", w.Code, w.Body)
			}
			if calls := e.store.counted(); len(calls) > 0 {
				t.Errorf("calls %v", calls)
			}
			if lines := e.log.lines(); len(lines) != 1 {
				t.Errorf("logged %q", lines)
			}
		})
	}
}

func TestWhatSlackAsksOfTheEndpoint(t *testing.T) {
	e := newBench(t)
	if w := e.send("/slack/events", `{"type":"url_verification","challenge":"c0ffee"}`); w.Code != 200 || w.Body.String() != "c0ffee" {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
	if w := e.send("/slack/commands", "ssl_check=1&token=x"); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
	if w := e.send("/slack/commands", strings.Replace(commandForm(owner, "help"), "%2Fkeys", "%2Fother", 1)); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("somebody else's command: status %d, body %q", w.Code, w.Body)
	}
	for _, kind := range []string{"view_closed", "shortcut", "message_action", "of_the_future"} {
		if w := e.send("/slack/interactions", payload(map[string]any{"type": kind, "user": map[string]any{"id": owner}})); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("%s: status %d, body %q", kind, w.Code, w.Body)
		}
	}
	// A shortcut that this version does not know is in the journal.
	is(t, e.store.counted(), []string{"LastEntry", "AppendEntry"})
}

// A connection that Slack drops must not leave a save half known.
func TestDroppedConnectionStillDecides(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	req := signedRequest("/slack/interactions", click{user: owner, action: "approve", value: value(r)}.body())
	ctx, cancel := context.WithCancel(req.Context())
	cancel()
	e.bot.ServeHTTP(httptest.NewRecorder(), req.WithContext(ctx))
	e.bot.Wait()
	if got := e.store.get(t, r.ID); got.State != rotation.Approved {
		t.Errorf("it is %s", got.State)
	}
	only(t, e.slack.heard(), "Respond")
}
