package blockkit

import (
	"testing"

	"pgregory.net/rapid"
)

func TestUseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := Use{Block: rapid.String().Draw(t, "block"), Action: rapid.String().Draw(t, "action"), Value: rapid.String().Draw(t, "value")}
		if got, err := ParseUse(u.String()); err != nil || got != u {
			t.Fatalf("%q became %+v, %v", u, got, err)
		}
		field := inputName(u.Block, u.Action)
		if b, a, ok := ParseName(field); !ok || b != u.Block || a != u.Action {
			t.Fatalf("%q became %q, %q, %t", field, b, a, ok)
		}
	})
}

func TestParseUseRefuses(t *testing.T) {
	for _, s := range []string{"", "a/b", "a/b/c/d", "a/b/%zz", "a/b/%41", "a/b/c d", "%2f/b/c"} {
		if u, err := ParseUse(s); err == nil {
			t.Errorf("%q is read as %+v", s, u)
		}
	}
	for _, s := range []string{"", "use", "a/b", "in:a", "in:a/b/c", "in:%zz/b", "in:a/%zz", "IN:a/b", "in:a/%41"} {
		if b, a, ok := ParseName(s); ok {
			t.Errorf("%q is read as %q, %q", s, b, a)
		}
	}
}

func FuzzParseUse(f *testing.F) {
	f.Add("a/b/c")
	f.Add("%2F/%20/")
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := ParseUse(s); err == nil && u.String() != s {
			t.Errorf("%q is read as %+v", s, u)
		}
		if b, a, ok := ParseName(s); ok && inputName(b, a) != s {
			t.Errorf("%q is read as %q, %q", s, b, a)
		}
	})
}
