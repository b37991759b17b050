package policytest

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Result is how a case went.
type Result struct {
	Name   string   `json:"name"`
	Line   int      `json:"line,omitempty"`
	Wrong  []string `json:"wrong,omitempty"` // what was not as expected, one sentence each
	Reason string   `json:"reason,omitempty"`
}

// OK reports whether the case passed.
func (r Result) OK() bool { return len(r.Wrong) == 0 }

// Run asks a configuration every question of the suite.
func (s Suite) Run(c config.Config) []Result {
	out := make([]Result, 0, len(s.Cases))
	for _, one := range s.Cases {
		out = append(out, s.ask(c, one))
	}
	return out
}

func (s Suite) ask(c config.Config, one Case) Result {
	res := Result{Name: one.Name, Line: one.line}
	k := s.Keys[one.Key]
	policy, rule, ok := c.For(k.target())
	if !ok {
		res.Wrong = []string{"no rule matches the key"}
		return res
	}
	differ := func(what, want, got string) {
		if want != "" && want != got {
			res.Wrong = append(res.Wrong, fmt.Sprintf("%s is %s, not %s", what, got, want))
		}
	}
	e := one.Expect
	differ("the mode", e.Mode, string(policy.Mode))
	differ("the channel", e.Channel, c.Channel(k.target()))
	name, _, _ := strings.Cut(rule.Name, " ") // without its line
	differ("the rule that says who decides", e.Rule, name)
	if want, err := rotation.ParseDuration(e.RotateAfter); err == nil && want != policy.RotateAfter {
		differ("rotate_after", e.RotateAfter, rotation.FormatDuration(policy.RotateAfter))
	}
	if e.Takes != nil && *e.Takes != rule.Required {
		res.Wrong = append(res.Wrong, fmt.Sprintf("an approval takes %d, not %d", rule.Required, *e.Takes))
	}
	if one.Person != "" {
		s.decide(c, one, rule, &res)
	}
	if at, err := time.Parse(time.RFC3339, one.At); err == nil {
		moved, why, open := c.Calendar(k.target()).Next(at, true)
		if !open {
			why = "the calendar is never open"
		}
		if want, err := time.Parse(time.RFC3339, e.DeactivateAt); err == nil && !want.Equal(moved) {
			differ("the time of the deactivation", e.DeactivateAt, moved.In(want.Location()).Format(time.RFC3339))
		}
		if !strings.Contains(why, e.Because) {
			res.Wrong = append(res.Wrong, fmt.Sprintf("it waits because of %q, which does not say %q", why, e.Because))
		}
	}
	return res
}

// decide asks whether the person may.
func (s Suite) decide(c config.Config, one Case, rule approval.Rule, res *Result) {
	who := s.People[one.Person].person(one.Person, c)
	v := approval.Decide(one.Does.of(rule), s.subject(c, one), who, s.given(c, one))
	res.Reason = v.Why
	if want := one.Expect.Allowed; want != nil && *want != v.Allowed {
		text := "%s may not %s: %s"
		if v.Allowed {
			text = "%s may %s, %s"
		}
		res.Wrong = append(res.Wrong, fmt.Sprintf(text, one.Person, strings.ReplaceAll(string(one.Does), "_", " "), v.Why))
	}
	if !strings.Contains(v.Why, one.Expect.Says) {
		res.Wrong = append(res.Wrong, fmt.Sprintf("the answer is %q, which does not say %q", v.Why, one.Expect.Says))
	}
}

// of is the right that an act asks for.
func (a Act) of(r approval.Rule) approval.Rule {
	switch a {
	case ActLeaked:
		return r.Leak()
	case ActGlass:
		return r.Glass()
	case ActDecide:
		return r.Own()
	default:
		return r
	}
}

func (s Suite) subject(c config.Config, one Case) approval.Subject {
	k := s.Keys[one.Key]
	owner := k.Tags[c.OwnerTag]
	if strings.Contains(owner, "@") {
		owner = strings.ToLower(owner)
	}
	if owner == "" {
		owner = strings.ToLower(k.AccountEmail)
	}
	sub := approval.Subject{Owner: owner, AccountEmail: strings.ToLower(k.AccountEmail), Teams: c.Slack.Teams, Escalated: one.Escalated, Groups: approval.Groups{}}
	if one.RequestBy != "" {
		sub.Requester = s.People[one.RequestBy].person(one.RequestBy, c).Actor()
	}
	for _, p := range s.People {
		for _, id := range p.Groups {
			g := sub.Groups[id]
			g.Members = append(g.Members, p.Slack)
			sub.Groups[id] = g
		}
	}
	for _, id := range c.Groups() { // a group that nobody of the file is in has members all the same
		if _, ok := sub.Groups[id]; !ok {
			sub.Groups[id] = approval.Group{}
		}
	}
	return sub
}

func (s Suite) given(c config.Config, one Case) (have []rotation.Approval) {
	for _, name := range one.ApprovedBy {
		have = append(have, rotation.Approval{Actor: s.People[name].person(name, c).Actor()})
	}
	return have
}
