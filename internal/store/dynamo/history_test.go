package dynamo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// differs says what is different. cmp takes its time for a long history, so it is asked only where something is.
func differs(want, got any) string {
	w, err1 := json.Marshal(want)
	g, err2 := json.Marshal(got)
	if err1 == nil && err2 == nil && bytes.Equal(w, g) {
		return ""
	}
	return cmp.Diff(want, got, storetest.Equal)
}

// long adds lines to a history, each of about as many bytes.
func long(r rotation.Rotation, lines, size int) rotation.Rotation {
	r = r.Clone()
	for range lines {
		n := len(r.History) + 1
		note := fmt.Sprintf("line %d of episode %d %s", n, r.Episode, strings.Repeat("x", size))
		r.History = append(r.History, rotation.Entry{Seq: n, At: storetest.Noon, Actor: rotation.System, Event: "note", To: r.State, Note: note, Hash: fmt.Sprint(n)})
	}
	return r
}

// is compares everything that a store says of a rotation and of the episodes before it.
func is(t interface{ Fatalf(string, ...any) }, s *dynamo.Store, r rotation.Rotation, past []rotation.Rotation) {
	ctx := tctx
	got, err := s.GetRotation(ctx, r.ID)
	if err != nil {
		t.Fatalf("read it: %v", err)
	}
	if d := differs(r, got); d != "" {
		t.Fatalf("what is stored differs (-want +got):\n%.3000s", d)
	}
	list, _, err := s.ListRotations(ctx, store.Filter{Account: r.Account}, store.Page{})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if d := differs([]rotation.Rotation{r}, list); d != "" {
		t.Fatalf("the list differs (-want +got):\n%.3000s", d)
	}
	eps, err := s.ListEpisodes(ctx, r.ID)
	if err != nil {
		t.Fatalf("episodes: %v", err)
	}
	if d := differs(past, eps); d != "" {
		t.Fatalf("the episodes differ (-want +got):\n%.3000s", d)
	}
}

// TestHistoryProperty: whatever is added to histories, by whichever of two processes, comes back whole, and no item is larger
// than it may be (watch looks).
func TestHistoryProperty(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		must(t, f.Value.Set("8"))
		defer f.Value.Set(f.DefValue) //nolint:errcheck // it was its value before
	}
	name, users := table(t), 0
	a, _ := open(t, name)
	b, _ := open(t, name)
	rapid.Check(t, func(t *rapid.T) {
		users++ // a user of its own, alone in an account
		r := storetest.Rotation(users)
		r.Account = rotation.AccountID(fmt.Sprintf("%012d", users))
		var past []rotation.Rotation
		for range rapid.IntRange(1, 12).Draw(t, "saves") {
			r = long(r, rapid.SampledFrom([]int{0, 1, 1, 5, 20, 60, 150}).Draw(t, "lines"), rapid.SampledFrom([]int{0, 100, 700, 1000, 4000}).Draw(t, "size"))
			r.Tags = map[string]string{"large": strings.Repeat("y", rapid.SampledFrom([]int{0, 0, 0, 10_000, 30_000, 45_000}).Draw(t, "other"))}
			r.State = rapid.SampledFrom([]rotation.State{rotation.Awaiting, rotation.Closed}).Draw(t, "state")
			s := rapid.SampledFrom([]*dynamo.Store{a, b}).Draw(t, "process")
			saved, err := s.SaveRotation(tctx, r)
			if err != nil {
				t.Fatal(err)
			}
			r.Version++
			if d := differs(r, saved); d != "" {
				t.Fatalf("what the save returned differs (-want +got):\n%.3000s", d)
			}
			is(t, rapid.SampledFrom([]*dynamo.Store{a, b}).Draw(t, "reader"), r, past)
			if !r.Open() && rapid.Bool().Draw(t, "reopen") {
				past = append([]rotation.Rotation{r}, past...)
				r.Episode, r.History, r.State = r.Episode+1, nil, rotation.Awaiting
			}
		}
	})
}

// TestHistoryIsKept: a history that lies in pieces is guarded like any other.
func TestHistoryIsKept(t *testing.T) {
	t.Parallel()
	s, counted := open(t, table(t))
	r, err := s.SaveRotation(t.Context(), long(storetest.Rotation(1), 200, 900))
	must(t, err)
	counted.reset()
	if _, err := s.GetRotation(t.Context(), r.ID); err != nil || counted.reset()["Query"] != 1 {
		t.Errorf("one query does not read it: %v", err)
	}
	if r, err = s.SaveRotation(t.Context(), long(r, 1, 900)); err != nil || counted.reset()["PutItem"] != 1 {
		t.Errorf("one line more takes more than one write: %v", err)
	}
	for name, change := range map[string]func(*rotation.Rotation){
		"an old line": func(r *rotation.Rotation) { r.History[3].Note = "nothing happened" },
		"a new line":  func(r *rotation.Rotation) { r.History[199].Note = "nothing happened" },
		"shorter":     func(r *rotation.Rotation) { r.History = r.History[:10] },
		"only new":    func(r *rotation.Rotation) { r.History = r.History[150:] },
	} {
		c := r.Clone()
		change(&c)
		if _, err := s.SaveRotation(t.Context(), c); !errors.Is(err, store.ErrHistory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	is(t, s, r, nil)

	other := storetest.Rotation(2) // it is not its history that makes it large
	other.Tags = map[string]string{"large": strings.Repeat("x", 46_000)}
	for i := range 6 {
		other, err = s.SaveRotation(t.Context(), long(other, 1, 900))
		must(t, err)
		if n := counted.reset()["PutItem"]; i > 0 && n != 1 {
			t.Errorf("save %d takes %d writes", i, n)
		}
	}
}

// TestTooLarge: what cannot be cut is refused, and nothing is written.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	ctx := t.Context()
	kept, err := s.SaveRotation(ctx, long(storetest.Rotation(1), 100, 900))
	must(t, err)
	large := kept.Clone()
	large.Tags = map[string]string{"large": strings.Repeat("x", 70_000)}
	line := long(kept, 1, 70_000)
	first := storetest.Rotation(2)
	first.Tags = large.Tags
	for name, r := range map[string]rotation.Rotation{"tags": large, "a line": line, "the first save": first} {
		_, err := s.SaveRotation(ctx, r)
		if !errors.Is(err, dynamo.ErrTooLarge) || !strings.Contains(err.Error(), "bytes of at most 65536") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "a line" && !strings.Contains(err.Error(), "line 102 of the history") {
			t.Errorf("%s: %v", name, err)
		}
	}
	is(t, s, kept, nil)
	exemption := rotation.Exemption{Account: "1", UserID: "2", Why: strings.Repeat("x", 70_000)}
	if err := s.SaveExemption(ctx, rotation.Exemption{}, exemption); !errors.Is(err, dynamo.ErrTooLarge) {
		t.Errorf("an exemption: %v", err)
	}
	if _, err := s.GetExemption(ctx, "1", "2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it was saved: %v", err)
	}
}

// lives are saves whose writes are many.
var lives = []struct {
	name   string
	before func() rotation.Rotation                         // what is saved first, if it has an ID
	next   func(before rotation.Rotation) rotation.Rotation // what is saved over it
}{
	{"first, with a long history", func() rotation.Rotation { return rotation.Rotation{} }, func(rotation.Rotation) rotation.Rotation {
		r := long(storetest.Rotation(1), 20, 3000)
		r.New = &rotation.NewKey{ID: "AKIANEW"}
		return r
	}},
	{"roll over again", func() rotation.Rotation { return long(storetest.Rotation(1), 18, 3000) }, func(r rotation.Rotation) rotation.Rotation {
		r = long(r, 15, 3000)
		r.New = &rotation.NewKey{ID: "AKIANEW"}
		return r
	}},
	{"next episode after a long history", func() rotation.Rotation {
		r := long(storetest.Rotation(1), 20, 3000)
		r.State = rotation.Closed
		return r
	}, func(r rotation.Rotation) rotation.Rotation {
		r.Episode, r.State, r.History, r.Old.ID = 2, rotation.Awaiting, nil, "AKIANEXT"
		return long(r, 20, 3000)
	}},
}

// TestCrash kills the process before and after each write of a save. What is stored is then the one version or the other,
// whole, and the next process saves on.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, l := range lives {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, done %v", l.name, done), func(t *testing.T) {
				for at := 1; ; at++ {
					name := table(t)
					healthy, _ := open(t, name)
					before := l.before()
					if before.ID != "" {
						var err error
						before, err = healthy.SaveRotation(t.Context(), before)
						must(t, err)
					}
					next := l.next(before.Clone())
					f := &fault{at: at, done: done, dies: true}
					dying, _ := open(t, name, through(f.wire), noRetries)
					_, err := dying.SaveRotation(t.Context(), next)
					if !f.happened {
						must(t, err)
						if at < 3 {
							t.Fatalf("only %d writes", at-1)
						}
						return
					}
					afterCrash(t, name, before, next)
				}
			})
		}
	}
}

func afterCrash(t *testing.T, table string, before, next rotation.Rotation) {
	t.Helper()
	s, _ := open(t, table)
	r, err := s.GetRotation(t.Context(), next.ID)
	saved := next.Clone()
	saved.Version++
	switch {
	case errors.Is(err, store.ErrNotFound) && before.ID == "":
	case err != nil:
		t.Fatal(err)
	case r.Version == before.Version:
		is(t, s, before, nil)
	case before.Episode != 0 && before.Episode != next.Episode:
		is(t, s, saved, []rotation.Rotation{before})
	default:
		is(t, s, saved, nil)
	}
	if r.Version == saved.Version {
		next = saved
	} else if k := "AKIANEXT"; next.Old.ID == rotation.KeyID(k) {
		if _, err := s.RotationByKey(t.Context(), rotation.KeyID(k)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a key of a save that never was: %v", err)
		}
	}
	again, err := s.SaveRotation(t.Context(), long(next, 1, 10))
	must(t, err)
	var past []rotation.Rotation
	if before.ID != "" && before.Episode != next.Episode {
		past = append(past, before)
	}
	is(t, s, again, past)
}
