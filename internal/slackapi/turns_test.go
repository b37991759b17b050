package slackapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// Whoever takes turns, gives them back or is told by Slack to wait: in no minute are there more calls than Slack takes, and
// none is made while Slack wants none.
func TestTurnsKeepTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &hands{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
		p := NewPace(h.Now)
		method := rapid.SampledFrom([]string{"usergroups.users.list", "users.lookupByEmail", "chat.update", "users.info"}).Draw(t, "method")
		most := map[string]int{"usergroups.users.list": 20, "users.lookupByEmail": 50, "chat.update": 50, "users.info": 100}[method]
		type waiting struct {
			ticket
			at time.Time
		}
		var queue []waiting
		var calls []time.Time
		var until time.Time
		steps := []string{"take", "take", "take", "take", "take", "take", "leave", "pass", "pass"}
		if rapid.Bool().Draw(t, "Slack complains") {
			steps = append(steps, "hold")
		}
		for range 300 {
			switch rapid.SampledFrom(steps).Draw(t, "step") {
			case "pass":
				d := time.Duration(rapid.IntRange(1, 10_000).Draw(t, "ms")) * time.Millisecond
				_ = h.Wait(context.Background(), d)
			case "hold":
				d := time.Duration(rapid.IntRange(1, 30).Draw(t, "retry after")) * time.Second
				p.hold(method, method, d)
				if end := h.Now().Add(d); end.After(until) {
					until = end
				}
				queue = nil // who waits takes another turn: these were not made
			case "leave":
				if len(queue) > 0 {
					i := rapid.IntRange(0, len(queue)-1).Draw(t, "who")
					p.giveBack(method, queue[i].ticket)
					queue = slices.Delete(queue, i, i+1)
				}
			default:
				got := p.take(method, method, rapid.Bool().Draw(t, "urgent"))
				at := h.Now().Add(got.wait)
				if at.Before(until) {
					t.Fatalf("a call at %s, and Slack wants none before %s", at, until)
				}
				if got.wait == 0 {
					calls = append(calls, at)
				} else {
					queue = append(queue, waiting{got, at})
				}
			}
			queue = slices.DeleteFunc(queue, func(w waiting) bool {
				if w.at.After(h.Now()) {
					return false
				}
				calls = append(calls, w.at)
				return true
			})
		}
		slices.SortFunc(calls, time.Time.Compare)
		for i := most; i < len(calls); i++ {
			if d := calls[i].Sub(calls[i-most]); d < time.Minute {
				t.Fatalf("%d calls of %s within %s", most+1, method, d)
			}
		}
	})
}

// Background work that looks up hundreds of people leaves something for those who have just clicked.
func TestUrgentLookupsAreNotStarved(t *testing.T) {
	emu, c, h := limited(t)
	long, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for i := range 120 {
		if _, err := c.UserByID(long, ann); err != nil {
			t.Fatalf("lookup %d: %v", i, err)
		}
	}
	for i := range 6 {
		short, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		from := h.Now()
		if _, err := c.UserByID(short, ann); err != nil || !h.Now().Equal(from) {
			t.Errorf("click %d: %v after %s", i, err, h.Now().Sub(from))
		}
		cancel()
	}
	emu.WithinLimits(t)
}

// A caller who waits for a turn while Slack asks another one to slow down waits for that too.
func TestWaitingCallersAreHeldToo(t *testing.T) {
	h := &hands{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	emu, c, _ := start(t)
	c.pace = NewPace(h.Now)
	ctx := context.Background()
	for i := range postBurst {
		if _, _, err := c.Post(ctx, keys, fmt.Sprint(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	waits, more := 0, 10*time.Second
	c.wait = func(ctx context.Context, d time.Duration) error {
		if waits++; waits == 1 {
			c.pace.hold("chat.postMessage "+keys, "chat.postMessage", more)
		}
		return h.Wait(ctx, d)
	}
	from := h.Now()
	if _, _, err := c.Post(ctx, keys, "last", nil); err != nil {
		t.Fatal(err)
	}
	if took := h.Now().Sub(from); took < 10*time.Second || took > 13*time.Second || waits != 2 {
		t.Errorf("%d waits, %s in all", waits, took)
	}

	// and where the two together are too much, it is not made
	waits, more = 0, 31*time.Second
	before := emu.Counters()["chat.postMessage"]
	if _, _, err := c.Post(ctx, keys, "too late", nil); !errors.Is(err, ErrRateLimited) {
		t.Errorf("got %v", err)
	}
	if n := emu.Counters()["chat.postMessage"]; n != before {
		t.Errorf("%d calls", n-before)
	}
}

// Memory does not grow with the number of channels: what holds nobody back is forgotten, and nothing else is.
func TestPacesAreForgotten(t *testing.T) {
	h := &hands{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	p := NewPace(h.Now)
	p.hold("chat.update", "chat.update", 24*time.Hour)
	for i := range 3 * somePaces {
		p.take(key("chat.postMessage", fmt.Sprint(i)), "chat.postMessage", false)
		_ = h.Wait(context.Background(), time.Millisecond)
	}
	if n := len(p.buckets); n > somePaces+5000 {
		t.Errorf("%d buckets", n)
	}
	if got := p.take("chat.update", "chat.update", false); got.wait < 23*time.Hour {
		t.Errorf("Slack's word is forgotten: a turn in %s", got.wait)
	}
}

func TestGone(t *testing.T) {
	emu, c, _ := start(t)
	ctx := context.Background()
	_, ts, err := c.Post(ctx, keys, "parent", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, reply, err := c.PostIn(ctx, keys, ts, "reply", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Update(ctx, keys, reply, "changed", nil); err != nil {
		t.Fatal(err)
	}
	if m := emu.Replies(slackemu.Message{Channel: keys, TS: ts}); len(m) != 1 || m[0].Text != "changed" || m[0].Broadcast {
		t.Errorf("the thread is %+v", m)
	}
	emu.Delete(emu.Messages(keys)[0])
	if _, _, err := c.PostIn(ctx, keys, ts, "too late", nil, false); !errors.Is(err, ErrGone) {
		t.Errorf("its parent is gone: %v", err)
	}
	for _, code := range []string{"thread_not_found", "message_not_found", "cannot_reply_to_message"} {
		emu.SetFault(slackemu.Fault{Method: "chat.postMessage", Kind: slackemu.FaultError, Code: code})
		if _, _, err := c.PostIn(ctx, keys, ts, "x", nil, false); !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestGroupsNeedAScope(t *testing.T) {
	emu := slackemu.New(slackemu.Options{Token: token, Scopes: []string{"chat:write"}})
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = emu.Close() }()
	emu.AddGroup("S0SECOPS", ann)
	l := &ledger{}
	e, ok := errors.AsType[*Error](func() error {
		_, err := New(l.options(emu.APIURL())).GroupMembers(context.Background(), "S0SECOPS")
		return err
	}())
	if !ok || !errors.Is(e, ErrAuth) || errors.Is(e, ErrNoGroup) || e.Needed != "usergroups:read" {
		t.Errorf("got %v", e)
	}
}

// No bucket is empty for ever, and together the parts of a method are not more than its tier.
func TestPartsOfATier(t *testing.T) {
	p := NewPace(time.Now)
	for method, most := range tiers {
		b := p.bucket(method, method, false)
		sum := float64(b.Burst()) + 60*float64(b.Limit())
		if lookups[method] {
			kept := p.bucket(method, method, true)
			if kept.Burst() < 1 || kept.Limit() <= 0 {
				t.Errorf("%s keeps %d and %v a second", method, kept.Burst(), kept.Limit())
			}
			sum += float64(kept.Burst()) + 60*float64(kept.Limit())
		}
		if b.Burst() < 1 || b.Limit() <= 0 || sum > float64(most)+0.001 {
			t.Errorf("%s: %d at once, %v a second, %v in a minute", method, b.Burst(), b.Limit(), sum)
		}
	}
}
