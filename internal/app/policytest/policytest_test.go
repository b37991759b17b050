package policytest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/app/config"
)

const folder = "../../../infra/"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func example(t testing.TB, change ...string) config.Config {
	t.Helper()
	text := strings.NewReplacer(change...).Replace(string(read(t, "config.example.yaml")))
	c, err := config.Parse("config.example.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The shipped example says what its cases say.
func TestShippedCases(t *testing.T) {
	s, err := Parse("config.cases.yaml", read(t, "config.cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Run(example(t)) {
		if !r.OK() || r.Line == 0 {
			t.Errorf("%s (line %d): %v", r.Name, r.Line, r.Wrong)
		}
	}
}

// Whoever loosens the example is told by a case: each of these changes fails one at least.
func TestCasesSeeChanges(t *testing.T) {
	s, err := Parse("config.cases.yaml", read(t, "config.cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for change, says := range map[[2]string]string{
		{"required: 2, self_approval: false, justification: true", "required: 1, self_approval: true"}:                         "may approve",
		{`any_of: [owner, account_owner, "user:U0123456789"`, `any_of: [account_owner, "user:U0123456789"`}:                    "the owner may not approve",
		{`break_glass: {any_of: ["user:U0123456789"]}`, `break_glass: {any_of: ["user:U0000000004"]}`}:                         "may break glass",
		{`leaked: {any_of: ["group:S0123456789"]}`, `leaked: {any_of: [owner]}`}:                                               "may report leak",
		{"rotate_after: 90d", "rotate_after: 120d"}:                                                                            "rotate_after is",
		{"match: {tags: {tier: gold}}", "match: {tags: {tier: silver}}"}:                                                       "the rule that says who decides is approvals[1]",
		{`hours: "09:00-16:00", last_day_until: "12:00"`, `hours: "09:00-18:00"`}:                                              "the time of the deactivation is 2026-11-27",
		{"why: end of the year", "why: holidays"}:                                                                              `does not say "end of the year"`,
		{"- {match: {ou: ou-ab12-3cd4ef56}, channel: C0987654321}", "- {match: {ou: ou-ab12-7gh8ij90}, channel: C0987654321}"}: "the channel is C0123456789",
		{"    mode: audit                          # only", "    mode: approve                        # only"}:                 "the mode is approve",
		{"teams: [T0123456789]", "teams: [T0123456789, T9999999999]"}:                                                          "another workspace may approve",
	} {
		var wrong []string
		for _, r := range s.Run(example(t, change[0], change[1])) {
			wrong = append(wrong, r.Wrong...)
		}
		if !strings.Contains(strings.Join(wrong, "\n"), says) {
			t.Errorf("with %q nothing says %q: %q", change[1], says, wrong)
		}
	}
}

func TestParse(t *testing.T) {
	const head = "people: {p: {slack: U1}}\nkeys: {k: {account: \"111122223333\"}}\ncases:\n"
	for name, tc := range map[string]struct{ text, says string }{
		"nothing":                 {"", "the file is empty"},
		"no cases":                {"people: {}\n", "cases: there are none"},
		"no YAML":                 {"cases: [", "f.yaml"},
		"a word that is unknown":  {head + "  - {name: x, key: k, who: p, expect: {allowed: true}}\n", "f.yaml:4: who: there is no such key here"},
		"a key that is nowhere":   {head + "  - {name: x, key: other, expect: {mode: audit}}\n", `f.yaml:4: cases[0].key: there is no key "other"`},
		"nobody":                  {head + "  - {name: x, key: k, person: q, expect: {allowed: true}}\n", `there is nobody "q" under people`},
		"nothing is expected":     {head + "  - {name: x, key: k, person: p}\n", "a case that expects nothing cannot fail"},
		"who may?":                {head + "  - {name: x, key: k, expect: {allowed: true}}\n", "cases[0].person: is missing"},
		"an unknown act":          {head + "  - {name: x, key: k, person: p, does: aprove, expect: {allowed: true}}\n", `"aprove" is none of`},
		"no name":                 {head + "  - {key: k, expect: {mode: audit}}\n", "cases[0].name: is missing"},
		"a time that is none":     {head + "  - {name: x, key: k, at: tomorrow, expect: {because: x}}\n", `"tomorrow" is no time like`},
		"a wait without a time":   {head + "  - {name: x, key: k, expect: {because: x}}\n", "cases[0].at: is missing"},
		"a duration that is none": {head + "  - {name: x, key: k, expect: {rotate_after: soon}}\n", "cases[0].expect.rotate_after"},
		"an account that is none": {"keys: {k: {account: 12}}\ncases: [{name: x, key: k, expect: {mode: audit}}]\n", "keys.k.account"},
		"a person without ID":     {"people: {p: {}}\nkeys: {k: {account: \"111122223333\"}}\ncases: [{name: x, key: k, expect: {mode: audit}}]\n", "people.p.slack: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tc.text))
			if _, ok := errors.AsType[*config.Errors](err); !ok || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %q", err, tc.says)
			}
		})
	}
}

func FuzzCases(f *testing.F) {
	f.Add(string(read(f, "config.cases.yaml")))
	f.Add("people: {p: {slack: U1}}\nkeys: {k: {account: \"111122223333\"}}\ncases: [{name: x, key: k, person: p, expect: {allowed: true}}]\n")
	f.Add("cases: [{expect: {}}, null, 1]")
	c := example(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.yaml", []byte(text))
		if err != nil {
			if errs, ok := errors.AsType[*config.Errors](err); !ok || len(errs.List) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if got := s.Run(c); len(got) != len(s.Cases) {
			t.Errorf("%d results of %d cases", len(got), len(s.Cases))
		}
	})
}
