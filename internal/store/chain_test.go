package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func TestCheckChain(t *testing.T) {
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"anchors", true},
		{"person/U0123/2026-11", true},
		{"a b ~!", true},
		{strings.Repeat("x", 120), true},
		{strings.Repeat("x", 121), false},
		{"", false},
		{"a#b", false},
		{"a\nb", false},
		{"a\x7f", false},
		{"é", false},
		{"\xff", false},
	} {
		if err := store.CheckChain(c.name); (err == nil) != c.ok || err != nil && !errors.Is(err, store.ErrChain) {
			t.Errorf("%q: %v", c.name, err)
		}
	}
}

func TestEntries(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	first := rotation.NewEntry(nil, at, rotation.System, "asked", "status")
	second := rotation.NewEntry(&first, at, rotation.System, "asked", "mine")
	changed := second
	changed.Note = "else"
	orphan := rotation.NewEntry(&rotation.Entry{Seq: 1}, at, rotation.System, "asked", "") // names nobody before it
	zero := rotation.NewEntry(&rotation.Entry{Seq: -1, Hash: "x"}, at, rotation.System, "asked", "")
	late := rotation.NewEntry(&rotation.Entry{Seq: 0, Hash: "x"}, at, rotation.System, "asked", "") // the first, after another
	for _, c := range []struct {
		name string
		e    rotation.Entry
		ok   bool
	}{
		{"first", first, true}, {"second", second, true}, {"changed", changed, false}, {"zero", rotation.Entry{}, false},
		{"second after nobody", orphan, false}, {"number 0", zero, false}, {"first after somebody", late, false},
	} {
		if err := store.CheckEntry(c.e); (err == nil) != c.ok || err != nil && !errors.Is(err, store.ErrHistory) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		name    string
		last, e rotation.Entry
		ok      bool
	}{
		{"first", rotation.Entry{}, first, true}, {"second", first, second, true}, {"first again", first, first, false},
		{"gap", rotation.Entry{}, second, false}, {"over another", changedHash(first), second, false},
	} {
		if err := store.Appends(c.last, c.e); (err == nil) != c.ok || err != nil && !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func changedHash(e rotation.Entry) rotation.Entry {
	e.Hash = "another"
	return e
}

func TestUnread(t *testing.T) {
	var none *store.Unread
	if err := none.AsError(); err != nil {
		t.Errorf("none: %v", err)
	}
	one := none.Add("1/2", fmt.Errorf("decode: %w", store.ErrNewer))
	if err := one.AsError(); !errors.Is(err, store.ErrNewer) || err.Error() != "rotation 1/2 cannot be read: decode: written by a newer version of keyturn" {
		t.Errorf("one: %v", err)
	}
	if err := one.Add("1/3", errors.New("damaged")).AsError(); err.Error() != "2 rotations cannot be read, first 1/2: decode: written by a newer version of keyturn" {
		t.Errorf("two: %v", err)
	}
}
