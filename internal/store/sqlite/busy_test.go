package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// locked opens a file whose write lock another handle holds until release is called.
func locked(t *testing.T, busy time.Duration) (s *sqlite.Store, release func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s = open(t, path, sqlite.BusyTimeout(busy))
	tx, err := sqlite.DB(open(t, path)).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

func TestBusy(t *testing.T) {
	s, release := locked(t, 30*time.Millisecond)
	began := time.Now()
	if _, err := s.SaveRotation(t.Context(), storetest.Rotation(1)); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a save: %v", err)
	}
	if err := s.SetState(t.Context(), "a", "b"); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a note: %v", err)
	}
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("it waited for %v", d)
	}
	if _, _, err := s.ListRotations(t.Context(), store.Filter{}, store.Page{}); err != nil {
		t.Errorf("reading waits for no writer: %v", err)
	}
	release()
	mustSave(t, s, storetest.Rotation(1))
}

// TestOpenBusy: a file is opened and read while another process writes.
func TestOpenBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyturn.db")
	first := open(t, path)
	r := mustSave(t, first, storetest.Rotation(1))
	tx, err := sqlite.DB(first).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only holds the lock
	if _, err := open(t, path, sqlite.BusyTimeout(time.Millisecond)).GetRotation(t.Context(), r.ID); err != nil {
		t.Error(err)
	}
}

// TestWaits: a writer that waits gets its turn, or ends with its context, and keeps no reader waiting.
func TestWaits(t *testing.T) {
	t.Parallel()
	s, release := locked(t, time.Minute)
	saved := make(chan error, 2*sqlite.Conns)
	for i := range cap(saved) {
		go func() {
			_, err := s.SaveRotation(t.Context(), storetest.Rotation(i))
			saved <- err
		}()
	}
	for !sqlite.Writing(s) {
		runtime.Gosched()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.SaveRotation(ctx, storetest.Rotation(99)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a save with a context that ends: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.GetRotation(ctx, "x/y"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a read beside many waiting writers: %v", err)
	}
	release()
	for range cap(saved) {
		if err := <-saved; err != nil {
			t.Error(err)
		}
	}
}

// TestEndsWhileWaiting: a save that waits for another process ends with its context.
func TestEndsWhileWaiting(t *testing.T) {
	s, release := locked(t, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.SaveRotation(ctx, storetest.Rotation(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a save with a context that ends: %v", err)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it went on for %v", d)
	}
	release()
	if _, err := s.GetRotation(t.Context(), storetest.Rotation(1).ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it was saved: %v", err)
	}
	mustSave(t, s, storetest.Rotation(1))
}

func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	whole := open(t, path)
	small := open(t, path, sqlite.Pragma("max_page_count(40)"))
	var saved []rotation.Rotation
	var full error
	for i := 0; full == nil && i < 5000; i++ {
		var r rotation.Rotation
		if r, full = small.SaveRotation(t.Context(), storetest.Rotation(i)); full == nil {
			saved = append(saved, r)
		}
	}
	if !errors.Is(full, store.ErrFull) || len(saved) < 10 {
		t.Fatalf("after %d saves: %v", len(saved), full)
	}
	big := rotation.Snapshot{Account: "111122223333", Users: make([]rotation.User, 2000)}
	if err := small.SaveSnapshot(t.Context(), big); !errors.Is(err, store.ErrFull) {
		t.Errorf("a snapshot: %v", err)
	}
	check := func(s *sqlite.Store) {
		t.Helper()
		sound(t, s)
		for _, r := range saved {
			got, err := s.GetRotation(t.Context(), r.ID)
			if err != nil || got.Version != 1 {
				t.Fatalf("a saved rotation is lost: %v", err)
			}
			if _, err := s.RotationByKey(t.Context(), r.Old.ID); err != nil {
				t.Fatalf("a saved rotation is not found by its key: %v", err)
			}
		}
		if _, err := s.GetRotation(t.Context(), storetest.Rotation(len(saved)).ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a save that failed left a rotation: %v", err)
		}
		if _, err := s.GetSnapshot(t.Context(), big.Account); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a save that failed left a snapshot: %v", err)
		}
	}
	check(small)
	check(whole)
	mustSave(t, whole, storetest.Note(saved[0], "there is room again"))
	mustSave(t, whole, storetest.Rotation(len(saved)))
}
