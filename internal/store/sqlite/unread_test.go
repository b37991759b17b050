package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// TestUnread: rotations that cannot be read hide no others. Each is named once, and each of the others comes once.
func TestUnread(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
	bad := map[string]error{
		"000000000111/AIDA0000": store.ErrNewer, "000000000111/AIDA0006": record.ErrCorrupt, "000000000111/AIDA0009": store.ErrNewer,
		"000000000111/AIDA0021": store.ErrNewer,
	}
	var want, wantBad []string
	for i := range 8 {
		r := storetest.Rotation(3 * i)
		r.OUPath = "r-ab12"
		r = mustSave(t, s, r)
		body := `{"schema":99,"kind":"rotation","data":{}}`
		switch bad[string(r.ID)] {
		case nil:
			want = append(want, string(r.ID))
			continue
		case record.ErrCorrupt:
			body = "{}"
		}
		wantBad = append(wantBad, string(r.ID))
		mustExec(t, s, "UPDATE rotations SET body = ? WHERE id = ?", []byte(body), string(r.ID))
	}
	list := func(f store.Filter) func(store.Page) ([]rotation.Rotation, string, error) {
		return func(p store.Page) ([]rotation.Rotation, string, error) { return s.ListRotations(t.Context(), f, p) }
	}
	r := storetest.Rotation(0)
	for name, list := range map[string]func(store.Page) ([]rotation.Rotation, string, error){
		"all": list(store.Filter{}), "of a unit": list(store.Filter{OU: "r-ab12"}),
		"of an account": func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByAccount(t.Context(), r.Account, p)
		},
		"of an owner": func(p store.Page) ([]rotation.Rotation, string, error) {
			return s.RotationsByOwner(t.Context(), r.Owner, p)
		},
	} {
		for limit := range 10 {
			t.Run(fmt.Sprintf("%s, in pages of %d", name, limit), func(t *testing.T) {
				var got, unread []string
				page := store.Page{Limit: limit}
				for {
					some, next, err := list(page)
					if u, ok := errors.AsType[*store.Unread](err); ok {
						for _, id := range u.IDs {
							unread = append(unread, string(id))
						}
						if first := bad[string(u.IDs[0])]; first == nil || !errors.Is(err, first) {
							t.Errorf("%s: %v", u.IDs[0], err)
						}
					} else if err != nil {
						t.Fatal(err)
					}
					for _, r := range some {
						got = append(got, string(r.ID))
					}
					if next == "" {
						break
					}
					page.After = next
				}
				if !slices.Equal(got, want) || !slices.Equal(unread, wantBad) {
					t.Errorf("%v, and not %v", got, unread)
				}
			})
		}
	}
}

// TestShortPages: a filter that no column answers reads a bounded number of rotations at once, and all of them in the end.
func TestShortPages(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"), sqlite.Pragma("synchronous(OFF)"))
	r := mustSave(t, s, storetest.Rotation(0))
	mustExec(t, s, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)
		INSERT INTO rotations SELECT format('many/%05d', i), version, episode, state, account, owner, next_at, body FROM rotations, n WHERE id = ?`, string(r.ID))
	last := storetest.Rotation(0)
	last.ID, last.OUPath = "z/last", "r-ab12/ou-ab12-prod"
	last = mustSave(t, s, last)
	page, pages, got := store.Page{Limit: 5}, 0, []rotation.Rotation{}
	for {
		some, next, err := s.ListRotations(t.Context(), store.Filter{OU: "ou-ab12-prod"}, page)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
		pages++
		if next == "" {
			break
		}
		page.After = next
	}
	if len(got) != 1 || got[0].ID != last.ID || pages < 2 || pages > 4 {
		t.Errorf("%d rotations in %d pages", len(got), pages)
	}
}
