package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

func TestTick(t *testing.T) {
	w := newWorld()
	for i := range 25 {
		w.accounts[acct].user(fmt.Sprintf("u%02d", i), 95)
	}
	w.run(t, RunOptions{})
	s := New(w.options())
	if n, err := s.Tick(context.Background()); n != 0 || err != nil {
		t.Fatalf("before the run told people: %d, %v", n, err)
	}
	w.later(tellWait)
	w.wake = func(id rotation.ID) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case strings.Contains(string(id), "U07"):
			panic("a bad record")
		case strings.Contains(string(id), "U1"):
			return errors.New("no such luck")
		}
		r := w.store.rotations[id]
		w.store.rotations[id] = r.WithTold(r.PeopleSeq, nil, w.now) // waking moves it out of the list
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

func TestTickStoreFailsOnALaterPage(t *testing.T) {
	w := newWorld()
	for i := range 5 {
		w.accounts[acct].user(fmt.Sprintf("u%02d", i), 95)
	}
	w.run(t, RunOptions{})
	w.later(tellWait)
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
