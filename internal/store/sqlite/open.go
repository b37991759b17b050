package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/store"
)

// Option changes how a file is opened.
type Option func(*options)

type options struct {
	busy    time.Duration
	pragmas []string // of tests
}

// BusyTimeout is how long a call waits for another process's write before it gives up with store.ErrBusy; 5 s unless told.
func BusyTimeout(d time.Duration) Option { return func(o *options) { o.busy = d } }

// conns is how many connections a store has at most; they are kept, because each one begins with its pragmas.
const conns = 8

// Open opens the file, or makes it, with permissions for its owner alone. store.ErrNewer if a newer version made it.
func Open(path string, opts ...Option) (*Store, error) {
	o := options{busy: 5 * time.Second}
	for _, f := range opts {
		f(&o)
	}
	if err := usable(path); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path) // ":memory:" is a file like any other, and later changes of the folder move nothing
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// FULL: a claim must be on the disk before AWS is touched. IMMEDIATE: a transaction that will write waits at its
	// beginning, where nothing was read yet.
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(" + strconv.FormatInt(o.busy.Milliseconds(), 10) + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
	}, o.pragmas...)}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(abs)+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	s := &Store{db: db, path: path, busy: o.busy, writer: make(chan struct{}, 1)}
	if err := s.migrate(context.Background()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// making is held while a file is made: see usable.
var making sync.Mutex

// usable finds out what is wrong with a path before SQLite does, whose words help nobody. It makes a file that is not
// there, and never opens one that is: closing it would drop the locks that this process holds on it by another Store
// (https://www.sqlite.org/howtocorrupt.html, 2.2).
func usable(path string) error {
	making.Lock()
	defer making.Unlock()
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("open %s: there is no folder %s. Make it, or change store.sqlite", path, dir)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			return f.Close()
		}
		if errors.Is(err, fs.ErrExist) { // another process was faster
			info, err = os.Stat(path)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("open %s: %w. %s", path, err, needs)
	case !info.Mode().IsRegular():
		return fmt.Errorf("open %s: it is not a file. Change store.sqlite", path)
	}
	return nil
}

// needs is what to do where a file cannot be used.
const needs = "The process needs to read and write the file and its folder"

// layout is the version of the tables that this package makes and the newest that it uses.
const layout = 2

const tables = firstTables + chainTables

const firstTables = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE rotations (
	id TEXT PRIMARY KEY, version INTEGER NOT NULL, episode INTEGER NOT NULL, state TEXT NOT NULL, account TEXT NOT NULL,
	owner TEXT NOT NULL, next_at INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX rotations_next ON rotations (next_at, id) WHERE next_at <> 0;
CREATE INDEX rotations_account ON rotations (account, id);
CREATE INDEX rotations_owner ON rotations (owner, id);
CREATE TABLE episodes (
	id TEXT NOT NULL, episode INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id, episode)) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
	key TEXT NOT NULL, id TEXT NOT NULL, episode INTEGER NOT NULL, PRIMARY KEY (key, id, episode)) STRICT, WITHOUT ROWID;
CREATE INDEX keys_rotation ON keys (id, episode);
CREATE TABLE snapshots (account TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE exemptions (
	account TEXT NOT NULL, user TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (account, user)) STRICT, WITHOUT ROWID;
CREATE TABLE requests (
	account TEXT NOT NULL, user TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (account, user)) STRICT, WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

// chainTables are what layout 2 added. A chain stays in its table whatever happens to its entries.
const chainTables = `
CREATE TABLE chains (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
	chain TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (chain, seq)) STRICT, WITHOUT ROWID;
`

// migrate makes the tables in an empty file, adds what an older version did not have, and refuses those of a newer one. It
// writes only where something is missing, so that a file can be read while another process writes or the disk is full.
func (s *Store) migrate(ctx context.Context) error {
	what := "open " + s.path
	have, err := layoutOf(ctx, s.db)
	if err != nil || have == layout {
		return typed(what, err)
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		have, err := layoutOf(ctx, tx) // again: another process may have been faster
		if err != nil || have == layout {
			return err
		}
		missing := tables
		if have == 1 {
			missing = chainTables
		}
		_, err = tx.ExecContext(ctx, missing+"INSERT OR REPLACE INTO meta (name, value) VALUES ('layout', '"+strconv.Itoa(layout)+"')")
		return err
	})
}

// layoutOf returns the layout of the tables, or 0 if there are none.
func layoutOf(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (int, error) {
	var all, meta int
	err := db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema WHERE type = 'table'").Scan(&all, &meta)
	switch {
	case err != nil:
		return 0, err
	case all == 0:
		return 0, nil
	case meta == 0:
		return 0, errors.New("the file is the database of another program. Name another one by store.sqlite")
	}
	var have int
	if err := db.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'layout'").Scan(&have); err != nil {
		return 0, fmt.Errorf("read the layout of its tables: %w", err)
	}
	if have < 1 || have > layout {
		return 0, fmt.Errorf("its tables have layout %d, this version knows %d. Use the version that wrote it, or a newer one: %w", have, layout, store.ErrNewer)
	}
	return have, nil
}
