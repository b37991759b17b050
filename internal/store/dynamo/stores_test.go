package dynamo_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// TestStale: what a process remembers of a version that is no longer the present one decides nothing.
func TestStale(t *testing.T) {
	t.Parallel()
	name := table(t)
	a, _ := open(t, name)
	b, _ := open(t, name)
	ctx := t.Context()
	one, err := a.SaveRotation(ctx, storetest.Note(storetest.Rotation(1), "one"))
	must(t, err)
	two, err := a.SaveRotation(ctx, storetest.Note(one, "two"))
	must(t, err)
	cut, skip := one.Clone(), one.Clone()
	cut.History = nil
	skip.Episode = 7
	for what, r := range map[string]rotation.Rotation{"good": storetest.Note(one, "late"), "cut": cut, "skip": skip} {
		dynamo.Remember(b, one, 1000)
		if _, err := b.SaveRotation(ctx, r); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s, of an old version: %v", what, err)
		}
	}
	three, err := b.SaveRotation(ctx, storetest.Note(two, "three"))
	must(t, err)
	is(t, a, three, nil)
}

// TestManyProcesses: several stores of one table read, change, close and reopen one rotation. Nothing is lost, whoever wins.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	name := table(t)
	const processes, each = 4, 8
	id := storetest.Rotation(1).ID
	first, _ := open(t, name)
	_, err := first.SaveRotation(t.Context(), storetest.Rotation(1))
	must(t, err)
	var wg sync.WaitGroup
	for p := range processes {
		s, _ := open(t, name)
		wg.Go(func() {
			for i := 0; i < each; {
				r, err := s.GetRotation(t.Context(), id)
				if err != nil {
					t.Error(err)
					return
				}
				note := fmt.Sprintf("%d/%d", p, i)
				switch {
				case !r.Open():
					r.Episode, r.State, r.History = r.Episode+1, rotation.Awaiting, nil
					note = "reopened"
				case len(r.History) > 5:
					r.State = rotation.Closed
					note = "closed"
				}
				_, err = s.SaveRotation(t.Context(), storetest.Note(r, note))
				switch {
				case err == nil && strings.Contains(note, "/"):
					i++
				case err != nil && !errors.Is(err, store.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	r, err := first.GetRotation(t.Context(), id)
	must(t, err)
	past, err := first.ListEpisodes(t.Context(), id)
	must(t, err)
	if len(past) != r.Episode-1 {
		t.Errorf("%d episodes before episode %d", len(past), r.Episode)
	}
	seen, saves := map[string]int{}, 0
	for i, e := range append([]rotation.Rotation{r}, past...) {
		if e.Episode != r.Episode-i {
			t.Errorf("episode %d comes after %d others", e.Episode, i)
		}
		for _, h := range e.History {
			saves++
			if strings.Contains(h.Note, "/") {
				seen[h.Note]++
			}
		}
	}
	if len(seen) != processes*each || int64(saves) != r.Version {
		t.Errorf("%d notes of %d, %d lines at version %d", len(seen), processes*each, saves, r.Version)
	}
}

// TestLateArchive: a process that stands still before it archives an episode, while the others go on, writes nothing over what
// the episode became.
func TestLateArchive(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	ctx := t.Context()
	r := storetest.Rotation(1)
	r.State = rotation.Closed
	closed, err := s.SaveRotation(ctx, r)
	must(t, err)
	var told, next rotation.Rotation
	late, _ := open(t, name, through(once("PutItem", 1, func() {
		if told, err = s.SaveRotation(tctx, storetest.Note(closed, "told")); err == nil {
			next = told.Clone()
			next.Episode, next.State, next.History = 2, rotation.Awaiting, nil
			next, err = s.SaveRotation(tctx, next)
		}
	})))
	mine := closed.Clone()
	mine.Episode, mine.State, mine.History = 2, rotation.Awaiting, nil
	_, lateErr := late.SaveRotation(ctx, mine)
	must(t, err)
	if !errors.Is(lateErr, store.ErrConflict) {
		t.Errorf("the late one: %v", lateErr)
	}
	is(t, s, next, []rotation.Rotation{told})
}

// TestArchivedInVain: an episode that was archived by a save that never finished is not among the episodes, and is written
// again as it became.
func TestArchivedInVain(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	r := storetest.Rotation(1)
	r.State = rotation.Closed
	closed, err := s.SaveRotation(t.Context(), r)
	must(t, err)
	f := &fault{at: 2, dies: true}
	dying, _ := open(t, name, through(f.wire), noRetries)
	mine := closed.Clone()
	mine.Episode, mine.State, mine.History = 2, rotation.Awaiting, nil
	if _, err := dying.SaveRotation(t.Context(), mine); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	items, err := raw(t.Context(), name, dynamo.RotationPK(r.ID))
	if err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v: nothing was archived", len(items), err)
	}
	is(t, s, closed, nil)
	told, err := s.SaveRotation(t.Context(), storetest.Note(closed, "told"))
	must(t, err)
	is(t, s, told, nil)
	next := told.Clone()
	next.Episode, next.State, next.History = 2, rotation.Awaiting, nil
	next, err = s.SaveRotation(t.Context(), next)
	must(t, err)
	is(t, s, next, []rotation.Rotation{told})
}

// TestPointers: a pointer that leads nowhere finds nothing, and one key may be named in many places.
func TestPointers(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	ctx := t.Context()
	f := &fault{at: 2, dies: true}
	dying, _ := open(t, name, through(f.wire), noRetries)
	never := storetest.Rotation(1)
	never.Old.ID = "AKIASHARED"
	if _, err := dying.SaveRotation(ctx, never); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	items, err := raw(ctx, name, "key#AKIASHARED")
	if err != nil || len(items) != 1 {
		t.Fatalf("%d pointers, %v", len(items), err)
	}
	if _, err := s.RotationByKey(ctx, "AKIASHARED"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a rotation that was never saved: %v", err)
	}
	other := storetest.Rotation(2)
	other.Old.ID = "AKIASHARED"
	other, err = s.SaveRotation(ctx, other)
	must(t, err)
	found := func(what string, want rotation.Rotation) {
		t.Helper()
		got, err := s.RotationByKey(ctx, "AKIASHARED")
		if err != nil || got.ID != want.ID || got.Episode != want.Episode {
			t.Errorf("%s: %s episode %d, %v; want %s episode %d", what, got.ID, got.Episode, err, want.ID, want.Episode)
		}
	}
	found("one that leads nowhere beside a good one", other)
	other.State = rotation.Closed
	other, err = s.SaveRotation(ctx, other)
	must(t, err)
	second, err := s.SaveRotation(ctx, never)
	must(t, err)
	found("open before closed", second)
	second.Old.ID = "AKIAELSE"
	second, err = s.SaveRotation(ctx, second)
	must(t, err)
	found("no longer named in the open one", other)
	next := other.Clone()
	next.Episode, next.State, next.History, next.Old.ID = 2, rotation.Awaiting, nil, "AKIANEXT"
	_, err = s.SaveRotation(ctx, next)
	must(t, err)
	found("in an episode alone", other)
	second.Old.ID = "AKIASHARED"
	second, err = s.SaveRotation(ctx, second)
	must(t, err)
	found("named again", second)
	third := storetest.Rotation(3)
	third.Episode, third.State, third.Old.ID = 7, rotation.Closed, "AKIASHARED"
	third, err = s.SaveRotation(ctx, third)
	must(t, err)
	third.Episode, third.State, third.History, third.Old.ID = 8, rotation.Awaiting, nil, "AKIATHIRD"
	_, err = s.SaveRotation(ctx, third)
	must(t, err)
	second.State = rotation.Closed
	second, err = s.SaveRotation(ctx, second)
	must(t, err)
	found("closed, before a later episode that is past", second)
}

// TestByKeyWhileArchived: the rotation that names a key becomes past between the look at the present ones and at the past.
func TestByKeyWhileArchived(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	r := storetest.Rotation(1)
	r.State, r.Old.ID = rotation.Closed, "AKIAMOVING"
	closed, err := s.SaveRotation(t.Context(), r)
	must(t, err)
	for at := 1; at <= 3; at++ {
		reader, _ := open(t, name, through(once("Query", at, func() {
			next := closed.Clone()
			next.Episode, next.State, next.History, next.Old.ID = closed.Episode+1, rotation.Closed, nil, "AKIAELSE"
			if _, err := s.SaveRotation(tctx, next); err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		})))
		if got, err := reader.RotationByKey(t.Context(), "AKIAMOVING"); err != nil || got.ID != r.ID {
			t.Errorf("moved before query %d: %v", at, err)
		}
	}
}

// TestTouch: a touch carries the rotation to the stream again, each time, and nobody's save fails by it.
func TestTouch(t *testing.T) {
	t.Parallel()
	name := table(t)
	feed := false
	s, _ := open(t, name, func(o *dynamo.Options, _ *dynamodb.Options) {
		o.Now = func() time.Time { return storetest.Noon } // it stands still
		o.Feed = func(r rotation.Rotation) bool { return feed && r.Version > 0 }
	})
	ctx := t.Context()
	for _, id := range []rotation.ID{"", "nobody"} {
		if err := s.Touch(ctx, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("touch of %q: %v", id, err)
		}
	}
	if items, err := raw(ctx, name, dynamo.RotationPK("nobody")); err != nil || len(items) != 0 {
		t.Errorf("the touch of nobody made %v, %v", items, err)
	}
	r, err := s.SaveRotation(ctx, storetest.Rotation(1))
	must(t, err)
	head := func() (wake, woken string) {
		t.Helper()
		items, err := raw(ctx, name, dynamo.RotationPK(r.ID))
		must(t, err)
		if kind := str(items[0]["kind"]); kind != dynamo.KindRotation || str(items[0][dynamo.AttrID]) != string(r.ID) {
			t.Errorf("the head is a %s of %s", kind, str(items[0]["id"]))
		}
		return str(items[0][dynamo.AttrWake]), str(items[0]["woken"])
	}
	if wake, woken := head(); wake != "" || woken != "" {
		t.Errorf("saved, and not to be looked at: %q %q", wake, woken)
	}
	seen := map[string]bool{}
	for range 3 {
		must(t, s.Touch(ctx, r.ID))
		wake, woken := head()
		if wake != "1" || seen[woken] || !strings.HasPrefix(woken, "2026-03-01T12:00:00") {
			t.Errorf("touched: %q %q", wake, woken)
		}
		seen[woken] = true
	}
	is(t, s, r, nil)
	r, err = s.SaveRotation(ctx, storetest.Note(r, "on"))
	must(t, err)
	if wake, woken := head(); wake != "" || woken != "" {
		t.Errorf("saved after the touches: %q %q", wake, woken)
	}
	feed = true
	r, err = s.SaveRotation(ctx, storetest.Note(r, "to be looked at"))
	must(t, err)
	if wake, _ := head(); wake != "1" {
		t.Errorf("saved, to be looked at: %q", wake)
	}
	feed = false
	_, err = s.SaveRotation(ctx, storetest.Note(r, "done"))
	must(t, err)
	if wake, _ := head(); wake != "" {
		t.Errorf("saved, done: %q", wake)
	}
}

// TestRequestsAreHeard: the stream carries a request that is made again with the same words.
func TestRequestsAreHeard(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	q := rotation.Request{Account: "1", UserID: "2", At: storetest.Noon}
	tokens := map[string]bool{}
	for range 2 {
		must(t, s.SaveRequest(t.Context(), q))
		items, err := raw(t.Context(), name, "request")
		must(t, err)
		if len(items) != 1 || str(items[0]["kind"]) != dynamo.KindRequest || str(items[0][dynamo.AttrBody]) == "" {
			t.Errorf("%v", items)
		}
		tokens[str(items[0]["token"])] = true
	}
	if len(tokens) != 2 {
		t.Error("the second save changed nothing")
	}
}

// TestServedWhileMadeAgain: the request that is removed is the one that was served.
func TestServedWhileMadeAgain(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	q := rotation.Request{Account: "1", UserID: "2", At: storetest.Noon}
	later := q
	later.Why = "again"
	must(t, s.SaveRequest(t.Context(), q))
	server, _ := open(t, name, through(once("DeleteItem", 1, func() {
		if err := s.SaveRequest(tctx, later); err != nil {
			t.Error(err)
		}
	})))
	must(t, server.DeleteRequest(t.Context(), q))
	got, _, err := s.ListRequests(t.Context(), store.Page{})
	if d := differs([]rotation.Request{later}, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}
