package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// SaveRotation saves r if the stored version is the one that r was read at (0: there is none), and returns it with its new
// version, just as GetRotation would. A new episode moves the one before, which must be closed, to the episodes.
// store.ErrConflict, ErrHistory, ErrEpisode, ErrUnnamed; what is stored is then untouched. Any other error may leave open
// whether it was saved: whoever saves reads again.
func (s *Store) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	what := "save rotation " + string(r.ID)
	if r.ID == "" {
		return rotation.Rotation{}, fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	v, err := s.save(ctx, r)
	if errors.Is(err, store.ErrConflict) {
		s.known.drop(r.ID)
	}
	if err != nil {
		return rotation.Rotation{}, s.typed(ctx, what, err)
	}
	return v.rotation.Clone(), nil
}

// save writes what a head will name before the head itself: the pieces of its history, the pointers of its keys and the
// episode that ends with it. Each of these writes may be repeated and, without the head, is nothing to any reader.
func (s *Store) save(ctx context.Context, r rotation.Rotation) (*stored, error) {
	saved := r
	saved.Version++
	body, err := record.EncodeRotation(saved)
	if err == nil {
		saved, err = record.DecodeRotation(body)
	}
	if err != nil {
		return nil, err
	}
	var old *stored
	if r.Version != 0 {
		if old, err = s.following(ctx, saved, r.Version); err != nil {
			return nil, err
		}
	}
	next := &stored{rotation: saved, size: len(body)}
	var pieces []piece
	if old != nil && old.rotation.Episode == saved.Episode {
		pieces = old.pieces
	}
	p, err := pack(saved, body, pieces)
	if err != nil {
		return nil, err
	}
	next.pieces = p.pieces
	head := s.headItem(saved, p)
	if err := head.fits(); err != nil {
		return nil, fmt.Errorf("without the older lines of its history %w", err)
	}
	if err := s.putPieces(ctx, saved, skHead, p.fresh); err != nil {
		return nil, err
	}
	if err := s.putPointers(ctx, saved, old); err != nil {
		return nil, err
	}
	ends := old != nil && old.rotation.Episode != saved.Episode
	if ends {
		if err := s.archive(ctx, old); err != nil {
			return nil, err
		}
	}
	if err := s.putHead(ctx, head, r.Version); err != nil {
		return nil, err
	}
	s.known.put(next)
	if ends {
		s.dropPieces(ctx, old)
	}
	return next, nil
}

// following returns the stored version that r continues, and checks that r does.
func (s *Store) following(ctx context.Context, r rotation.Rotation, version int64) (*stored, error) {
	if old := s.known.get(r.ID, version); old != nil && store.Follows(old.rotation, r) == nil {
		return old, nil
	}
	// It is not known, or r does not continue it: who is late hears that first.
	old, err := s.read(ctx, r.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, store.ErrConflict
	case err != nil:
		return nil, err
	case old.rotation.Version != version:
		return nil, store.ErrConflict
	}
	return old, store.Follows(old.rotation, r)
}
