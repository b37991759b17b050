package slackapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// hands is a clock that waiting moves.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Wait(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	return ctx.Err()
}

// limited is a Slack that refuses what is beyond its limits, and a client on the same clock.
func limited(t *testing.T) (*slackemu.Server, *Client, *hands) {
	t.Helper()
	h := &hands{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	emu := slackemu.New(slackemu.Options{Token: token, SigningSecret: "s", RateLimits: true, RateClock: h.Now})
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emu.Close(); err != nil {
			t.Error(err)
		}
	})
	emu.AddUser(slackemu.User{ID: ann, Name: "ann", Email: "ann@example.com"})
	emu.AddChannel(keys, "keys", true)
	emu.AddGroup("S0SECOPS", ann)
	return emu, New(Options{Token: token, APIURL: emu.APIURL(), Now: h.Now, Wait: h.Wait, CacheFor: -1}), h
}

// Hundreds of calls in a row, to one channel and of every kind, and Slack never has to say that it is too much.
func TestPaceStaysBelowSlacksLimits(t *testing.T) {
	emu, c, h := limited(t)
	ctx := context.Background()
	_, ts, err := c.Post(ctx, keys, "the parent", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(i int) error{
		"post": func(i int) error {
			_, _, err := c.PostIn(ctx, keys, ts, fmt.Sprint(i), nil, false)
			return err
		},
		"update":  func(i int) error { return c.Update(ctx, keys, ts, fmt.Sprint(i), nil) },
		"open":    func(int) error { _, err := c.OpenDM(ctx, ann); return err },
		"info":    func(int) error { _, err := c.UserByID(ctx, ann); return err },
		"email":   func(int) error { _, err := c.UserByEmail(ctx, "ann@example.com"); return err },
		"members": func(int) error { _, err := c.GroupMembers(ctx, "S0SECOPS"); return err },
	} {
		from := h.Now()
		for i := range 120 {
			if err := do(i); err != nil {
				t.Fatalf("%s %d: %v", name, i, err)
			}
		}
		t.Logf("120 times %s in %s", name, h.Now().Sub(from).Round(time.Second))
	}
	if n := emu.TooMany(); len(n) > 0 {
		t.Errorf("too many calls: %v", n)
	}
}

// A turn that comes too late is not waited for: the error says when to come back, and nothing was sent.
func TestPaceIsBounded(t *testing.T) {
	emu, c, h := limited(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	c.pace.hold("chat.postMessage "+keys, "chat.postMessage", time.Minute)
	_, _, err := c.Post(ctx, keys, "x", nil)
	if !errors.Is(err, ErrRateLimited) || pause.Asked(err) != time.Minute || emu.Counters()["chat.postMessage"] != 0 {
		t.Fatalf("%v, asked for %s", err, pause.Asked(err))
	}
	if err := h.Wait(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Post(ctx, keys, "x", nil); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.pace.hold("users.info", "users.info", 20*time.Second)
	if _, err := c.UserByID(short, ann); !errors.Is(err, ErrRateLimited) {
		t.Errorf("longer than the caller has: %v", err)
	}
}

// What Slack asked of one caller everybody obeys.
func TestRetryAfterHoldsEverybody(t *testing.T) {
	emu, c, h := limited(t)
	emu.SetFault(slackemu.Fault{Method: "chat.update", Times: 1, Kind: slackemu.FaultRateLimited, RetryAfter: 20 * time.Second})
	ctx := context.Background()
	_, ts, err := c.Post(ctx, keys, "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := c.Update(short, keys, ts, "y", nil); !errors.Is(err, ErrRateLimited) {
		t.Fatal(err)
	}
	from := h.Now()
	if err := c.Update(ctx, keys, ts, "y", nil); err != nil || h.Now().Sub(from) < 19*time.Second {
		t.Errorf("%v after %s", err, h.Now().Sub(from))
	}
	if _, err := c.UserByID(short, ann); err != nil {
		t.Errorf("another method waits too: %v", err)
	}
}

func TestGroupMembers(t *testing.T) {
	h := &hands{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	emu, c, _ := start(t, func(o *Options) { o.Now, o.CacheFor = h.Now, 5*time.Minute })
	emu.AddGroup("S0SECOPS", ann, "U0BOT")
	ctx := context.Background()
	for range 3 {
		got, err := c.GroupMembers(ctx, "S0SECOPS")
		if err != nil || len(got) != 2 || got[0] != ann {
			t.Fatal(got, err)
		}
		got[0] = "U0FORGED" // the memory is not the caller's
	}
	if n := emu.Counters()["usergroups.users.list"]; n != 1 {
		t.Errorf("%d calls", n)
	}
	emu.AddGroup("S0SECOPS", "U0BOT")
	_ = h.Wait(ctx, 5*time.Minute)
	if got, err := c.GroupMembers(ctx, "S0SECOPS"); err != nil || len(got) != 1 {
		t.Errorf("who left decides on: %v %v", got, err)
	}
	emu.RemoveGroup("S0SECOPS")
	_ = h.Wait(ctx, 5*time.Minute)
	if _, err := c.GroupMembers(ctx, "S0SECOPS"); !errors.Is(err, ErrNoGroup) {
		t.Errorf("a group that is gone: %v", err)
	}
	emu.SetFault(slackemu.Fault{Method: "usergroups.users.list", Times: -1, Kind: slackemu.FaultError, Code: "fatal_error"})
	if _, err := c.GroupMembers(ctx, "S0OTHER"); err == nil || errors.Is(err, ErrNoGroup) {
		t.Errorf("an outage: %v", err)
	}
}

func TestPostIn(t *testing.T) {
	emu, c, _ := start(t)
	ctx := context.Background()
	_, ts, err := c.Post(ctx, keys, "parent", nil)
	if err != nil {
		t.Fatal(err)
	}
	in, reply, err := c.PostIn(ctx, keys, ts, "reply", nil, true)
	if err != nil || in != keys || reply == ts {
		t.Fatal(in, reply, err)
	}
	ms := emu.Messages(keys)
	if len(ms) != 2 || ms[1].ThreadTS != ts {
		t.Errorf("%+v", ms)
	}
}
