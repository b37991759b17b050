package slackapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

func TestEveryMethodWorks(t *testing.T) {
	emu, c, l := start(t, func(o *Options) { o.CacheFor = -1 })
	for _, m := range every(t, emu, c) {
		t.Run(m.method, func(t *testing.T) {
			if err := m.do(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	if len(l.waits) > 0 {
		t.Errorf("waited %s", sum(l.waits))
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	emu, c, l := start(t, func(o *Options) { o.CacheFor = -1 })
	for _, m := range every(t, emu, c) {
		t.Run(m.method, func(t *testing.T) {
			l.waits = nil
			emu.ResetCounters()
			emu.SetFault(slackemu.Fault{Method: m.method, Times: 2, Kind: slackemu.FaultRateLimited, RetryAfter: 7 * time.Second})
			if err := m.do(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, n := sum(l.waits), emu.Counters()[m.method]; got != "[7s 7s]" || n != 3 {
				t.Errorf("waited %s, %d calls", got, n)
			}
		})
	}
}

func TestRetryAfterIsBounded(t *testing.T) {
	post := func(ctx context.Context, c *Client) error { _, _, err := c.Post(ctx, keys, "hello", nil); return err }
	tests := []struct {
		name   string
		fault  slackemu.Fault
		within time.Duration
		waits  string
		calls  int
	}{
		{"for ever", slackemu.Fault{Times: -1, RetryAfter: time.Second}, time.Hour, "[1s 1s]", 3},
		{"longer than is worth it", slackemu.Fault{RetryAfter: time.Minute}, time.Hour, "[]", 1},
		{"longer than the caller has", slackemu.Fault{RetryAfter: 20 * time.Second}, 10 * time.Second, "[]", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			emu, c, l := start(t)
			tt.fault.Kind = slackemu.FaultRateLimited
			emu.SetFault(tt.fault)
			ctx, cancel := context.WithTimeout(context.Background(), tt.within)
			defer cancel()
			err := post(ctx, c)
			e, ok := errors.AsType[*Error](err)
			if !errors.Is(err, ErrRateLimited) || !ok || e.RetryAfter != tt.fault.RetryAfter {
				t.Fatalf("got %v", err)
			}
			if got, n := sum(l.waits), emu.Counters()["chat.postMessage"]; got != tt.waits || n != tt.calls {
				t.Errorf("waited %s, %d calls", got, n)
			}
			if n := len(emu.Messages(keys)); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// A call that Slack may have performed is made again only if saying it twice does no harm.
func TestUnknownEffect(t *testing.T) {
	faults := map[string]slackemu.Fault{
		"performed without an answer": {Kind: slackemu.FaultDrop},
		"not performed, no answer":    {Kind: slackemu.FaultDropBefore},
		"an error of the server":      {Kind: slackemu.FaultStatus, Status: 503},
		"internal_error":              {Kind: slackemu.FaultError, Code: "internal_error"},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			emu, c, l := start(t, func(o *Options) { o.CacheFor = -1 })
			for _, m := range every(t, emu, c) {
				l.waits = nil
				emu.ResetCounters()
				f.Method = m.method
				emu.SetFault(f)
				err := m.do(context.Background())
				emu.ClearFaults()
				n := emu.Counters()[m.method]
				switch {
				case m.once && name == "internal_error" && m.method == "response_url": // such an answer is none of a response_url's
				case m.once && (!errors.Is(err, ErrUnavailable) || n != 1 || len(l.waits) != 0):
					t.Errorf("%s: %d calls, %v", m.method, n, err)
				case !m.once && (err != nil || n != 2 || len(l.waits) != 1):
					t.Errorf("%s: %d calls, %v", m.method, n, err)
				}
				if err != nil {
					l.clean(t, "an error", err.Error())
				}
			}
		})
	}
}

func TestNoDoublePost(t *testing.T) {
	emu, c, _ := start(t)
	emu.SetFault(slackemu.Fault{Method: "chat.postMessage", Kind: slackemu.FaultDrop})
	if _, _, err := c.Post(context.Background(), keys, "once", nil); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if n := len(emu.Messages(keys)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestHangEnds(t *testing.T) {
	emu, c, _ := start(t)
	emu.SetFault(slackemu.Fault{Method: "chat.postMessage", Kind: slackemu.FaultHang})
	if _, _, err := c.Post(context.Background(), keys, "hello", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	emu.SetFault(slackemu.Fault{Method: "users.info", Kind: slackemu.FaultHang})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.UserByID(ctx, ann); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Where the connection was never made, nothing can have been posted: then even a post is tried again.
func TestNotConnected(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	l := &ledger{}
	c := New(l.options("http://" + ln.Addr().String() + "/api/"))
	if _, _, err := c.Post(context.Background(), keys, "hello", nil); !errors.Is(err, ErrUnavailable) || len(l.waits) != maxTries-1 {
		t.Errorf("waited %s, %v", sum(l.waits), err)
	}
}

// A wrong API address answers 404: that is not a message that is gone.
func TestWrongAddress(t *testing.T) {
	emu, _, l := start(t)
	c := New(l.options(emu.URL() + "/wrong/"))
	err := c.Update(context.Background(), keys, "1.0", "hello", nil)
	if err == nil || errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
}

// A server that sends everything back, or elsewhere, gets no token into an error or a log, and none to another host.
func TestTokenStaysSecret(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.URL.Path)
	}))
	defer other.Close()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		told := r.Header.Get("Authorization") + r.Form.Get("token")
		switch r.URL.Path {
		case "/api/users.info":
			http.Redirect(w, r, other.URL+"/stolen", http.StatusTemporaryRedirect)
		case "/api/chat.update":
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte(told))
		default:
			_, _ = w.Write([]byte(`{"ok":false,"error":"odd","response_metadata":{"messages":["you sent ` + token + `"]}}`))
		}
	}))
	defer evil.Close()
	l := &ledger{}
	c := New(l.options(evil.URL + "/api"))
	ctx := context.Background()
	_, err1 := c.UserByID(ctx, ann)
	_, err2 := c.AuthTest(ctx)
	err3 := c.Update(ctx, keys, "1.0", "hello", nil)
	_, _, err4 := c.Post(ctx, keys, "hello", nil)
	for _, err := range []error{err1, err2, err3, err4} {
		if err == nil {
			t.Error("accepted")
			continue
		}
		l.clean(t, "an error", err.Error())
	}
	if !strings.Contains(err4.Error(), "you sent [token]") {
		t.Errorf("what the server says is lost: %v", err4)
	}
	l.clean(t, "the log", l.log.String())
	if len(elsewhere) != 0 {
		t.Errorf("a redirect was followed: %v", elsewhere)
	}
}
