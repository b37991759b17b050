package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func testSnapshots(t *testing.T, s Store) {
	ctx := t.Context()
	if _, err := s.GetSnapshot(ctx, "000000000000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a snapshot that is not there: %v", err)
	}
	want := []rotation.Snapshot{snapshot(1, 3), Sample[rotation.Snapshot](), snapshot(3, 5000)}
	for i := range want[1].Users {
		want[1].Users[i].Account = want[1].Account
	}
	for _, one := range want {
		must(t, s.SaveSnapshot(ctx, snapshotWithout(one)))
		got, err := s.GetSnapshot(ctx, one.Account)
		must(t, err)
		if !reflect.DeepEqual(got, one) { // cmp takes seconds for the largest
			t.Errorf("the snapshot of %s differs", one.Account)
		}
	}
	got, err := all(1, func(p store.Page) ([]rotation.Snapshot, string, error) { return s.ListSnapshots(ctx, p) }, nil)
	must(t, err)
	if len(got) != len(want) {
		t.Fatalf("%d snapshots listed", len(got))
	}
	for _, one := range got {
		for _, w := range want {
			if w.Account == one.Account && !reflect.DeepEqual(one, w) {
				t.Errorf("the listed snapshot of %s differs", one.Account)
			}
		}
	}
	small := snapshot(3, 2)
	must(t, s.SaveSnapshot(ctx, small))
	smaller, err := s.GetSnapshot(ctx, small.Account)
	must(t, err)
	same(t, "the replaced snapshot", smaller, small)
}

// snapshotWithout takes the accounts off the users: they are of the snapshot, whatever the caller says.
func snapshotWithout(s rotation.Snapshot) rotation.Snapshot {
	users := append([]rotation.User(nil), s.Users...)
	for i := range users {
		users[i].Account = "999999999999"
	}
	s.Users = users
	return s
}

// testDecision reads a rotation together with the exemption of its user.
func testDecision(t *testing.T, s Store) {
	ctx := t.Context()
	r := Rotation(1)
	if _, _, err := s.GetForDecision(ctx, r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a rotation that is not there: %v", err)
	}
	read := func(what string, want rotation.Rotation, exempt rotation.Exemption) {
		t.Helper()
		got, e, err := s.GetForDecision(ctx, want.ID)
		must(t, err)
		same(t, what, got, want)
		same(t, what+": the exemption", e, exempt)
	}
	e := exemption(1)
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, e))
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, exemption(4)))
	if _, _, err := s.GetForDecision(ctx, r.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an exemption without a rotation: %v", err)
	}
	r = save(t, s, r)
	read("with an exemption", r, e)
	must(t, s.DeleteExemption(ctx, e.Account, e.UserID))
	read("without one", r, rotation.Exemption{})
	for i := range 120 { // a history that may lie in several places
		r = save(t, s, Note(r, fmt.Sprint(i, strings.Repeat(" long", 200))))
	}
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, e))
	read("with a long history", r, e)
	r = save(t, s, Note(r, "what a save after it continues"))
	read("after another save", r, e)
	odd := Rotation(2)
	odd.ID, odd.Account, odd.UserID = "an ID that names nobody", "000000000007", "AIDAODD"
	odd = save(t, s, odd)
	of := exemption(2)
	of.Account, of.UserID = odd.Account, odd.UserID
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, of))
	read("with an odd ID", odd, of)
}

func testExemptions(t *testing.T, s Store) {
	ctx := t.Context()
	e := Sample[rotation.Exemption]()
	if _, err := s.GetExemption(ctx, e.Account, e.UserID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an exemption that is not there: %v", err)
	}
	must(t, s.DeleteExemption(ctx, e.Account, e.UserID))
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, e))
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, exemption(1)))
	got, err := s.GetExemption(ctx, e.Account, e.UserID)
	must(t, err)
	same(t, "the exemption", got, e)

	was := e
	e.Why, e.Until = "longer", e.Until.Add(time.Hour)
	must(t, s.SaveExemption(ctx, was, e))
	for what, before := range map[string]rotation.Exemption{"the one before": was, "none": {}} { // somebody else was faster
		if err := s.SaveExemption(ctx, before, was); !errors.Is(err, store.ErrConflict) {
			t.Errorf("in the place of %s: %v", what, err)
		}
	}
	elsewhere := exemption(9)
	if err := s.SaveExemption(ctx, elsewhere, elsewhere); !errors.Is(err, store.ErrConflict) {
		t.Errorf("in the place of one that is gone: %v", err)
	}
	got, err = s.GetExemption(ctx, e.Account, e.UserID)
	must(t, err)
	same(t, "the replaced exemption", got, e)
	list := func(a rotation.AccountID) int {
		got, err := all(1, func(p store.Page) ([]rotation.Exemption, string, error) { return s.ListExemptions(ctx, a, p) }, nil)
		must(t, err)
		return len(got)
	}
	if a, b, c := list(""), list(e.Account), list("nowhere"); a != 2 || b != 1 || c != 0 {
		t.Errorf("%d, %d and %d exemptions listed", a, b, c)
	}
	must(t, s.DeleteExemption(ctx, e.Account, exemption(1).UserID)) // of another user
	must(t, s.DeleteExemption(ctx, exemption(1).Account, e.UserID))
	if n := list(""); n != 2 {
		t.Errorf("deleting what is not there left %d", n)
	}
	must(t, s.DeleteExemption(ctx, e.Account, e.UserID))
	if _, err := s.GetExemption(ctx, e.Account, e.UserID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a deleted exemption: %v", err)
	}
}

func testRequests(t *testing.T, s Store) {
	ctx := t.Context()
	list := func() []rotation.Request {
		got, err := all(1, func(p store.Page) ([]rotation.Request, string, error) { return s.ListRequests(ctx, p) }, nil)
		must(t, err)
		return got
	}
	q := Sample[rotation.Request]()
	must(t, s.DeleteRequest(ctx, q))
	must(t, s.SaveRequest(ctx, q))
	same(t, "the requests", list(), []rotation.Request{q})

	later := q
	later.At, later.Why = q.At.Add(1), "again"
	must(t, s.SaveRequest(ctx, later))
	same(t, "one request for a user", list(), []rotation.Request{later})
	must(t, s.DeleteRequest(ctx, q))
	same(t, "a later request stays", list(), []rotation.Request{later})

	other := later // made at the same time, by a clock that stands
	other.By = rotation.Actor{ID: "U0OTHER", Via: rotation.ViaSlack}
	must(t, s.SaveRequest(ctx, other))
	must(t, s.DeleteRequest(ctx, later))
	same(t, "another person's request stays", list(), []rotation.Request{other})
	for _, key := range []rotation.KeyID{"AKIAANOTHERLEAKEDKEY", ""} { // a leak is not lost to another, nor to a wish
		wish := other
		wish.Leaked = key
		if err := s.SaveRequest(ctx, wish); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a request for %q in the place of a leak: %v", key, err)
		}
	}
	same(t, "the leak stays", list(), []rotation.Request{other})
	elsewhere := other
	elsewhere.At = other.At.In(time.FixedZone("", 3600)) // the same instant
	must(t, s.DeleteRequest(ctx, elsewhere))
	if got := list(); len(got) != 0 {
		t.Errorf("a served request stays: %v", got)
	}
	must(t, s.DeleteRequest(ctx, other))
}

func testState(t *testing.T, s Store) {
	ctx := t.Context()
	get := func(name, want string) {
		t.Helper()
		if got, err := s.GetState(ctx, name); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	get("scanned", "")
	for _, v := range append([]string{"2026-03-01", "2026-03-02"}, hostile...) {
		must(t, s.SetState(ctx, "scanned", v))
		get("scanned", v)
		get("Scanned", "")
	}
	must(t, s.SetState(ctx, "other", "value"))
	get("other", "value")
}

// testMemory changes what was given and what was returned.
func testMemory(t *testing.T, s Store) {
	ctx := t.Context()
	r := Sample[rotation.Rotation]()
	r.Version, r.Episode = 0, 1
	given := r.Clone()
	spoil := func(r rotation.Rotation) {
		r.Tags["spoilt"], r.History[0].Note, r.New.ID, r.Journal.KeyIDs[0], r.Approvals[0].Digest = "x", "x", "x", "x", "x"
	}
	saved := save(t, s, given)
	want := saved.Clone()
	spoil(given)
	same(t, "what the save returned, after its argument changed", saved, want)
	same(t, "what is stored, after the argument changed", stored(t, s, r.ID), want)
	spoil(saved)
	spoil(stored(t, s, r.ID))
	same(t, "what is stored, after what was returned changed", stored(t, s, r.ID), want)
	got, _, err := s.ListRotations(ctx, store.Filter{}, store.Page{})
	must(t, err)
	spoil(got[0])
	same(t, "what is stored, after a list changed", stored(t, s, r.ID), want)

	snap := snapshot(1, 1)
	must(t, s.SaveSnapshot(ctx, snap))
	snap.Users[0].Name, snap.Users[0].Tags["owner"] = "spoilt", "spoilt"
	again, err := s.GetSnapshot(ctx, snap.Account)
	must(t, err)
	same(t, "the snapshot", again, snapshot(1, 1))
}

// testHostile puts text that breaks what does not quote into everything that is found by.
func testHostile(t *testing.T, s Store) {
	ctx := t.Context()
	for i, text := range hostile {
		r := Rotation(i)
		r.Owner, r.UserName, r.Old.ID, r.Tags = text, rotation.UserName(text), rotation.KeyID(text), map[string]string{text: text}
		if text != "" {
			r.ID, r.Account, r.UserID = rotation.ID("id"+text), rotation.AccountID("account"+text), rotation.UserID(text)
		}
		r = save(t, s, Note(r, text))
		same(t, text, stored(t, s, r.ID), r)
		must(t, s.SetState(ctx, "name"+text, text))
		if v, err := s.GetState(ctx, "name"+text); err != nil || v != text {
			t.Errorf("state of %q: %q %v", text, v, err)
		}
		if text == "" {
			continue
		}
		same(t, text, byKey(t, s, r.Old.ID), r)
		for _, f := range []store.Filter{{Owner: text}, {Account: r.Account}} {
			got, _, err := s.ListRotations(ctx, f, store.Page{})
			must(t, err)
			same(t, text, got, []rotation.Rotation{r})
		}
		e, q, n := exemption(i), request(i), snapshot(i, 1)
		e.Account, e.UserID, q.Account, q.UserID, n.Account, n.Users = r.Account, r.UserID, r.Account, r.UserID, r.Account, nil
		must(t, s.SaveExemption(ctx, rotation.Exemption{}, e))
		must(t, s.SaveRequest(ctx, q))
		must(t, s.SaveSnapshot(ctx, n))
		got, err := s.GetExemption(ctx, e.Account, e.UserID)
		must(t, err)
		same(t, text, got, e)
	}
	for _, l := range every(t, s)[:2] { // cursors carry the names
		if got, err := all(1, l.list, nil); err != nil || len(got) != len(hostile) {
			t.Errorf("%s: %d of %d, %v", l.name, len(got), len(hostile), err)
		}
	}
	for _, l := range every(t, s) {
		switch l.name {
		case "due", "exemptions", "requests", "snapshots":
			if got, err := all(1, l.list, nil); err != nil || len(got) < len(hostile)-1 {
				t.Errorf("%s: %d of %d, %v", l.name, len(got), len(hostile), err)
			}
		}
	}
}

// testUnnamed saves what could not be found again.
func testUnnamed(t *testing.T, s Store) {
	ctx := t.Context()
	r, e, q, n := Rotation(1), exemption(1), request(1), snapshot(1, 0)
	r.ID, e.UserID, q.Account, n.Account = "", "", "", ""
	_, err := s.SaveRotation(ctx, r)
	for name, err := range map[string]error{
		"rotation": err, "exemption": s.SaveExemption(ctx, rotation.Exemption{}, e), "request": s.SaveRequest(ctx, q), "snapshot": s.SaveSnapshot(ctx, n),
	} {
		if !errors.Is(err, store.ErrUnnamed) {
			t.Errorf("a %s without a name: %v", name, err)
		}
	}
}

// testEnded calls with a context that has ended.
func testEnded(t *testing.T, s Store) {
	r := save(t, s, Rotation(1))
	must(t, s.SaveExemption(t.Context(), rotation.Exemption{}, exemption(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, get := s.GetRotation(ctx, r.ID)
	_, saved := s.SaveRotation(ctx, Note(r, "late"))
	_, key := s.RotationByKey(ctx, r.Old.ID)
	_, _, list := s.ListRotations(ctx, store.Filter{}, store.Page{})
	_, _, due := s.Due(ctx, Noon, store.Page{})
	_, last := s.LastEntry(ctx, "chain")
	_, _, chains := s.ListChains(ctx, store.Page{})
	_, _, entries := s.ListEntries(ctx, "chain", store.Page{})
	for name, err := range map[string]error{
		"get": get, "save": saved, "key": key, "list": list, "due": due, "snapshot": s.SaveSnapshot(ctx, snapshot(1, 0)),
		"entry": s.AppendEntry(ctx, "chain", Entry(nil, "late")), "last entry": last, "chains": chains, "entries": entries,
		"exemption": s.DeleteExemption(ctx, r.Account, r.UserID), "request": s.SaveRequest(ctx, request(1)), "state": s.SetState(ctx, "a", "b"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v", name, err)
		}
	}
	same(t, "the stored rotation", stored(t, s, r.ID), r)
	if got := chainsOf(t, s, 0); len(got) != 0 {
		t.Errorf("chains: %v", got)
	}
	if _, err := s.GetExemption(t.Context(), r.Account, r.UserID); err != nil {
		t.Errorf("the exemption: %v", err)
	}
}
