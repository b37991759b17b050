package dynamo

import (
	"context"
	"errors"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// GetRotation returns the present rotation of a user. store.ErrNotFound.
func (s *Store) GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error) {
	v, err := s.read(ctx, id)
	if err != nil {
		return rotation.Rotation{}, s.typed(ctx, "read rotation "+string(id), err)
	}
	return v.rotation.Clone(), nil
}

// GetForDecision returns the present rotation and the exemption of its user as they are, by one call; the zero value of the
// exemption says that there is none. store.ErrNotFound if there is no rotation.
func (s *Store) GetForDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error) {
	r, e, err := s.readForDecision(ctx, id)
	if err != nil {
		return rotation.Rotation{}, rotation.Exemption{}, s.typed(ctx, "read rotation "+string(id), err)
	}
	return r, e, nil
}

func (s *Store) readForDecision(ctx context.Context, id rotation.ID) (r rotation.Rotation, e rotation.Exemption, err error) {
	account, user := id.Split()
	if account == "" {
		return s.readForOddDecision(ctx, id)
	}
	head, exempt := headKey(id), exemptionKey(account, user)
	items, err := s.batch(ctx, []key{head, exempt}, "")
	if err != nil {
		return r, e, err
	}
	it, ok := items[head]
	if !ok {
		return r, e, store.ErrNotFound
	}
	if x, ok := items[exempt]; ok {
		if e, err = record.DecodeExemption([]byte(x.text(AttrBody))); err != nil {
			return r, e, err
		}
	}
	v, whole, err := unpack(it, skHead, func(key) item { return nil })
	switch {
	case err != nil:
		return r, e, err
	case !whole: // older lines of its history lie elsewhere
		if v, err = s.read(ctx, id); err != nil {
			return r, e, err
		}
	default:
		s.known.put(v)
	}
	if v.rotation.Account == account && v.rotation.UserID == user {
		return v.rotation.Clone(), e, nil
	}
	return s.readForOddDecision(ctx, id)
}

// readForOddDecision is for a rotation whose ID does not say whose it is.
func (s *Store) readForOddDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error) {
	v, err := s.read(ctx, id)
	if err != nil {
		return rotation.Rotation{}, rotation.Exemption{}, err
	}
	e, err := s.GetExemption(ctx, v.rotation.Account, v.rotation.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return rotation.Rotation{}, rotation.Exemption{}, err
	}
	return v.rotation.Clone(), e, nil
}

// rereads is how often something is read again that was replaced while it was read.
const rereads = 5

var errMoving = errors.New("it was replaced again and again while it was read")

// read reads the present rotation as it is, with its whole history, by one query. store.ErrNotFound.
func (s *Store) read(ctx context.Context, id rotation.ID) (*stored, error) {
	if id == "" {
		return nil, store.ErrNotFound
	}
	for range rereads {
		items, err := s.all(ctx, query{pk: rotationPK(id), expr: "begins_with(#sk, :sk)", values: item{":sk": text(skHead)}})
		if err != nil {
			return nil, err
		}
		if len(items) == 0 || items[0].text(attrSK) != skHead {
			return nil, store.ErrNotFound
		}
		v, ok, err := unpack(items[0], skHead, among(items))
		if err != nil {
			return nil, err
		}
		if ok {
			s.known.put(v)
			return v, nil
		}
	}
	return nil, errMoving
}

// among finds an item by its key.
func among(items []item) func(key) item {
	return func(k key) item {
		for _, it := range items {
			if it.key() == k {
				return it
			}
		}
		return nil
	}
}
