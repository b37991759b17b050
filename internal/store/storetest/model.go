package storetest

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// model is a store as the contract describes it, in memory and without indexes.
type model struct {
	present    map[rotation.ID]rotation.Rotation
	episodes   map[rotation.ID][]rotation.Rotation // the newest first
	exemptions map[string]rotation.Exemption
	requests   map[string]rotation.Request
	snapshots  map[string]rotation.Snapshot
	state      map[string]string
	chains     map[string][]rotation.Entry
}

func (m *model) save(r rotation.Rotation) error {
	old, ok := m.present[r.ID]
	switch {
	case old.Version != r.Version: // 0 if there is none
		return store.ErrConflict
	case ok && r.Episode == old.Episode:
		if len(r.History) < len(old.History) || !cmp.Equal(r.History[:len(old.History)], old.History) {
			return store.ErrHistory
		}
	case ok && (old.Open() || r.Episode != old.Episode+1):
		return store.ErrEpisode
	case ok:
		m.episodes[r.ID] = append([]rotation.Rotation{old}, m.episodes[r.ID]...)
	}
	r = r.Clone()
	r.Version++
	m.present[r.ID] = r
	return nil
}

func names(r rotation.Rotation, key rotation.KeyID) bool {
	j := r.Journal
	return r.Old.ID == key || r.New != nil && r.New.ID == key || r.Evict != nil && r.Evict.ID == key ||
		r.Other != nil && r.Other.ID == key || j != nil && (j.NewKey == key || j.LostKey == key)
}

// byKey: no two users of the model share a key.
func (m *model) byKey(key rotation.KeyID) (rotation.Rotation, bool) {
	for id, r := range m.present {
		for _, r := range append([]rotation.Rotation{r}, m.episodes[id]...) {
			if names(r, key) {
				return r, true
			}
		}
	}
	return rotation.Rotation{}, false
}

var (
	modelUsers  = rapid.IntRange(0, 4)
	modelOwners = rapid.SampledFrom([]string{"", "a@example.com", "b@example.com", "U0OWNER"})
	modelTimes  = rapid.SampledFrom([]time.Time{{}, Noon, Noon.Add(1), Noon.Add(-time.Hour), Noon.Add(time.Hour)})
	modelStates = rapid.SampledFrom(append([]rotation.State{rotation.Closed, rotation.Closed}, rotation.States...))
)

func modelKey(t *rapid.T, user int) rotation.KeyID {
	return rotation.KeyID(fmt.Sprintf("AKIA%d-%d", user, rapid.IntRange(0, 3).Draw(t, "key")))
}

// next draws what somebody may try to save over the present rotation of a user.
func (m *model) next(t *rapid.T) rotation.Rotation {
	n := modelUsers.Draw(t, "user")
	r := Rotation(n)
	if old, ok := m.present[r.ID]; ok {
		r = old.Clone()
		if !old.Open() && maybe.Draw(t, "reopen") {
			r.Episode, r.History = old.Episode+1, nil
		}
	}
	r.Owner, r.NextAt, r.State = modelOwners.Draw(t, "owner"), modelTimes.Draw(t, "next at"), modelStates.Draw(t, "state")
	r.Old.ID, r.New, r.Evict, r.Other, r.Journal = modelKey(t, n), nil, nil, nil, nil
	switch rapid.IntRange(0, 4).Draw(t, "more keys") {
	case 0:
		r.New = &rotation.NewKey{ID: modelKey(t, n)}
	case 1:
		r.Evict, r.Other = &rotation.KeyRef{ID: modelKey(t, n)}, &rotation.KeyRef{ID: modelKey(t, n)}
	case 2:
		r.Journal = &rotation.Journal{NewKey: modelKey(t, n), LostKey: modelKey(t, n)}
	}
	r = Note(r, texts.Draw(t, "note"))
	switch rapid.IntRange(0, 9).Draw(t, "mistake") {
	case 0:
		r.Version += int64(rapid.IntRange(-2, 2).Draw(t, "version"))
	case 1:
		r.Episode += rapid.IntRange(-1, 2).Draw(t, "episode")
	case 2:
		r.History = r.History[rapid.IntRange(0, 1).Draw(t, "cut"):]
	}
	return r
}

// testModel does random things to a store and to the model, and compares what they say.
func testModel(t *testing.T, open func(t *testing.T) Store) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		must(t, f.Value.Set("15"))    // each opens a store
		defer f.Value.Set(f.DefValue) //nolint:errcheck // it was its value before
	}
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		defer s.Close() //nolint:errcheck // the suite's other tests look at it
		m := &model{
			present: map[rotation.ID]rotation.Rotation{}, episodes: map[rotation.ID][]rotation.Rotation{}, exemptions: map[string]rotation.Exemption{},
			requests: map[string]rotation.Request{}, snapshots: map[string]rotation.Snapshot{}, state: map[string]string{},
			chains: map[string][]rotation.Entry{},
		}
		ok := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		equal := func(what string, got, want any) {
			if d := cmp.Diff(want, got, Equal); d != "" {
				rt.Fatalf("%s differs (-model +store):\n%s", what, d)
			}
		}
		saveOne := func(rt *rapid.T) {
			r := m.next(rt)
			want := m.save(r)
			got, err := s.SaveRotation(ctx, r)
			if !errors.Is(err, want) {
				rt.Fatalf("save version %d of episode %d of %s: %v, the model says %v", r.Version, r.Episode, r.ID, err, want)
			}
			if want == nil {
				equal("what was saved", got, m.present[r.ID])
			}
			got, err = s.GetRotation(ctx, r.ID)
			if _, there := m.present[r.ID]; there {
				ok(err)
			} else if !errors.Is(err, store.ErrNotFound) {
				rt.Fatalf("get %s: %v", r.ID, err)
			}
			equal("what is stored", got, m.present[r.ID])
		}
		rt.Repeat(map[string]func(*rapid.T){
			"save": saveOne, "save more": saveOne, "save still more": saveOne,
			"list": func(rt *rapid.T) {
				f := store.Filter{OpenOnly: maybe.Draw(rt, "open"), Owner: modelOwners.Draw(rt, "owner")}
				if maybe.Draw(rt, "by account") {
					f.Account = Rotation(modelUsers.Draw(rt, "user")).Account
				}
				if maybe.Draw(rt, "by state") {
					f.States = []rotation.State{modelStates.Draw(rt, "state"), modelStates.Draw(rt, "state")}
				}
				got, err := all(rapid.IntRange(1, 4).Draw(rt, "limit"), func(p store.Page) ([]rotation.Rotation, string, error) { return s.ListRotations(ctx, f, p) }, nil)
				ok(err)
				want := slices.DeleteFunc(slices.Collect(maps.Values(m.present)), func(r rotation.Rotation) bool { return !passes(f, r) })
				equal("the list", byID(got), byID(want))
			},
			"due": func(rt *rapid.T) {
				now := modelTimes.Draw(rt, "now")
				got, err := all(rapid.IntRange(1, 4).Draw(rt, "limit"), func(p store.Page) ([]rotation.ID, string, error) { return s.Due(ctx, now, p) }, nil)
				ok(err)
				for i := 1; i < len(got); i++ {
					if m.present[got[i]].NextAt.Before(m.present[got[i-1]].NextAt) {
						rt.Fatalf("due out of order: %v", got)
					}
				}
				var want []rotation.ID
				for id, r := range m.present {
					if !r.NextAt.IsZero() && !r.NextAt.After(now) {
						want = append(want, id)
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				equal("what is due", got, want)
			},
			"key": func(rt *rapid.T) {
				key := modelKey(rt, modelUsers.Draw(rt, "user"))
				got, err := s.RotationByKey(ctx, key)
				want, there := m.byKey(key)
				if there {
					ok(err)
				} else if !errors.Is(err, store.ErrNotFound) {
					rt.Fatalf("key %s: %v", key, err)
				}
				equal("the rotation of "+string(key), got, want)
			},
			"episodes": func(rt *rapid.T) {
				id := Rotation(modelUsers.Draw(rt, "user")).ID
				got, err := s.ListEpisodes(ctx, id)
				ok(err)
				equal("the episodes", got, m.episodes[id])
			},
			"others": func(rt *rapid.T) { m.others(rt, t, s) },
			"chain":  func(rt *rapid.T) { m.chain(rt, t, s) },
		})
	})
}

// others changes or reads one record beside the rotations.
func (m *model) others(rt *rapid.T, t *testing.T, s Store) {
	ctx, n := t.Context(), modelUsers.Draw(rt, "user")
	e, q, a := exemption(n), request(n), snapshot(n, 1)
	e.Why, q.Why, a.Error = texts.Draw(rt, "why"), texts.Draw(rt, "why"), texts.Draw(rt, "why")
	q.At = modelTimes.Draw(rt, "at")
	var err error
	switch rapid.IntRange(0, 6).Draw(rt, "what") {
	case 0:
		err, m.exemptions[exemptionKey(e)] = s.SaveExemption(ctx, m.exemptions[exemptionKey(e)], e), e
	case 1:
		err = s.DeleteExemption(ctx, e.Account, e.UserID)
		delete(m.exemptions, exemptionKey(e))
	case 2:
		err, m.requests[requestKey(q)] = s.SaveRequest(ctx, q), q
	case 3:
		if have, there := m.requests[requestKey(q)]; there && maybe.Draw(rt, "served") {
			q = have
			delete(m.requests, requestKey(q))
		} else if there {
			q.Why = have.Why + "!"
		}
		err = s.DeleteRequest(ctx, q)
	case 4:
		err, m.snapshots[snapshotKey(a)] = s.SaveSnapshot(ctx, a), a
	case 5:
		err, m.state[a.Name] = s.SetState(ctx, a.Name, a.Error), a.Error
	case 6:
		var got string
		if got, err = s.GetState(ctx, a.Name); got != m.state[a.Name] {
			rt.Fatalf("%s is %q, the model says %q", a.Name, got, m.state[a.Name])
		}
	}
	if err != nil {
		rt.Fatal(err)
	}
	kept(rt, m.exemptions, exemptionKey, func(p store.Page) ([]rotation.Exemption, string, error) { return s.ListExemptions(ctx, "", p) })
	kept(rt, m.requests, requestKey, func(p store.Page) ([]rotation.Request, string, error) { return s.ListRequests(ctx, p) })
	kept(rt, m.snapshots, snapshotKey, func(p store.Page) ([]rotation.Snapshot, string, error) { return s.ListSnapshots(ctx, p) })
}

// chain appends an entry to a chain as somebody who read it some entries ago does.
func (m *model) chain(rt *rapid.T, t *testing.T, s Store) {
	ctx, name := t.Context(), rapid.SampledFrom([]string{"anchors", "person/U0123/2026-11"}).Draw(rt, "chain")
	have := m.chains[name]
	var prev *rotation.Entry
	if knows := max(0, len(have)-rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(rt, "behind")); knows > 0 {
		prev = &have[knows-1]
	}
	e := Entry(prev, rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "note"))
	var want error
	switch {
	case e.Seq == len(have)+1:
		m.chains[name] = append(have, e)
	case have[e.Seq-1] != e: // else it is there
		want = store.ErrConflict
	}
	if err := s.AppendEntry(ctx, name, e); !errors.Is(err, want) {
		rt.Fatalf("append entry %d of %d: %v, the model says %v", e.Seq, len(have), err, want)
	}
	got, err := all(3, func(p store.Page) ([]rotation.Entry, string, error) { return s.ListEntries(ctx, name, p) }, nil)
	if d := cmp.Diff(m.chains[name], got, Equal); d != "" || err != nil {
		rt.Fatalf("the chain differs, %v (-model +store):\n%s", err, d)
	}
	if last, err := s.LastEntry(ctx, name); err != nil || last != m.chains[name][len(got)-1] {
		rt.Fatalf("the last entry is %+v, %v", last, err)
	}
}

// kept compares a whole list with the model's.
func kept[T any](rt *rapid.T, want map[string]T, key func(T) string, list func(store.Page) ([]T, string, error)) {
	got, err := all(2, list, nil)
	if err != nil {
		rt.Fatal(err)
	}
	have := map[string]T{}
	for _, v := range got {
		have[key(v)] = v
	}
	if d := cmp.Diff(want, have, Equal); d != "" || len(got) != len(want) {
		rt.Fatalf("the list differs (-model +store):\n%s", d)
	}
}
