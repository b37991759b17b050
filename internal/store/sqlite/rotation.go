package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// GetRotation returns the present rotation of a user. store.ErrNotFound.
func (s *Store) GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error) {
	return s.one(ctx, "read rotation "+string(id), "SELECT body FROM rotations WHERE id = ?", string(id))
}

func (s *Store) one(ctx context.Context, what, query string, args ...any) (rotation.Rotation, error) {
	var body []byte
	if err := s.db.QueryRowContext(ctx, query, args...).Scan(&body); err != nil {
		return rotation.Rotation{}, missing(what, err)
	}
	r, err := record.DecodeRotation(body)
	return r, typed(what, err)
}

// missing is typed for a read of one row.
func missing(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, store.ErrNotFound)
	}
	return typed(what, err)
}

// SaveRotation saves r if the stored version is the one that r was read at (0: there is none), and returns it with its new
// version, just as GetRotation would. A new episode moves the one before, which must be closed, to the episodes.
// store.ErrConflict, ErrHistory, ErrEpisode, ErrUnnamed; what is stored is then untouched.
func (s *Store) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	what := "save rotation " + string(r.ID)
	if r.ID == "" {
		return rotation.Rotation{}, fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	saved := r
	saved.Version++
	body, err := record.EncodeRotation(saved)
	if err == nil {
		saved, err = record.DecodeRotation(body)
	}
	if err != nil {
		return rotation.Rotation{}, fmt.Errorf("%s: %w", what, err)
	}
	err = s.write(ctx, what, func(tx *sql.Tx) error {
		var stored []byte
		err := tx.QueryRowContext(ctx, "SELECT body FROM rotations WHERE id = ?", string(r.ID)).Scan(&stored)
		switch {
		case errors.Is(err, sql.ErrNoRows) && r.Version == 0:
		case errors.Is(err, sql.ErrNoRows):
			return store.ErrConflict
		case err != nil:
			return err
		default:
			if err := follow(ctx, tx, stored, saved, r.Version); err != nil {
				return err
			}
		}
		return put(ctx, tx, saved, body)
	})
	if err != nil {
		return rotation.Rotation{}, err
	}
	return saved, nil
}

// follow checks that r, read at a version, continues what is stored, and keeps an episode that ends with it.
func follow(ctx context.Context, tx *sql.Tx, stored []byte, r rotation.Rotation, version int64) error {
	old, err := record.DecodeRotation(stored)
	if err != nil {
		return err
	}
	if old.Version != version {
		return store.ErrConflict
	}
	if err := store.Follows(old, r); err != nil || r.Episode == old.Episode {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO episodes (id, episode, body) VALUES (?, ?, ?)", string(old.ID), old.Episode, stored)
	return err
}

func put(ctx context.Context, tx *sql.Tx, r rotation.Rotation, body []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO rotations (id, version, episode, state, account, owner, next_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, episode = excluded.episode, state = excluded.state,
		account = excluded.account, owner = excluded.owner, next_at = excluded.next_at, body = excluded.body`,
		string(r.ID), r.Version, r.Episode, string(r.State), string(r.Account), r.Owner, nanos(r.NextAt), body)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, forgetKeys, string(r.ID), r.Episode); err != nil {
		return err
	}
	for _, k := range store.KeysOf(r) {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO keys (key, id, episode) VALUES (?, ?, ?)", string(k), string(r.ID), r.Episode); err != nil {
			return err
		}
	}
	return nil
}

// nanos is a time as it is ordered in the tables; 0 is no time. Times beyond what fits stand at its ends.
func nanos(t time.Time) int64 {
	switch year := t.UTC().Year(); {
	case t.IsZero():
		return 0
	case year < 1678:
		return math.MinInt64
	case year > 2261:
		return math.MaxInt64
	}
	if n := t.UnixNano(); n != 0 {
		return n
	}
	return 1 // the epoch itself is a time
}

// RotationByKey finds the rotation that names the key as old, new, evicted, the other one or in its journal: an open one
// before one that is closed, these before earlier episodes, and the newest of these. store.ErrNotFound.
func (s *Store) RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error) {
	what := "find the rotation of " + string(key)
	r, err := s.one(ctx, what, presentByKey, string(key))
	if !errors.Is(err, store.ErrNotFound) {
		return r, err
	}
	return s.one(ctx, what, episodeByKey, string(key)) // what was archived since then was present before
}

const (
	presentByKey = `SELECT r.body FROM keys k JOIN rotations r ON r.id = k.id AND r.episode = k.episode
		WHERE k.key = ? ORDER BY r.state = 'closed', r.id LIMIT 1`
	episodeByKey = `SELECT e.body FROM keys k JOIN episodes e ON e.id = k.id AND e.episode = k.episode
		WHERE k.key = ? ORDER BY e.episode DESC, e.id LIMIT 1`
	forgetKeys    = "DELETE FROM keys WHERE id = ? AND episode = ?"
	episodesQuery = "SELECT body FROM episodes WHERE id = ? ORDER BY episode DESC"
)

// ListEpisodes returns the closed rotations of a user before the present one, the newest first.
func (s *Store) ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error) {
	what := "list the episodes of " + string(id)
	return bodies(ctx, s, what, record.DecodeRotation, episodesQuery, string(id))
}

// bodies runs a query for records and decodes them.
func bodies[T any](ctx context.Context, s *Store, what string, decode func([]byte) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, typed(what, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []T
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, typed(what, err)
		}
		v, err := decode(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, typed(what, err)
	}
	return out, nil
}
