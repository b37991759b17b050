package dynamo_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// TestUnread: rotations that cannot be read hide no others. Each is named once, and each of the others comes once.
func TestUnread(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	var want, bad []string
	for i := range 12 {
		r := storetest.Rotation(3 * i)
		if i == 8 {
			r = long(r, 100, 900)
		}
		r, err := s.SaveRotation(t.Context(), r)
		must(t, err)
		pk := dynamo.RotationPK(r.ID)
		switch i {
		case 0, 7, 11:
			set(t, name, pk, "head", "body", `{"schema":99,"kind":"rotation","data":{}}`)
		case 5:
			set(t, name, pk, "head", "body", "{}")
		case 8:
			items, err := raw(t.Context(), name, pk)
			must(t, err)
			set(t, name, pk, str(items[1]["sk"]), "body", "{}") // a piece of its history
		default:
			want = append(want, string(r.ID))
			continue
		}
		bad = append(bad, string(r.ID))
	}
	fresh, _ := open(t, name)
	first := storetest.Rotation(0)
	list := func(f store.Filter) func(store.Page) ([]rotation.Rotation, string, error) {
		return func(p store.Page) ([]rotation.Rotation, string, error) { return fresh.ListRotations(t.Context(), f, p) }
	}
	for kind, list := range map[string]func(store.Page) ([]rotation.Rotation, string, error){
		"all": list(store.Filter{}), "open": list(store.Filter{OpenOnly: true}),
		"of an account": func(p store.Page) ([]rotation.Rotation, string, error) {
			return fresh.RotationsByAccount(t.Context(), first.Account, p)
		},
		"of an owner": func(p store.Page) ([]rotation.Rotation, string, error) {
			return fresh.RotationsByOwner(t.Context(), first.Owner, p)
		},
	} {
		for _, limit := range []int{0, 1, 2, 5} {
			var got, unread []string
			page := store.Page{Limit: limit}
			for {
				some, next, err := list(page)
				if u, ok := errors.AsType[*store.Unread](err); ok {
					for _, id := range u.IDs {
						unread = append(unread, string(id))
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
			slices.Sort(got)
			slices.Sort(unread)
			if !slices.Equal(got, want) || !slices.Equal(unread, bad) {
				t.Errorf("%s, in pages of %d: %v, and not %v", kind, limit, got, unread)
			}
		}
	}
	// A call that fails is no damage: nothing comes with it.
	lost, _ := open(t, name, noRetries, through(func(op string, _ []byte, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "BatchGetItem" {
			return nil, errLost
		}
		return send()
	}))
	got, next, err := lost.ListRotations(t.Context(), store.Filter{}, store.Page{})
	if _, ok := errors.AsType[*store.Unread](err); ok || !errors.Is(err, errLost) || len(got) != 0 || next != "" {
		t.Errorf("%d rotations, %q, %v", len(got), next, err)
	}
}
