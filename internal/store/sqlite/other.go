package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// GetSnapshot returns what the last scan knew of an account. store.ErrNotFound.
func (s *Store) GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error) {
	return get(ctx, s, "read the snapshot of "+string(account), record.DecodeSnapshot, "SELECT body FROM snapshots WHERE account = ?", string(account))
}

// SaveSnapshot replaces the snapshot of an account.
func (s *Store) SaveSnapshot(ctx context.Context, snap rotation.Snapshot) error {
	what := "save the snapshot of " + string(snap.Account)
	body, err := record.EncodeSnapshot(snap)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return replace(ctx, s, what, record.DecodeSnapshot, "SELECT body FROM snapshots WHERE account = ?1",
		"INSERT OR REPLACE INTO snapshots (account, body) VALUES (?1, ?2)", body, string(snap.Account))
}

// ListSnapshots returns the snapshots of all accounts.
func (s *Store) ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error) {
	after, err := decodeCursor(page.After, "snapshots", 1)
	if err != nil {
		return nil, "", fmt.Errorf("list snapshots: %w", err)
	}
	all, err := bodies(ctx, s, "list snapshots", record.DecodeSnapshot, "SELECT body FROM snapshots WHERE account > ? ORDER BY account LIMIT ?", after[0], page.Size()+1)
	if err != nil {
		return nil, "", err
	}
	all, next := pageOf(all, page, func(x rotation.Snapshot) string { return encodeCursor("snapshots", string(x.Account)) })
	return all, next, nil
}

// GetExemption returns the exemption of a user, in force or not. store.ErrNotFound.
func (s *Store) GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error) {
	return get(ctx, s, "read the exemption of "+string(account)+"/"+string(user), record.DecodeExemption,
		"SELECT body FROM exemptions WHERE account = ? AND user = ?", string(account), string(user))
}

// GetForDecision returns the present rotation and the exemption of its user, whose zero value says that there is none.
// store.ErrNotFound if there is no rotation.
func (s *Store) GetForDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error) {
	r, err := s.GetRotation(ctx, id)
	if err != nil {
		return rotation.Rotation{}, rotation.Exemption{}, err
	}
	e, err := s.GetExemption(ctx, r.Account, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return rotation.Rotation{}, rotation.Exemption{}, err
	}
	return r, e, nil
}

// SaveExemption puts an exemption in the place of the one that was read, the zero value for none. store.ErrConflict.
func (s *Store) SaveExemption(ctx context.Context, before, e rotation.Exemption) error {
	what := "save the exemption of " + string(e.Account) + "/" + string(e.UserID)
	body, err := record.EncodeExemption(e)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	found := false
	same := func(stored []byte) (rotation.Exemption, error) {
		found = true
		there, err := record.DecodeExemption(stored)
		if err == nil && !there.Equal(before) {
			err = store.ErrConflict
		}
		return there, err
	}
	names := []any{string(e.Account), string(e.UserID)}
	if slices.Contains(names, any("")) {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		found = false
		if err := known(ctx, tx, same, "SELECT body FROM exemptions WHERE account = ? AND user = ?", names...); err != nil {
			return err
		}
		if !found && !before.Equal(rotation.Exemption{}) {
			return store.ErrConflict
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO exemptions (account, user, body) VALUES (?, ?, ?)", append(names, body)...)
		return err
	})
}

// DeleteExemption removes the exemption of a user. It is no error if there is none.
func (s *Store) DeleteExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) error {
	return s.write(ctx, "delete the exemption of "+string(account)+"/"+string(user), func(tx *sql.Tx) error {
		if err := known(ctx, tx, record.DecodeExemption, "SELECT body FROM exemptions WHERE account = ? AND user = ?", string(account), string(user)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM exemptions WHERE account = ? AND user = ?", string(account), string(user))
		return err
	})
}

// ListExemptions returns the exemptions of an account, or of all accounts if it is empty, in force or not.
func (s *Store) ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error) {
	after, err := decodeCursor(page.After, "exemptions", 2)
	if err != nil {
		return nil, "", fmt.Errorf("list exemptions: %w", err)
	}
	query, args := exemptionsQuery, []any{after[0], after[1]}
	if account != "" {
		if after[0] != "" && after[0] != string(account) {
			return nil, "", fmt.Errorf("list exemptions: %w", store.ErrCursor)
		}
		query, args = accountExemptionsQuery, []any{string(account), after[1]}
	}
	all, err := bodies(ctx, s, "list exemptions", record.DecodeExemption, query, append(args, page.Size()+1)...)
	if err != nil {
		return nil, "", err
	}
	all, next := pageOf(all, page, func(e rotation.Exemption) string {
		return encodeCursor("exemptions", string(e.Account), string(e.UserID))
	})
	return all, next, nil
}

const (
	exemptionsQuery        = "SELECT body FROM exemptions WHERE (account, user) > (?, ?) ORDER BY account, user LIMIT ?"
	accountExemptionsQuery = "SELECT body FROM exemptions WHERE account = ? AND user > ? ORDER BY user LIMIT ?"
)

// SaveRequest replaces the request for a user.
func (s *Store) SaveRequest(ctx context.Context, q rotation.Request) error {
	what := "save the request for " + string(q.Account) + "/" + string(q.UserID)
	body, err := record.EncodeRequest(q)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	noOther := func(stored []byte) (rotation.Request, error) {
		before, err := record.DecodeRequest(stored)
		if err == nil && before.Leaked != "" && before.Leaked != q.Leaked {
			err = store.ErrConflict
		}
		return before, err
	}
	return replace(ctx, s, what, noOther, "SELECT body FROM requests WHERE account = ?1 AND user = ?2",
		"INSERT OR REPLACE INTO requests (account, user, body) VALUES (?1, ?2, ?3)", body, string(q.Account), string(q.UserID))
}

// ListRequests returns the requests that nobody has served yet.
func (s *Store) ListRequests(ctx context.Context, page store.Page) ([]rotation.Request, string, error) {
	after, err := decodeCursor(page.After, "requests", 2)
	if err != nil {
		return nil, "", fmt.Errorf("list requests: %w", err)
	}
	all, err := bodies(ctx, s, "list requests", record.DecodeRequest,
		"SELECT body FROM requests WHERE (account, user) > (?, ?) ORDER BY account, user LIMIT ?", after[0], after[1], page.Size()+1)
	if err != nil {
		return nil, "", err
	}
	all, next := pageOf(all, page, func(q rotation.Request) string { return encodeCursor("requests", string(q.Account), string(q.UserID)) })
	return all, next, nil
}

// DeleteRequest removes a request that was served, unless another one has taken its place. It is no error if it is gone.
func (s *Store) DeleteRequest(ctx context.Context, q rotation.Request) error {
	what := "delete the request for " + string(q.Account) + "/" + string(q.UserID)
	return s.write(ctx, what, func(tx *sql.Tx) error {
		var body []byte
		err := tx.QueryRowContext(ctx, "SELECT body FROM requests WHERE account = ? AND user = ?", string(q.Account), string(q.UserID)).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		stored, err := record.DecodeRequest(body)
		if err != nil || !sameRequest(stored, q) {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM requests WHERE account = ? AND user = ?", string(q.Account), string(q.UserID))
		return err
	})
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
	err = s.db.QueryRowContext(ctx, "SELECT value FROM state WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, typed("read "+name, err)
}

// SetState replaces a note.
func (s *Store) SetState(ctx context.Context, name, value string) error {
	return s.write(ctx, "save "+name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", name, value)
		return err
	})
}

func get[T any](ctx context.Context, s *Store, what string, decode func([]byte) (T, error), query string, args ...any) (v T, err error) {
	var body []byte
	if err := s.db.QueryRowContext(ctx, query, args...).Scan(&body); err != nil {
		return v, missing(what, err)
	}
	v, err = decode(body)
	return v, typed(what, err)
}

// replace writes a record over one that this version understands. What a newer version wrote stays. The names are the first
// arguments of both statements, and none may be empty: such a record could not be listed.
func replace[T any](ctx context.Context, s *Store, what string, decode func([]byte) (T, error), read, write string, body []byte, names ...any) error {
	if slices.Contains(names, any("")) {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		if err := known(ctx, tx, decode, read, names...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, write, append(names, body)...)
		return err
	})
}

// known refuses to touch a record of a newer version, or one that decode says is in the way.
func known[T any](ctx context.Context, tx *sql.Tx, decode func([]byte) (T, error), read string, args ...any) error {
	var stored []byte
	err := tx.QueryRowContext(ctx, read, args...).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := decode(stored); errors.Is(err, store.ErrNewer) || errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}
