// Package sqlite keeps keyturn's state in one SQLite file that several processes may use at once. It owns the tables and
// what they are found by; what a record looks like is package record's. It must not know what a rotation's state means.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/store"
)

// Store is an open file. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string
	busy time.Duration

	// writer is held by the one write of this process that is under way. SQLite's own waiting polls, and every waiter would
	// keep a connection from the readers.
	writer chan struct{}
}

// Close ends the use of the file.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// write runs f in a transaction that waits for other writers at its beginning. An error of the commit may leave open
// whether it took effect: whoever saved reads again.
func (s *Store) write(ctx context.Context, what string, f func(*sql.Tx) error) error {
	if err := s.turn(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { <-s.writer }()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return typed(what, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error says what is wrong
		return typed(what, err)
	}
	return typed(what, tx.Commit())
}

// turn waits for the other writes of this process, as long as it would for those of another one.
func (s *Store) turn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	late := time.NewTimer(s.busy)
	defer late.Stop()
	select {
	case s.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return store.ErrBusy
	}
}
