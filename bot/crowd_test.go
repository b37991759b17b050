package bot

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// crowd adds n people whom the rule lets decide.
func (e *bench) crowd(n int) []string {
	e.t.Helper()
	var out []string
	for i := range n {
		id := fmt.Sprintf("U0CROWD%02d", i)
		e.slack.people[id] = approval.Person{SlackID: id, TeamID: team, Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@acme.example", i), Known: true}
		e.rules.rule.AnyOf = append(e.rules.rule.AnyOf, approval.Circle{Kind: approval.SlackUser, ID: id})
		out = append(out, id)
	}
	return out
}

// atOnce sends a request for each person at the same instant and returns once everything is answered: the bodies of the
// answers, one for each.
func (e *bench) atOnce(people []string, body func(user string) string) []string {
	answers := make([]*httptest.ResponseRecorder, len(people))
	var ready, all sync.WaitGroup
	begin := make(chan struct{})
	for i, id := range people {
		req, w := signedRequest("/slack/interactions", body(id)), newRecorder()
		answers[i] = w
		ready.Add(1)
		all.Go(func() {
			ready.Done()
			<-begin
			e.bot.ServeHTTP(w, req)
			if w.Code != 200 {
				e.t.Errorf("%s: status %d", id, w.Code)
			}
		})
	}
	ready.Wait()
	close(begin)
	all.Wait()
	e.bot.Wait()
	var out []string
	for _, w := range answers {
		out = append(out, w.Body.String())
	}
	return out
}

// 50 people approve at the same instant, 100 times: one of them does, and each gets one answer that says who did.
func TestFiftyPeopleApproveAtOnce(t *testing.T) {
	t.Parallel()
	const rounds, persons = 100, 50
	e := newBench(t)
	people := e.crowd(persons)
	for round := range rounds {
		r := e.store.put(with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.Episode = round + 1 }))
		saved := e.store.saves
		e.atOnce(people, func(id string) string { return click{user: id, action: "approve", value: value(r)}.body() })

		got := e.store.get(t, r.ID)
		if got.State != rotation.Approved || len(got.Approvals) != 1 || e.store.saves != saved+1 || len(got.History) != len(r.History)+1 {
			t.Fatalf("round %d: %s with %d approvals after %d saves", round, got.State, len(got.Approvals), e.store.saves-saved)
		}
		winner := got.Approvals[0].Actor
		answers := map[string]string{}
		for _, s := range e.slack.heard() {
			if s.Method != "Respond" || answers[s.To] != "" {
				t.Fatalf("round %d: another answer to %s: %+v", round, s.To, s)
			}
			answers[s.To] = s.Text
		}
		is(t, len(answers), persons)
		for _, id := range people {
			text := answers["https://hooks.slack.com/"+id]
			if id == winner.ID {
				is(t, text, templates.AnswerDone("approve", got).Text)
			} else {
				wants(t, text, "Already approved just now by "+winner.Name)
			}
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	is(t, len(e.woken), rounds)
	if n := len(e.log.lines()); n != rounds*persons {
		t.Errorf("%d lines of log for %d decisions", n, rounds*persons)
	}
}

// Two of fifty have to approve, and all of them click: exactly two are counted.
func TestTwoOfACrowd(t *testing.T) {
	e := newBench(t)
	people := e.crowd(50)
	e.rules.rule.Required = 2
	r := e.kept(opened(rotation.Awaiting))
	e.atOnce(people, func(id string) string { return click{user: id, action: "approve", value: value(r)}.body() })
	got := e.store.get(t, r.ID)
	is(t, got.State, rotation.Approved)
	is(t, len(got.Approvals), 2)
	is(t, got.Approvals[0].Actor.Same(got.Approvals[1].Actor), false)
	is(t, len(e.slack.heard()), 50)
}

// The same person clicks fifty times at once, on everything.
func TestOnePersonFiftyTimes(t *testing.T) {
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			e := newBench(t)
			before := e.kept(d.from)
			same := make([]string, 50)
			for i := range same {
				same[i] = owner
			}
			f := d.form
			f.user, f.action, f.value = owner, d.action, d.value()
			e.atOnce(same, func(string) string {
				if d.asked() {
					return f.body()
				}
				return click{user: owner, action: d.action, value: d.value().Encode()}.body()
			})
			got := e.store.get(t, before.ID)
			is(t, len(got.History), len(before.History)+1)
			d.check(t, got)
		})
	}
}

// Different decisions at once: one after the other, each told what it met, and the history has them all in order.
func TestEverythingAtOnce(t *testing.T) {
	e := newBench(t)
	people := e.crowd(40)
	r := e.kept(opened(rotation.Awaiting))
	v := templates.ValueOf(r)
	e.atOnce(append(people, guest, outsider, other, former), func(id string) string {
		switch n := int(id[len(id)-1] - '0'); {
		case !strings.HasPrefix(id, "U0CROWD"), n%5 == 0:
			return click{user: id, action: "approve", value: v.Encode()}.body()
		case n%5 == 1:
			return filledIn{user: id, action: "reject", value: v, why: "no"}.body()
		case n%5 == 2:
			return filledIn{user: id, action: "hold", value: v, in: "1d", why: "wait"}.body()
		case n%5 == 3:
			return filledIn{user: id, action: "snooze", value: v, in: "1d"}.body()
		default:
			return click{user: id, action: "cancel", value: v.Encode()}.body()
		}
	})
	got := e.store.get(t, r.ID)
	mustVerify(t, got)
	is(t, len(refusals(got)), 4)
	count := map[string]int{}
	for _, h := range got.History {
		count[h.Event]++
		if h.From == rotation.Closed && h.To != rotation.Closed {
			t.Error("a closed rotation came back")
		}
	}
	if count["hold"] > 1 || count["snooze"] > 1+count["cancel"] || count["reject"] > 1 || got.Snoozed.Count != count["snooze"] || got.HeldUsed.Count != count["hold"] {
		t.Errorf("%v, snoozed %+v, held %+v", count, got.Snoozed, got.HeldUsed)
	}
}

// Many refused at once are all in the history.
func TestRefusalsOfACrowd(t *testing.T) {
	e := newBench(t)
	people := e.crowd(30)
	e.rules.rule.AnyOf = e.rules.rule.AnyOf[:3]
	r := e.kept(opened(rotation.Awaiting))
	e.atOnce(people, func(id string) string { return click{user: id, action: "approve", value: value(r)}.body() })
	got := e.store.get(t, r.ID)
	is(t, len(refusals(got)), 30)
	is(t, changed(r, got), "")
	mustVerify(t, got)
}

// The worst case: all fifty have read the same version before the first of them saves.
func TestAllHaveReadBeforeAnySaves(t *testing.T) {
	e := newBench(t)
	people := e.crowd(50)
	r := e.kept(opened(rotation.Awaiting))
	var mu sync.Mutex
	arrived, all := 0, make(chan struct{})
	e.store.before = func(method string) {
		if method != "SaveRotation" {
			return
		}
		mu.Lock()
		if arrived++; arrived == len(people) {
			close(all)
		}
		mu.Unlock()
		<-all
	}
	e.atOnce(people, func(id string) string { return click{user: id, action: "approve", value: value(r)}.body() })
	is(t, e.store.saves, 1)
	is(t, len(e.store.get(t, r.ID).Approvals), 1)
	is(t, arrived, len(people))
	is(t, len(e.slack.heard()), len(people))
}

// 50 people press Approve, Snooze, Reject, Hold and Leaked at the same instant, 200 times: the history has an allowed order
// of them each time, everybody gets one answer, nothing is lost, and a reported leak is never undone by what came at once.
func TestFiftyPeopleDoEverythingAtOnce(t *testing.T) {
	t.Parallel()
	const rounds, persons = 200, 50
	e := newBench(t)
	people := e.crowd(persons)
	seen := map[string]int{}
	for round := range rounds {
		r := e.kept(with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.Episode = round + 1 }))
		v := templates.ValueOf(r)
		saved := e.store.saves
		kinds := []string{"approve", "snooze", "reject", "hold", "leaked"}
		bodies := e.atOnce(people, func(id string) string {
			switch what := kinds[(int(id[len(id)-1]-'0')+round)%5]; what {
			case "approve":
				return click{user: id, action: what, value: v.Encode()}.body()
			case "leaked":
				return leakForm(id, string(oldKey), "on GitHub", "")
			case "snooze":
				return filledIn{user: id, action: what, value: v, in: "1d"}.body()
			case "hold":
				return filledIn{user: id, action: what, value: v, in: "1d", why: "wait"}.body()
			default:
				return filledIn{user: id, action: what, value: v, why: "no"}.body()
			}
		})
		got := e.store.get(t, r.ID)
		mustVerify(t, got)
		count := map[string]int{}
		again := r
		for _, h := range got.History[len(r.History):] {
			count[h.Event]++
			if again.State == rotation.Closed {
				t.Fatalf("round %d: %s after it was closed", round, h.Event)
			}
			if h.From != again.State {
				t.Fatalf("round %d: %s from %s, but it was %s", round, h.Event, h.From, again.State)
			}
			again.State = h.To
		}
		for event, n := range count {
			seen[event] += n
			if n > 1 && event != "snooze" && event != "hold" { // a hold that a leak ended may be followed by another one
				t.Fatalf("round %d: %d times %s", round, n, event)
			}
		}
		if e.store.saves-saved != len(got.History)-len(r.History) || got.State != again.State {
			t.Fatalf("round %d: %d saves, %d lines", round, e.store.saves-saved, len(got.History)-len(r.History))
		}
		if step, at := got.Next(); count["leaked"] == 1 && (got.Leaked == nil || step != rotation.StepDeactivate || at.After(e.clock())) {
			t.Fatalf("round %d: a leak was reported, and %s comes next, at %s", round, step, at)
		}
		// Ten reported the leak: where the rotation was closed before they got through, they asked for another one.
		q, asked := e.store.requests[r.ID]
		if asked && q.Leaked != oldKey || asked != (count["reject"] == 1) || asked == (count["leaked"] == 1) {
			t.Fatalf("round %d: the leak is lost, or taken down twice: %v, asked for %+v", round, count, q)
		}
		delete(e.store.requests, r.ID)
		answered := map[string]int{}
		for _, s := range e.slack.heard() {
			answered[strings.TrimPrefix(s.To, "https://hooks.slack.com/")]++
		}
		for i, id := range people {
			if bodies[i] != "" { // the answer in the place of a window
				wants(t, bodies[i], `"response_action":"`)
				answered[id]++
			}
			if answered[id] != 1 {
				t.Fatalf("round %d: %s got %d answers", round, id, answered[id])
			}
		}
	}
	t.Logf("%d rounds of %d people: %v", rounds, persons, seen)
	for _, event := range []string{"approve", "snooze", "reject", "hold", "leaked"} {
		if seen[event] == 0 {
			t.Errorf("nobody ever got through with %s", event)
		}
	}
}
