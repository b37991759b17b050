package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// AppendEntry appends an entry to a chain, which begins with its first one. It is no error if that very entry is there
// already: a caller who lost the answer says it again. store.ErrConflict if somebody else appended since the chain was read,
// ErrHistory if the entry is not sound, ErrChain.
func (s *Store) AppendEntry(ctx context.Context, chain string, e rotation.Entry) error {
	body, err := record.EncodeAppended(e)
	if err == nil {
		err = store.CheckChain(chain)
	}
	if err == nil {
		err = s.appendEntry(ctx, chain, e, body)
	}
	return s.typed(ctx, "append to chain "+chain, err)
}

// appendEntry looks at the entry before and then writes at a place where nothing may be: since no entry is ever changed, what
// was before is before still. The chain is put on the list before its first entry; what nobody could find would be lost.
func (s *Store) appendEntry(ctx context.Context, chain string, e rotation.Entry, body []byte) error {
	it := newItem(entryKey(chain, e.Seq), kindEntry)
	it[attrSchema], it[AttrBody] = schema(), text(string(body))
	if err := it.fits(); err != nil {
		return err
	}
	if e.Seq == 1 {
		if err := s.putChain(ctx, chain); err != nil {
			return err
		}
	} else {
		before, err := s.entry(ctx, entryKey(chain, e.Seq-1))
		if errors.Is(err, store.ErrNotFound) {
			return store.ErrConflict
		}
		if err == nil {
			err = store.Appends(before, e)
		}
		if err != nil {
			return err
		}
	}
	err := s.put(ctx, it, isNew)
	no, ok := errors.AsType[*refused](err)
	if !ok {
		return err
	}
	there := no.item
	if there == nil {
		if there, err = s.get(ctx, it.key()); err != nil {
			return err
		}
	}
	stored, err := record.DecodeEntry([]byte(there.text(AttrBody)))
	if err == nil && stored.Hash != e.Hash {
		err = store.ErrConflict
	}
	return err
}

// putChain puts a chain on the list. One that is there stays.
func (s *Store) putChain(ctx context.Context, chain string) error {
	it := newItem(chainKey(chain), kindChain)
	it[AttrID] = text(chain)
	it.index(indexList, listChains, part(chain))
	err := s.put(ctx, it, isNew)
	if _, no := errors.AsType[*refused](err); no {
		return nil
	}
	return err
}

func (s *Store) entry(ctx context.Context, k key) (rotation.Entry, error) {
	it, err := s.get(ctx, k)
	if err != nil {
		return rotation.Entry{}, err
	}
	return record.DecodeEntry([]byte(it.text(AttrBody)))
}

// LastEntry returns the newest entry of a chain. store.ErrNotFound if it has none, ErrChain.
func (s *Store) LastEntry(ctx context.Context, chain string) (rotation.Entry, error) {
	e, err := s.lastEntry(ctx, chain)
	return e, s.typed(ctx, "read the end of chain "+chain, err)
}

func (s *Store) lastEntry(ctx context.Context, chain string) (rotation.Entry, error) {
	if err := store.CheckChain(chain); err != nil {
		return rotation.Entry{}, err
	}
	items, _, err := s.page(ctx, query{pk: entriesPK(chain), limit: 1, newest: true}, nil)
	if err != nil {
		return rotation.Entry{}, err
	}
	if len(items) == 0 {
		return rotation.Entry{}, store.ErrNotFound
	}
	return record.DecodeEntry([]byte(items[0].text(AttrBody)))
}

// ListChains returns the names of all chains. One that began within the last second or so may be missing, because indexes
// lag; one whose first entry was not appended after all may be there.
func (s *Store) ListChains(ctx context.Context, page store.Page) ([]string, string, error) {
	l := listing[string]{name: "chains", index: indexList, parts: []string{listChains}}
	l.decode = func(_ context.Context, it item) (string, bool, error) { return it.text(AttrID), true, nil }
	out, next, err := l.read(ctx, s, page)
	return out, next, s.typed(ctx, "list chains", err)
}

// ListEntries returns the entries of a chain as they are, the oldest first. store.ErrChain.
func (s *Store) ListEntries(ctx context.Context, chain string, page store.Page) ([]rotation.Entry, string, error) {
	what := "list chain " + chain
	if err := store.CheckChain(chain); err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	l := listing[rotation.Entry]{name: "entries of " + digest(chain), parts: []string{entriesPK(chain)}}
	l.decode = func(_ context.Context, it item) (rotation.Entry, bool, error) {
		e, err := record.DecodeEntry([]byte(it.text(AttrBody)))
		if err != nil {
			return rotation.Entry{}, false, fmt.Errorf("entry %s: %w", it.text(attrSK), err)
		}
		return e, true, nil
	}
	out, next, err := l.read(ctx, s, page)
	return out, next, s.typed(ctx, what, err)
}
