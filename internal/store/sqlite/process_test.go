//go:build linux || darwin

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// childEnv makes the test binary another process that uses the store: "what number path".
const childEnv = "KEYTURN_STORE_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		if err := child(job); err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(job string) error {
	what, rest, _ := strings.Cut(job, " ")
	number, path, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if what == "lock" {
		return unlocked(path)
	}
	s, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	switch what {
	case "add":
		err = add(context.Background(), s, n, 15)
	case "run": // until it is killed
		for i := n; err == nil; i++ {
			var r rotation.Rotation
			if r, err = s.SaveRotation(context.Background(), storetest.Rotation(i)); err == nil {
				fmt.Println("saved", i)
				_, err = s.SaveRotation(context.Background(), storetest.Note(r, "again"))
			}
		}
	case "limit":
		err = limited(s, path)
	case "read":
		_, err = s.GetRotation(context.Background(), storetest.Rotation(n).ID)
	default:
		err = fmt.Errorf("nobody knows %q", what)
	}
	return errors.Join(err, s.Close())
}

// add saves rotations of its own and adds lines to one that others change as well.
func add(ctx context.Context, s *sqlite.Store, number, lines int) error {
	for i := range lines {
		if _, err := s.SaveRotation(ctx, storetest.Rotation(1000*number+i)); err != nil {
			return err
		}
		for {
			r, err := s.GetRotation(ctx, storetest.Rotation(0).ID)
			if err != nil {
				return err
			}
			_, err = s.SaveRotation(ctx, storetest.Note(r, fmt.Sprintf("%d/%d", number, i)))
			if err == nil {
				break
			}
			if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
	}
	return nil
}

// limited saves until the file may not grow any more, and again when it may.
func limited(s *sqlite.Store, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return err
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(info.Size()) + 100_000, Max: was.Max}); err != nil {
		return err
	}
	saved := 0
	for err == nil && saved < 1000 {
		if _, err = s.SaveRotation(context.Background(), storetest.Rotation(saved)); err == nil {
			saved++
		}
	}
	if err == nil || saved == 0 {
		return fmt.Errorf("%d were saved in a file that may not grow: %w", saved, err)
	}
	for range 2 * sqlite.Conns { // on every connection, and none is left in a transaction
		if _, err := s.SaveRotation(context.Background(), storetest.Rotation(saved)); err == nil {
			return errors.New("a save succeeded in a file that may not grow")
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	for i := range saved {
		if _, err := s.GetRotation(context.Background(), storetest.Rotation(i).ID); err != nil {
			return fmt.Errorf("a saved rotation is lost: %w", err)
		}
	}
	if _, err := s.GetRotation(context.Background(), storetest.Rotation(saved).ID); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("a save that failed left something: %w", err)
	}
	_, err = s.SaveRotation(context.Background(), storetest.Rotation(saved))
	return err
}

func start(t *testing.T, what string, number int, path string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", childEnv, what, number, path))
	return c
}

func run(t *testing.T, what string, number int, path string) {
	t.Helper()
	if out, err := start(t, what, number, path).CombinedOutput(); err != nil {
		t.Errorf("child %s: %v\n%s", what, err, out)
	}
}

// TestProcesses: two processes and two handles of this one write to one file at a time, and nobody's line is lost.
func TestProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	one, two := open(t, path), open(t, path)
	mustSave(t, one, storetest.Rotation(0))
	var wg sync.WaitGroup
	for i, s := range []*sqlite.Store{nil, nil, one, two} {
		wg.Go(func() {
			if s == nil {
				run(t, "add", i+1, path)
			} else if err := add(t.Context(), s, i+1, 15); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, err := two.GetRotation(t.Context(), storetest.Rotation(0).ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.History) != 61 || r.Version != 61 {
		t.Errorf("%d lines at version %d, want 61", len(r.History), r.Version)
	}
	all, _, err := one.ListRotations(t.Context(), store.Filter{}, store.Page{Limit: store.MaxPage})
	if err != nil || len(all) != 61 {
		t.Errorf("%d rotations, %v; want 61", len(all), err)
	}
	sound(t, one)
}

// TestFirstOpen: several processes make one file at a time.
func TestFirstOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			c := start(t, "read", i, path)
			if out, _ := c.CombinedOutput(); !strings.Contains(string(out), store.ErrNotFound.Error()) {
				t.Errorf("child %d: %s", i, out)
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			if s, err := sqlite.Open(path); err != nil {
				t.Error(err)
			} else if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestOpenTwice: to open a file once more, or to fail to, drops no lock of the store that has it open.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	s := open(t, path)
	r := mustSave(t, s, storetest.Rotation(0))
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	run(t, "lock", 0, path)
	mustSave(t, s, storetest.Note(r, "again"))
	run(t, "add", 1, path)
	if _, err := s.GetRotation(t.Context(), storetest.Rotation(1014).ID); err != nil {
		t.Error(err)
	}
	sound(t, s)
}

// unlocked tries to take the lock by which SQLite tells whether another process has the file open
// (https://www.sqlite.org/fileformat.html#the_lock_byte_page): it has to be held.
func unlocked(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	const shared, size = 0x40000000 + 2, 510
	err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: shared, Len: size})
	if err == nil {
		return errors.Join(errors.New("by its locks, nobody has the file open"), f.Close())
	}
	return f.Close()
}

// TestKilled kills a process while it writes, again and again: what it was told is saved is there, and the rest is whole.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	next := 0
	for round := range 3 {
		c := start(t, "run", next, path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		told, lines := 0, bufio.NewScanner(out)
		for lines.Scan() { // what it still said before it died counts, too
			if !strings.HasPrefix(lines.Text(), "saved ") {
				t.Fatal(lines.Text())
			}
			if told++; told == 10+7*round {
				if err := c.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := c.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		s := open(t, path)
		sound(t, s)
		for i := next; ; i++ {
			r, err := s.GetRotation(t.Context(), storetest.Rotation(i).ID)
			if errors.Is(err, store.ErrNotFound) && i >= next+told {
				next = i
				break
			}
			if err != nil {
				t.Fatalf("round %d: rotation %d of %d that were saved: %v", round, i, next+told, err)
			}
			if len(r.History) != int(r.Version) {
				t.Fatalf("rotation %d at version %d has %d lines", i, r.Version, len(r.History))
			}
			if _, err := s.RotationByKey(t.Context(), r.Old.ID); err != nil {
				t.Fatalf("rotation %d is not found by its key: %v", i, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFailedWrites: writes fail in the middle and at the commit, and nothing is lost or half there.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.db")
	run(t, "limit", 0, path)
	sound(t, open(t, path))
}
