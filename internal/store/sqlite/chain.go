package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// AppendEntry appends an entry to a chain, which begins with its first one. It is no error if that very entry is there
// already: a caller who lost the answer says it again. store.ErrConflict if somebody else appended since the chain was read,
// ErrHistory if the entry is not sound, ErrChain.
func (s *Store) AppendEntry(ctx context.Context, chain string, e rotation.Entry) error {
	what := "append to chain " + chain
	body, err := record.EncodeAppended(e)
	if err == nil {
		err = store.CheckChain(chain)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		there, err := entryOf(tx.QueryRowContext(ctx, "SELECT body FROM entries WHERE chain = ? AND seq = ?", chain, e.Seq))
		switch {
		case err == nil && there.Hash == e.Hash:
			return nil
		case err == nil:
			return store.ErrConflict
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		last, err := entryOf(tx.QueryRowContext(ctx, lastEntryQuery, chain))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := store.Appends(last, e); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO chains (name) VALUES (?)", chain); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO entries (chain, seq, body) VALUES (?, ?, ?)", chain, e.Seq, body)
		return err
	})
}

func entryOf(row *sql.Row) (rotation.Entry, error) {
	var body []byte
	if err := row.Scan(&body); err != nil {
		return rotation.Entry{}, err
	}
	return record.DecodeEntry(body)
}

// LastEntry returns the newest entry of a chain. store.ErrNotFound if it has none, ErrChain.
func (s *Store) LastEntry(ctx context.Context, chain string) (rotation.Entry, error) {
	what := "read the end of chain " + chain
	if err := store.CheckChain(chain); err != nil {
		return rotation.Entry{}, fmt.Errorf("%s: %w", what, err)
	}
	return get(ctx, s, what, record.DecodeEntry, lastEntryQuery, chain)
}

// ListChains returns the names of all chains.
func (s *Store) ListChains(ctx context.Context, page store.Page) ([]string, string, error) {
	after, err := decodeCursor(page.After, "chains", 1)
	if err != nil {
		return nil, "", fmt.Errorf("list chains: %w", err)
	}
	asIs := func(name []byte) (string, error) { return string(name), nil }
	all, err := bodies(ctx, s, "list chains", asIs, chainsQuery, after[0], page.Size()+1)
	if err != nil {
		return nil, "", err
	}
	all, next := pageOf(all, page, func(name string) string { return encodeCursor("chains", name) })
	return all, next, nil
}

// ListEntries returns the entries of a chain as they are, the oldest first. store.ErrChain.
func (s *Store) ListEntries(ctx context.Context, chain string, page store.Page) ([]rotation.Entry, string, error) {
	out, next, err := s.entries(ctx, chain, page)
	return out, next, typed("list chain "+chain, err)
}

func (s *Store) entries(ctx context.Context, chain string, page store.Page) (out []rotation.Entry, next string, err error) {
	if err := store.CheckChain(chain); err != nil {
		return nil, "", err
	}
	after, err := decodeCursor(page.After, "entries", 2)
	if err != nil {
		return nil, "", err
	}
	seq := int64(math.MinInt64)
	if after[0] != "" {
		if seq, err = strconv.ParseInt(after[1], 10, 64); err != nil || after[0] != chain {
			return nil, "", store.ErrCursor
		}
	}
	rows, err := s.db.QueryContext(ctx, entriesQuery, chain, seq, page.Size()+1)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		if len(out) == page.Size() {
			return out, encodeCursor("entries", chain, strconv.FormatInt(seq, 10)), nil
		}
		var body []byte
		if err := rows.Scan(&seq, &body); err != nil { // by where it stands: what an entry says of itself may have been changed
			return nil, "", err
		}
		e, err := record.DecodeEntry(body)
		if err != nil {
			return nil, "", fmt.Errorf("entry %d: %w", seq, err)
		}
		out = append(out, e)
	}
	return out, "", rows.Err()
}

const (
	lastEntryQuery = "SELECT body FROM entries WHERE chain = ? ORDER BY seq DESC LIMIT 1"
	chainsQuery    = "SELECT name FROM chains WHERE name > ? ORDER BY name LIMIT ?"
	entriesQuery   = "SELECT seq, body FROM entries WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?"
)
