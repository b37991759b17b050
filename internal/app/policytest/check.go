package policytest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// checker collects every problem of a file. A case that could not fail, or could not pass, is one.
type checker struct {
	Suite
	problems []config.Problem
}

func (s Suite) check() []config.Problem {
	c := checker{Suite: s}
	if len(s.Cases) == 0 {
		c.no(0, "cases", "there are none. A file of cases looks like this:\n%s", Example)
		return c.problems
	}
	names := map[string]int{}
	for i, one := range s.Cases {
		key := fmt.Sprintf("cases[%d]", i)
		if first, twice := names[one.Name]; twice && one.Name != "" {
			c.no(one.line, key+".name", "the case in line %d has the same name", first)
		}
		names[one.Name] = one.line
		c.question(one, key)
		c.expect(one, key)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Keys)) {
		c.key(name, s.Keys[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.People)) {
		c.person(name, s.People[name])
	}
	return c.problems
}

func (c *checker) no(line int, key, format string, args ...any) {
	c.problems = append(c.problems, config.Problem{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// oneOf refuses a word that is none of names. An empty one was left out.
func (c *checker) oneOf(line int, key, word string, names []string) {
	if word != "" && !slices.Contains(names, word) {
		c.no(line, key, "%q is none of %s", word, strings.Join(names, ", "))
	}
}

// question checks what a case asks.
func (c *checker) question(one Case, key string) {
	if one.Name == "" {
		c.no(one.line, key+".name", "is missing: one sentence that is true if the case passes")
	}
	if _, ok := c.Keys[one.Key]; !ok {
		c.no(one.line, key+".key", "there is no key %q under keys%s", one.Key, near(one.Key, c.Keys))
	}
	for i, who := range append([]string{one.Person, one.RequestedBy}, one.ApprovedBy...) {
		if _, ok := c.People[who]; !ok && (who != "" || i > 1) {
			c.no(one.line, key, "there is nobody %q under people%s", who, near(who, c.People))
		}
	}
	if one.Does == "" || !slices.Contains(acts, string(one.Does)) {
		c.no(one.line, key+".does", "%q is none of %s", one.Does, strings.Join(acts, ", "))
	}
	if len(one.ApprovedBy) > 0 && !one.Does.counts() {
		c.no(one.line, key+".approved_by", "approvals given before count only for another approval, and not where somebody does %s", one.Does)
	}
	for i, id := range one.UnknownGroups {
		if _, err := approval.ParseCircle("group:" + id); err != nil {
			c.no(one.line, fmt.Sprintf("%s.unknown_groups[%d]", key, i), "%q is not the ID of a user group, like S0123456789", id)
		}
	}
}

// near asks whether another name of a list was meant.
func near[T any](word string, names map[string]T) string {
	const most = 100 // a longer list is for a search
	if len(word) > most || len(names) > most {
		return ""
	}
	if q := config.Suggest(word, slices.Sorted(maps.Keys(names))); q != "" {
		return "; " + q
	}
	return ""
}

var ruleName = regexp.MustCompile(`^(policy|approvals)\[\d+\]$`)

// expect checks what a case expects: each thing is worth something only together with what is asked.
func (c *checker) expect(one Case, key string) {
	e := one.Expect
	if e.said == 0 {
		c.no(one.line, key+".expect", "is missing: a case that expects nothing cannot fail")
		return
	}
	if one.Person == "" && (e.Allowed != nil || e.Says != "" || e.Enough != nil) {
		c.no(one.line, key+".person", "is missing: who is it that may or may not?")
	}
	if one.Person != "" && e.Allowed == nil && e.Says == "" && e.Enough == nil {
		c.no(one.line, key+".expect", "says nothing about the person: expect allowed, says or enough, or leave the person out")
	}
	if e.Enough != nil && !one.Does.counts() {
		c.no(one.line, key+".expect.enough", "is asked of approvals alone, and not where somebody does %s", one.Does)
	}
	prefix := key + ".expect."
	c.oneOf(one.line, prefix+"plan", string(e.Plan), plans)
	c.oneOf(one.line, prefix+"mode", e.Mode, []string{string(rotation.ModeAudit), string(rotation.ModeApprove), string(rotation.ModeAuto), noMode})
	c.oneOf(one.line, prefix+"on_timeout", e.OnTimeout, []string{string(rotation.TimeoutEscalate), string(rotation.TimeoutApprove), string(rotation.TimeoutExpire)})
	if e.Policy != "" && !strings.HasPrefix(e.Policy, "policy[") || e.Policy != "" && !ruleName.MatchString(e.Policy) {
		c.no(one.line, prefix+"policy", "%q is no rule of the policy, like policy[0] for the first one", e.Policy)
	}
	if e.Rule != "" && !ruleName.MatchString(e.Rule) {
		c.no(one.line, prefix+"rule", "%q is no rule, like policy[0] or approvals[0] for the first ones", e.Rule)
	}
	if e.Plan != "" && c.Keys[one.Key].Age == "" {
		c.no(one.line, prefix+"plan", "depends on the age of the key, and the key %q has none", one.Key)
	}
	c.times(one, key)
}

// times checks what a case asks of the calendar.
func (c *checker) times(one Case, key string) {
	e := one.Expect
	asks := e.DeactivateAt != "" || e.IssueAt != "" || e.Because != ""
	switch {
	case asks && one.At == "":
		c.no(one.line, key+".at", "is missing: when would it be due?")
	case !asks && one.At != "":
		c.no(one.line, key+".at", "is of no use: nothing is expected of the calendar. Expect deactivate_at, issue_at or because")
	case e.DeactivateAt != "" && e.IssueAt != "":
		c.no(one.line, key+".expect.issue_at", "stands beside deactivate_at. Make two cases of it, so that because is about one of them")
	}
	for _, t := range []struct{ key, value string }{{".at", one.At}, {".expect.deactivate_at", e.DeactivateAt}, {".expect.issue_at", e.IssueAt}} {
		if _, err := time.Parse(time.RFC3339, t.value); err != nil && t.value != "" {
			c.no(one.line, key+t.key, "%q is no time like 2026-11-27T17:30:00+01:00", t.value)
		}
	}
}

func (c *checker) key(name string, k Key) {
	key := "keys." + name
	if _, err := rotation.ParseAccountID(k.Account); err != nil {
		c.no(k.line, key+".account", "%v", err)
	}
	for _, unit := range strings.Split(k.OU, "/") {
		if k.OU != "" && !strings.HasPrefix(unit, "ou-") && !strings.HasPrefix(unit, "r-") {
			c.no(k.line, key+".ou", "%q is not a path of organizational units, like r-ab12/ou-ab12-3cd4ef56", k.OU)
			break
		}
	}
	if k.Path != "" && (!strings.HasPrefix(k.Path, "/") || !strings.HasSuffix(k.Path, "/")) {
		c.no(k.line, key+".path", "%q is not a path of IAM users, like /machines/", k.Path)
	}
	if k.AccountEmail != "" {
		c.email(k.line, key+".account_email", k.AccountEmail)
	}
	if k.Age != "" {
		if _, err := rotation.ParseDuration(k.Age); err != nil {
			c.no(k.line, key+".age", "%v", err)
		}
	}
	if k.LastUsed != "" && k.LastUsed != neverUsed {
		if _, err := rotation.ParseDuration(k.LastUsed); err != nil {
			c.no(k.line, key+".last_used", "%v; or write never", err)
		}
	}
}

func (c *checker) person(name string, p Person) {
	key := "people." + name
	switch _, err := approval.ParseCircle("user:" + p.Slack); {
	case p.Slack == "":
		c.no(p.line, key+".slack", "is missing: the Slack user ID, like U0123456789")
	case err != nil:
		c.no(p.line, key+".slack", "%q is not a Slack user ID, like U0123456789", p.Slack)
	}
	if p.Email != "" {
		c.email(p.line, key+".email", p.Email)
	}
	for i, id := range p.Groups {
		if _, err := approval.ParseCircle("group:" + id); err != nil {
			c.no(p.line, fmt.Sprintf("%s.groups[%d]", key, i), "%q is not the ID of a user group, like S0123456789", id)
		}
	}
	if p.Team != "" && p.Team[0] != 'T' && p.Team[0] != 'E' {
		c.no(p.line, key+".team", "%q is not the ID of a workspace, like T0123456789", p.Team)
	}
}

func (c *checker) email(line int, key, address string) {
	if _, err := approval.ParseCircle("email:" + address); err != nil {
		c.no(line, key, "%q is not an e-mail address", address)
	}
}
