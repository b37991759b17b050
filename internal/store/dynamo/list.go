package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// listing is a list of the table: partitions of an index, or of the table itself, one after the other in the order of their
// sort keys.
type listing[T any] struct {
	name  string // with the arguments: see encodeCursor
	index string // "" is the table itself
	parts []string

	// decode makes an entry of an item as it is in the table; ok says whether it belongs to the list. The index may lag.
	decode func(context.Context, item) (entry T, ok bool, err error)
}

// mostRead bounds how many items one page reads where most of them do not belong to the list. The page is then short.
const mostRead = 2000

// read reads a page.
func (l listing[T]) read(ctx context.Context, s *Store, page store.Page) (out []T, next string, err error) {
	at, err := decodeCursor(page.After, l.name, len(l.parts))
	if err != nil {
		return nil, "", err
	}
	read, more := 0, 1
	for at.part < len(l.parts) {
		if len(out) == page.Size() || read >= max(mostRead, page.Size()) {
			return out, encodeCursor(l.name, at), nil
		}
		items, last, err := l.items(ctx, s, at, min(mostBatch, max(more, page.Size()-len(out))))
		if err != nil {
			return nil, "", err
		}
		read += len(items)
		for _, it := range items {
			if len(out) == page.Size() {
				break
			}
			at.after = it.at
			if it.item == nil {
				continue
			}
			v, ok, err := l.decode(ctx, it.item)
			if err != nil {
				return nil, "", err
			}
			if ok {
				out = append(out, v)
			} else {
				more = min(2*more, mostBatch) // what does not belong should cost few calls
			}
		}
		if last && (len(items) == 0 || at.after == items[len(items)-1].at) {
			at = position{part: at.part + 1}
		}
	}
	return out, "", nil
}

// placed is an item at its place in a list. It is nil if there is none any more.
type placed struct {
	at   string
	item item
}

// items reads up to n items after a position, and says whether there are none behind them.
func (l listing[T]) items(ctx context.Context, s *Store, p position, n int) (out []placed, last bool, err error) {
	q := query{index: l.index, pk: l.parts[p.part], limit: n}
	if p.after != "" {
		q.expr, q.values = "#sk > :sk", item{":sk": text(p.after)}
	}
	found, lastKey, err := s.page(ctx, q, nil)
	if err != nil {
		return nil, false, err
	}
	for _, it := range found {
		out = append(out, placed{it.text(l.index + attrSK), it})
	}
	if l.index != "" {
		if err := s.fetch(ctx, found, out, ""); err != nil {
			return nil, false, err
		}
	}
	return out, len(lastKey) == 0 || len(found) == 0, nil
}

// fetch puts the items of the table in the place of those of an index, which hold keys alone.
func (s *Store) fetch(ctx context.Context, found []item, out []placed, fields string) error {
	var keys []key
	for _, it := range found {
		keys = append(keys, it.key())
	}
	items, err := s.batch(ctx, keys, fields)
	for i, k := range keys {
		out[i].item = items[k]
	}
	return err
}

const (
	indexList    = "list"
	indexOwner   = "owner"
	indexAccount = "account"
	indexDue     = "due"
)

// ListRotations returns the present rotations that the filter lets through. One that was saved within the last second or so
// may be missing, because indexes lag; what is returned is as it is. *store.Unread comes together with a page.
func (s *Store) ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error) {
	var unread *store.Unread
	l := listing[rotation.Rotation]{name: "rotations " + cursorName(f), decode: func(ctx context.Context, it item) (rotation.Rotation, bool, error) {
		r, err := s.whole(ctx, it)
		if errors.Is(err, store.ErrNewer) || errors.Is(err, record.ErrCorrupt) {
			unread = unread.Add(rotation.ID(it.text(AttrID)), err)
			return rotation.Rotation{}, false, nil
		}
		return r, err == nil && f.Match(r), err
	}}
	switch {
	case f.Owner != "":
		l.index, l.parts = indexOwner, []string{ownerPK(f.Owner)}
	case f.Account != "":
		l.index, l.parts = indexAccount, []string{accountPK(f.Account)}
	default:
		l.index = indexList
		for i := range shards {
			l.parts = append(l.parts, listPK(i))
		}
	}
	out, next, err := l.read(ctx, s, page)
	if err == nil {
		err = unread.AsError()
	}
	return out, next, s.typed(ctx, "list rotations", err)
}

// cursorName tells filters apart. Not by their time: it goes on while a person turns pages.
func cursorName(f store.Filter) string {
	f.Now = time.Time{}
	return digest(f)
}

// digest tells arguments apart, in a cursor.
func digest(args any) string {
	b, err := json.Marshal(args)
	if err != nil {
		return "" // a filter always encodes
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// whole makes a rotation of its head, and reads the pieces of its history if it has any.
func (s *Store) whole(ctx context.Context, head item) (rotation.Rotation, error) {
	pieces := map[key]item{}
	if list, err := parsePieces(head.texts(attrPieces)); err != nil {
		return rotation.Rotation{}, err
	} else if len(list) > 0 {
		var keys []key
		for _, p := range list {
			keys = append(keys, historyKey(rotation.ID(head.text(AttrID)), skHead, int(head.number(attrEpisode)), p))
		}
		if pieces, err = s.batch(ctx, keys, ""); err != nil {
			return rotation.Rotation{}, err
		}
	}
	v, ok, err := unpack(head, skHead, func(k key) item { return pieces[k] })
	if err == nil && !ok { // the next episode began meanwhile
		v, err = s.read(ctx, rotation.ID(head.text(AttrID)))
	}
	if err != nil {
		return rotation.Rotation{}, err
	}
	return v.rotation.Clone(), nil
}

// RotationsByOwner returns the present rotations whose owner is this e-mail address or Slack user ID. *store.Unread as of
// ListRotations.
func (s *Store) RotationsByOwner(ctx context.Context, owner string, page store.Page) ([]rotation.Rotation, string, error) {
	if owner == "" {
		return nil, "", nil
	}
	return s.ListRotations(ctx, store.Filter{Owner: owner}, page)
}

// RotationsByAccount returns the present rotations of an account. *store.Unread as of ListRotations.
func (s *Store) RotationsByAccount(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Rotation, string, error) {
	if account == "" {
		return nil, "", nil
	}
	return s.ListRotations(ctx, store.Filter{Account: account}, page)
}
