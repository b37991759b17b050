package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Entry is the entry that follows prev in a chain, or the first one if prev is nil.
func Entry(prev *rotation.Entry, note string) rotation.Entry {
	return rotation.NewEntry(prev, Noon, rotation.Actor{ID: "U0123", Name: "ann", Via: rotation.ViaSlack}, "asked", note)
}

// appendTo appends an entry with a note at the end of a chain.
func appendTo(t *testing.T, s Store, chain, note string) rotation.Entry {
	t.Helper()
	var e rotation.Entry
	switch last, err := s.LastEntry(t.Context(), chain); {
	case errors.Is(err, store.ErrNotFound):
		e = Entry(nil, note)
	case err != nil:
		t.Fatal(err)
	default:
		e = Entry(&last, note)
	}
	must(t, s.AppendEntry(t.Context(), chain, e))
	return e
}

func entriesOf(t *testing.T, s Store, chain string, limit int) []rotation.Entry {
	t.Helper()
	got, err := all(limit, func(p store.Page) ([]rotation.Entry, string, error) { return s.ListEntries(t.Context(), chain, p) }, nil)
	must(t, err)
	return got
}

func chainsOf(t *testing.T, s Store, limit int) []string {
	t.Helper()
	got, err := all(limit, func(p store.Page) ([]string, string, error) { return s.ListChains(t.Context(), p) }, nil)
	must(t, err)
	slices.Sort(got)
	return got
}

func testChains(t *testing.T, s Store) {
	ctx := t.Context()
	const chain, other = "person/U0123/2026-11", "anchors"
	if e, err := s.LastEntry(ctx, chain); !errors.Is(err, store.ErrNotFound) || e != (rotation.Entry{}) {
		t.Errorf("the end of a chain that is not there: %+v %v", e, err)
	}
	if got := entriesOf(t, s, chain, 2); len(got) != 0 {
		t.Errorf("a chain that is not there has %d entries", len(got))
	}
	var want []rotation.Entry
	for i := range 12 { // two digits: the order is of numbers
		want = append(want, appendTo(t, s, chain, fmt.Sprint("note ", i)))
	}
	first := appendTo(t, s, other, "elsewhere")
	for _, limit := range limits {
		same(t, "the chain", entriesOf(t, s, chain, limit), want)
		same(t, "the chains", chainsOf(t, s, limit), []string{other, chain})
	}
	same(t, "the other chain", entriesOf(t, s, other, 0), []rotation.Entry{first})
	last, err := s.LastEntry(ctx, chain)
	must(t, err)
	same(t, "the last entry", last, want[11])
	must(t, rotation.VerifyHistory(entriesOf(t, s, chain, 0)))

	// An answer that was lost, and what came after it.
	for _, e := range []rotation.Entry{want[11], want[0], want[5]} {
		must(t, s.AppendEntry(ctx, chain, e))
	}
	must(t, s.AppendEntry(ctx, other, first))
	elsewhere := want[11]
	elsewhere.At = elsewhere.At.In(time.FixedZone("", 3600)) // the same instant
	must(t, s.AppendEntry(ctx, chain, elsewhere))

	fork, gap, next := Entry(&want[10], "what somebody else did"), Entry(&want[11], "never appended"), Entry(&want[11], "next")
	changed, empty, foreign := next, next, Entry(&rotation.Entry{Seq: 12, Hash: want[3].Hash}, "after another entry")
	changed.Note, empty.Hash = "changed", ""
	for _, c := range []struct {
		name, chain string
		e           rotation.Entry
		want        error
	}{
		{"beside the last", chain, fork, store.ErrConflict},
		{"a second first", chain, Entry(nil, "first again"), store.ErrConflict},
		{"in the middle", chain, Entry(&want[3], "in between"), store.ErrConflict},
		{"after a gap", chain, Entry(&gap, "too far"), store.ErrConflict},
		{"after an entry that is not the last", chain, foreign, store.ErrConflict},
		{"of another chain", other, next, store.ErrConflict},
		{"not at the beginning", "new", next, store.ErrConflict},
		{"second of a chain that is not there", "new", Entry(&first, "second"), store.ErrConflict},
		{"changed", chain, changed, store.ErrHistory},
		{"without its hash", chain, empty, store.ErrHistory},
		{"nothing", chain, rotation.Entry{}, store.ErrHistory},
		{"before the first", chain, Entry(&rotation.Entry{Seq: -1}, "zero"), store.ErrHistory},
		{"first, after another", "new", Entry(&rotation.Entry{Hash: "x"}, "first"), store.ErrHistory},
		{"second, after nobody", chain, Entry(&rotation.Entry{Seq: 1}, "second"), store.ErrHistory},
		{"bytes that are no text", chain, rotation.NewEntry(&want[11], Noon, rotation.Actor{Name: "\xff"}, "asked", ""), store.ErrHistory},
	} {
		if err := s.AppendEntry(ctx, c.chain, c.e); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	same(t, "the chain, after what was refused", entriesOf(t, s, chain, 5), want)
	same(t, "the chains, after what was refused", chainsOf(t, s, 0), []string{other, chain})
	same(t, "the other chain, after what was refused", entriesOf(t, s, other, 0), []rotation.Entry{first})
	if _, err := s.LastEntry(ctx, "new"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a chain begins with what was refused: %v", err)
	}
	must(t, s.AppendEntry(ctx, chain, next))
	same(t, "the chain goes on", entriesOf(t, s, chain, 0), append(want, next))
}

// testChainNames uses every name that a chain may have, and some that none has.
func testChainNames(t *testing.T, s Store) {
	ctx := t.Context()
	good := []string{" ", "a", "A", "a ", "a/b", "%", "_", "a%20", "'; DROP TABLE entries; --", `"\`, "{}", "~", strings.Repeat("%", store.MostChain)}
	for _, name := range good {
		e := appendTo(t, s, name, name)
		same(t, name, entriesOf(t, s, name, 0), []rotation.Entry{e})
	}
	slices.Sort(good)
	for _, limit := range limits {
		same(t, "the names", chainsOf(t, s, limit), good)
	}
	for _, name := range []string{"", "a#b", "é", "\n", "\x00", "\x7f", strings.Repeat("x", store.MostChain+1)} {
		_, last := s.LastEntry(ctx, name)
		_, _, list := s.ListEntries(ctx, name, store.Page{})
		for what, err := range map[string]error{"append": s.AppendEntry(ctx, name, Entry(nil, "")), "last": last, "list": list} {
			if !errors.Is(err, store.ErrChain) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
	same(t, "the names, after what was refused", chainsOf(t, s, 0), good)
}

// testChainRace lets many append to one chain: nothing is lost, doubled or out of order.
func testChainRace(t *testing.T, s Store) {
	const writers, each, chain = 8, 6, "person/U0123/2026-11"
	var wait sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wait.Go(func() { errs[w] = appendMany(t, s, chain, w, each) })
	}
	wait.Wait()
	must(t, errors.Join(errs...))
	got := entriesOf(t, s, chain, 7)
	must(t, rotation.VerifyHistory(got))
	seen := map[string]int{}
	for i, e := range got {
		if e.Seq != i+1 {
			t.Fatalf("line %d has number %d", i+1, e.Seq)
		}
		seen[e.Note]++
	}
	for w := range writers {
		for i := range each {
			if n := seen[note(w, i)]; n != 1 {
				t.Errorf("%s is there %d times", note(w, i), n)
			}
		}
	}
	same(t, "the chains", chainsOf(t, s, 0), []string{chain})
}

func note(writer, i int) string { return fmt.Sprintf("entry %d of writer %d", i, writer) }

// appendMany appends as consumers do: read the end, append, and begin anew if somebody else was faster.
func appendMany(t *testing.T, s Store, chain string, writer, n int) error {
	for i := range n {
		for {
			var prev *rotation.Entry
			last, err := s.LastEntry(t.Context(), chain)
			if err == nil {
				prev = &last
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			err = s.AppendEntry(t.Context(), chain, Entry(prev, note(writer, i)))
			if err == nil {
				break
			}
			if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
	}
	return nil
}
