package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// archive writes a closed rotation beside the present one, as the episode that it was. Who does so later and knows an older
// version of the episode is refused, and writes nothing over it. store.ErrConflict.
func (s *Store) archive(ctx context.Context, old *stored) error {
	r := old.rotation
	if err := s.putPieces(ctx, r, skPast, old.pieces); err != nil {
		return err
	}
	tail := r
	tail.History = r.History[old.lines():]
	body, err := record.EncodeRotation(tail)
	if err != nil {
		return err
	}
	it := newItem(pastKey(r.ID, r.Episode), kindEpisode)
	it[attrVersion], it[attrEpisode], it[attrSchema] = number(r.Version), number(int64(r.Episode)), schema()
	it[AttrBody] = text(string(body))
	it.setPieces(old.pieces)
	err = s.put(ctx, it, condition{"attribute_not_exists(#pk) OR #version <= :version", item{":version": number(r.Version)}})
	if _, no := errors.AsType[*refused](err); no {
		return store.ErrConflict
	}
	return err
}

// ListEpisodes returns the closed rotations of a user before the present one, the newest first.
func (s *Store) ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error) {
	all, err := s.episodes(ctx, id)
	return all, s.typed(ctx, "list the episodes of "+string(id), err)
}

// episodes reads everything of a user by one query. The head comes first: what it says is past was written before it. An
// episode that is not past was archived by a save that was refused or never finished.
func (s *Store) episodes(ctx context.Context, id rotation.ID) (out []rotation.Rotation, err error) {
	if id == "" {
		return nil, nil
	}
	items, err := s.all(ctx, query{pk: rotationPK(id)})
	if err != nil || len(items) == 0 || items[0].text(attrSK) != skHead {
		return nil, err
	}
	head, err := record.DecodeRotation([]byte(items[0].text(AttrBody)))
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.text(AttrKind) != kindEpisode || it.number(attrEpisode) >= int64(head.Episode) {
			continue
		}
		v, ok, err := unpack(it, skPast, among(items))
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, fmt.Errorf("%w: the history of episode %d has a gap", record.ErrCorrupt, it.number(attrEpisode))
		}
		out = append(out, v.rotation)
	}
	slices.SortFunc(out, func(a, b rotation.Rotation) int { return cmp.Compare(b.Episode, a.Episode) })
	return out, nil
}
