package rotator

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// shelf is a store in memory with the conditional save of the real ones. It looks for secrets in everything it gets.
type shelf struct {
	t      tb
	mu     sync.Mutex
	all    map[rotation.ID]rotation.Rotation
	exempt map[rotation.ID]rotation.Exemption
	saves  int
	around func(n int, after bool) error
}

func newShelf(t tb) *shelf {
	return &shelf{t: t, all: map[rotation.ID]rotation.Rotation{}, exempt: map[rotation.ID]rotation.Exemption{}}
}

func (s *shelf) GetRotation(_ context.Context, id rotation.ID) (rotation.Rotation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.all[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r.Clone(), nil
}

func (s *shelf) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	s.mu.Lock()
	s.saves++
	n, around := s.saves, s.around
	s.mu.Unlock()
	if around != nil {
		if err := around(n, false); err != nil {
			return rotation.Rotation{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return rotation.Rotation{}, err
	}
	out, err := s.put(r)
	if around != nil {
		if lost := around(n, true); lost != nil {
			return rotation.Rotation{}, lost
		}
	}
	return out, err
}

func (s *shelf) put(r rotation.Rotation) (rotation.Rotation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, _ := json.Marshal(r); strings.Contains(string(b), marker) {
		s.t.Error("secret material in the store")
	}
	if s.all[r.ID].Version != r.Version {
		return rotation.Rotation{}, store.ErrConflict
	}
	r = r.Clone()
	r.Version++
	s.all[r.ID] = r
	return r.Clone(), nil
}

func (s *shelf) GetExemption(_ context.Context, a rotation.AccountID, u rotation.UserID) (rotation.Exemption, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.exempt[rotation.MakeID(a, u)]
	if !ok {
		return e, store.ErrNotFound
	}
	return e, nil
}

var _ Store = (*shelf)(nil)
