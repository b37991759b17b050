package storetest

import (
	"errors"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func byKey(t *testing.T, s Store, key rotation.KeyID) rotation.Rotation {
	t.Helper()
	r, err := s.RotationByKey(t.Context(), key)
	if err != nil {
		t.Errorf("rotation of %s: %v", key, err)
	}
	return r
}

func noKey(t *testing.T, s Store, key rotation.KeyID) {
	t.Helper()
	if r, err := s.RotationByKey(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("rotation of %q: %s %v, want none", key, r.ID, err)
	}
}

func testByKey(t *testing.T, s Store) {
	noKey(t, s, "AKIANOBODY")
	noKey(t, s, "")
	r := Rotation(1)
	r.Old.ID = "AKIAOLD"
	r.New = &rotation.NewKey{ID: "AKIANEW"}
	r.Evict, r.Other = &rotation.KeyRef{ID: "AKIAEVICT"}, &rotation.KeyRef{ID: "AKIAOTHER"}
	r.Journal = &rotation.Journal{NewKey: "AKIAJOURNAL", LostKey: "AKIALOST"}
	save(t, s, Rotation(2))
	r = save(t, s, r)
	all := []rotation.KeyID{"AKIAOLD", "AKIANEW", "AKIAEVICT", "AKIAOTHER", "AKIAJOURNAL", "AKIALOST"}
	for _, k := range all {
		same(t, string(k), byKey(t, s, k), r)
	}
	noKey(t, s, "akiaold")
	noKey(t, s, "AKIAOL")
	noKey(t, s, "AKIAOL%")

	// A key that a later save no longer names is not found by it, and one key in two places is found once.
	r.Evict, r.Other, r.Journal, r.New.ID = nil, &rotation.KeyRef{ID: "AKIAOLD"}, &rotation.Journal{NewKey: "AKIANEW2"}, "AKIANEW2"
	r = save(t, s, r)
	for _, k := range []rotation.KeyID{"AKIAOLD", "AKIANEW2"} {
		same(t, string(k), byKey(t, s, k), r)
	}
	for _, k := range []rotation.KeyID{"AKIANEW", "AKIAEVICT", "AKIAOTHER", "AKIAJOURNAL", "AKIALOST", ""} {
		noKey(t, s, k)
	}
}

// testByKeyEpisodes: a new key of one episode is the old key of the next; and two users' rotations that name one key.
func testByKeyEpisodes(t *testing.T, s Store) {
	r := Rotation(1)
	r.Old.ID, r.New = "AKIA1", &rotation.NewKey{ID: "AKIA2"}
	first := save(t, s, closed(save(t, s, r)))
	same(t, "of the closed one", byKey(t, s, "AKIA2"), first)

	next := reopen(first, "AKIA2")
	next.New = &rotation.NewKey{ID: "AKIA3"}
	second := save(t, s, next)
	same(t, "archived", byKey(t, s, "AKIA1"), first)
	same(t, "present before archived", byKey(t, s, "AKIA2"), second)
	same(t, "present", byKey(t, s, "AKIA3"), second)

	second = save(t, s, closed(second))
	same(t, "a closed present one before archived", byKey(t, s, "AKIA2"), second)
	third := save(t, s, reopen(second, "AKIA4"))
	same(t, "the newest of the archived", byKey(t, s, "AKIA2"), second)
	same(t, "the oldest, where only it names the key", byKey(t, s, "AKIA1"), first)
	same(t, "present", byKey(t, s, "AKIA4"), third)

	// The rotation of a user who was made again names a key that another's names, too.
	for i, ids := range [][2]int{{10, 11}, {13, 12}} {
		shut, open := Rotation(ids[0]), Rotation(ids[1])
		key := rotation.KeyID([]string{"AKIAX", "AKIAY"}[i])
		shut.Old.ID, open.Old.ID = key, key
		save(t, s, closed(save(t, s, shut)))
		open = save(t, s, open)
		same(t, "open before closed", byKey(t, s, key), open)
	}
}
