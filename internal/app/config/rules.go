package config

import (
	"fmt"
	"path"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

func (v *validator) rules(rs []rawRule) []Rule {
	if len(rs) == 0 {
		v.no(0, "policy", "is missing: without a rule keyturn does nothing and nobody can approve. Begin with one rule without a match")
		return nil
	}
	var out []Rule
	for i, r := range rs {
		key := fmt.Sprintf("policy[%d]", i)
		if i > 0 && out[i-1].Match.Any() {
			v.no(r.line, key, "is never reached, because policy[%d] has no match and so applies to everything", i-1)
		}
		out = append(out, v.rule(r, key))
	}
	return out
}

func (v *validator) rule(r rawRule, key string) Rule {
	p := rotation.DefaultPolicy()
	p.Rule = fmt.Sprintf("%s (line %d)", key, r.line)
	p.Mode = rotation.Mode(r.Mode.or(string(p.Mode)))
	p.Unused = rotation.Kind(r.Unused.or(string(p.Unused)))
	p.RotateAfter, p.WarnBefore = r.RotateAfter.or(p.RotateAfter), r.WarnBefore.or(p.WarnBefore)
	p.InstallGrace, p.RecoveryGrace = r.InstallGrace.or(p.InstallGrace), r.RecoveryGrace.or(p.RecoveryGrace)
	p.QuietPeriod = r.QuietPeriod.or(p.QuietPeriod)
	p.ConfirmedQuiet = min(p.ConfirmedQuiet, max(p.QuietPeriod, rotation.MinQuietPeriod))
	p.ReopenAfter, p.GateTries = r.ReopenAfter.or(p.ReopenAfter), r.GateTries.or(p.GateTries)
	p.Snooze, p.Hold, p.Extend = r.Snooze.or(p.Snooze), r.Hold.or(p.Hold), r.Extend.or(p.Extend)
	p.Notice = r.Notice.or(p.Notice)
	p.RemindAfter, p.RemindMost = r.RemindAfter.or(p.RemindAfter), r.RemindMost.or(max(p.RemindMost, r.RemindAfter.value))
	p.EscalateAfter, p.AnswerWithin = r.EscalateAfter.or(p.EscalateAfter), r.AnswerWithin.or(p.AnswerWithin)
	p.OnTimeout = rotation.Timeout(r.OnTimeout.or(string(p.OnTimeout)))
	exempt := r.Exempt.or(rotation.Budget{Longest: p.ExemptLongest, Count: p.ExemptCount, Total: p.ExemptTotal})
	p.ExemptLongest, p.ExemptCount, p.ExemptTotal = exempt.Longest, exempt.Count, exempt.Total
	v.answers(r, p, key)
	lines := map[string]int{
		"mode": r.Mode.line, "unused": r.Unused.line, "rotate_after": r.RotateAfter.line, "warn_before": r.WarnBefore.line,
		"install_grace": r.InstallGrace.line, "recovery_grace": r.RecoveryGrace.line, "quiet_period": r.QuietPeriod.line,
		"reopen_after": r.ReopenAfter.line, "gate_tries": r.GateTries.line,
		"notice": r.Notice.line, "remind_after": r.RemindAfter.line, "remind_most": r.RemindMost.line, "escalate_after": r.EscalateAfter.line,
		"answer_within": r.AnswerWithin.line, "on_timeout": r.OnTimeout.line,
	}
	for _, err := range p.Check() {
		field, text, _ := strings.Cut(err.Error(), ": ")
		line := lines[field]
		if line == 0 {
			line = r.line
		}
		v.no(line, key+"."+field, "%s", text)
	}
	m := v.match(r.Match, key+".match", r.line)
	if m.Mode != "" {
		v.no(r.Match.Mode.line, key+".match.mode", "a policy rule sets the mode, it cannot match on it. Write mode beside match, or match on it in approvals")
	}
	rule := Rule{Match: m, Policy: p, calendar: r.Calendar.value}
	rule.Approval = v.approvers(r.Approvers, r.Leaked, r.BreakGlass, p.Rule, key)
	return rule
}

// answers checks what happens when nobody answers, where Policy.Check does not.
func (v *validator) answers(r rawRule, p rotation.Policy, key string) {
	if p.AnswerWithin > 0 && p.EscalateAfter >= p.AnswerWithin && r.EscalateAfter.set() && r.AnswerWithin.set() {
		v.no(r.EscalateAfter.line, key+".escalate_after", "%s is not shorter than answer_within (%s), so the next circle would be asked when the time is over", rotation.FormatDuration(p.EscalateAfter), rotation.FormatDuration(p.AnswerWithin))
	}
	if p.Mode == rotation.ModeAudit && p.OnTimeout == rotation.TimeoutApprove {
		v.no(r.OnTimeout.line, key+".on_timeout", "approve does nothing in mode audit, which only reports. Leave it out, or use mode approve")
	}
}

func (b *rawBudget) or(d rotation.Budget) rotation.Budget {
	if b == nil {
		return d
	}
	return rotation.Budget{Longest: b.Longest.or(d.Longest), Count: b.Count.or(d.Count), Total: b.Total.or(d.Total)}
}

func (v *validator) match(r *rawMatch, key string, line int) Match {
	if r == nil {
		return Match{}
	}
	m := Match{OU: r.OU.value, User: r.User.value, Path: r.Path.value}
	for i, a := range r.Accounts {
		m.Accounts = append(m.Accounts, v.account(a, fmt.Sprintf("%s.accounts[%d]", key, i)))
	}
	if m.Mode = rotation.Mode(r.Mode.value); m.Mode != "" && m.Mode != rotation.ModeAudit && m.Mode != rotation.ModeApprove && m.Mode != rotation.ModeAuto {
		v.no(r.Mode.line, key+".mode", "%q is not one of audit, approve, auto", m.Mode)
	}
	if r.Account.set() {
		m.Accounts = append(m.Accounts, v.account(r.Account, key+".account"))
	}
	if _, err := path.Match(m.User, "x"); err != nil {
		v.no(r.User.line, key+".user", "%q is not a pattern; write it like build-*", m.User)
	}
	if m.OU != "" {
		for _, seg := range strings.Split(strings.Trim(m.OU, "/"), "/") {
			if !strings.HasPrefix(seg, "ou-") && !strings.HasPrefix(seg, "r-") {
				v.no(r.OU.line, key+".ou", "%q is not a path of organizational units, like r-ab12/ou-ab12-3cd4ef56", m.OU)
				break
			}
		}
	}
	if m.Path != "" && !strings.HasPrefix(m.Path, "/") {
		v.no(r.Path.line, key+".path", "%q is not a path of IAM users, like /machines/", m.Path)
	}
	for k, t := range r.Tags {
		if m.Tags == nil {
			m.Tags = map[string]string{}
		}
		m.Tags[k] = t.value
	}
	if m.Any() {
		v.no(line, key, "is empty. Leave it out for the last rule, which applies to everything else")
	}
	return m
}

// approvers reads who may decide, report leaks and break glass.
func (v *validator) approvers(a *rawApprovers, leaked, glass *rawPeople, name, key string) approval.Rule {
	rule := approval.Rule{Name: name}
	if leaked != nil {
		rule.Leaked = v.circles(leaked.AnyOf, key+".leaked.any_of")
	}
	if glass != nil {
		rule.BreakGlass = v.circles(glass.AnyOf, key+".break_glass.any_of")
		for i, c := range rule.BreakGlass {
			if c.Kind != approval.SlackUser && c.Kind != approval.Email {
				v.no(glass.AnyOf[i].line, fmt.Sprintf("%s.break_glass.any_of[%d]", key, i), "%s is not one named person: who decides alone is named by user:U... or e-mail address", c)
			}
		}
	}
	if a == nil {
		return rule
	}
	rule.AnyOf = v.circles(a.AnyOf, key+".approvers.any_of")
	rule.Escalate = v.circles(a.EscalateTo, key+".approvers.escalate_to")
	rule.Required = a.Required.or(1)
	rule.SelfApproval, rule.Justification = a.SelfApproval.or(true), a.Justification.value
	line := a.Required.line
	switch most, known := people(rule.AnyOf); {
	case len(rule.AnyOf) == 0 && len(a.AnyOf) == 0:
		for _, l := range []int{a.Required.line, a.SelfApproval.line, a.Justification.line} {
			line = max(line, l)
		}
		v.no(line, key+".approvers.any_of", "is missing: who may approve? For example any_of: [owner, account_owner]")
	case rule.Required < 1:
		v.no(line, key+".approvers.required", "%d would let things happen without an approval; it is at least 1", rule.Required)
	case known && rule.Required > most:
		v.no(line, key+".approvers.required", "%d people are asked for, and any_of names %d at most, so the rule can never be met. Name more people, or a group", rule.Required, most)
	}
	return rule
}

func (v *validator) circles(ts []text, key string) (out []approval.Circle) {
	for i, t := range ts {
		c, err := approval.ParseCircle(t.value)
		if err != nil {
			v.no(t.line, fmt.Sprintf("%s[%d]", key, i), "%v", err)
		}
		out = append(out, c)
	}
	return out
}

// people is how many people circles name at most. known is false where a group has as many as it has.
func people(cs []approval.Circle) (most int, known bool) {
	seen := map[approval.Circle]bool{}
	for _, c := range cs {
		if c.Kind == approval.UserGroup {
			return 0, false
		}
		seen[c] = true
	}
	return len(seen), true
}

// approvals reads the approval rules with a match of their own.
func (v *validator) approvals(rs []rawApproval) (out []Approval) {
	for i, r := range rs {
		key := fmt.Sprintf("approvals[%d]", i)
		if i > 0 && out[i-1].Match.Any() {
			v.no(r.line, key, "is never reached, because approvals[%d] has no match and so applies to everything", i-1)
		}
		if r.Approvers == nil {
			v.no(r.line, key+".approvers", "is missing: who may approve? For example {any_of: [owner, account_owner]}")
		}
		a := Approval{Match: v.match(r.Match, key+".match", r.line)}
		a.Rule = v.approvers(r.Approvers, r.Leaked, r.BreakGlass, fmt.Sprintf("%s (line %d)", key, r.line), key)
		out = append(out, a)
	}
	return out
}

// everyRuleHasApprovers: a key that nobody may decide on is a mistake.
func (v *validator) everyRuleHasApprovers(raws []rawRule, c Config) {
	rest := len(c.approvals) > 0 && c.approvals[len(c.approvals)-1].Match.Any()
	used := false
	for i, r := range c.Rules {
		key := fmt.Sprintf("policy[%d].approvers", i)
		switch {
		case raws[i].Approvers != nil:
		case len(c.approvals) == 0 && r.Policy.Mode != rotation.ModeAudit:
			v.no(raws[i].line, key, "is missing: who may approve? For example {any_of: [owner, account_owner]}")
		case !rest && r.Policy.Mode != rotation.ModeAudit:
			used = true
			v.no(raws[i].line, key, "is missing, and the last rule of approvals has a match, so that there may be keys on which nobody may decide. Add an approval rule without a match")
		default:
			used = true
		}
	}
	if len(c.approvals) > 0 && !used {
		v.no(0, "approvals", "no rule of the policy uses it: each has approvers of its own. Take these out, or approvals")
	}
}
