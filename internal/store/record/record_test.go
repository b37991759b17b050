package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

var update = flag.Bool("update", false, "write the golden records anew")

// codec is one kind of record, for tests that hold for all of them.
type codec struct {
	name   string
	sample func() any
	draw   func(*rapid.T) any
	encode func(any) ([]byte, error)
	decode func([]byte) (any, error)
}

func kind[T any](name string, encode func(T) ([]byte, error), decode func([]byte) (T, error), fix func(T) T) codec {
	return codec{
		name:   name,
		sample: func() any { return fix(storetest.Sample[T]()) },
		draw:   func(t *rapid.T) any { return fix(storetest.Draw[T](t, name)) },
		encode: func(v any) ([]byte, error) { return encode(v.(T)) },
		decode: func(b []byte) (any, error) { return decode(b) },
	}
}

func asIs[T any](v T) T { return v }

var codecs = []codec{
	kind("rotation", record.EncodeRotation, record.DecodeRotation, asIs),
	kind("snapshot", record.EncodeSnapshot, record.DecodeSnapshot, func(s rotation.Snapshot) rotation.Snapshot {
		for i := range s.Users {
			s.Users[i].Account = s.Account
		}
		return s
	}),
	kind("exemption", record.EncodeExemption, record.DecodeExemption, asIs),
	kind("request", record.EncodeRequest, record.DecodeRequest, asIs),
	kind("entry", record.EncodeEntry, record.DecodeEntry, asIs),
}

func each(t *testing.T, f func(*testing.T, codec)) {
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) { f(t, c) })
	}
}

// again encodes a value and decodes it.
func (c codec) again(v any) (any, []byte, error) {
	b, err := c.encode(v)
	if err != nil {
		return nil, nil, err
	}
	got, err := c.decode(b)
	return got, b, err
}

func TestLossless(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		rapid.Check(t, func(t *rapid.T) {
			want := c.draw(t)
			got, _, err := c.again(want)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, storetest.Equal); d != "" {
				t.Fatalf("(-want +got):\n%s", d)
			}
			read, b, err := c.again(got)
			if err != nil {
				t.Fatal(err)
			}
			if b2, err := c.encode(read); err != nil || !bytes.Equal(b, b2) {
				t.Fatalf("the same value was written in two ways: %v\n%s\n%s", err, b, b2)
			}
		})
	})
}

// TestGolden shows every change of the format, and that records that are stored somewhere stay readable. A record that
// changed needs a new schema once something is released, and the golden of the old one stays: see TestOlder.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		path := filepath.Join("testdata", fmt.Sprintf("%s.schema%d.json", c.name, record.Schema))
		got, b, err := c.again(c.sample())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.sample(), got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, b, "", "\t"); err != nil {
			t.Fatal(err)
		}
		indented.WriteByte('\n')
		if *update {
			if err := os.WriteFile(path, indented.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test ./internal/store/record -update writes it)", err)
		}
		if d := cmp.Diff(string(want), indented.String()); d != "" {
			t.Errorf("the format changed (-golden +now): raise Schema, or write the goldens with -update while nothing is released:\n%s", d)
		}
		old, err := c.decode(want)
		if err != nil {
			t.Fatalf("the stored record cannot be read any more: %v", err)
		}
		if d := cmp.Diff(c.sample(), old); d != "" {
			t.Errorf("the stored record is read as another value (-want +got):\n%s", d)
		}
	})
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		want        error
	}{
		{"newer", `{"schema":NEXT,"kind":"KIND","data":{}}`, store.ErrNewer},
		{"much newer, of a shape that nobody knows yet", `{"schema":77,"kind":"KIND","data":[1],"compressed":true}`, store.ErrNewer},
		{"newer, of another kind", `{"schema":NEXT,"kind":"else"}`, store.ErrNewer},
		{"no schema", `{"kind":"KIND","data":{}}`, record.ErrCorrupt},
		{"schema 0", `{"schema":0,"kind":"KIND","data":{}}`, record.ErrCorrupt},
		{"negative schema", `{"schema":-1,"kind":"KIND","data":{}}`, record.ErrCorrupt},
		{"schema beyond numbers", `{"schema":1e99,"kind":"KIND","data":{}}`, record.ErrCorrupt},
		{"wrong kind", `{"schema":1,"kind":"secret","data":{}}`, record.ErrCorrupt},
		{"no kind", `{"schema":1,"data":{}}`, record.ErrCorrupt},
		{"no data", `{"schema":1,"kind":"KIND"}`, record.ErrCorrupt},
		{"null data", `{"schema":1,"kind":"KIND","data":null}`, record.ErrCorrupt},
		{"data of another type", `{"schema":1,"kind":"KIND","data":"{}"}`, record.ErrCorrupt},
		{"unknown field of the record", `{"schema":1,"kind":"KIND","data":{"invented":1}}`, record.ErrCorrupt},
		{"unknown field beside it", `{"schema":1,"kind":"KIND","data":{},"invented":1}`, record.ErrCorrupt},
		{"field of another type", `{"schema":1,"kind":"KIND","data":{"account":5}}`, record.ErrCorrupt},
		{"trailing bytes", `{"schema":1,"kind":"KIND","data":{}}x`, record.ErrCorrupt},
		{"trailing record", `{"schema":1,"kind":"KIND","data":{}}{}`, record.ErrCorrupt},
		{"cut", `{"schema":1,"kind":"KIND","data":{"acc`, record.ErrCorrupt},
		{"empty", ``, record.ErrCorrupt},
		{"null", `null`, record.ErrCorrupt},
		{"a list", `[]`, record.ErrCorrupt},
		{"zeros", "\x00\x00\x00\x00", record.ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, k codec) {
				v, err := k.decode([]byte(strings.NewReplacer("KIND", k.name, "NEXT", strconv.Itoa(record.Schema+1)).Replace(c.bytes)))
				if !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if errors.Is(err, store.ErrNewer) && errors.Is(err, record.ErrCorrupt) {
					t.Errorf("both newer and corrupt: %v", err)
				}
				if zero, _ := k.decode(nil); !cmp.Equal(v, zero) {
					t.Errorf("half a value came with the error: %v", v)
				}
			})
		})
	}
}

// TestUnknownDeep puts an unknown field into every object of a record: a read-modify-write would lose it.
func TestUnknownDeep(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		_, b, err := c.again(c.sample())
		if err != nil {
			t.Fatal(err)
		}
		for at, ch := range b {
			if ch != '{' || bytes.HasSuffix(b[:at], []byte(`"tags":`)) {
				continue
			}
			spoilt := string(b[:at+1]) + `"invented":1,` + string(b[at+1:])
			if _, err := c.decode([]byte(spoilt)); !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("unknown field after %.80q: %v", b[max(0, at-80):at], err)
			}
		}
	})
}

// TestAnyCut decodes every beginning of a record.
func TestAnyCut(t *testing.T) {
	each(t, func(t *testing.T, c codec) {
		_, b, err := c.again(c.sample())
		if err != nil {
			t.Fatal(err)
		}
		step := 1 + len(b)/500
		for n := 0; n < len(b); n += step {
			if _, err := c.decode(b[:n]); !errors.Is(err, record.ErrCorrupt) {
				t.Fatalf("the first %d bytes: %v", n, err)
			}
		}
	})
}

func TestSnapshotUsersHaveTheirAccount(t *testing.T) {
	b, err := record.EncodeSnapshot(rotation.Snapshot{Account: "111122223333", Users: []rotation.User{{ID: "AIDA1"}, {ID: "AIDA2", Account: "999999999999"}}})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("999999999999")) {
		t.Errorf("the account is written with each user: %s", b)
	}
	s, err := record.DecodeSnapshot(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range s.Users {
		if u.Account != s.Account {
			t.Errorf("user %s is of account %q", u.ID, u.Account)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range codecs {
		b, err := c.encode(c.sample())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add([]byte(`{"schema":1,"kind":"` + c.name + `","data":{}}`))
	}
	f.Add(fmt.Appendf(nil, `{"schema":%d,"kind":"rotation","data":{}}`, record.Schema+1))
	f.Add([]byte(`{"schema":1,"kind":"request","data":{"why":"` + "\xff" + `","at":"0000-01-01T00:00:00+23:59"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range codecs {
			v, err := c.decode(b)
			if err != nil {
				if !errors.Is(err, record.ErrCorrupt) && !errors.Is(err, store.ErrNewer) {
					t.Fatalf("%s: an error of no kind: %v", c.name, err)
				}
				continue
			}
			again, _, err := c.again(v)
			if err != nil {
				t.Fatalf("%s: what was read cannot be written: %v", c.name, err)
			}
			if d := cmp.Diff(v, again, storetest.Equal); d != "" {
				t.Fatalf("%s: what was read is written as something else (-read +written):\n%s", c.name, d)
			}
		}
	})
}
