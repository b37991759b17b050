package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func isCursor(err error) bool { return errors.Is(err, store.ErrCursor) }

// paged is one list of a store, by the names of its entries.
type paged struct {
	name string
	list func(store.Page) ([]string, string, error)
}

func named[T any](name string, list func(store.Page) ([]T, string, error), key func(T) string) paged {
	return paged{name, func(p store.Page) ([]string, string, error) {
		some, next, err := list(p)
		var out []string
		for _, v := range some {
			out = append(out, key(v))
		}
		return out, next, err
	}}
}

func rotationKey(r rotation.Rotation) string   { return string(r.ID) }
func exemptionKey(e rotation.Exemption) string { return string(e.Account) + "/" + string(e.UserID) }
func requestKey(q rotation.Request) string     { return string(q.Account) + "/" + string(q.UserID) }
func snapshotKey(s rotation.Snapshot) string   { return string(s.Account) }

// every returns every list of a store. Those that are narrowed see the entries of account 111 and owner 0.
func every(t *testing.T, s Store) []paged {
	ctx := t.Context()
	rotations := func(f store.Filter) func(store.Page) ([]rotation.Rotation, string, error) {
		return func(p store.Page) ([]rotation.Rotation, string, error) { return s.ListRotations(ctx, f, p) }
	}
	exemptions := func(a rotation.AccountID) func(store.Page) ([]rotation.Exemption, string, error) {
		return func(p store.Page) ([]rotation.Exemption, string, error) { return s.ListExemptions(ctx, a, p) }
	}
	return []paged{
		named("rotations", rotations(store.Filter{}), rotationKey),
		named("open rotations", rotations(store.Filter{OpenOnly: true}), rotationKey),
		named("rotations of a state", rotations(store.Filter{States: []rotation.State{rotation.Awaiting, rotation.Installing}}), rotationKey),
		named("rotations of an owner", func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByOwner(ctx, "owner0@example.com", p)
		}, rotationKey),
		named("rotations of an account", func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByAccount(ctx, "000000000111", p)
		}, rotationKey),
		named("due", func(p store.Page) ([]rotation.ID, string, error) { return s.Due(ctx, Noon, p) }, func(id rotation.ID) string { return string(id) }),
		named("exemptions", exemptions(""), exemptionKey),
		named("exemptions of an account", exemptions("000000000111"), exemptionKey),
		named("requests", func(p store.Page) ([]rotation.Request, string, error) { return s.ListRequests(ctx, p) }, requestKey),
		named("snapshots", func(p store.Page) ([]rotation.Snapshot, string, error) { return s.ListSnapshots(ctx, p) }, snapshotKey),
		named("chains", func(p store.Page) ([]string, string, error) { return s.ListChains(ctx, p) }, func(name string) string { return name }),
		named("entries", func(p store.Page) ([]rotation.Entry, string, error) { return s.ListEntries(ctx, filled, p) }, func(e rotation.Entry) string { return e.Note }),
	}
}

// once checks that the entries of the list that are expected come once, and no other comes twice.
func once(t *testing.T, name string, got []string, want map[string]bool) {
	t.Helper()
	seen := map[string]int{}
	for _, k := range got {
		seen[k]++
		if seen[k] > 1 {
			t.Errorf("%s: %s comes %d times", name, k, seen[k])
		}
	}
	for k := range want {
		if seen[k] == 0 {
			t.Errorf("%s: %s is lost", name, k)
		}
	}
}

// filled is the chain of which fill makes one entry more for each number.
const filled = "chain"

// fill saves entries of every kind under the numbers from, from+step, ... below to.
func fill(t *testing.T, s Store, from, to, step int) {
	t.Helper()
	for i := from; i < to; i += step {
		r := Rotation(i)
		r.NextAt = Noon.Add(-time.Duration(i/4) * time.Second) // several at one time
		save(t, s, r)
		must(t, s.SaveExemption(t.Context(), rotation.Exemption{}, exemption(i)))
		must(t, s.SaveRequest(t.Context(), request(i)))
		must(t, s.SaveSnapshot(t.Context(), snapshot(i, 0)))
		appendTo(t, s, filled, fmt.Sprint("entry ", i))
		if i > 0 { // as many chains as there is of the others
			appendTo(t, s, fmt.Sprint(filled, i), "first")
		}
	}
}

func testPaging(t *testing.T, s Store) {
	for _, l := range every(t, s) {
		if got, err := all(3, l.list, nil); err != nil || len(got) != 0 {
			t.Errorf("%s of an empty store: %v %v", l.name, got, err)
		}
	}
	fill(t, s, 0, 15, 1)
	for _, l := range every(t, s) {
		n := 15
		if l.name == "rotations of an owner" || l.name == "rotations of an account" || l.name == "exemptions of an account" {
			n = 5
		}
		for _, limit := range append([]int{-1, 5, 14, 15, 16, store.MaxPage + 1}, limits...) {
			got, err := all(limit, l.list, nil)
			if err != nil || len(got) != n {
				t.Fatalf("%s in pages of %d: %d of %d, %v", l.name, limit, len(got), n, err)
			}
			once(t, l.name, got, nil)
		}
	}
}

// testPagingWrites reads every list while its entries are added, changed and removed between pages.
func testPagingWrites(t *testing.T, s Store) {
	const stay = 8 // the even numbers below it stay as they are; odd ones change
	fill(t, s, 0, stay, 1)
	next := stay
	for _, l := range every(t, s) {
		before, err := all(0, l.list, nil)
		must(t, err)
		change := 1
		want := map[string]bool{}
		for _, k := range before {
			want[k] = true
		}
		got, err := all(3, l.list, func([]string) {
			r := stored(t, s, Rotation(change).ID)
			r.NextAt, r.Owner, r.State = Noon.Add(time.Hour), "moved@example.com", rotation.Closed
			save(t, s, r)
			must(t, s.DeleteExemption(t.Context(), r.Account, r.UserID))
			must(t, s.DeleteRequest(t.Context(), request(change)))
			must(t, s.SaveSnapshot(t.Context(), snapshot(change, 1)))
			for _, k := range []string{string(r.ID), string(snapshot(change, 0).Account)} {
				delete(want, k)
			}
			change = (change + 2) % stay
			fill(t, s, next, next+1, 1)
			next++
		})
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		once(t, l.name, got, want)
		for i := 1; i < stay; i += 2 { // as it was
			r := stored(t, s, Rotation(i).ID)
			r.NextAt, r.Owner, r.State = Noon, Rotation(i).Owner, rotation.Awaiting
			save(t, s, r)
			before, err := s.GetExemption(t.Context(), exemption(i).Account, exemption(i).UserID)
			if !errors.Is(err, store.ErrNotFound) {
				must(t, err)
			}
			must(t, s.SaveExemption(t.Context(), before, exemption(i)))
			must(t, s.SaveRequest(t.Context(), request(i)))
		}
	}
}

func exemption(n int) rotation.Exemption {
	r := Rotation(n)
	return rotation.Exemption{
		Account: r.Account, UserID: r.UserID, UserName: r.UserName, By: rotation.System, Why: fmt.Sprint("because ", n), From: Noon, Until: Noon.Add(time.Hour),
	}
}

func request(n int) rotation.Request {
	r := Rotation(n)
	return rotation.Request{Account: r.Account, UserID: r.UserID, UserName: r.UserName, By: rotation.System, Why: fmt.Sprint("because ", n), At: Noon}
}

// snapshot is of an account of its own for every n.
func snapshot(n, users int) rotation.Snapshot {
	s := rotation.Snapshot{Account: rotation.AccountID(fmt.Sprintf("2%011d", n)), Name: fmt.Sprint("account ", n), Taken: Noon, Tried: Noon}
	for i := range users {
		s.Users = append(s.Users, rotation.User{
			Account: s.Account, ID: rotation.UserID(fmt.Sprintf("AIDA%06d", i)), Name: rotation.UserName(fmt.Sprint("user-", i)), Path: "/team/",
			ARN: fmt.Sprint("arn:aws:iam::", s.Account, ":user/team/user-", i), Tags: map[string]string{"owner": "somebody@example.com"},
			Keys: []rotation.Key{{ID: rotation.KeyID(fmt.Sprintf("AKIA%016d", i)), Status: rotation.Active, Created: Noon}}, Row: "row",
		})
	}
	return s
}
