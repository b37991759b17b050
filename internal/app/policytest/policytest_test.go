package policytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// example is the shipped configuration, with changes.
func example(t testing.TB, change ...string) config.Config {
	t.Helper()
	text := string(read(t, "config.example.yaml"))
	for i := 0; i+1 < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("%q is not in the example", change[i])
		}
	}
	c, err := config.Parse("config.example.yaml", []byte(strings.NewReplacer(change...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shipped(t testing.TB) Suite {
	t.Helper()
	s, err := Parse("config.cases.yaml", read(t, "config.cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The shipped example says what its cases say.
func TestShippedCases(t *testing.T) {
	s := shipped(t)
	for i, r := range s.Run(example(t)) {
		if !r.OK() || r.Line == 0 || (r.Verdict != nil) != (s.Cases[i].Person != "") {
			t.Errorf("%s (line %d): %v", r.Name, r.Line, r.Differs)
		}
	}
}

// Whoever loosens the example is told by a case: each of these changes fails one at least.
func TestCasesSeeChanges(t *testing.T) {
	s := shipped(t)
	for _, c := range []struct{ old, new, says string }{
		{"required: 2, self_approval: false, justification: true", "required: 2, justification: true", "allowed: expected false, got true"},
		{"required: 2, self_approval: false", "required: 1, self_approval: false", "enough: expected false, got true"},
		{"self_approval: false, justification: true", "self_approval: false", "needs_reason: expected true, got false"},
		{`any_of: [owner, account_owner, "user:U0123456789"`, `any_of: [account_owner, "user:U0123456789"`, "allowed: expected true, got false: You are not among"},
		{`break_glass: {any_of: ["user:U0123456789"]}`, `break_glass: {any_of: ["user:U0000000004"]}`, "allowed: expected false, got true: as user:U0000000004"},
		{`leaked: {any_of: ["group:S0123456789"]}`, `leaked: {any_of: [owner]}`, "allowed: expected false, got true: as owner"},
		{"rotate_after: 90d", "rotate_after: 120d", "rotate_after: expected 90d, got 120d"},
		{"quiet_period: 8d", "quiet_period: 4h", "quiet_period: expected 8d, got 4h"},
		{"warn_before: 7d", "warn_before: 1h", "plan: expected warn, got nothing"},
		{"unused: retire", "unused: rotate", "plan: expected retire, got rotate"},
		{"on_timeout: escalate", "on_timeout: expire", "on_timeout: expected escalate, got expire"},
		{"match: {tags: {tier: gold}}", "match: {tags: {tier: silver}}", "rule: expected approvals[0], got approvals[1]"},
		{"match: {ou: ou-ab12-3cd4ef56}        #", "match: {ou: ou-ab12-7gh8ij90}        #", "policy: expected policy[0], got policy[1]"},
		{`hours: "09:00-16:00", last_day_until: "12:00"`, `hours: "09:00-18:00"`, "deactivate_at: expected 2026-11-30T09:00:00+01:00, got 2026-11-27T17:30:00+01:00"},
		{"until: 2027-01-04", "until: 2026-12-28", "issue_at: expected 2027-01-04T00:00:00+01:00, got 2026-12-28T00:00:00+01:00, change freeze, end of the year"},
		{"why: end of the year", "why: holidays", `because: expected "end of the year", got "change freeze, holidays"`},
		{"- {match: {ou: ou-ab12-3cd4ef56}, channel: C0987654321}", "- {match: {ou: ou-ab12-7gh8ij90}, channel: C0987654321}", "channel: expected C0987654321, got C0123456789"},
		{"    mode: audit                          # only", "    mode: approve                        # only", "mode: expected audit, got approve"},
		{"teams: [T0123456789]", "teams: [T0123456789, T9999999999]", "allowed: expected false, got true: as owner"},
		{"owner_tag: owner ", "owner_tag: team ", "says: expected \"as owner\", got \"You are not among"},
	} {
		t.Run(c.new, func(t *testing.T) {
			var differs []string
			for _, r := range s.Run(example(t, c.old, c.new)) {
				for _, d := range r.Differs {
					differs = append(differs, d.String())
				}
			}
			if all := strings.Join(differs, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("nothing says %q:\n%s", c.says, all)
			}
		})
	}
}

// ask runs one case against a configuration and returns what differs.
func ask(t *testing.T, c config.Config, people, key, one string) (differs []string) {
	t.Helper()
	s, err := Parse("f.yaml", fmt.Appendf(nil, "people: {%s}\nkeys: {k: {account: \"111122223333\", ou: ou-ab12-3cd4ef56, account_email: Account@Example.com%s}}\ncases: [{name: x, key: k, %s}]\n", people, key, one))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Run(c)[0]
	for _, d := range r.Differs {
		differs = append(differs, d.String())
	}
	return differs
}

// Whoever the file says is the owner is the one whom a scan would take.
func TestOwner(t *testing.T) {
	c := example(t)
	for tags, owner := range map[string]string{
		"":                                 "U0ACCOUNT",
		"owner: Owner@Example.com":         "U0TAGGED1",
		"OWNER: ' owner@example.com '":     "U0TAGGED1",
		"owner: U0TAGGED1":                 "U0TAGGED1",
		"owner: the build team":            "U0ACCOUNT",
		"owner: UNITED":                    "U0ACCOUNT",
		"owner: Ann <owner@example.com>":   "U0ACCOUNT",
		"owner: ''":                        "U0ACCOUNT",
		"contact: owner@example.com":       "U0ACCOUNT",
		"owner: u0tagged1":                 "U0ACCOUNT",
		"owner: owner@example.com, x: 'y'": "U0TAGGED1",
	} {
		t.Run(tags, func(t *testing.T) {
			people := "p: {slack: " + owner + ", email: account@example.com}"
			if owner != "U0ACCOUNT" {
				people = "p: {slack: " + owner + ", email: OWNER@example.com}"
			}
			if differs := ask(t, c, people, ", tags: {"+tags+"}", "person: p, expect: {allowed: true, says: as owner}"); len(differs) > 0 {
				t.Error(differs)
			}
		})
	}
}

// What a scan makes of a key: what is not known never counts as unused.
func TestPlan(t *testing.T) {
	c := example(t)
	for key, want := range map[string]Plan{
		"age: 82d":                     PlanNothing,
		"age: 83d":                     PlanWarn,
		"age: 89d23h":                  PlanWarn,
		"age: 90d":                     PlanRotate,
		"age: 90d, last_used: 0s":      PlanRotate,
		"age: 90d, last_used: 80d":     PlanRotate,
		"age: 90d, last_used: never":   PlanRetire,
		"age: 83d, last_used: never":   PlanWarn,
		"age: 8000d, last_used: never": PlanRotate, // older than what AWS has tracked
	} {
		if differs := ask(t, c, "", ", "+key, "expect: {plan: "+string(want)+"}"); len(differs) > 0 {
			t.Errorf("%s: %v", key, differs)
		}
	}
}

// Approvals are collected as a rotation collects them.
func TestApprovals(t *testing.T) {
	c := example(t, "any_of: [owner, account_owner, \"user:U0123456789\", \"group:S0123456789\", security@example.com]\n      required: 1", "any_of: [account_owner, \"group:S0123456789\"]\n      required: 2")
	const people = "a: {slack: U0000000A, email: a@example.com, groups: [S0123456789]}, a twin: {slack: U0000000T, email: A@example.com, groups: [S0123456789]}, b: {slack: U0000000B, groups: [S0123456789]}, " +
		"c: {slack: U0000000C, groups: [S0123456789]}, chief: {slack: U0123456789}, out: {slack: U0000000X}"
	for name, tt := range map[string]struct {
		one     string
		differs []string
	}{
		"one of two":                    {"person: a, expect: {allowed: true, enough: false}", nil},
		"two of two":                    {"person: a, approved_by: [b], expect: {allowed: true, enough: true}", nil},
		"the same by another account":   {"person: a twin, approved_by: [a], expect: {allowed: false, enough: false, says: you approved this already}", nil},
		"a third":                       {"person: c, approved_by: [a, b], expect: {allowed: false, enough: true, says: already approved}", nil},
		"alone, with a right":           {"person: chief, approved_by: [a], does: break_glass, expect: {allowed: true, enough: true}", nil},
		"who may not":                   {"person: out, approved_by: [a], expect: {allowed: false, enough: false}", nil},
		"approvals that could not be":   {"person: a, approved_by: [out], expect: {allowed: true}", []string{"approved_by: expected approvals that can be, got out cannot have approved: You are not among those who may decide on this key."}},
		"an approval given twice":       {"person: b, approved_by: [a, a], expect: {allowed: true}", []string{"approved_by: expected approvals that can be, got a cannot have approved: you approved this already, just now. It takes 2 people"}},
		"a wrong answer has its reason": {"person: out, expect: {allowed: true, enough: true}", []string{"allowed: expected true, got false: You are not among those who may decide on this key.", "enough: expected true, got false"}},
	} {
		t.Run(name, func(t *testing.T) {
			differs := ask(t, c, people, "", tt.one)
			if diff := cmp.Diff(tt.differs, differs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A group that nobody of the file is in exists all the same; one that Slack does not know has nobody.
func TestGroups(t *testing.T) {
	c := example(t)
	const p = "p: {slack: U0000000P, groups: [S0123456789]}, q: {slack: U0000000Q}"
	for _, one := range []string{
		"person: p, expect: {allowed: true, says: 'as group:S0123456789'}",
		"person: p, unknown_groups: [S0123456789], expect: {allowed: false}",
		"person: p, unknown_groups: [S0999999999], expect: {allowed: true}",
		"person: q, expect: {allowed: false}",
		"person: p, does: report_leak, unknown_groups: [S0123456789], expect: {allowed: false}",
	} {
		if differs := ask(t, c, p, "", one); len(differs) > 0 {
			t.Errorf("%s: %v", one, differs)
		}
	}
}

// A key that no rule covers is a difference, unless that is what is expected. Nobody may decide on it.
func TestNoRule(t *testing.T) {
	c, err := config.Parse("keyturn.yaml", []byte(`organization: {member_role: keyturn-member}
policy: [{match: {tags: {tier: gold}}, approvers: {any_of: [account_owner]}, break_glass: {any_of: [user:U0123456789]}}]
slack: {token: env:TOKEN, signing_secret: env:SIGNING, default_channel: C0987654321, teams: [T0123456789]}
email: {from: security@example.com}
`))
	if err != nil {
		t.Fatal(err)
	}
	const p = "p: {slack: U0123456789, email: account@example.com}"
	for one, want := range map[string][]string{
		"expect: {mode: none, channel: C0987654321}": nil,
		"expect: {plan: nothing}":                    {"mode: expected one, got none, because no rule of the policy covers this key"},
		"expect: {mode: audit}":                      {"mode: expected audit, got none"},
		"person: p, expect: {mode: none, allowed: false, says: No approval rule covers this key}": nil,
		"person: p, does: break_glass, expect: {mode: none, allowed: false}":                      nil,
		"person: p, does: report_leak, expect: {mode: none, allowed: false}":                      nil,
		"person: p, does: decide, expect: {mode: none, allowed: false}":                           nil,
	} {
		if diff := cmp.Diff(want, ask(t, c, p, ", age: 200d", one)); diff != "" {
			t.Errorf("%s: %s", one, diff)
		}
	}
}
