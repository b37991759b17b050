package bot

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// drawnFilter is any filter that people can type.
func drawnFilter(t *rapid.T) Filter {
	var f Filter
	if rapid.Bool().Draw(t, "by account") {
		f.Account = rapid.StringMatching(`[a-zäß0-9&<>'*_-]{1,8}( [a-z0-9]{1,8})?`).Draw(t, "account")
	}
	if rapid.Bool().Draw(t, "by unit") {
		f.OU = rapid.StringMatching(`r-[a-z0-9]{4}(/ou-[a-z0-9]{4})?`).Draw(t, "unit")
	}
	if rapid.Bool().Draw(t, "by owner") {
		f.Owner = rapid.SampledFrom([]string{"ann@example.com", "U0123ABCD"}).Draw(t, "owner")
	}
	for _, s := range rotation.States {
		if rapid.Bool().Draw(t, string(s)) {
			f.States = append(f.States, s)
		}
	}
	if rapid.Bool().Draw(t, "by age") {
		f.OlderThan = time.Duration(rapid.IntRange(1, 1000).Draw(t, "days")) * rotation.Day
	}
	f.Kind = rapid.SampledFrom([]rotation.Kind{"", rotation.Rotate, rotation.Retire}).Draw(t, "kind")
	f.Stuck = rapid.Bool().Draw(t, "stuck")
	return f
}

// A filter survives being written out, being carried by a button, and being typed again.
func TestFiltersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawnFilter(t)
		got, err := parseCode(f.code())
		if diff := cmp.Diff(f, got); err != nil || diff != "" {
			t.Fatalf("%q by button: %v\n%s", f, err, diff)
		}
		typed := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(f.String()) // as Slack sends it
		var again Filter
		rest, err := again.take(split(typed), nil)
		if len(f.code()) > mostFilter {
			if err == nil {
				t.Fatalf("%q is too long for a button", f)
			}
			return
		}
		if diff := cmp.Diff(f, again); err != nil || len(rest) > 0 || diff != "" {
			t.Fatalf("%q typed: %v, %q left\n%s", f, err, rest, diff)
		}
		c, err := parseCursor(cursor{List: listRotations, Arg: f.code(), Page: 3}.encode())
		if err != nil || c.Arg != f.code() {
			t.Fatalf("%q: %v", c.Arg, err)
		}
	})
}

// FuzzFilter types and clicks filters. What is taken can be shown, carried and read again; everything else is refused.
func FuzzFilter(f *testing.F) {
	for _, n := range filterNames {
		f.Add(n.example)
	}
	for _, s := range []string{"stuck stuck", `account:"a b" ou:/`, "state:,", "age:>>>1d", "a\to\tw", "apayments\tor-ab12\ts01\tg90d\tkretire\t!", "s9", "!x", "account:&#9;", "owner:@", "account:\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseCode(text); err == nil {
			if again, err := parseCode(got.code()); err != nil || !cmp.Equal(got, again) {
				t.Errorf("%q is carried as %q: %v", text, got.code(), err)
			}
		}
		var got Filter
		if _, err := got.take(split(text), nil); err != nil {
			if said := err.Error(); !utf8.ValidString(said) || len(said) > 500 {
				t.Errorf("%q is refused with %q", text, said)
			}
			return
		}
		again, err := parseCode(got.code())
		if err != nil || !cmp.Equal(got, again) || len(got.code()) > mostFilter {
			t.Errorf("%q is carried as %q, which is %+v: %v", text, got.code(), again, err)
		}
		if strings.ContainsFunc(got.String(), unicode.IsControl) || (got.String() == "") != got.empty() {
			t.Errorf("%q is shown as %q", text, got)
		}
		if value := (cursor{List: listRotations, Arg: got.code(), Page: 10_000}).encode(); len(value) > 2000 {
			t.Errorf("a button's value has %d characters", len(value))
		} else if _, err := parseCursor(value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	})
}

func TestCodesOfOthersAreRefused(t *testing.T) {
	for _, code := range []string{"\t", "x1", "s", "s9", "sx", "apayments\tapayments", "g90", "knothing", "!!", "o../..", "a"} {
		if f, err := parseCode(code); err == nil {
			t.Errorf("%q is %+v", code, f)
		}
	}
}

// The help names every filter.
func TestHelpNamesTheFilters(t *testing.T) {
	for _, n := range filterNames {
		if !strings.Contains(templates.FilterHelp, "`"+n.example+"`") {
			t.Errorf("%s is not in the help", n.example)
		}
	}
	for _, names := range [][]string{mineFilters, dueFilters, reportFilters} {
		for _, n := range names {
			if !slices.ContainsFunc(filterNames, func(f filterName) bool { return f.name == n }) {
				t.Errorf("no filter is called %s", n)
			}
		}
	}
}
