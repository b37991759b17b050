package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// A key is found by pointers: items that say in whose rotations it may be named. They are written before the rotation that
// names it and stay for ever, so whoever follows one looks whether the key is named there.

// putPointers writes pointers for the keys that a rotation names and the version before it did not.
func (s *Store) putPointers(ctx context.Context, r rotation.Rotation, old *stored) error {
	var have []rotation.KeyID
	if old != nil {
		have = store.KeysOf(old.rotation)
	}
	for _, k := range store.KeysOf(r) {
		if slices.Contains(have, k) {
			continue
		}
		have = append(have, k)
		it := newItem(key{pointerPK(k), part(string(r.ID))}, kindKey)
		it[AttrID] = text(string(r.ID))
		if err := s.put(ctx, it, condition{}); err != nil {
			return err
		}
	}
	return nil
}

// RotationByKey finds the rotation that names the key as old, new, evicted, the other one or in its journal: an open one
// before one that is closed, these before earlier episodes, and the newest of these. store.ErrNotFound.
func (s *Store) RotationByKey(ctx context.Context, k rotation.KeyID) (rotation.Rotation, error) {
	r, err := s.byKey(ctx, k)
	if err != nil {
		return rotation.Rotation{}, s.typed(ctx, "find the rotation of "+string(k), err)
	}
	return r.Clone(), nil
}

func (s *Store) byKey(ctx context.Context, k rotation.KeyID) (rotation.Rotation, error) {
	if k == "" {
		return rotation.Rotation{}, store.ErrNotFound
	}
	pointers, err := s.all(ctx, query{pk: pointerPK(k)})
	if err != nil {
		return rotation.Rotation{}, err
	}
	var best *rotation.Rotation
	for _, p := range pointers {
		v, err := s.read(ctx, rotation.ID(p.text(AttrID)))
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return rotation.Rotation{}, err
		case slices.Contains(store.KeysOf(v.rotation), k) && (best == nil || v.rotation.Open() && !best.Open()):
			best = &v.rotation
		}
	}
	if best != nil {
		return *best, nil
	}
	// What was archived since then was present before.
	for _, p := range pointers {
		past, err := s.episodes(ctx, rotation.ID(p.text(AttrID)))
		if err != nil {
			return rotation.Rotation{}, err
		}
		for _, r := range past {
			if slices.Contains(store.KeysOf(r), k) && (best == nil || r.Episode > best.Episode) {
				best = &r
			}
		}
	}
	if best == nil {
		return rotation.Rotation{}, store.ErrNotFound
	}
	return *best, nil
}
