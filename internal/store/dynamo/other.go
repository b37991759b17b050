package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// GetExemption returns the exemption of a user, in force or not. store.ErrNotFound.
func (s *Store) GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (e rotation.Exemption, err error) {
	if account == "" || user == "" {
		err = store.ErrNotFound
	}
	var it item
	if err == nil {
		it, err = s.get(ctx, exemptionKey(account, user))
	}
	if err == nil {
		e, err = record.DecodeExemption([]byte(it.text(AttrBody)))
	}
	return e, s.typed(ctx, "read the exemption of "+string(account)+"/"+string(user), err)
}

// SaveExemption puts an exemption in the place of the one that was read, the zero value for none. store.ErrConflict. What is
// there is known by the token of its last save, so a save between the look and the write is seen.
func (s *Store) SaveExemption(ctx context.Context, before, e rotation.Exemption) error {
	what := "save the exemption of " + string(e.Account) + "/" + string(e.UserID)
	if e.Account == "" || e.UserID == "" {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	body, err := record.EncodeExemption(e)
	if err == nil {
		it := newItem(exemptionKey(e.Account, e.UserID), kindExemption)
		it[AttrBody] = text(string(body))
		it.index(indexList, listExemptions, accountUser(e.Account, e.UserID))
		err = s.putExemption(ctx, it, before)
	}
	return s.typed(ctx, what, err)
}

func (s *Store) putExemption(ctx context.Context, it item, before rotation.Exemption) error {
	there, err := s.get(ctx, it.key())
	c := isNew
	switch {
	case errors.Is(err, store.ErrNotFound):
		if !before.Equal(rotation.Exemption{}) {
			return store.ErrConflict
		}
	case err != nil:
		return err
	default:
		if now, err := record.DecodeExemption([]byte(there.text(AttrBody))); errors.Is(err, store.ErrNewer) {
			return err
		} else if err != nil || !now.Equal(before) {
			return store.ErrConflict
		}
		c = condition{"#token = :token", item{":token": text(there.text(attrToken))}}
	}
	it[attrSchema], it[attrToken] = schema(), text(s.token())
	err = s.put(ctx, it, c)
	if _, no := errors.AsType[*refused](err); !no {
		return err
	}
	if there, err = s.get(ctx, it.key()); err == nil && there.text(attrToken) == it.text(attrToken) {
		return nil // the SDK repeated a write whose answer was lost
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return store.ErrConflict
}

// DeleteExemption removes the exemption of a user. It is no error if there is none.
func (s *Store) DeleteExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) error {
	if account == "" || user == "" {
		return nil
	}
	err := s.remove(ctx, exemptionKey(account, user), isKnown)
	if _, no := errors.AsType[*refused](err); no {
		err = store.ErrNewer
	}
	return s.typed(ctx, "delete the exemption of "+string(account)+"/"+string(user), err)
}

// ListExemptions returns the exemptions of an account, or of all accounts if it is empty, in force or not. Those of one
// account are read as they are; in the list of all, one that was saved within the last second or so may be missing.
func (s *Store) ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error) {
	l := listing[rotation.Exemption]{name: "exemptions", index: indexList, parts: []string{listExemptions}}
	if account != "" {
		l = listing[rotation.Exemption]{name: "exemptions of " + digest(account), parts: []string{exemptionPK(account)}}
	}
	l.decode = func(_ context.Context, it item) (rotation.Exemption, bool, error) {
		e, err := record.DecodeExemption([]byte(it.text(AttrBody)))
		return e, err == nil, err
	}
	out, next, err := l.read(ctx, s, page)
	return out, next, s.typed(ctx, "list exemptions", err)
}

// SaveRequest replaces the request for a user. Each save is a change that the table's stream carries.
func (s *Store) SaveRequest(ctx context.Context, q rotation.Request) error {
	what := "save the request for " + string(q.Account) + "/" + string(q.UserID)
	if q.Account == "" || q.UserID == "" {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	body, err := record.EncodeRequest(q)
	if err == nil {
		it := newItem(requestKey(q.Account, q.UserID), KindRequest)
		it[AttrBody], it[attrSchema], it[attrToken] = text(string(body)), schema(), text(s.token()) // the token makes each save a change that the stream carries
		if q.Leaked != "" {
			it[attrLeaked] = text(string(q.Leaked))
		}
		err = s.put(ctx, it, isNoOtherLeak(q))
		if _, no := errors.AsType[*refused](err); no {
			var before item
			if before, err = s.get(ctx, requestKey(q.Account, q.UserID)); err == nil {
				if err = store.ErrConflict; before.number(attrSchema) > record.Schema {
					err = store.ErrNewer
				}
			}
		}
	}
	return s.typed(ctx, what, err)
}

// ListRequests returns the requests that nobody has served yet, as they are.
func (s *Store) ListRequests(ctx context.Context, page store.Page) ([]rotation.Request, string, error) {
	l := listing[rotation.Request]{name: "requests", parts: []string{requestPK}}
	l.decode = func(_ context.Context, it item) (rotation.Request, bool, error) {
		q, err := record.DecodeRequest([]byte(it.text(AttrBody)))
		return q, err == nil, err
	}
	out, next, err := l.read(ctx, s, page)
	return out, next, s.typed(ctx, "list requests", err)
}

// DeleteRequest removes a request that was served, unless another one has taken its place. It is no error if it is gone.
func (s *Store) DeleteRequest(ctx context.Context, q rotation.Request) error {
	if q.Account == "" || q.UserID == "" {
		return nil
	}
	return s.typed(ctx, "delete the request for "+string(q.Account)+"/"+string(q.UserID), s.deleteRequest(ctx, q))
}

func (s *Store) deleteRequest(ctx context.Context, q rotation.Request) error {
	k := requestKey(q.Account, q.UserID)
	for range rereads {
		it, err := s.get(ctx, k)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		stored, err := record.DecodeRequest([]byte(it.text(AttrBody)))
		if err != nil || !sameRequest(stored, q) {
			return err
		}
		err = s.remove(ctx, k, condition{"#token = :token", item{":token": text(it.text(attrToken))}})
		if _, no := errors.AsType[*refused](err); !no {
			return err
		}
	}
	return errMoving
}

// sameRequest compares whole requests: two may be made at one time of a clock that stands.
func sameRequest(a, b rotation.Request) bool {
	if !a.At.Equal(b.At) {
		return false
	}
	a.At = b.At
	return a == b
}

// GetState returns a note that the process keeps beside rotations, or "" if there is none.
func (s *Store) GetState(ctx context.Context, name string) (value string, err error) {
	it, err := s.get(ctx, stateKey(name))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return string(it.blob(attrValue)), s.typed(ctx, "read "+name, err)
}

// SetState replaces a note.
func (s *Store) SetState(ctx context.Context, name, value string) error {
	it := newItem(stateKey(name), kindState)
	if value != "" {
		it[attrValue] = blob([]byte(value))
	}
	return s.typed(ctx, "save "+name, s.put(ctx, it, condition{}))
}
