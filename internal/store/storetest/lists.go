package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// limits are odd sizes of pages: the default, one, some that leave a rest, and more than there is.
var limits = []int{0, 1, 2, 7, store.MaxPage}

// passes says by the words of the contract whether a filter lets a rotation through.
func passes(f store.Filter, r rotation.Rotation) bool {
	return (!f.OpenOnly || r.Open()) && (f.Account == "" || r.Account == f.Account) &&
		(f.Owner == "" || r.Owner == f.Owner) && (len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(f.OU == "" || strings.Contains("/"+r.OUPath+"/", "/"+f.OU+"/")) && // of the units that are asked for below
		(f.OlderThan == 0 || !r.Old.Created.After(f.Now.Add(-f.OlderThan)))
}

func testFilters(t *testing.T, s Store) {
	var have []rotation.Rotation
	for i := range 24 {
		r := Rotation(i)
		r.State = rotation.States[i%len(rotation.States)]
		r.OUPath = []string{"", "r-ab12/ou-ab12-prod", "r-ab12/ou-ab12-prod/ou-ab12-pay", "r-ab12/ou-ab12-production"}[i%4]
		r.Old.Created = Noon.Add(-time.Duration(i/3) * 24 * time.Hour)
		if i == 5 {
			r.Owner = ""
		}
		have = append(have, save(t, s, r))
	}
	check := func(t *testing.T, f store.Filter, got []rotation.Rotation, err error) {
		t.Helper()
		must(t, err)
		want := slices.DeleteFunc(slices.Clone(have), func(r rotation.Rotation) bool { return !passes(f, r) })
		same(t, "the list", byID(got), byID(want))
	}
	for _, open := range []bool{false, true} {
		for _, account := range []rotation.AccountID{"", "000000000112", "000000000999"} {
			for _, owner := range []string{"", "owner1@example.com", "OWNER1@example.com"} {
				for _, states := range [][]rotation.State{{}, {rotation.Closed}, {rotation.Awaiting, rotation.Issuing, rotation.Closed}, {"nonsense"}} {
					f := store.Filter{OpenOnly: open, Account: account, Owner: owner, States: states}
					got, err := all(9, func(p store.Page) ([]rotation.Rotation, string, error) { return s.ListRotations(t.Context(), f, p) }, nil)
					check(t, f, got, err)
				}
			}
		}
	}
	for _, ou := range []string{"ou-ab12-prod", "r-ab12/ou-ab12-prod", "r-ab12/ou-ab12-prod/ou-ab12-pay", "r-ab12", "ou-ab12-none"} {
		for _, age := range []time.Duration{0, 24 * time.Hour, 5 * 24 * time.Hour, 400 * 24 * time.Hour} {
			for _, f := range []store.Filter{{}, {OpenOnly: true}, {Owner: "owner1@example.com"}, {Account: "000000000112", States: []rotation.State{rotation.Closed}}} {
				f.OU, f.OlderThan, f.Now = ou, age, Noon
				for _, limit := range []int{1, 3, 0} {
					got, err := all(limit, func(p store.Page) ([]rotation.Rotation, string, error) {
						f.Now = f.Now.Add(time.Second) // a person turns pages
						return s.ListRotations(t.Context(), f, p)
					}, nil)
					f.Now = Noon
					check(t, f, got, err)
				}
			}
		}
	}
	for _, owner := range []string{"owner0@example.com", "owner2@example.com", "nobody"} {
		got, err := all(3, func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByOwner(t.Context(), owner, p)
		}, nil)
		check(t, store.Filter{Owner: owner}, got, err)
	}
	for _, account := range []rotation.AccountID{"000000000111", "000000000113", "nowhere"} {
		got, err := all(3, func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByAccount(t.Context(), account, p)
		}, nil)
		check(t, store.Filter{Account: account}, got, err)
	}
	// Nobody and nowhere are not everybody and everywhere.
	if got, _, err := s.RotationsByOwner(t.Context(), "", store.Page{}); err != nil || len(got) != 0 {
		t.Errorf("rotations of no owner: %v %v", idsOf(got), err)
	}
	if got, _, err := s.RotationsByAccount(t.Context(), "", store.Page{}); err != nil || len(got) != 0 {
		t.Errorf("rotations of no account: %v %v", idsOf(got), err)
	}

	// A rotation that changed is found under what it is now.
	r := have[4]
	r.Owner, r.State = "owner9@example.com", rotation.Closed
	have[4] = save(t, s, r)
	for _, f := range []store.Filter{{Owner: "owner1@example.com"}, {Owner: "owner9@example.com"}, {OpenOnly: true}, {States: []rotation.State{rotation.Closed}}} {
		got, err := all(0, func(p store.Page) ([]rotation.Rotation, string, error) { return s.ListRotations(t.Context(), f, p) }, nil)
		check(t, f, got, err)
	}
}

func byID(rs []rotation.Rotation) []rotation.Rotation {
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b rotation.Rotation) int { return compare(string(a.ID), string(b.ID)) })
	return rs
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func due(t *testing.T, s Store, now time.Time, limit int) []rotation.ID {
	t.Helper()
	got, err := all(limit, func(p store.Page) ([]rotation.ID, string, error) { return s.Due(t.Context(), now, p) }, nil)
	must(t, err)
	return got
}

func testDue(t *testing.T, s Store) {
	at := map[rotation.ID]time.Time{}
	offsets := []time.Duration{0, time.Hour, -time.Hour, 1, -1, 0, -24 * 365 * time.Hour, 24 * 365 * time.Hour, -time.Hour}
	for i, d := range offsets {
		r := Rotation(i)
		r.NextAt = Noon.Add(d)
		if i == 8 {
			r.State = rotation.Closed // closed and untold: it is due as well
		}
		at[save(t, s, r).ID] = r.NextAt
	}
	for i, next := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		r := Rotation(20 + i)
		r.NextAt = next
		save(t, s, r)
		if !next.IsZero() {
			at[r.ID] = next
		}
	}
	for _, now := range []time.Time{{}, Noon.Add(-2 * time.Hour), Noon, Noon.Add(1), Noon.Add(25 * 365 * time.Hour), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		for _, limit := range limits {
			got := due(t, s, now, limit)
			for i := 1; i < len(got); i++ {
				if at[got[i]].Before(at[got[i-1]]) {
					t.Errorf("at %v: %s, due at %v, comes after %s, due at %v", now, got[i], at[got[i]], got[i-1], at[got[i-1]])
				}
			}
			var want []rotation.ID
			for id, next := range at {
				if !next.After(now) {
					want = append(want, id)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			same(t, "due at "+now.String(), got, want)
		}
	}
	r := stored(t, s, Rotation(0).ID)
	r.NextAt = time.Time{}
	save(t, s, r)
	if slices.Contains(due(t, s, Noon, 0), r.ID) {
		t.Error("a rotation that waits for nothing is due")
	}
}

// testCursors gives every list cursors that it did not make.
func testCursors(t *testing.T, s Store) {
	ctx := t.Context()
	for i := range 3 {
		save(t, s, Rotation(i))
		must(t, s.SaveSnapshot(ctx, snapshot(i, 1)))
		must(t, s.SaveExemption(ctx, rotation.Exemption{}, exemption(i)))
		must(t, s.SaveRequest(ctx, request(i)))
		appendTo(t, s, filled, fmt.Sprint("entry ", i))
		appendTo(t, s, fmt.Sprint(filled, i), "first")
	}
	lists := map[string]func(store.Page) (string, error){
		"rotations": func(p store.Page) (string, error) {
			_, c, err := s.ListRotations(ctx, store.Filter{}, p)
			return c, err
		},
		"due":        func(p store.Page) (string, error) { _, c, err := s.Due(ctx, Noon, p); return c, err },
		"snapshots":  func(p store.Page) (string, error) { _, c, err := s.ListSnapshots(ctx, p); return c, err },
		"exemptions": func(p store.Page) (string, error) { _, c, err := s.ListExemptions(ctx, "", p); return c, err },
		"requests":   func(p store.Page) (string, error) { _, c, err := s.ListRequests(ctx, p); return c, err },
		"chains":     func(p store.Page) (string, error) { _, c, err := s.ListChains(ctx, p); return c, err },
		"entries":    func(p store.Page) (string, error) { _, c, err := s.ListEntries(ctx, filled, p); return c, err },
		"other entries": func(p store.Page) (string, error) {
			_, c, err := s.ListEntries(ctx, filled+"1", p)
			return c, err
		},
		"owner": func(p store.Page) (string, error) {
			_, c, err := s.RotationsByOwner(ctx, "owner1@example.com", p)
			return c, err
		},
		"account": func(p store.Page) (string, error) {
			_, c, err := s.RotationsByAccount(ctx, "000000000111", p)
			return c, err
		},
	}
	made := map[string]string{}
	for _, name := range []string{"rotations", "due", "snapshots", "exemptions", "requests", "chains", "entries"} {
		c, err := lists[name](store.Page{Limit: 1})
		must(t, err)
		if c == "" {
			t.Fatalf("the first page of %s has no cursor", name)
		}
		made[name] = c
	}
	for name, list := range lists {
		garbage := []string{"x", " ", "!!!", "e30", "W10", "W251bGxd", "WyIiXQ", "WyIiLCIiXQ", "\x00", "日本語", "'; --", string(make([]byte, 100_000))}
		for other, c := range made {
			if own := made[name]; own != "" && other != name {
				garbage = append(garbage, c, own+c, own[1:], own+"A")
			}
		}
		for _, c := range garbage {
			if _, err := list(store.Page{After: c, Limit: 1}); !isCursor(err) {
				t.Errorf("%s after %.60q: %v, want %v", name, c, err, store.ErrCursor)
			}
		}
	}
}
