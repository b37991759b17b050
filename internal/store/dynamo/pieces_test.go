package dynamo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// TestPiecesOfTheLoser: two processes cut one version in different places; what the loser wrote stays beside it.
func TestPiecesOfTheLoser(t *testing.T) {
	t.Parallel()
	name := table(t)
	a, _ := open(t, name)
	b, _ := open(t, name)
	first, err := a.SaveRotation(t.Context(), long(storetest.Rotation(1), 10, 900))
	must(t, err)
	winner, err := a.SaveRotation(t.Context(), long(first, 150, 900))
	must(t, err)
	dynamo.Remember(b, first, 1000)
	if _, err := b.SaveRotation(t.Context(), long(first, 150, 890)); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	is(t, b, winner, nil)
	is(t, a, winner, nil)
}

// TestPastIsMoved: the pieces of an episode do not stay beside the present one, where each read would read them.
func TestPastIsMoved(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	r, err := s.SaveRotation(t.Context(), long(storetest.Rotation(1), 150, 900))
	must(t, err)
	r.State = rotation.Closed
	closed, err := s.SaveRotation(t.Context(), r)
	must(t, err)
	next := closed.Clone()
	next.Episode, next.State, next.History = 2, rotation.Awaiting, nil
	next, err = s.SaveRotation(t.Context(), next)
	must(t, err)
	is(t, s, next, []rotation.Rotation{closed})
	items, err := raw(t.Context(), name, dynamo.RotationPK(r.ID))
	must(t, err)
	for _, it := range items {
		if sk := str(it["sk"]); strings.HasPrefix(sk, "head#") {
			t.Errorf("%s stays", sk)
		}
		if _, ok := it["ttl"]; ok {
			t.Errorf("%s goes by itself", str(it["sk"]))
		}
	}
}

// TestMovedWhileRead: the next episode moves the pieces of a history between the read of its head and of them.
func TestMovedWhileRead(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	r := long(storetest.Rotation(1), 150, 900)
	r.State = rotation.Closed
	r, err := s.SaveRotation(t.Context(), r)
	must(t, err)
	var next rotation.Rotation
	reader, counted := open(t, name, through(once("BatchGetItem", 2, func() {
		c := r.Clone()
		c.Episode, c.State, c.History = 2, rotation.Awaiting, nil
		next, err = s.SaveRotation(tctx, c)
	})))
	list, _, lerr := reader.ListRotations(t.Context(), store.Filter{Account: r.Account}, store.Page{})
	must(t, err)
	must(t, lerr)
	if d := differs([]rotation.Rotation{next}, list); d != "" {
		t.Errorf("the list differs (-want +got):\n%s", d)
	}
	if n := counted.reset()["BatchGetItem"]; n != 2 {
		t.Errorf("%d batches", n)
	}
}

// TestCorruptPieces: a history with a gap is an error and not a shorter history.
func TestCorruptPieces(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	r, err := s.SaveRotation(t.Context(), long(storetest.Rotation(1), 150, 900))
	must(t, err)
	items, err := raw(t.Context(), name, dynamo.RotationPK(r.ID))
	must(t, err)
	piece := items[1]
	if !strings.HasPrefix(str(piece["sk"]), "head#") {
		t.Fatal("there are no pieces")
	}
	wrong := func(what string) {
		t.Helper()
		if got, err := s.GetRotation(t.Context(), r.ID); err == nil {
			t.Errorf("%s: %d lines of %d", what, len(got.History), len(r.History))
		}
	}
	body, err := record.EncodeRotation(rotation.Rotation{History: r.History[:3]})
	must(t, err)
	set(t, name, str(piece["pk"]), str(piece["sk"]), "body", string(body))
	wrong("fewer lines")
	set(t, name, str(piece["pk"]), str(piece["sk"]), "body", "{}")
	wrong("no record")
	remove(t, name, piece)
	wrong("no piece")
	remove(t, name, items[0])
	if _, err := s.GetRotation(t.Context(), r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("pieces without a head: %v", err)
	}
}

// TestParsePieces: the list is read as it was written, or refused.
func TestParsePieces(t *testing.T) {
	for _, c := range []struct {
		list []string
		ok   bool
	}{
		{nil, true},
		{[]string{"1-3-ab", "4-1-cd"}, true},
		{[]string{"2-3-ab"}, false},
		{[]string{"1-3-ab", "5-1-cd"}, false},
		{[]string{"1-0-ab"}, false},
		{[]string{"1--3-ab"}, false},
		{[]string{"1-x-ab"}, false},
		{[]string{"1-3"}, false},
		{[]string{""}, false},
	} {
		again, err := dynamo.ParsePieces(c.list)
		if (err == nil) != c.ok || c.ok && !cmp.Equal(again, c.list) {
			t.Errorf("%q: %q %v", c.list, again, err)
		}
	}
}

func FuzzPieces(f *testing.F) {
	f.Add("1-3-ab", "4-1-cd")
	f.Fuzz(func(t *testing.T, a, b string) {
		again, err := dynamo.ParsePieces([]string{a, b})
		if err != nil {
			return
		}
		if third, err := dynamo.ParsePieces(again); err != nil || !cmp.Equal(third, again) {
			t.Fatalf("%q is read as %q, %v", again, third, err)
		}
	})
}
