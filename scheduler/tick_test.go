package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// approved gives the world n users whose rotations were approved: what they need is the rotator's.
func (w *world) approved(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		w.accounts[acct].user(fmt.Sprintf("u%02d", i), 95)
	}
	w.run(t, RunOptions{})
	for _, u := range w.accounts[acct].users {
		r := w.rotation(t, acct, u)
		w.change(t, u, rotation.Approve{Actor: person, Digest: r.Digest(), Required: 1})
	}
}

func TestTick(t *testing.T) {
	w := newWorld()
	w.approved(t, 25)
	s := New(w.options())
	w.wake = func(id rotation.ID) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case strings.Contains(string(id), "U07"):
			panic("a bad record")
		case strings.Contains(string(id), "U1"):
			return errors.New("no such luck")
		}
		delete(w.store.rotations, id) // waking moves it out of the list
		return nil
	}
	n, err := s.Tick(context.Background())
	if n != 25 || err == nil {
		t.Fatalf("%d, %v", n, err)
	}
	slices.Sort(w.woken)
	if len(slices.Compact(w.woken)) != 25 {
		t.Errorf("woken: %v", w.woken)
	}
	if !strings.Contains(err.Error(), "U07") || !strings.Contains(err.Error(), "no such luck") || !strings.Contains(err.Error(), "and 1 rotations more") {
		t.Errorf("error: %v", err)
	}
	w.woken = nil
	if n, _ := s.Tick(context.Background()); n != 11 {
		t.Errorf("the next tick woke %d", n)
	}
}

// What concerns people alone is told of in one call, so that each of them can get one message: what became due, what wants a
// reminder, what is escalated, and what nobody was told yet.
func TestTickTellsOfEverythingAtOnce(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	var soon, waiting []*user
	for i := range 40 {
		soon = append(soon, a.user(fmt.Sprintf("soon%02d", i), 85))
		waiting = append(waiting, a.user(fmt.Sprintf("waiting%02d", i), 95))
	}
	w.run(t, RunOptions{})
	told := func(u *user) {
		r := w.rotation(t, acct, u)
		w.store.rotations[r.ID] = r.WithTold(r.PeopleSeq, []rotation.MessageRef{{Channel: "D1", TS: "1", For: "U1", Seq: r.PeopleSeq}}, w.now)
	}
	for _, u := range append(slices.Clone(soon), waiting[1:]...) {
		told(u)
	}
	w.opened, w.woken = nil, nil
	w.later(5 * day)
	var saves atomic.Int64
	w.fail = func(_ int, _, what string) error {
		if what == "SaveRotation" && saves.Add(1) == 7 {
			return errors.New("store is busy")
		}
		return nil
	}
	w.calls = map[string]int{}
	n, err := New(w.options()).Tick(context.Background())
	if len(w.opened) != 1 || len(w.woken) != 0 {
		t.Fatalf("%d tellings, %d woken, %v", len(w.opened), len(w.woken), err)
	}
	if want := 79; n != want || len(w.opened[0]) != want || err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("%d served, told of %d: %v", n, len(w.opened[0]), err)
	}
	w.fail = nil
	if n, err := New(w.options()).Tick(context.Background()); n != 1 || err != nil {
		t.Errorf("what could not be saved is left to the next tick: %d %v", n, err)
	}
	for _, u := range soon {
		if r := w.rotation(t, acct, u); r.State != rotation.Awaiting || !r.TellAfter.Equal(w.now.Add(tellWait)) {
			t.Fatalf("%s is %s, told after %s", u.name, r.State, r.TellAfter)
		}
	}
	for _, u := range waiting[1:] {
		if r := w.rotation(t, acct, u); r.Reminders != 1 {
			t.Fatalf("%s was reminded %d times", u.name, r.Reminders)
		}
		told(u)
	}
	for _, u := range soon {
		told(u)
	}
	told(waiting[0])
	w.later(5*day + time.Hour)
	w.opened = nil
	if _, err := New(w.options()).Tick(context.Background()); err != nil || len(w.opened) != 1 {
		t.Fatalf("%v %d", err, len(w.opened))
	}
	for _, u := range waiting[1:] {
		told(u)
	}
	w.later(day)
	w.opened = nil
	if _, err := New(w.options()).Tick(context.Background()); err != nil || len(w.opened) != 1 || w.rotation(t, acct, waiting[5]).Escalation == nil {
		t.Fatalf("escalated: %v %d %+v", err, len(w.opened), w.rotation(t, acct, waiting[5]).Escalation)
	}
}

// With mode audit for them the tick leaves rotations to the rotator, which knows what that means.
func TestTickInModeAuditTellsNobody(t *testing.T) {
	w := newWorld()
	w.accounts[acct].user("soon", 85)
	w.run(t, RunOptions{})
	w.rules[0].policy.Mode = rotation.ModeAudit
	w.later(6 * day)
	w.opened = nil
	if n, err := New(w.options()).Tick(context.Background()); n != 1 || err != nil || len(w.opened) != 0 || len(w.woken) != 1 {
		t.Errorf("%d %v: told %d, woken %d", n, err, len(w.opened), len(w.woken))
	}
}

// A failing teller stops nothing: what is untold is told by a later tick.
func TestTickTellerFails(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("soon", 85)
	w.run(t, RunOptions{})
	w.later(6 * day)
	w.fail = func(_ int, port, _ string) error {
		if port == "teller" {
			return errors.New("Slack is down")
		}
		return nil
	}
	if n, err := New(w.options()).Tick(context.Background()); n != 1 || err == nil {
		t.Fatalf("%d %v", n, err)
	}
	if r := w.rotation(t, acct, u); r.State != rotation.Awaiting || !r.Untold() {
		t.Fatalf("%s", r.State)
	}
	w.fail, w.opened = nil, nil
	w.later(tellWait)
	if n, err := New(w.options()).Tick(context.Background()); n != 1 || err != nil || len(w.opened) != 1 {
		t.Errorf("%d %v", n, err)
	}
}

func TestTickStoreFailsOnALaterPage(t *testing.T) {
	w := newWorld()
	w.approved(t, 5)
	w.calls = map[string]int{}
	w.fail = func(_ int, _, what string) error {
		if what == "Due" && w.calls["store Due"] == 2 {
			return errors.New("store is busy")
		}
		return nil
	}
	if n, err := New(w.options()).Tick(context.Background()); n != 2 || err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("%d, %v", n, err)
	}
}

func TestTickCancelled(t *testing.T) {
	w := newWorld()
	w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	w.later(tellWait)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if n, err := New(w.options()).Tick(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
}

// Keys of one owner that were made in one afternoon are asked about at once, and those of nobody else, nor of another day, nor
// what its owner put off.
func TestTickAsksTogether(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	made := func(name string, after time.Duration, owner string) *user {
		u := a.user(name, 85)
		u.keys[0].created = u.keys[0].created.Add(after)
		u.tags = map[string]string{"owner": owner}
		return u
	}
	first, later := made("first", 0, "a@acme.example"), made("later", 20*time.Hour, "a@acme.example")
	off, tomorrow, other := made("off", 2*time.Hour, "a@acme.example"), made("tomorrow", 25*time.Hour, "a@acme.example"), made("other", 2*time.Hour, "b@acme.example")
	w.run(t, RunOptions{})
	w.change(t, off, rotation.Snooze{Actor: person, For: 6 * day, Why: "later"})
	for _, u := range a.users {
		r := w.rotation(t, acct, u)
		w.store.rotations[r.ID] = r.WithTold(r.PeopleSeq, nil, w.now)
	}
	w.opened = nil
	w.later(5 * day)
	if n, err := New(w.options()).Tick(context.Background()); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	for u, want := range map[*user]rotation.State{first: rotation.Awaiting, later: rotation.Awaiting, off: rotation.Upcoming, tomorrow: rotation.Upcoming, other: rotation.Upcoming} {
		if r := w.rotation(t, acct, u); r.State != want {
			t.Errorf("%s is %s", u.name, r.State)
		}
	}
	if len(w.opened) != 1 || len(w.opened[0]) != 2 {
		t.Errorf("told of %v", w.opened)
	}
}
