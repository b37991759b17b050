// Package storetest is the conformance suite that every store of keyturn passes, and so the contract that consumers may
// rely on. It knows no implementation.
//
// What holds beyond the doc comments of the consumers' interfaces:
//
//   - A save is conditional on Version and atomic: of any number of savers of one version exactly one wins, the others get
//     store.ErrConflict, and what is stored is the winner's, with all that it is found by. A refused save changes nothing.
//   - A save continues what is stored: the history begins with the stored one (store.ErrHistory), and an episode follows a
//     closed one by one (store.ErrEpisode), which is kept among the episodes.
//   - SaveRotation returns what GetRotation would. Values share no memory with what is stored; times come back as the same
//     instants; empty slices and maps may come back nil.
//   - A chain of entries only grows: an entry is appended right after the last one, which it names by number and hash
//     (store.ErrConflict), and only if its own hash fits (store.ErrHistory). Of any number of appenders at one place exactly
//     one wins. Appending an entry that is there already is no error, wherever it stands, and changes nothing.
//   - A list ends where its cursor is "". A page with a cursor may be short or empty. Entries that exist and do not change
//     while a list is read come once each. The order is the store's own, except: Due returns the longest due first,
//     ListEpisodes the newest first and ListEntries the oldest first. A cursor belongs to its list and its arguments, but not
//     to the time of a filter; one that makes no sense is store.ErrCursor.
//   - A list of rotations does not stop at one that cannot be read: the page comes without it, with its cursor and a
//     *store.Unread as its error. What the suite cannot damage, each store's own tests do.
//   - A call whose context has ended returns the context's error and changes nothing.
package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Store is every method that a consumer asks of a store.
type Store interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	GetForDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error)
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error)
	RotationsByOwner(ctx context.Context, owner string, page store.Page) ([]rotation.Rotation, string, error)
	RotationsByAccount(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Rotation, string, error)
	ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error)
	ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error)
	Due(ctx context.Context, now time.Time, page store.Page) ([]rotation.ID, string, error)

	GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error)
	SaveSnapshot(ctx context.Context, s rotation.Snapshot) error
	ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error)

	GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error)
	SaveExemption(ctx context.Context, before, e rotation.Exemption) error
	DeleteExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) error
	ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error)

	SaveRequest(ctx context.Context, q rotation.Request) error
	ListRequests(ctx context.Context, page store.Page) ([]rotation.Request, string, error)
	DeleteRequest(ctx context.Context, q rotation.Request) error

	GetState(ctx context.Context, name string) (string, error)
	SetState(ctx context.Context, name, value string) error

	AppendEntry(ctx context.Context, chain string, e rotation.Entry) error
	LastEntry(ctx context.Context, chain string) (rotation.Entry, error)
	ListChains(ctx context.Context, page store.Page) ([]string, string, error)
	ListEntries(ctx context.Context, chain string, page store.Page) ([]rotation.Entry, string, error)

	Close() error
}

// Run runs the suite. open opens a store that is empty, several at a time; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"rotation", testRotation},
		{"conditional save", testConditional},
		{"one winner", testOneWinner},
		{"no lost update", testNoLostUpdate},
		{"history continues", testHistory},
		{"episodes", testEpisodes},
		{"by key", testByKey},
		{"by key across episodes", testByKeyEpisodes},
		{"filters", testFilters},
		{"due", testDue},
		{"paging", testPaging},
		{"paging while writing", testPagingWrites},
		{"cursors", testCursors},
		{"snapshots", testSnapshots},
		{"exemptions", testExemptions},
		{"for a decision", testDecision},
		{"requests", testRequests},
		{"state", testState},
		{"chains", testChains},
		{"names of chains", testChainNames},
		{"race for a chain", testChainRace},
		{"memory", testMemory},
		{"hostile text", testHostile},
		{"unnamed", testUnnamed},
		{"ended context", testEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			c.run(t, s)
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

// Noon is the time of the suite.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// Rotation is an awaiting rotation of the n-th user, in one of three accounts and of one of three owners, that was never
// saved.
func Rotation(n int) rotation.Rotation {
	account, user := rotation.AccountID(fmt.Sprintf("%012d", 111+n%3)), rotation.UserID(fmt.Sprintf("AIDA%04d", n))
	r := rotation.Rotation{
		ID: rotation.MakeID(account, user), Episode: 1, Account: account, UserID: user, UserName: rotation.UserName(fmt.Sprintf("user-%d", n)),
		Owner: fmt.Sprintf("owner%d@example.com", n%3), Kind: rotation.Rotate, State: rotation.Awaiting,
		Old: rotation.KeyRef{ID: rotation.KeyID(fmt.Sprintf("AKIAOLD%013d", n)), Created: Noon}, NextAt: Noon, Opened: Noon,
	}
	return Note(r, "opened")
}

// Note adds a line to the history of a rotation.
func Note(r rotation.Rotation, note string) rotation.Rotation {
	r = r.Clone()
	r.History = append(r.History, rotation.Entry{Seq: len(r.History) + 1, At: Noon, Actor: rotation.System, Event: "note", To: r.State, Note: note, Hash: note})
	return r
}

// Equal compares values as the contract does: times by instant, empty like nil.
var Equal = cmpopts.EquateEmpty()

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, Equal); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, d)
	}
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, s Store, r rotation.Rotation) rotation.Rotation {
	t.Helper()
	saved, err := s.SaveRotation(t.Context(), r)
	must(t, err)
	return saved
}

func stored(t *testing.T, s Store, id rotation.ID) rotation.Rotation {
	t.Helper()
	r, err := s.GetRotation(t.Context(), id)
	must(t, err)
	return r
}

// all reads a list in pages of a size. between is called between pages, if it is not nil, with what was read so far.
func all[T any](limit int, list func(store.Page) ([]T, string, error), between func([]T)) ([]T, error) {
	var out []T
	page := store.Page{Limit: limit}
	for range 100_000 {
		some, next, err := list(page)
		if err != nil {
			return nil, err
		}
		if limit > 0 && len(some) > limit {
			return nil, fmt.Errorf("a page of %d has %d entries", limit, len(some))
		}
		out = append(out, some...)
		if next == "" {
			return out, nil
		}
		if between != nil {
			between(out)
		}
		page.After = next
	}
	return nil, fmt.Errorf("the list does not end")
}

func idsOf(rs []rotation.Rotation) []string {
	out := []string{}
	for _, r := range rs {
		out = append(out, string(r.ID))
	}
	return out
}

// hostile is text that breaks what does not quote, escape or count it.
var hostile = []string{
	"", " ", "'", `"`, "''; DROP TABLE rotations; --", "%", "_", `\`, "\n\r\t", "<a&b>", "é", "e\u0301", "日本語", "🔑", "\u2028", "\ufeff",
	"a/b", "a#b", "a|b", "{}", "null", "\x01", "..", strings.Repeat("x", 900),
}
