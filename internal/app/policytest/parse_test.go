package policytest

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/app/config"
)

func TestParse(t *testing.T) {
	const (
		account = `account: "111122223333"`
		head    = "people: {p: {slack: U1}, ann: {slack: U2}}\nkeys: {k: {" + account + "}, old: {" + account + ", age: 90d}}\ncases:\n"
		yes     = "expect: {allowed: true}}\n"
	)
	person := func(s string) string {
		return "people:\n  p: {" + s + "}\nkeys: {k: {" + account + "}}\ncases: [{name: x, key: k, expect: {mode: audit}}]\n"
	}
	key := func(s string) string {
		return "keys:\n  k: {" + s + "}\ncases: [{name: x, key: k, expect: {mode: audit}}]\n"
	}
	for name, tt := range map[string]struct{ text, says string }{
		"nothing":                   {"", "f.yaml: the file is empty. It begins like this:\npeople:"},
		"no cases":                  {"people: {}\n", "f.yaml: cases: there are none. A file of cases looks like this:\npeople:"},
		"no YAML":                   {"cases: [", "f.yaml:1: did not find"},
		"a list":                    {"[a]", "f.yaml:1: a file of cases is a mapping with some of people, keys, cases"},
		"two documents":             {head + "  - {name: x, key: k, person: p, " + yes + "---\na: 1\n", "more than one YAML document"},
		"a section that is unknown": {"persons: {}\n" + head + "  - {name: x, key: k, person: p, " + yes, `f.yaml:1: a file of cases has no "persons"; it may have people, keys, cases`},
		"a word that is unknown":    {head + "  - {name: x, key: k, persn: p, " + yes, `f.yaml:4: a case has no "persn"; did you mean "person"?`},
		"a word like no other":      {head + "  - {name: x, key: k, zzzzzzzz: p, " + yes, `a case has no "zzzzzzzz"; it may have name, key, person, does`},
		"a word twice":              {head + "  - {name: x, name: y, key: k, person: p, " + yes, "f.yaml:4: name: stands in line 4 already"},
		"a key that is nowhere":     {head + "  - {name: x, key: oldd, expect: {mode: audit}}\n", `f.yaml:4: cases[0].key: there is no key "oldd" under keys; did you mean "old"?`},
		"no key":                    {head + "  - {name: x, expect: {mode: audit}}\n", `cases[0].key: there is no key "" under keys`},
		"nobody":                    {head + "  - {name: x, key: k, person: an, " + yes, `f.yaml:4: cases[0]: there is nobody "an" under people; did you mean "ann"?`},
		"nobody asked for it":       {head + "  - {name: x, key: k, person: p, requested_by: q7, " + yes, `there is nobody "q7" under people`},
		"nobody approved":           {head + "  - {name: x, key: k, person: p, approved_by: [''], " + yes, `there is nobody "" under people`},
		"a case that is nothing":    {head + "  -\n  - {name: x, key: k, person: p, " + yes, "f.yaml:4: here stands an empty item"},
		"allowed: nothing":          {head + "  - {name: x, key: k, person: p, expect: {allowed: , says: x}}\n", "f.yaml:4: allowed has no value. Write one, or leave it out"},
		"nothing is expected":       {head + "  - {name: x, key: k, person: p}\n", "cases[0].expect: is missing: a case that expects nothing cannot fail"},
		"an empty expectation":      {head + "  - {name: x, key: k, person: p, expect: {}}\n", "a case that expects nothing cannot fail"},
		"nothing of the person":     {head + "  - {name: x, key: k, person: p, expect: {mode: audit}}\n", "cases[0].expect: says nothing about the person"},
		"expected: a word":          {head + "  - {name: x, key: k, person: p, expect: yes}\n", "f.yaml:4: expect is a mapping with some of allowed, says"},
		"something unknown":         {head + "  - {name: x, key: k, person: p, expect: {alowed: true}}\n", `f.yaml:4: expect has no "alowed"; did you mean "allowed"?`},
		"an unknown period":         {head + "  - {name: x, key: k, expect: {rotate_aftr: 90d}}\n", `did you mean "rotate_after"?`},
		"neither yes nor no":        {head + "  - {name: x, key: k, person: p, expect: {allowed: maybe}}\n", "f.yaml:4: cannot unmarshal !!str `maybe` into bool"},
		"who may?":                  {head + "  - {name: x, key: k, " + yes, "cases[0].person: is missing"},
		"an unknown act":            {head + "  - {name: x, key: k, person: p, does: aprove, " + yes, `"aprove" is none of approve, decide, report_leak, break_glass`},
		"enough for what":           {head + "  - {name: x, key: k, person: p, does: decide, expect: {enough: true}}\n", "cases[0].expect.enough: is asked of approvals alone"},
		"approvals for what":        {head + "  - {name: x, key: k, person: p, does: report_leak, approved_by: [ann], " + yes, "cases[0].approved_by: approvals given before count only for another approval"},
		"no name":                   {head + "  - {key: k, expect: {mode: audit}}\n", "cases[0].name: is missing"},
		"a name twice":              {head + "  - {name: x, key: k, expect: {mode: audit}}\n  - {name: x, key: k, expect: {mode: audit}}\n", "f.yaml:5: cases[1].name: the case in line 4 has the same name"},
		"an unknown mode":           {head + "  - {name: x, key: k, expect: {mode: yolo}}\n", `cases[0].expect.mode: "yolo" is none of audit, approve, auto, none`},
		"an unknown plan":           {head + "  - {name: x, key: old, expect: {plan: delete}}\n", `cases[0].expect.plan: "delete" is none of rotate, retire, warn, nothing`},
		"a plan without an age":     {head + "  - {name: x, key: k, expect: {plan: rotate}}\n", `cases[0].expect.plan: depends on the age of the key, and the key "k" has none`},
		"an unknown end":            {head + "  - {name: x, key: k, expect: {on_timeout: delete}}\n", `cases[0].expect.on_timeout: "delete" is none of`},
		"a rule of the policy":      {head + "  - {name: x, key: k, expect: {policy: 'approvals[0]'}}\n", `"approvals[0]" is no rule of the policy, like policy[0]`},
		"a rule by its number":      {head + "  - {name: x, key: k, expect: {rule: 1}}\n", `"1" is no rule, like policy[0]`},
		"a group by its name":       {head + "  - {name: x, key: k, person: p, unknown_groups: [secops], " + yes, `cases[0].unknown_groups[0]: "secops" is not the ID of a user group`},
		"a time that is none":       {head + "  - {name: x, key: k, at: tomorrow, expect: {because: x}}\n", `cases[0].at: "tomorrow" is no time like`},
		"a day is no time":          {head + "  - {name: x, key: k, at: 2026-11-27T10:00:00Z, expect: {deactivate_at: 2026-11-27}}\n", `cases[0].expect.deactivate_at: "2026-11-27" is no time like`},
		"a wait without a time":     {head + "  - {name: x, key: k, expect: {because: x}}\n", "cases[0].at: is missing"},
		"a time without a wait":     {head + "  - {name: x, key: k, at: 2026-11-27T10:00:00Z, expect: {mode: audit}}\n", "cases[0].at: is of no use"},
		"two waits":                 {head + "  - {name: x, key: k, at: 2026-11-27T10:00:00Z, expect: {issue_at: 2026-11-27T10:00:00Z, deactivate_at: 2026-11-27T10:00:00Z}}\n", "stands beside deactivate_at"},
		"a duration that is none":   {head + "  - {name: x, key: k, expect: {rotate_after: soon}}\n", `f.yaml:4: rotate_after: "soon" is not a duration`},
		"a duration twice":          {head + "  - {name: x, key: k, expect: {notice: 1d, notice: 2d}}\n", `"notice" stands twice in expect`},
		"an account that is none":   {key("account: 12"), `f.yaml:2: keys.k.account: "12" is not an AWS account ID`},
		"a unit that is none":       {key(account + ", ou: production"), `keys.k.ou: "production" is not a path of organizational units`},
		"a unit with a gap":         {key(account + ", ou: r-ab12//ou-ab12-x"), "is not a path of organizational units"},
		"a path that is none":       {key(account + ", path: machines"), `keys.k.path: "machines" is not a path of IAM users`},
		"an age that is none":       {key(account + ", age: old"), "keys.k.age"},
		"a use that is none":        {key(account + ", last_used: yesterday"), `keys.k.last_used: "yesterday" is not a duration`},
		"no address of the account": {key(account + ", account_email: nobody"), `keys.k.account_email: "nobody" is not an e-mail address`},
		"a tag that is a list":      {key(account + ", tags: {owner: [a]}"), "f.yaml:2: cannot unmarshal !!seq into string"},
		"a person without ID":       {person(""), "f.yaml:2: people.p.slack: is missing"},
		"a person by name":          {person("slack: ann"), `people.p.slack: "ann" is not a Slack user ID`},
		"a person's address":        {person("slack: U1, email: ann"), `people.p.email: "ann" is not an e-mail address`},
		"a person's group by name":  {person("slack: U1, groups: [S1, secops]"), `people.p.groups[1]: "secops" is not the ID of a user group`},
		"a person's team by name":   {person("slack: U1, team: acme"), `people.p.team: "acme" is not the ID of a workspace`},
		"a person with a role":      {person("slack: U1, admin: true"), `a person has no "admin"; it may have slack, email`},
		"nothing of a person":       {"people:\n  p:\nkeys: {k: {" + account + "}}\ncases: [{name: x, key: k, expect: {mode: audit}}]\n", "f.yaml:2: p has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tt.text))
			if _, ok := errors.AsType[*config.Errors](err); !ok || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got\n%v\nwant %q", err, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), "policytest.") {
				t.Errorf("the error shows a Go type: %v", err)
			}
		})
	}
}

// One run says all that is wrong with a file, in its order.
func TestParseSaysAll(t *testing.T) {
	_, err := Parse("f.yaml", []byte("keys:\n  k: {acount: 1}\npeople:\n  p: {slak: U1}\ncases:\n  - {nam: x, expect: {notice: soon, mod: audit}}\n"))
	for _, says := range []string{`f.yaml:2: a key has no "acount"`, `f.yaml:4: a person has no "slak"`, `f.yaml:6: a case has no "nam"`, "f.yaml:6: notice:", `f.yaml:6: expect has no "mod"`} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
	_, err = Parse("f.yaml", []byte("keys:\n  k: {account: x}\ncases:\n  - {name: a, key: k, expect: {mode: x}}\n  - {name: a, key: k, expect: {mode: x}}\n"))
	var lines []string
	if errs, ok := errors.AsType[*config.Errors](err); ok {
		for _, p := range errs.List {
			lines = append(lines, p.Key)
		}
	}
	if got := strings.Join(lines, " "); got != "keys.k.account cases[0].expect.mode cases[1].name cases[1].expect.mode" {
		t.Errorf("%s\n%v", got, err)
	}
}

func TestTooLong(t *testing.T) {
	if _, err := Parse("f.yaml", make([]byte, mostBytes+1)); err == nil || !strings.Contains(err.Error(), "has at most 1048576") {
		t.Error(err)
	}
}

// What somebody without cases is shown is a file that can be read, and aliases of YAML are no cases of their own kind.
func TestExampleAndAliases(t *testing.T) {
	for _, text := range []string{
		Example,
		"people: {p: &p {slack: U1}, q: *p}\nkeys: {k: {account: \"111122223333\"}}\ncases: [{name: x, key: k, person: q, expect: &e {allowed: true, notice: &d 1d}}, {name: y, key: k, person: p, expect: *e}, {name: z, key: k, expect: {notice: *d}}]\n",
	} {
		s, err := Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range s.Cases {
			if c.Does != ActApprove || c.line == 0 || c.Expect.said == 0 {
				t.Errorf("%d: %+v", i, c)
			}
		}
	}
}

func FuzzCases(f *testing.F) {
	f.Add(Example) // and not the shipped file: what begins long takes the whole time to be made short
	f.Add("people: {p: &p {slack: U1, groups: [S0123456789]}, q: *p}\nkeys: {k: {account: \"111122223333\", age: 90d, last_used: never}}\n" +
		"cases: [{name: x, key: k, person: p, does: break_glass, approved_by: [p, q], expect: {enough: true, plan: warn, notice: 1d}}, {name: y, key: k, at: 9999-12-31T23:59:59Z, expect: {because: x}}]\n")
	f.Add("cases: [{expect: {}}, null, 1]")
	f.Add("{? [a] : b, <<: {cases: 1}, cases: &c [*c]}")
	c := example(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.yaml", []byte(text))
		if err != nil {
			if errs, ok := errors.AsType[*config.Errors](err); !ok || len(errs.List) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		for i, r := range s.Run(c) {
			one := s.Cases[i]
			if r.Name != one.Name || r.Line == 0 {
				t.Errorf("result %d is %+v of %+v", i, r, one)
			}
			p := s.People[one.Person]
			if r.Verdict != nil && r.Verdict.OK && (p.Guest || p.Bot || p.Deleted || p.Outside || p.Unknown || p.Slack == "") {
				t.Errorf("somebody who may not decide may: %+v", one)
			}
		}
	})
}
