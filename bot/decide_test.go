package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func TestDeeds(t *testing.T) {
	for _, d := range deeds() {
		for _, way := range ways {
			for _, user := range may {
				t.Run(d.name+"/"+way+"/"+user, func(t *testing.T) {
					e := newBench(t)
					before := e.kept(d.from)
					text := d.do(e, user, way)
					r := e.store.get(t, before.ID)
					want := templates.AnswerDone(d.action, r)
					if d.command == "-" && way == "command" {
						want = templates.AnswerExempted(account1(), rotation.Exemption{Account: account, UserName: r.UserName, Until: r.ReopenAt}, true)
					}
					is(t, text, textOf(want.Blocks))
					is(t, r.Version, before.Version+1)
					last := r.History[len(r.History)-1]
					if last.Event != d.event || last.Actor.ID != user || last.Actor.Via != rotation.ViaSlack || last.Actor.Name == "" {
						t.Errorf("the history ends with %+v", last)
					}
					if r.PeopleSeq != before.PeopleSeq+1 {
						t.Error("people are not told, or twice")
					}
					mustVerify(t, r)
					d.check(t, r)
					if id := <-e.woken; id != r.ID || len(e.woken) > 0 {
						t.Errorf("woke %s and %d more", id, len(e.woken))
					}
					if lines := e.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "msg=decided") || !strings.Contains(lines[0], user) {
						t.Errorf("logged %q", lines)
					}
				})
			}
		}
	}
}

// Nobody whom the rule does not name gets anything done, in whatever way; each is told why and who could, and the history
// says so once an hour.
func TestRefusedPeople(t *testing.T) {
	why := map[string]string{
		other: "You are not among those who may decide", guest: "Guests of the workspace cannot decide", outsider: "Only members of the configured workspaces",
		former: "This Slack account is deactivated", robot: "Bots cannot decide", nobody: "Slack could not say who you are",
	}
	for _, d := range deeds() {
		for user, says := range why {
			for _, way := range ways {
				t.Run(d.name+"/"+way+"/"+user, func(t *testing.T) {
					e := newBench(t)
					before := e.kept(d.from)
					text := d.do(e, user, way)
					wants(t, text, says)
					stranger := d.command == "-" && way == "command" && user != other
					if !stranger {
						wants(t, text, "the owner", "owner@acme.example", string(oldKey))
					}
					d.do(e, user, way)
					r := e.store.get(t, before.ID)
					if what := changed(before, r); what != "" {
						t.Errorf("it did: %s", what)
					}
					if got := refusals(r); len(got) != 1 || !strings.HasPrefix(got[0], user+": "+d.action+": ") {
						t.Errorf("refusals in the history: %q", got)
					}
					mustVerify(t, r)
					e.advance(time.Hour)
					d.do(e, user, way)
					if got := refusals(e.store.get(t, before.ID)); len(got) != 2 {
						t.Errorf("an hour later: %q", got)
					}
					if len(e.woken) > 0 {
						t.Error("woke the rotator")
					}
					if r.PeopleSeq != before.PeopleSeq {
						t.Error("people are told of a refusal")
					}
				})
			}
		}
	}
}

// The window is not even opened for somebody who may not.
func TestNoWindowForTheRefused(t *testing.T) {
	for _, d := range deeds() {
		if !d.asked() {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			e := newBench(t)
			e.kept(d.from)
			got := only(t, e.press(click{user: guest, action: d.action, value: d.value().Encode()}), "Respond")
			wants(t, got.Text, "Guests of the workspace cannot decide", "owner@acme.example")
			if len(refusals(e.store.get(t, d.from.ID))) != 1 {
				t.Error("not in the history")
			}
		})
	}
}

// Slack delivers the same interaction three times, one after the other and with its retry header.
func TestDeliveredThreeTimes(t *testing.T) {
	for _, d := range deeds() {
		for _, way := range ways {
			t.Run(d.name+"/"+way, func(t *testing.T) {
				e := newBench(t)
				before := e.kept(d.from)
				d.do(e, owner, way)
				once := e.store.get(t, before.ID)
				for n := range 2 {
					if n == 1 { // somebody's refusal comes in between
						e.press(click{user: guest, action: "confirm", value: value(d.from)})
					}
					if text := d.do(e, owner, way); text == "" {
						t.Error("no answer")
					}
				}
				r := e.store.get(t, before.ID)
				if what := changed(once, r); what != "" {
					t.Errorf("the second did something: %s", what)
				}
				is(t, r.PeopleSeq, once.PeopleSeq)
				is(t, [3]rotation.Spent{r.Snoozed, r.HeldUsed, r.Extended}, [3]rotation.Spent{once.Snoozed, once.HeldUsed, once.Extended})
			})
		}
	}
}

func TestRetriedDeliveryIsServed(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	req := signedRequest("/slack/interactions", click{user: owner, action: "approve", value: value(r)}.body())
	req.Header.Set("X-Slack-Retry-Num", "1")
	req.Header.Set("X-Slack-Retry-Reason", "http_timeout")
	e.bot.ServeHTTP(newRecorder(), req)
	if got := e.store.get(t, r.ID); got.State != rotation.Approved {
		t.Error("the retry, which may be the only one that arrives, was dropped")
	}
}

func TestBudgets(t *testing.T) {
	for _, c := range []struct {
		action string
		from   rotation.Rotation
		spend  func(r *rotation.Rotation, s rotation.Spent)
		longer string // than the longest
	}{
		{"snooze", at(rotation.Awaiting), func(r *rotation.Rotation, s rotation.Spent) { r.Snoozed = s }, "8d"},
		{"hold", at(rotation.Awaiting), func(r *rotation.Rotation, s rotation.Spent) { r.HeldUsed = s }, "15d"},
		{"extend", at(rotation.Installing), func(r *rotation.Rotation, s rotation.Spent) { r.Extended = s }, "8d"},
	} {
		t.Run(c.action, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(c.from)
			v := templates.ValueOf(r)
			got := e.submit(filledIn{user: owner, action: c.action, value: v, in: c.longer, why: "x"})
			wants(t, got.Errors["for"], "At most")
			got = e.submit(filledIn{user: owner, action: c.action, value: v, in: "0s", why: "x"})
			wants(t, got.Errors["for"], "Choose one of these times")
			got = e.submit(filledIn{user: owner, action: c.action, value: v, in: "soon", why: "x"})
			wants(t, got.Errors["for"], "Choose one of these times")
			got = e.submit(filledIn{user: owner, action: c.action, value: v, why: "x"})
			wants(t, got.Errors["for"], "Choose one of these times")
			wants(t, textOf(e.says(owner, c.action+" "+string(oldKey)+" "+c.longer+" x").Blocks.BlockSet), "At most")
			is(t, e.store.get(t, r.ID).Version, r.Version)

			// what is left is all that the window offers
			r = e.store.put(with(c.from, func(r *rotation.Rotation) {
				c.spend(r, rotation.Spent{Count: 1, Total: budget(*r, c.action).Total - days(2)})
			}))
			w := only(t, e.press(click{user: owner, action: c.action, value: v.Encode()}), "OpenView")
			is(t, offered(w.View.Blocks.BlockSet), []string{"1d", "2d"})
			got = e.submit(filledIn{user: owner, action: c.action, value: v, in: "3d", why: "x"})
			wants(t, got.Errors["for"], "At most 2d are possible now")

			// less than a minute is nothing to choose from
			e.store.put(with(c.from, func(r *rotation.Rotation) {
				c.spend(r, rotation.Spent{Count: 1, Total: budget(*r, c.action).Total - time.Second})
			}))
			wants(t, only(t, e.press(click{user: owner, action: c.action, value: v.Encode()}), "Respond").Text, "At most 1s")

			// spent: no window
			e.store.put(with(c.from, func(r *rotation.Rotation) { c.spend(r, rotation.Spent{Count: 3, Total: days(3)}) }))
			wants(t, only(t, e.press(click{user: owner, action: c.action, value: v.Encode()}), "Respond").Text, "the policy allows no more")
			got = e.submit(filledIn{user: owner, action: c.action, value: v, in: "1d", why: "x"})
			wants(t, got.Errors["for"], "the policy allows no more")
		})
	}
}

func budget(r rotation.Rotation, action string) rotation.Budget {
	return map[string]rotation.Budget{"snooze": r.Policy.Snooze, "hold": r.Policy.Hold, "extend": r.Policy.Extend}[action]
}

func TestReasonsAreNeeded(t *testing.T) {
	for _, d := range deeds() {
		if !slices.Contains([]string{"reject", "exempt", "hold", "anyway"}, d.action) {
			continue
		}
		e := newBench(t)
		before := e.kept(d.from)
		for _, why := range []string{"", "  ", "\u2060\u200b"} {
			f := d.form
			f.user, f.action, f.value, f.why = owner, d.action, d.value(), why
			if got := e.submit(f); got.Errors["why"] == "" {
				t.Errorf("%s with the reason %q: %+v", d.action, why, got)
			}
		}
		is(t, e.store.get(t, before.ID).Version, before.Version)
	}
}

func TestNotWhileAKeyIsBeingDeleted(t *testing.T) {
	e := newBench(t)
	r := e.kept(with(at(rotation.Recovering), claimed(rotation.OpDelete)))
	for _, action := range []string{"restore", "hold", "extend"} {
		got := only(t, e.press(click{user: owner, action: action, value: value(r)}), "Respond").Text
		wants(t, got, "is being deleted right now")
	}
	wants(t, textOf(e.says(owner, "restore "+string(oldKey)).Blocks.BlockSet), "is being deleted right now")
	is(t, e.store.get(t, r.ID).Version, r.Version)

	r = e.store.put(with(at(rotation.Evicting), claimed(rotation.OpEvictDelete)))
	got := only(t, e.press(click{user: owner, action: "restore", value: value(r)}), "Respond").Text
	wants(t, got, fmt.Sprintf("Key %s is being deleted right now", twoKey))
}

func TestCommandNamesAnotherKey(t *testing.T) {
	e := newBench(t)
	r := e.kept(at(rotation.Evicting))
	wants(t, textOf(e.says(owner, "restore "+string(oldKey)).Blocks.BlockSet), "restore is about "+string(twoKey))
	wants(t, textOf(e.says(owner, "approve "+string(twoKey)).Blocks.BlockSet), "approve is about "+string(oldKey))
	is(t, e.store.get(t, r.ID).Version, r.Version)
	e.says(owner, "restore "+string(twoKey))
	is(t, changed(r, e.store.get(t, r.ID)), "restore")
}
