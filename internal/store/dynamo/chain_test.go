package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

const anchors = "anchors"

// chained makes a chain of some entries.
func chained(t *testing.T, s *dynamo.Store, n int) (out []rotation.Entry) {
	t.Helper()
	var prev *rotation.Entry
	for i := range n {
		e := storetest.Entry(prev, fmt.Sprint("note ", i))
		must(t, s.AppendEntry(t.Context(), anchors, e))
		out, prev = append(out, e), &e
	}
	return out
}

// TestChainCrash: a process that dies while it appends leaves what it had, and whoever comes next goes on.
func TestChainCrash(t *testing.T) {
	t.Parallel()
	for _, had := range []int{0, 2} {
		for _, done := range []bool{false, true} {
			writes := 1
			if had == 0 {
				writes = 2 // the chain, and its entry
			}
			for at := 1; at <= writes; at++ {
				name := table(t)
				s, _ := open(t, name)
				have := chained(t, s, had)
				var prev *rotation.Entry
				if had > 0 {
					prev = &have[had-1]
				}
				e := storetest.Entry(prev, "last words")
				dying, _ := open(t, name, through((&fault{at: at, done: done, dies: true}).wire), noRetries)
				if err := dying.AppendEntry(t.Context(), anchors, e); !errors.Is(err, errLost) {
					t.Fatalf("after %d, write %d: %v", had, at, err)
				}
				took := done && at == writes
				if got, _, err := s.ListEntries(t.Context(), anchors, store.Page{}); err != nil || (len(got) == had+1) != took {
					t.Errorf("after %d, write %d, done %v: %d entries, %v", had, at, done, len(got), err)
				}
				must(t, s.AppendEntry(t.Context(), anchors, e))
				must(t, s.AppendEntry(t.Context(), anchors, storetest.Entry(&e, "on")))
				got, _, err := s.ListEntries(t.Context(), anchors, store.Page{})
				must(t, err)
				if must(t, rotation.VerifyHistory(got)); len(got) != had+2 {
					t.Errorf("%d entries", len(got))
				}
				if chains, _, err := s.ListChains(t.Context(), store.Page{}); err != nil || !slices.Equal(chains, []string{anchors}) {
					t.Errorf("chains: %v %v", chains, err)
				}
			}
		}
	}
}

// TestChainOvertaken: somebody else appends between the look at the end and the write.
func TestChainOvertaken(t *testing.T) {
	t.Parallel()
	for _, tells := range []bool{false, true} {
		name := table(t)
		winner, _ := open(t, name)
		have := chained(t, winner, 2)
		won := storetest.Entry(&have[1], "first")
		w := once("PutItem", 1, func() {
			if err := winner.AppendEntry(tctx, anchors, won); err != nil {
				t.Error(err)
			}
		})
		if tells {
			w = telling(w)
		}
		loser, counted := open(t, name, through(w))
		if err := loser.AppendEntry(t.Context(), anchors, storetest.Entry(&have[1], "second")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("told %v: %v", tells, err)
		}
		if n := counted.reset()["GetItem"]; tells && n != 1 {
			t.Errorf("it read what it was told: %d reads", n)
		}
		if last, err := loser.LastEntry(t.Context(), anchors); err != nil || last != won {
			t.Errorf("the last is %+v, %v", last, err)
		}
	}
}

// TestChainTampered: what somebody does to the entries of a chain its list shows, so that its reader finds it. A chain whose
// entries are gone is on the list still.
func TestChainTampered(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	have := chained(t, s, 3)
	items, err := raw(t.Context(), name, "entry#"+anchors)
	must(t, err)
	set(t, name, str(items[2]["pk"]), str(items[2]["sk"]), "body", str(items[0]["body"]))
	got, _, err := s.ListEntries(t.Context(), anchors, store.Page{Limit: 3})
	must(t, err)
	if !slices.Equal(got, []rotation.Entry{have[0], have[1], have[0]}) || rotation.VerifyHistory(got) == nil {
		t.Errorf("%+v", got)
	}
	set(t, name, str(items[2]["pk"]), str(items[2]["sk"]), "body", `{"schema":99,"kind":"entry","data":{}}`)
	_, last := s.LastEntry(t.Context(), anchors)
	_, _, list := s.ListEntries(t.Context(), anchors, store.Page{})
	for what, err := range map[string]error{
		"last": last, "list": list, "append": s.AppendEntry(t.Context(), anchors, storetest.Entry(&have[2], "next")),
		"again": s.AppendEntry(t.Context(), anchors, have[2]),
	} {
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, it := range items {
		remove(t, name, it)
	}
	if chains, _, err := s.ListChains(t.Context(), store.Page{}); err != nil || !slices.Equal(chains, []string{anchors}) {
		t.Errorf("chains: %v %v", chains, err)
	}
}

// TestLargeEntry: an entry that fits into no item is refused before anything is written.
func TestLargeEntry(t *testing.T) {
	t.Parallel()
	s, counted := open(t, table(t))
	e := rotation.NewEntry(nil, storetest.Noon, rotation.Actor{Name: strings.Repeat("x", dynamo.MostItem)}, "asked", "")
	if err := s.AppendEntry(t.Context(), anchors, e); !errors.Is(err, dynamo.ErrTooLarge) {
		t.Error(err)
	}
	if n := counted.reset()["PutItem"]; n != 0 {
		t.Errorf("%d writes", n)
	}
}
