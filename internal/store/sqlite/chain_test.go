package sqlite_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// chained makes a chain of some entries.
func chained(t *testing.T, s *sqlite.Store, chain string, n int) (out []rotation.Entry) {
	t.Helper()
	var prev *rotation.Entry
	for range n {
		e := storetest.Entry(prev, "note")
		if err := s.AppendEntry(t.Context(), chain, e); err != nil {
			t.Fatal(err)
		}
		out, prev = append(out, e), &e
	}
	return out
}

// read reads a chain in pages of two, and gives up where they do not end.
func read(t *testing.T, s *sqlite.Store, chain string) (out []rotation.Entry) {
	t.Helper()
	page := store.Page{Limit: 2}
	for range 20 {
		some, next, err := s.ListEntries(t.Context(), chain, page)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, some...)
		if next == "" {
			return out
		}
		page.After = next
	}
	t.Fatal("the list does not end")
	return nil
}

// TestTampered: whatever somebody does to the entries of a chain, its list shows it, once each and to its end, so that its
// reader finds it.
func TestTampered(t *testing.T) {
	const chain = "anchors"
	body := func(t *testing.T, e rotation.Entry, seq int) []byte {
		e.Seq = seq
		b, err := record.EncodeEntry(e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, s *sqlite.Store, have []rotation.Entry)
		want []int // their numbers, in order
	}{
		{"the first is gone", func(t *testing.T, s *sqlite.Store, _ []rotation.Entry) {
			mustExec(t, s, "DELETE FROM entries WHERE seq = 1")
		}, []int{2, 3, 4, 5}},
		{"all are gone", func(t *testing.T, s *sqlite.Store, _ []rotation.Entry) { mustExec(t, s, "DELETE FROM entries") }, nil},
		{"two changed places", func(t *testing.T, s *sqlite.Store, _ []rotation.Entry) {
			mustExec(t, s, "UPDATE entries SET seq = 77 WHERE seq = 2")
			mustExec(t, s, "UPDATE entries SET seq = 2 WHERE seq = 3")
			mustExec(t, s, "UPDATE entries SET seq = 3 WHERE seq = 77")
		}, []int{1, 3, 2, 4, 5}},
		{"one before the first", func(t *testing.T, s *sqlite.Store, _ []rotation.Entry) {
			mustExec(t, s, "UPDATE entries SET seq = -1 WHERE seq = 5")
		}, []int{5, 1, 2, 3, 4}},
		{"one says another number", func(t *testing.T, s *sqlite.Store, have []rotation.Entry) {
			mustExec(t, s, "UPDATE entries SET body = ? WHERE seq = 4", body(t, have[3], 1))
		}, []int{1, 2, 3, 1, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
			c.do(t, s, chained(t, s, chain, 5))
			var got []int
			entries := read(t, s, chain)
			for _, e := range entries {
				got = append(got, e.Seq)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if len(entries) > 0 && entries[0].Seq == 1 && rotation.VerifyHistory(entries) == nil {
				t.Error("it is found sound")
			}
			if chains, _, err := s.ListChains(t.Context(), store.Page{}); err != nil || !slices.Equal(chains, []string{chain}) {
				t.Errorf("chains: %v %v", chains, err)
			}
		})
	}
}

// TestNewerEntry: nothing is appended to what a newer version wrote, and it is not skipped.
func TestNewerEntry(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
	have := chained(t, s, "anchors", 2)
	mustExec(t, s, "UPDATE entries SET body = ? WHERE seq = 2", []byte(`{"schema":99,"kind":"entry","data":{}}`))
	_, last := s.LastEntry(t.Context(), "anchors")
	_, _, list := s.ListEntries(t.Context(), "anchors", store.Page{})
	for what, err := range map[string]error{
		"last": last, "list": list, "append": s.AppendEntry(t.Context(), "anchors", storetest.Entry(&have[1], "next")),
		"again": s.AppendEntry(t.Context(), "anchors", have[1]),
	} {
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
