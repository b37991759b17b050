package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

func requestItems(body []byte) []byte {
	var in struct{ RequestItems json.RawMessage }
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	return in.RequestItems
}

// lagging makes indexes answer what they answered first, for ever.
func lagging() wire {
	said := map[string]string{}
	return func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
		if op != "Query" || !strings.Contains(string(body), `"IndexName"`) {
			return send()
		}
		var asked any
		if err := json.Unmarshal(body, &asked); err != nil {
			return nil, err
		}
		question := fmt.Sprint(asked) // maps in the order of their keys
		if was, ok := said[question]; ok {
			return answer(http.StatusOK, was), nil
		}
		resp, err := send()
		if err != nil {
			return nil, err
		}
		was, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		said[question] = string(was)
		return answer(http.StatusOK, string(was)), nil
	}
}

// TestLag: an index that has not caught up names what is elsewhere by now. What a list returns is as it is, or not there.
func TestLag(t *testing.T) {
	t.Parallel()
	name := table(t)
	writer, _ := open(t, name)
	l := lagging()
	var mu sync.Mutex
	reader, _ := open(t, name, through(func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		return l(op, body, send)
	}))
	ctx := t.Context()
	var saved []rotation.Rotation
	for i := range 4 {
		r := storetest.Rotation(3 * i)
		r.Owner = "a@example.com"
		r, err := writer.SaveRotation(ctx, r)
		must(t, err)
		saved = append(saved, r)
	}
	must(t, writer.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: "1", UserID: "2"}))
	see := func() (owner, all []rotation.Rotation, due []rotation.ID, exempt []rotation.Exemption) {
		t.Helper()
		owner, _, err := reader.RotationsByOwner(ctx, "a@example.com", store.Page{})
		must(t, err)
		all, _, err = reader.ListRotations(ctx, store.Filter{OpenOnly: true}, store.Page{})
		must(t, err)
		due, _, err = reader.Due(ctx, storetest.Noon, store.Page{})
		must(t, err)
		exempt, _, err = reader.ListExemptions(ctx, "", store.Page{})
		must(t, err)
		return owner, all, due, exempt
	}
	if owner, all, due, exempt := see(); len(owner) != 4 || len(all) != 4 || len(due) != 4 || len(exempt) != 1 {
		t.Fatalf("%d %d %d %d", len(owner), len(all), len(due), len(exempt))
	}
	saved[0].Owner = "b@example.com"
	saved[1].State = rotation.Closed
	saved[2].NextAt = storetest.Noon.Add(-time.Hour) // due still, and found there
	saved[3].NextAt = time.Time{}
	for i := range saved {
		var err error
		saved[i], err = writer.SaveRotation(ctx, saved[i])
		must(t, err)
	}
	must(t, writer.DeleteExemption(ctx, "1", "2"))
	owner, all, due, exempt := see()
	if len(owner) != 3 || len(all) != 3 || len(exempt) != 0 {
		t.Errorf("%d of the owner, %d open, %d exemptions", len(owner), len(all), len(exempt))
	}
	for _, r := range all {
		if !slices.ContainsFunc(saved, func(x rotation.Rotation) bool { return differs(x, r) == "" }) {
			t.Errorf("%s is not as it is", r.ID)
		}
	}
	if want := []rotation.ID{saved[0].ID, saved[1].ID}; !slices.Equal(slices.Sorted(slices.Values(due)), want) {
		t.Errorf("due: %v, want %v", due, want)
	}
	if due, _, err := writer.Due(ctx, storetest.Noon, store.Page{}); err != nil || len(due) != 3 || due[0] != saved[2].ID {
		t.Errorf("due, once the index has caught up: %v %v", due, err)
	}
}

// TestNarrow: a filter that lets little through costs few calls, and its pages end.
func TestNarrow(t *testing.T) {
	t.Parallel()
	s, counted := open(t, table(t))
	const n = 240
	for i := range n {
		r := storetest.Rotation(i)
		r.State = rotation.Closed
		if i == n/2 {
			r.State = rotation.Awaiting
		}
		_, err := s.SaveRotation(t.Context(), r)
		must(t, err)
	}
	counted.reset()
	got, next, err := s.ListRotations(t.Context(), store.Filter{OpenOnly: true}, store.Page{Limit: 2})
	if c := counted.reset(); err != nil || len(got) != 1 || next != "" || c["Query"]+c["BatchGetItem"] > 40 {
		t.Errorf("%d rotations, %q, %v by %v", len(got), next, err, c)
	}
}

// TestDueOrder: whatever is due comes in the order of time, in pages of any size, over all shards.
func TestDueOrder(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	random := rand.New(rand.NewPCG(1, 2))
	want := map[rotation.ID]time.Time{}
	for i := range 60 {
		r := storetest.Rotation(i)
		r.NextAt = storetest.Noon.Add(time.Duration(random.IntN(20)-15) * time.Nanosecond)
		r, err := s.SaveRotation(t.Context(), r)
		must(t, err)
		if !r.NextAt.After(storetest.Noon) {
			want[r.ID] = r.NextAt
		}
	}
	for _, limit := range []int{1, 7, 30, 100} {
		var got []rotation.ID
		for page := (store.Page{Limit: limit}); ; {
			ids, next, err := s.Due(t.Context(), storetest.Noon, page)
			must(t, err)
			if got = append(got, ids...); next == "" {
				break
			}
			page.After = next
		}
		if len(got) != len(want) {
			t.Errorf("pages of %d: %d of %d", limit, len(got), len(want))
		}
		for i, id := range got {
			if i > 0 && want[id].Before(want[got[i-1]]) {
				t.Errorf("pages of %d: %s comes after %s", limit, id, got[i-1])
			}
		}
	}
}

// TestCursorsAreBound: a cursor goes on with its list and its arguments.
func TestCursorsAreBound(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	ctx := t.Context()
	for i := range 6 {
		_, err := s.SaveRotation(ctx, storetest.Rotation(3*i))
		must(t, err)
		must(t, s.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: "1", UserID: rotation.UserID(fmt.Sprint(i))}))
	}
	account := storetest.Rotation(0).Account
	filters := []store.Filter{
		{}, {OpenOnly: true}, {Account: account}, {Owner: "owner0@example.com"}, {States: []rotation.State{rotation.Awaiting}},
		{OlderThan: time.Nanosecond, Now: storetest.Noon.Add(time.Hour)},
	}
	for i, f := range filters {
		_, next, err := s.ListRotations(ctx, f, store.Page{Limit: 1})
		must(t, err)
		for j, g := range filters {
			if _, _, err := s.ListRotations(ctx, g, store.Page{Limit: 1, After: next}); errors.Is(err, store.ErrCursor) != (i != j) {
				t.Errorf("cursor of %+v for %+v: %v", f, g, err)
			}
		}
	}
	_, one, err := s.ListExemptions(ctx, "1", store.Page{Limit: 1})
	must(t, err)
	_, all, err := s.ListExemptions(ctx, "", store.Page{Limit: 1})
	must(t, err)
	for account, cursor := range map[rotation.AccountID]string{"": one, "1": all, "2": one} {
		if _, _, err := s.ListExemptions(ctx, account, store.Page{After: cursor}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("exemptions of %q: %v", account, err)
		}
	}
	// What somebody made up within the form is harmless.
	for _, after := range []string{"", "\x00", "~", strings.Repeat("z", 1024)} {
		if _, _, err := s.Due(ctx, storetest.Noon, store.Page{After: dynamo.EncodeCursor("due", 0, after)}); err != nil {
			t.Errorf("due after %.10q: %v", after, err)
		}
		if _, _, err := s.ListExemptions(ctx, "", store.Page{After: dynamo.EncodeCursor("exemptions", 0, after)}); err != nil {
			t.Errorf("exemptions after %.10q: %v", after, err)
		}
	}
	for _, c := range []string{dynamo.EncodeCursor("due", 1, "x"), dynamo.EncodeCursor("due", -1, "x"), dynamo.EncodeCursor("due", 0, strings.Repeat("z", 1025))} {
		if _, _, err := s.Due(ctx, storetest.Noon, store.Page{After: c}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(dynamo.EncodeCursor("due", 0, "x"), "due", 1)
	f.Add("", "due", 1)
	f.Add("W251bGxd", "", 8)
	f.Fuzz(func(t *testing.T, s, list string, parts int) {
		part, after, err := dynamo.DecodeCursor(s, list, parts)
		if err != nil {
			if !errors.Is(err, store.ErrCursor) {
				t.Fatal(err)
			}
			return
		}
		if s != "" && (part < 0 || part >= parts || len(after) > 1024) {
			t.Fatalf("%d of %d, %d bytes", part, parts, len(after))
		}
		p, a, err := dynamo.DecodeCursor(dynamo.EncodeCursor(list, part, after), list, max(1, parts))
		if err == nil && (p != part || a != after) {
			t.Fatalf("%d %q becomes %d %q", part, after, p, a)
		}
	})
}

// TestPart: names stay different and stay within their place, whatever they are.
func TestPart(t *testing.T) {
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.Map(rapid.IntRange(0, 1000), func(n int) string { return strings.Repeat("x", n) }),
			rapid.SampledFrom([]string{"%", "%25", "%~", "#", "a#b", "a%23b", "~", "\x00", "A", "a"})).Draw(t, "name")
		p := dynamo.Part(name)
		if other, ok := seen[p]; ok && other != name {
			t.Fatalf("%q and %q are both written %q", name, other, p)
		}
		seen[p] = name
		if len(p) > 400 || strings.ContainsAny(p, "#~ \x00") && !strings.HasPrefix(p, "%~") || (p == "") != (name == "") || p > "z~" {
			t.Fatalf("%q is written %q", name, p)
		}
	})
}

// TestSortable: text sorts as numbers and times do.
func TestSortable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int().Draw(t, "a"), rapid.Int().Draw(t, "b")
		if (a < b) != (dynamo.Sortable(a) < dynamo.Sortable(b)) {
			t.Fatalf("%d and %d are %s and %s", a, b, dynamo.Sortable(a), dynamo.Sortable(b))
		}
		at := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label))
		}
		x, y := at("x"), at("y")
		if x.Before(y) != (dynamo.SortableTime(x) < dynamo.SortableTime(y)) {
			t.Fatalf("%v and %v are %s and %s", x, y, dynamo.SortableTime(x), dynamo.SortableTime(y))
		}
	})
}

// TestCacheIsBounded by what it holds and by how large that is.
func TestCacheIsBounded(t *testing.T) {
	for _, c := range []struct{ n, size, most int }{
		{dynamo.MostKnown + 100, 10, dynamo.MostKnown},
		{100, dynamo.MostKnownSize / 20, 20},
		{3, dynamo.MostKnownSize, 0},
	} {
		s := dynamo.New(dynamo.Options{})
		for i := range c.n {
			r := storetest.Rotation(i)
			r.Version = 1
			dynamo.Remember(s, r, c.size)
			r.Version = 2
			dynamo.Remember(s, r, c.size) // in the place of the first
			dynamo.Remembers(s, storetest.Rotation(0).ID, 2)
		}
		if n, size := dynamo.Known(s); n != c.most || size != c.most*c.size {
			t.Errorf("%d of %d bytes: it remembers %d of %d bytes altogether", c.n, c.size, n, size)
		}
		if used := dynamo.Remembers(s, storetest.Rotation(0).ID, 2); used != (c.most > 0) {
			t.Errorf("what is used stays: %v", used)
		}
		if dynamo.Remembers(s, storetest.Rotation(0).ID, 1) {
			t.Error("it remembers two versions")
		}
	}
}
