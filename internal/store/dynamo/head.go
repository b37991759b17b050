package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// headItem is the item of the present rotation of a user, with all that it is found by.
func (s *Store) headItem(r rotation.Rotation, p packed) item {
	it := newItem(headKey(r.ID), KindRotation)
	it[AttrID], it[attrVersion], it[attrEpisode] = text(string(r.ID)), number(r.Version), number(int64(r.Episode))
	it[attrSchema], it[attrToken], it[AttrBody] = schema(), text(s.token()), text(string(p.body))
	it.setText(attrState, string(r.State))
	it.setPieces(p.pieces)
	name := part(string(r.ID))
	it.index(indexList, listPK(shardOf(r.ID)), name)
	if r.Owner != "" {
		it.index(indexOwner, ownerPK(r.Owner), name)
	}
	if r.Account != "" {
		it.index(indexAccount, accountPK(r.Account), name)
	}
	if !r.NextAt.IsZero() {
		it.index(indexDue, duePK(shardOf(r.ID)), dueSK(r.NextAt, r.ID))
	}
	if s.feed(r) {
		it[AttrWake] = text("1")
	}
	return it
}

func (it item) index(index, pk, sk string) { it[index+attrPK], it[index+attrSK] = text(pk), text(sk) }

func (it item) setPieces(pieces []piece) {
	if len(pieces) == 0 {
		return
	}
	var list []string
	for _, p := range pieces {
		list = append(list, p.String())
	}
	it[attrPieces] = texts(list)
}

// putHead replaces the version that was read. store.ErrConflict, ErrNewer.
//
// The SDK repeats a write whose answer was lost, and the second one is refused because the first one took effect. So a head
// carries a token that nobody else has, and a write is refused only if another one's stands there.
func (s *Store) putHead(ctx context.Context, head item, version int64) error {
	c := isNew
	if version != 0 {
		c = condition{"#version = :version", item{":version": number(version)}}
	}
	err := s.put(ctx, head, c)
	no, ok := errors.AsType[*refused](err)
	if !ok {
		return err
	}
	there := no.item
	if there == nil {
		if there, err = s.get(ctx, head.key()); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if there.text(attrToken) == head.text(attrToken) {
		return nil
	}
	if _, err := record.DecodeRotation([]byte(there.text(AttrBody))); errors.Is(err, store.ErrNewer) {
		return err
	}
	return store.ErrConflict
}

// Touch wakes a rotation by writing to it, so that the table's stream carries it to its consumer. It changes nothing that a
// save depends on, and each touch changes the item: a write that changes nothing makes no record. store.ErrNotFound.
func (s *Store) Touch(ctx context.Context, id rotation.ID) error {
	what := "wake rotation " + string(id)
	if id == "" {
		return fmt.Errorf("%s: %w", what, store.ErrNotFound)
	}
	stamp := s.now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + s.token()
	_, err := s.update(ctx, headKey(id), "SET #wake = :wake, #woken = :woken", item{":wake": text("1"), ":woken": text(stamp)}, exists, types.ReturnValueNone)
	if _, no := errors.AsType[*refused](err); no {
		err = store.ErrNotFound
	}
	return s.typed(ctx, what, err)
}
