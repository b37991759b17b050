package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// first takes away what schema 2 added to a record.
var first = map[string]func(any) any{
	"rotation": func(v any) any {
		r := v.(rotation.Rotation)
		r.Admin = nil
		r.Policy.ExemptCount, r.Policy.ExemptTotal, r.Policy.RemindAfter, r.Policy.RemindMost = 0, 0, 0, 0
		r.Policy.EscalateAfter, r.Policy.AnswerWithin, r.Policy.OnTimeout = 0, 0, ""
		for i := range r.Approvals {
			r.Approvals[i].BreakGlass = false
		}
		r.AskedAt, r.NoticeAt, r.NoticeDigest, r.TimedOut = time.Time{}, time.Time{}, "", time.Time{}
		r.Escalation, r.Passed, r.Postponed, r.LeakedKey = nil, nil, nil, nil
		return r
	},
	"snapshot": func(v any) any {
		s := v.(rotation.Snapshot)
		for i := range s.Users {
			s.Users[i].Admin = nil
		}
		return s
	},
	"exemption": func(v any) any {
		e := v.(rotation.Exemption)
		e.Used, e.Asked = rotation.Spent{}, time.Time{}
		return e
	},
	"request": func(v any) any {
		q := v.(rotation.Request)
		q.Leaked, q.Evidence = "", ""
		return q
	},
}

// TestOlder reads the records that schema 1 wrote, which no -update writes anew: what they do not have is zero, and all that
// they have is there.
func TestOlder(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		path := filepath.Join("testdata", c.name+".schema1.json")
		b, err := os.ReadFile(path)
		if first[c.name] == nil {
			if !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s: %v", path, err)
			}
			return // schema 1 had no such records
		}
		if err != nil {
			t.Fatal(err)
		}
		old, err := c.decode(b)
		if err != nil {
			t.Fatalf("the stored record cannot be read any more: %v", err)
		}
		if d := cmp.Diff(first[c.name](c.sample()), old); d != "" {
			t.Errorf("the stored record is read as another value (-want +got):\n%s", d)
		}
		again, _, err := c.again(old)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(old, again, storetest.Equal); d != "" {
			t.Errorf("written anew it is another value (-read +written):\n%s", d)
		}
	})
}

// TestAppended: what is appended to a chain is sound when it is read again.
func TestAppended(t *testing.T) {
	before := rotation.NewEntry(nil, storetest.Noon, rotation.System, "asked", "")
	changed := before
	changed.Note = "changed"
	bytes := rotation.NewEntry(&before, storetest.Noon, rotation.Actor{ID: "U1", Name: "\xff"}, "asked", "")
	for _, c := range []struct {
		name string
		e    rotation.Entry
		want error
	}{
		{"sound", before, nil},
		{"sound, in another zone", rotation.NewEntry(&before, storetest.Noon.In(time.FixedZone("", 3600)), rotation.System, "asked", "why\x00 \u2028"), nil},
		{"changed", changed, store.ErrHistory},
		{"bytes that are no text", bytes, store.ErrHistory},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := record.EncodeAppended(c.e)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			got, err := record.DecodeEntry(b)
			if err != nil || !got.Sound() || got.Hash != c.e.Hash {
				t.Errorf("it is read as %+v, %v", got, err)
			}
		})
	}
}
