package policytest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/calendar"
	"github.com/keyturn/keyturn/internal/rotation"
)

// noMode is the mode of a key that no rule covers.
const noMode = "none"

// Result is how a case went.
type Result struct {
	Name    string
	Line    int
	Differs []Difference
	Verdict *approval.Node // explained, if somebody wanted to do something
}

// Difference is one thing that is not as it was expected.
type Difference struct {
	What string `json:"what"` // as the case calls it
	Want string `json:"want"`
	Got  string `json:"got"`
}

// String says it in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: expected %s, got %s", d.What, d.Want, d.Got)
}

// OK reports whether the case passed.
func (r Result) OK() bool { return len(r.Differs) == 0 }

// Run asks a configuration every question of the suite.
func (s Suite) Run(c config.Config) []Result {
	out := make([]Result, 0, len(s.Cases))
	for _, one := range s.Cases {
		res := Result{Name: one.Name, Line: one.line}
		s.ask(c, one, &res)
		out = append(out, res)
	}
	return out
}

// same compares what is expected, if it is, with what there is.
func (r *Result) same(what, want, got string) {
	if want != "" && want != got {
		r.Differs = append(r.Differs, Difference{what, want, got})
	}
}

// says looks for what is expected within a sentence.
func (r *Result) says(what, want, sentence string) {
	if strings.Contains(sentence, want) {
		return
	}
	got := "nothing"
	if sentence != "" {
		got = strconv.Quote(sentence)
	}
	r.Differs = append(r.Differs, Difference{what, strconv.Quote(want), got})
}

// whether compares a yes or no; why explains what there is.
func (r *Result) whether(what string, want *bool, got bool, why string) {
	if want != nil && *want != got {
		r.Differs = append(r.Differs, Difference{what, strconv.FormatBool(*want), strings.TrimSuffix(strconv.FormatBool(got)+": "+why, ": ")})
	}
}

func (s Suite) ask(c config.Config, one Case, res *Result) {
	k, e := s.Keys[one.Key], one.Expect
	policy, rule, ok := c.For(k.target())
	mode := string(policy.Mode)
	if !ok {
		mode = noMode
		if e.Mode == "" {
			res.same("mode", "one", "none, because no rule of the policy covers this key")
		}
	}
	res.same("mode", e.Mode, mode)
	res.same("policy", e.Policy, withoutLine(policy.Rule))
	res.same("rule", e.Rule, withoutLine(rule.Name))
	res.same("channel", e.Channel, c.Channel(k.target()))
	res.same("on_timeout", e.OnTimeout, string(policy.OnTimeout))
	for _, name := range slices.Sorted(maps.Keys(e.Periods)) {
		if want, got := e.Periods[name], periods[name](policy); want != got {
			res.Differs = append(res.Differs, Difference{name, rotation.FormatDuration(want), rotation.FormatDuration(got)})
		}
	}
	if e.Takes != nil {
		res.same("takes", strconv.Itoa(*e.Takes), strconv.Itoa(rule.Required))
	}
	res.whether("needs_reason", e.NeedsReason, one.Does.of(rule).Justification, "")
	if e.Plan != "" {
		plan := PlanNothing
		if ok {
			plan = k.plan(policy)
		}
		res.same("plan", string(e.Plan), string(plan))
	}
	if one.Person != "" {
		s.may(c, one, policy, rule, res)
	}
	if one.At != "" {
		one.when(c.Calendar(k.target()), res)
	}
}

// withoutLine is the name of a rule as a file of cases has it: its line changes too often.
func withoutLine(rule string) string {
	name, _, _ := strings.Cut(rule, " ")
	return name
}

// may compares what the person of the case may.
func (s Suite) may(c config.Config, one Case, policy rotation.Policy, rule approval.Rule, res *Result) {
	d, err := s.decide(c, one, policy, rule)
	if err != nil {
		res.same("approved_by", "approvals that can be", err.Error())
		return
	}
	res.Verdict = &d.Tree
	res.whether("allowed", one.Expect.Allowed, d.Allowed, d.Why)
	res.whether("enough", one.Expect.Enough, d.enough, "")
	res.says("says", one.Expect.Says, d.Why)
}

// when compares what the calendar says. Parse has read the times already.
func (one Case) when(c calendar.Calendar, res *Result) {
	e := one.Expect
	what, expected := "deactivate_at", e.DeactivateAt
	if e.IssueAt != "" {
		what, expected = "issue_at", e.IssueAt
	}
	due, _ := time.Parse(time.RFC3339, one.At)
	at, why, open := c.Next(due, what == "deactivate_at")
	if !open {
		why = "the calendar is never open"
	}
	if want, err := time.Parse(time.RFC3339, expected); err == nil && !(open && want.Equal(at)) {
		got := "never"
		if open {
			got = at.In(want.Location()).Format(time.RFC3339)
		}
		res.same(what, expected, strings.TrimSuffix(got+", "+why, ", "))
	}
	res.says("because", e.Because, why)
}
