package dynamo

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Due returns the rotations whose next_at has come, the longest due first. One that was saved within the last second or so
// may be missing, because indexes lag.
func (s *Store) Due(ctx context.Context, now time.Time, page store.Page) ([]rotation.ID, string, error) {
	ids, next, err := s.due(ctx, now, page)
	return ids, next, s.typed(ctx, "find what is due", err)
}

const dueName = "due"

// due merges the shards. A sort key begins with the time and ends with the rotation, so that one position is enough for
// all of them.
func (s *Store) due(ctx context.Context, now time.Time, page store.Page) ([]rotation.ID, string, error) {
	at, err := decodeCursor(page.After, dueName, 1)
	if err != nil {
		return nil, "", err
	}
	if now.IsZero() {
		return nil, "", nil
	}
	if at.after == "" {
		at.after = "!" // before every time
	}
	until := dueUntil(now)
	if at.after >= until {
		return nil, "", nil
	}
	found, err := s.dueKeys(ctx, at.after, until, page.Size()+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > page.Size() {
		found = found[:page.Size()]
		next = encodeCursor(dueName, position{after: found[page.Size()-1].text(indexDue + attrSK)})
	}
	heads := make([]placed, len(found))
	if err := s.fetch(ctx, found, heads, "#pk, #sk, #id, #duesk"); err != nil {
		return nil, "", err
	}
	var ids []rotation.ID
	for i, it := range found {
		// One that has another time by now is found there.
		if head := heads[i].item; head != nil && head.text(indexDue+attrSK) == it.text(indexDue+attrSK) {
			ids = append(ids, rotation.ID(head.text(AttrID)))
		}
	}
	return ids, next, nil
}

// dueKeys returns the first n entries of the index between two sort keys, without the first.
func (s *Store) dueKeys(ctx context.Context, after, until string, n int) ([]item, error) {
	var wait sync.WaitGroup
	found, errs := make([][]item, shards), make([]error, shards)
	for i := range shards {
		wait.Go(func() { found[i], errs[i] = s.dueShard(ctx, duePK(i), after, until, n) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	all := slices.Concat(found...)
	slices.SortFunc(all, func(a, b item) int { return cmp.Compare(a.text(indexDue+attrSK), b.text(indexDue+attrSK)) })
	return all[:min(n, len(all))], nil
}

func (s *Store) dueShard(ctx context.Context, pk, after, until string, n int) (out []item, err error) {
	q := query{index: indexDue, pk: pk, expr: "#sk BETWEEN :sk AND :until", values: item{":sk": text(after), ":until": text(until)}, limit: n + 1}
	var start item
	for {
		some, last, err := s.page(ctx, q, start)
		if err != nil {
			return nil, err
		}
		for _, it := range some {
			if it.text(indexDue+attrSK) != after {
				out = append(out, it)
			}
		}
		if len(last) == 0 || len(out) >= n {
			return out, nil
		}
		start = last
	}
}
