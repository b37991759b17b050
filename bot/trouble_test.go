package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

var troubles = []struct {
	err  error
	says templates.Trouble
}{
	{store.ErrBusy, templates.TroubleBusy}, {store.ErrFull, templates.TroubleFull}, {store.ErrNewer, templates.TroubleNewer},
	{store.ErrNotFound, templates.TroubleGone}, {errors.New("disk I/O error at 0xdeadbeef"), templates.TroubleUnknown},
}

// Whatever the store does, the person gets one sentence without internals, nothing is half done, and the log has the error.
func TestStoreErrors(t *testing.T) {
	for _, d := range deeds() {
		for _, method := range []string{"GetRotation", "SaveRotation", "GetForDecision", "RotationByKey"} {
			for _, c := range troubles {
				way := "button"
				if method == "RotationByKey" {
					way = "command"
				}
				switch {
				case method == "GetForDecision" != (d.action == "approve" || d.action == "anyway") && (method == "GetForDecision" || method == "GetRotation"),
					method == "RotationByKey" && (d.command == "-" || c.err == store.ErrNotFound), method == "SaveRotation" && d.action == "exempt":
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", d.name, method, c.says), func(t *testing.T) {
					e := newBench(t)
					before := e.kept(d.from)
					e.store.fail(method, fmt.Errorf("sqlite: step 7 of secret-table: %w", c.err))
					text := d.do(e, owner, way)
					is(t, text, textOf(templates.AnswerTrouble(c.says).Blocks))
					is(t, e.store.get(t, before.ID).Version, before.Version)
					is(t, len(e.store.exemptions), 0)
					if lines := e.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "secret-table") || !strings.Contains(lines[0], "level=ERROR") {
						t.Errorf("logged %q", lines)
					}
					if len(e.woken) > 0 {
						t.Error("woke the rotator")
					}
					e.store.fail(method, nil)
					d.do(e, owner, way)
					if e.store.get(t, before.ID).Version == before.Version {
						t.Error("it did not work afterwards")
					}
				})
			}
		}
	}
}

func TestConflictForever(t *testing.T) {
	t.Parallel()
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.store.fail("SaveRotation", store.ErrConflict)
	got := only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond")
	is(t, got.Text, templates.AnswerTrouble(templates.TroubleCrowd).Text)
	is(t, e.store.get(t, r.ID).Version, r.Version)
	if lines := e.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "changed in the store since") {
		t.Errorf("logged %q", lines)
	}
}

func TestConflictOnce(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	first := true
	e.store.before = func(method string) {
		if method == "SaveRotation" && first {
			first = false
			e.store.put(with(e.store.get(t, r.ID), func(r *rotation.Rotation) { r.Messages = []rotation.MessageRef{{Channel: "C1", TS: "1"}} }))
		}
	}
	e.press(click{user: owner, action: "approve", value: value(r)})
	got := e.store.get(t, r.ID)
	is(t, got.State, rotation.Approved)
	is(t, len(got.Messages), 1)
}

// Somebody else's decision lands between read and save: the second one is told what the first one did.
func TestOvertaken(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	first := true
	e.store.before = func(method string) {
		if method != "SaveRotation" || !first {
			return
		}
		first = false
		next, err := rotation.Apply(e.store.get(t, r.ID), rotation.Reject{Actor: everybody()[2].Actor(), Why: "no"}, start)
		if err != nil {
			t.Error(err)
		}
		e.store.put(next)
	}
	got := only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond")
	wants(t, got.Text, "This rotation is closed (rejected)")
	is(t, e.store.get(t, r.ID).Outcome, rotation.OutcomeRejected)
}

func TestSlowStore(t *testing.T) {
	for method, says := range map[string]templates.Trouble{
		"GetForDecision": templates.TroubleBusy, "SaveRotation": templates.TroubleSlow,
	} {
		t.Run(method, func(t *testing.T) {
			e := newBench(t)
			e.bot.ack = 50 * time.Millisecond
			r := e.kept(opened(rotation.Awaiting))
			e.store.hangs[method] = true
			got := only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond")
			is(t, got.Text, templates.AnswerTrouble(says).Text)
			if e.store.left <= 0 || e.store.left > e.bot.ack {
				t.Errorf("the store was given %s of %s", e.store.left, e.bot.ack)
			}
		})
	}
	for text, method := range map[string]string{"exempt young@payments 2026-09-01 x": "SaveExemption", "rotate young@payments x": "SaveRequest"} {
		e := newBench(t)
		e.bot.ack = 50 * time.Millisecond
		e.kept(opened(rotation.Awaiting))
		e.store.hangs[method] = true
		is(t, e.says(accountOwner, text).Text, templates.AnswerTrouble(templates.TroubleSlow).Text)
	}
}

// The limits leave Slack's three seconds some room for the network, and the store some after a lookup that hangs.
func TestLimitsOfTime(t *testing.T) {
	b := New(Options{})
	if b.ack > 2500*time.Millisecond || b.ack-b.lookup < time.Second {
		t.Errorf("ack within %s, lookup within %s", b.ack, b.lookup)
	}
}

func TestSlackLookupFails(t *testing.T) {
	for name, fail := range map[string]func(*fakeSlack){
		"an error":  func(f *fakeSlack) { f.fails["UserByID"] = errors.New("slack users.info: ratelimited") },
		"no answer": func(f *fakeSlack) { f.hangs["UserByID"] = true },
		"somebody else": func(f *fakeSlack) {
			p := f.people[owner]
			p.SlackID = named
			f.people[owner] = p
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newBench(t)
			e.bot.lookup = 50 * time.Millisecond
			r := e.kept(opened(rotation.Awaiting))
			fail(e.slack)
			wants(t, only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text, "Slack could not say who you are")
			got := e.store.get(t, r.ID)
			is(t, changed(r, got), "")
			is(t, len(refusals(got)), 1)
			wants(t, e.says(owner, "mine").Text, "Slack could not say who you are")
		})
	}
}

func TestRefusalThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	for _, err := range []error{store.ErrFull, store.ErrConflict} {
		e := newBench(t)
		r := e.kept(opened(rotation.Awaiting))
		e.store.fail("SaveRotation", err)
		wants(t, only(t, e.press(click{user: guest, action: "approve", value: value(r)}), "Respond").Text, "Guests")
		lines := e.log.lines()
		if len(lines) != 2 || !strings.Contains(strings.Join(lines, ""), "refusal not recorded") {
			t.Errorf("logged %q", lines)
		}
	}
}

func TestSlackFailsToDeliver(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.slack.fail("Respond", errors.New("slack response_url: used_url"))
	e.press(click{user: owner, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
	if lines := e.log.lines(); len(lines) != 2 || !strings.Contains(lines[1], "answer not delivered") {
		t.Errorf("logged %q", lines)
	}
}

func TestExpiredTrigger(t *testing.T) {
	for _, action := range []string{"snooze", "hold", "reject", "exempt", "history"} {
		e := newBench(t)
		r := e.kept(opened(rotation.Awaiting))
		e.slack.fail("OpenView", errors.New("slack views.open: expired_trigger_id"))
		wants(t, only(t, e.press(click{user: owner, action: action, value: value(r)}), "Respond").Text, "click again")
	}
}

func TestReadingTakesTooLong(t *testing.T) {
	t.Parallel()
	e := newBench(t)
	e.bot.ack = 100 * time.Millisecond
	e.kept(opened(rotation.Awaiting))
	e.store.hangs["RotationsByOwner"], e.store.hangs["ListRotations"] = true, true
	wants(t, e.says(owner, "mine").Text, "could not read all of that in time")
	wants(t, e.says(owner, "status").Text, "more than could be counted in time")
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct{ text, method string }{
		{"mine", "RotationsByOwner"}, {"mine", "ListSnapshots"}, {"due", "ListRotations"}, {"due", "ListSnapshots"}, {"status", "ListSnapshots"},
		{"status", "ListRotations"}, {"status payments", "ListSnapshots"}, {"status 111122223333", "GetSnapshot"}, {"status 111122223333", "ListExemptions"},
		{"status billing-export", "GetRotation"}, {"status billing-export", "GetExemption"}, {"status " + string(oldKey), "RotationByKey"},
		{"history " + string(oldKey), "ListEpisodes"}, {"history " + string(oldKey), "RotationByKey"}, {"why " + string(oldKey), "RotationByKey"},
		{"rotate young@payments", "GetRotation"}, {"rotate young@payments", "GetExemption"}, {"rotate young@payments", "ListRequests"},
		{"rotate young@payments", "SaveRequest"}, {"rotate young@payments", "ListSnapshots"}, {"exempt young@payments 2026-09-01 x", "SaveExemption"},
		{"exempt young@payments 2026-09-01 x", "GetRotation"}, {"exempt billing-export@payments 2026-09-01 x", "SaveExemption"},
	} {
		for _, tr := range troubles[:3] {
			t.Run(fmt.Sprintf("%s/%s/%s", c.text, c.method, tr.says), func(t *testing.T) {
				e := newBench(t)
				before := e.kept(opened(rotation.Awaiting))
				e.store.fail(c.method, fmt.Errorf("internal detail: %w", tr.err))
				is(t, e.says(accountOwner, c.text).Text, templates.AnswerTrouble(tr.says).Text)
				if lines := e.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "internal detail") {
					t.Errorf("logged %q", lines)
				}
				is(t, e.store.get(t, before.ID).Version, before.Version)
				is(t, len(e.store.exemptions)+len(e.store.requests), 0)
			})
		}
	}
}

// The exemption is what keeps keyturn away, so it is recorded first; if the rotation cannot be closed then, the person is
// told both.
func TestExemptionStandsThoughTheRotationGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(e *bench, r rotation.Rotation)
		says string
	}{
		"the store": {func(e *bench, _ rotation.Rotation) { e.store.fail("SaveRotation", errors.New("internal detail")) }, "could not close it just now"},
		"a claim": {func(e *bench, r rotation.Rotation) {
			e.store.before = func(method string) {
				if method == "SaveExemption" {
					e.store.put(with(r, claimed(rotation.OpIssue)))
				}
			}
		}, "is being replaced right now"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(at(rotation.Approved))
			c.fail(e, r)
			text := e.submit(filledIn{user: owner, action: "exempt", value: templates.ValueOf(r), until: "2026-09-01", why: "vendor"}).Text
			wants(t, text, "is recorded", c.says)
			if strings.Contains(text, "internal detail") {
				t.Error("it tells internals")
			}
			is(t, len(e.store.exemptions), 1)
			if name == "the store" {
				wants(t, e.says(owner, "exempt billing-export@payments 2026-09-02 vendor").Text, "is recorded", c.says)
			}
		})
	}
}

func TestPanickingAnswerIsLogged(t *testing.T) {
	e := newBench(t)
	e.bot.afterAck(context.Background(), func(context.Context) { panic("no") })
	e.bot.Wait()
	if lines := e.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "panicked") {
		t.Errorf("logged %q", lines)
	}
}

func TestCloseWaitsForAnswers(t *testing.T) {
	e := newBench(t)
	release := make(chan struct{})
	e.bot.afterAck(context.Background(), func(context.Context) { <-release })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.bot.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v although an answer is on its way", err)
	}
	done := make(chan error)
	go func() { done <- e.bot.Close(context.Background()) }()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	ran := false
	e.bot.afterAck(context.Background(), func(context.Context) { ran = true })
	if !ran {
		t.Error("after Close an answer was left to nobody")
	}
	e.bot.Wait()
}

// Wait may be called while answers come and go; the race detector looks on.
func TestWaitAmongAnswers(t *testing.T) {
	e := newBench(t)
	stop := make(chan struct{})
	done := make(chan int)
	for range 4 {
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					done <- n
					return
				default:
					e.bot.afterAck(context.Background(), func(ctx context.Context) { e.bot.afterAck(ctx, func(context.Context) {}) })
					n++
				}
				if n%8 == 0 {
					e.bot.Wait()
				}
			}
		}()
	}
	for range 100 {
		e.bot.Wait()
	}
	close(stop)
	for range 4 {
		<-done
	}
	e.bot.Wait()
	e.bot.mu.Lock()
	defer e.bot.mu.Unlock()
	is(t, e.bot.later, 0)
}
