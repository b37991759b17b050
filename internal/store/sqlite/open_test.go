package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

func mustSave(t *testing.T, s *sqlite.Store, r rotation.Rotation) rotation.Rotation {
	t.Helper()
	saved, err := s.SaveRotation(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func mustExec(t *testing.T, s *sqlite.Store, query string, args ...any) {
	t.Helper()
	if _, err := sqlite.DB(s).ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func sound(t *testing.T, s *sqlite.Store) {
	t.Helper()
	var says string
	if err := sqlite.DB(s).QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&says); err != nil || says != "ok" {
		t.Fatalf("integrity: %s %v", says, err)
	}
}

func TestPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	abs := t.TempDir()
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"keyturn.db", "./dot.db", "folder/../up.db", "folder/in.db", filepath.Join(abs, "abs.db"), "with space.db", "per%20cent.db", "100%.db", "ques?tion=1.db", "hash#tag.db",
		"am&per+plus.db", "quote'\".db", "ü日本.db", "file:scheme.db", ":memory:", "semi;colon.db", "no-extension", "back\\slash.db",
	} {
		t.Run(path, func(t *testing.T) {
			s := open(t, path)
			r := mustSave(t, s, storetest.Rotation(1))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() == 0 {
				t.Fatalf("the file is not where it was asked for: %v", err)
			}
			if got, err := open(t, path).GetRotation(t.Context(), r.ID); err != nil || got.Version != 1 {
				t.Errorf("after reopening: %v", err)
			}
		})
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if n := f.Name(); !strings.Contains(n, ".db") && n != ":memory:" && n != "no-extension" && n != "folder" && !strings.HasSuffix(n, "-wal") && !strings.HasSuffix(n, "-shm") {
			t.Errorf("a file that nobody asked for: %s", n)
		}
	}
}

func TestFolderMayChange(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "keyturn.db")
	t.Chdir(t.TempDir())
	for i := range sqlite.Conns { // connections that are made only now
		c, err := sqlite.DB(s).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the pool is closed with the test
		if _, err := c.ExecContext(t.Context(), "SELECT count(*) FROM rotations"); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
}

func TestUnusable(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := "this is a letter and no database. " + strings.Repeat("It goes on. ", 200)
	letter := file("letter.txt", text)
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", "file:"+foreign)
	if err == nil {
		_, err = db.ExecContext(t.Context(), "CREATE TABLE invoices (id INTEGER)")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, says string }{
		{"no database", letter, "is not a SQLite database"},
		{"another program's", foreign, "the database of another program"},
		{"folder missing", filepath.Join(dir, "missing", "keyturn.db"), "there is no folder"},
		{"folder is a file", filepath.Join(letter, "keyturn.db"), "there is no folder"},
		{"a folder", dir, "it is not a file"},
		{"nothing", "", "no such file"},
		{"a name too long", filepath.Join(dir, strings.Repeat("x", 300)), "name too long"},
		{"a device", os.DevNull, "it is not a file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := sqlite.Open(c.path)
			if err == nil {
				t.Fatal(errors.Join(errors.New("it was opened"), s.Close()))
			}
			if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "open ") {
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
	if got, err := os.ReadFile(letter); err != nil || string(got) != text {
		t.Errorf("the letter was changed: %v", err)
	}
	if _, err := os.Stat(letter + "-wal"); err == nil {
		t.Error("the letter got a journal")
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s := open(t, path)
	mustSave(t, s, storetest.Rotation(1))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

// TestPragmas looks at every connection that the pool can have.
func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
	for i := range sqlite.Conns {
		c, err := sqlite.DB(s).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the pool is closed with the test
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "5000", "foreign_keys": "1"} {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("connection %d: %s is %s, %v; want %s", i, pragma, got, err, want)
			}
		}
	}
}

func TestNewerLayout(t *testing.T) {
	for _, value := range []string{"3", "77", "next"} {
		path := filepath.Join(t.TempDir(), "keyturn.db")
		s := open(t, path)
		mustExec(t, s, "UPDATE meta SET value = ? WHERE name = 'layout'", value)
		mustExec(t, s, "DROP TABLE state") // a table that the newer version does not have
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(path); !errors.Is(err, store.ErrNewer) {
			t.Errorf("layout %s: %v", value, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("layout %s: the newer file was changed (%v)", value, err)
		}
	}
}

// TestOlderLayout opens a file as layout 1 made it, by several processes at once: everything in it stays, and what it did not
// have is there.
func TestOlderLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s := open(t, path)
	r := mustSave(t, s, storetest.Rotation(1))
	mustExec(t, s, "DROP TABLE chains")
	mustExec(t, s, "DROP TABLE entries")
	mustExec(t, s, "UPDATE meta SET value = '1' WHERE name = 'layout'")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "first.db")
	db, err := sql.Open("sqlite", "file:"+made)
	if err == nil {
		_, err = db.ExecContext(t.Context(), sqlite.FirstTables+"INSERT INTO meta (name, value) VALUES ('layout', '1')")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, made} {
		stores, errs := make([]*sqlite.Store, 4), make([]error, 4)
		var wait sync.WaitGroup
		for i := range stores {
			wait.Go(func() { stores[i], errs[i] = sqlite.Open(path) })
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for i, s := range stores {
			if err := s.AppendEntry(t.Context(), fmt.Sprint("chain ", i), storetest.Entry(nil, "")); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	again := open(t, path)
	if got, err := again.GetRotation(t.Context(), r.ID); err != nil || got.Version != 1 {
		t.Errorf("the rotation: %v", err)
	}
	if chains, _, err := again.ListChains(t.Context(), store.Page{}); err != nil || len(chains) != 4 {
		t.Errorf("chains: %v %v", chains, err)
	}
	sound(t, again)
}

// TestNewerRecord: what a newer version wrote is neither read, nor replaced, nor deleted.
func TestNewerRecord(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
	ctx := t.Context()
	r := mustSave(t, s, storetest.Rotation(1))
	e := rotation.Exemption{Account: r.Account, UserID: r.UserID}
	q := rotation.Request{Account: r.Account, UserID: r.UserID}
	n := rotation.Snapshot{Account: r.Account}
	if err := errors.Join(s.SaveExemption(ctx, rotation.Exemption{}, e), s.SaveRequest(ctx, q), s.SaveSnapshot(ctx, n)); err != nil {
		t.Fatal(err)
	}
	body := func(table, kind string) string {
		return fmt.Sprintf(`{"schema":%d,"kind":%q,"data":{"of":%q}}`, record.Schema+1, kind, table)
	}
	kinds := map[string]string{"rotations": "rotation", "exemptions": "exemption", "requests": "request", "snapshots": "snapshot"}
	for table, kind := range kinds {
		mustExec(t, s, "UPDATE "+table+" SET body = ?", []byte(body(table, kind)))
	}
	_, get := s.GetRotation(ctx, r.ID)
	_, saved := s.SaveRotation(ctx, r)
	_, key := s.RotationByKey(ctx, r.Old.ID)
	_, _, list := s.ListRotations(ctx, store.Filter{}, store.Page{})
	_, exemption := s.GetExemption(ctx, e.Account, e.UserID)
	_, snapshot := s.GetSnapshot(ctx, n.Account)
	for what, err := range map[string]error{
		"get": get, "save": saved, "key": key, "list": list, "exemption": exemption, "snapshot": snapshot,
		"save exemption": s.SaveExemption(ctx, rotation.Exemption{}, e), "delete exemption": s.DeleteExemption(ctx, e.Account, e.UserID),
		"save request": s.SaveRequest(ctx, q), "delete request": s.DeleteRequest(ctx, q), "save snapshot": s.SaveSnapshot(ctx, n),
	} {
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for table, kind := range kinds {
		var got []byte
		if err := sqlite.DB(s).QueryRowContext(ctx, "SELECT body FROM "+table).Scan(&got); err != nil || string(got) != body(table, kind) {
			t.Errorf("%s: %s %v", table, got, err)
		}
	}
	if due, _, err := s.Due(ctx, storetest.Noon, store.Page{}); err != nil || len(due) != 1 {
		t.Errorf("one newer rotation hides what is due: %v %v", due, err)
	}
}
