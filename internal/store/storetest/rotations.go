package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func testRotation(t *testing.T, s Store) {
	if _, err := s.GetRotation(t.Context(), "111/nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a rotation that is not there: %v", err)
	}
	r := Sample[rotation.Rotation]()
	r.Version, r.Episode = 0, 1
	saved := save(t, s, r)
	if saved.Version != 1 {
		t.Errorf("first version %d", saved.Version)
	}
	r.Version = 1
	same(t, "what the save returned", saved, r)
	same(t, "what is stored", stored(t, s, r.ID), r)

	bare := Rotation(1)
	bare.History, bare.NextAt, bare.Tags = []rotation.Entry{}, rotation.Rotation{}.NextAt, map[string]string{}
	saved = save(t, s, bare)
	same(t, "a bare one", stored(t, s, bare.ID), saved)
}

// testConditional saves stale, future and missing versions.
func testConditional(t *testing.T, s Store) {
	first := Rotation(1)
	ghost := first.Clone()
	ghost.Version = 3
	refused(t, s, ghost, store.ErrConflict)
	if _, err := s.GetRotation(t.Context(), first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused first save left something: %v", err)
	}

	one := save(t, s, first)
	two := save(t, s, Note(one, "second"))
	for _, v := range []int64{-1, 0, 1, 3, 99} {
		r := Note(two, "too late")
		r.Version, r.Owner, r.Account, r.NextAt, r.Old.ID = v, "thief@example.com", "999999999999", Noon.Add(-1), "AKIATHIEF"
		refused(t, s, r, store.ErrConflict)
	}
	same(t, "the stored rotation", stored(t, s, first.ID), two)
	if _, err := s.RotationByKey(t.Context(), "AKIATHIEF"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused save left its key: %v", err)
	}
	for _, f := range []store.Filter{{Owner: "thief@example.com"}, {Account: "999999999999"}} {
		if got, _, err := s.ListRotations(t.Context(), f, store.Page{}); err != nil || len(got) != 0 {
			t.Errorf("a refused save is listed under %+v: %v %v", f, idsOf(got), err)
		}
	}
	if due, _, err := s.Due(t.Context(), Noon.Add(-1), store.Page{}); err != nil || len(due) != 0 {
		t.Errorf("a refused save is due: %v %v", due, err)
	}
}

func refused(t *testing.T, s Store, r rotation.Rotation, want error) {
	t.Helper()
	got, err := s.SaveRotation(t.Context(), r)
	if !errors.Is(err, want) {
		t.Errorf("saving version %d, episode %d: %v, want %v", r.Version, r.Episode, err, want)
	}
	if got.ID != "" {
		t.Errorf("a refused save returned %v", got)
	}
}

// testOneWinner lets 50 save one version at a time, first as the first version, then over it, then as the next episode.
func testOneWinner(t *testing.T, s Store) {
	const savers = 50
	base := Rotation(1)
	for round := range 3 {
		if round == 2 {
			base.State = rotation.Closed
			base = save(t, s, base)
			base.State, base.Episode, base.History = rotation.Awaiting, 2, nil
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		won, errs := make([]rotation.Rotation, savers), make([]error, savers)
		for i := range savers {
			wg.Go(func() {
				<-start
				r := Note(base, fmt.Sprintf("round %d, saver %d", round, i))
				r.New = &rotation.NewKey{ID: rotation.KeyID(fmt.Sprintf("AKIANEW%d", i))}
				won[i], errs[i] = s.SaveRotation(t.Context(), r)
			})
		}
		close(start)
		wg.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("round %d: savers %d and %d both won", round, winner, i)
			case err == nil:
				winner = i
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("round %d: saver %d: %v", round, i, err)
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody won", round)
		}
		same(t, "the winner's rotation", stored(t, s, base.ID), won[winner])
		for i := range savers {
			_, err := s.RotationByKey(t.Context(), rotation.KeyID(fmt.Sprintf("AKIANEW%d", i)))
			if i == winner && err != nil || i != winner && !errors.Is(err, store.ErrNotFound) {
				// the key of a round before belongs to an archived episode or was replaced
				if round != 2 || err != nil {
					t.Errorf("round %d, winner %d: key of saver %d: %v", round, winner, i, err)
				}
			}
		}
		base = won[winner]
	}
	if eps, err := s.ListEpisodes(t.Context(), base.ID); err != nil || len(eps) != 1 {
		t.Errorf("%d episodes, %v; want the one that was closed", len(eps), err)
	}
}

// testNoLostUpdate lets several read, change and save one rotation until each has had its way.
func testNoLostUpdate(t *testing.T, s Store) {
	const workers, each = 4, 4
	id := save(t, s, Rotation(1)).ID
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				for {
					r, err := s.GetRotation(t.Context(), id)
					if err != nil {
						t.Error(err)
						return
					}
					_, err = s.SaveRotation(t.Context(), Note(r, fmt.Sprintf("%d/%d", w, i)))
					if err == nil {
						break
					}
					if !errors.Is(err, store.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	r := stored(t, s, id)
	if len(r.History) != 1+workers*each || r.Version != 1+workers*each {
		t.Errorf("%d lines of history at version %d, want %d", len(r.History), r.Version, 1+workers*each)
	}
}

func testHistory(t *testing.T, s Store) {
	r := save(t, s, Note(Note(Rotation(1), "second"), "third"))
	for name, change := range map[string]func(*rotation.Rotation){
		"cut":       func(r *rotation.Rotation) { r.History = r.History[:2] },
		"emptied":   func(r *rotation.Rotation) { r.History = nil },
		"headless":  func(r *rotation.Rotation) { r.History = r.History[1:] },
		"reordered": func(r *rotation.Rotation) { r.History[0], r.History[1] = r.History[1], r.History[0] },
		"note":      func(r *rotation.Rotation) { r.History[1].Note = "nothing happened" },
		"actor":     func(r *rotation.Rotation) { r.History[2].Actor.Name = "somebody else" },
		"time":      func(r *rotation.Rotation) { r.History[0].At = r.History[0].At.Add(1) },
		"hash":      func(r *rotation.Rotation) { r.History[0].Hash += "0" },
		"replaced": func(r *rotation.Rotation) {
			r.History = Note(rotation.Rotation{History: r.History[:2]}, "other").History
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := r.Clone()
			change(&c)
			refused(t, s, c, store.ErrHistory)
			same(t, "the stored rotation", stored(t, s, r.ID), r)
		})
	}
	stale := r.Clone()
	stale.Version, stale.History = 0, nil
	refused(t, s, stale, store.ErrConflict) // who is late reads again: that comes first
	saved := save(t, s, r)                  // the same history: nothing happened that is worth a line
	save(t, s, Note(Note(saved, "fourth"), "fifth"))
}

func closed(r rotation.Rotation) rotation.Rotation {
	r = Note(r, "closed")
	r.State, r.Outcome, r.ClosedAt = rotation.Closed, rotation.OutcomeRotated, Noon
	return r
}

// reopen is the next episode of a closed rotation, with another key.
func reopen(r rotation.Rotation, key rotation.KeyID) rotation.Rotation {
	next := Rotation(0)
	next.ID, next.Account, next.UserID, next.Owner = r.ID, r.Account, r.UserID, r.Owner
	next.Episode, next.Version, next.Old.ID = r.Episode+1, r.Version, key
	return next
}

func testEpisodes(t *testing.T, s Store) {
	if got, err := s.ListEpisodes(t.Context(), "111/nobody"); err != nil || len(got) != 0 {
		t.Errorf("episodes of nobody: %v %v", got, err)
	}
	r := save(t, s, Rotation(1))
	refused(t, s, reopen(r, "AKIAOVER"), store.ErrEpisode) // over an open one
	same(t, "the open rotation", stored(t, s, r.ID), r)

	r = save(t, s, closed(r))
	for _, episode := range []int{-1, 0, 3, 7} {
		next := reopen(r, "AKIASKIP")
		next.Episode = episode
		refused(t, s, next, store.ErrEpisode)
	}
	same(t, "the closed rotation", stored(t, s, r.ID), r)
	if got, err := s.ListEpisodes(t.Context(), r.ID); err != nil || len(got) != 0 {
		t.Errorf("the present rotation is among the episodes: %v %v", got, err)
	}
	stale := reopen(r, "AKIALATE")
	stale.Version--
	refused(t, s, stale, store.ErrConflict)

	var want []rotation.Rotation
	for i := range 12 { // two digits: newest first is by number
		want = append([]rotation.Rotation{r}, want...)
		next := save(t, s, reopen(r, rotation.KeyID(fmt.Sprintf("AKIAEPISODE%02d", i))))
		if next.Version != r.Version+1 || next.Episode != r.Episode+1 {
			t.Errorf("episode %d at version %d after episode %d at version %d", next.Episode, next.Version, r.Episode, r.Version)
		}
		r = save(t, s, closed(next))
	}
	got, err := s.ListEpisodes(t.Context(), r.ID)
	must(t, err)
	same(t, "the episodes", got, want)
	same(t, "the present rotation", stored(t, s, r.ID), r)
	other := save(t, s, Rotation(2))
	if got, err := s.ListEpisodes(t.Context(), other.ID); err != nil || len(got) != 0 {
		t.Errorf("episodes of another user: %v %v", got, err)
	}
	list, err := all(2, func(p store.Page) ([]rotation.Rotation, string, error) {
		return s.ListRotations(t.Context(), store.Filter{}, p)
	}, nil)
	must(t, err)
	if len(list) != 2 {
		t.Errorf("past episodes are listed as present: %v", idsOf(list))
	}
	if due, _, err := s.Due(t.Context(), Noon.Add(1), store.Page{}); err != nil || len(due) != 2 {
		t.Errorf("due: %v %v", due, err)
	}
}
