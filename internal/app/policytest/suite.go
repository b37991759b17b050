package policytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Suite is a file of cases.
type Suite struct {
	People map[string]Person `yaml:"people"`
	Keys   map[string]Key    `yaml:"keys"`
	Cases  []Case            `yaml:"cases"`
}

// Person is somebody, as Slack would know them.
type Person struct {
	Slack   string   `yaml:"slack"` // Slack user ID
	Email   string   `yaml:"email"`
	Team    string   `yaml:"team"`   // left out: the first of slack.teams
	Groups  []string `yaml:"groups"` // IDs of the Slack user groups that they are in
	Guest   bool     `yaml:"guest"`
	Bot     bool     `yaml:"bot"`
	Deleted bool     `yaml:"deleted"`
	Outside bool     `yaml:"outside"` // of another workspace
}

// Key is whose key it is.
type Key struct {
	Account      string            `yaml:"account"`
	OU           string            `yaml:"ou"` // path from the root: r-ab12/ou-ab12-3cd4ef56
	User         string            `yaml:"user"`
	Path         string            `yaml:"path"` // left out: /
	Tags         map[string]string `yaml:"tags"`
	AccountEmail string            `yaml:"account_email"`
}

// Case is one question and the answer that is expected.
type Case struct {
	Name       string   `yaml:"name"`
	Key        string   `yaml:"key"`
	Person     string   `yaml:"person"`
	Does       Act      `yaml:"does"`        // left out: approve
	RequestBy  string   `yaml:"request_by"`  // who asked for the rotation
	ApprovedBy []string `yaml:"approved_by"` // who approved before
	Escalated  bool     `yaml:"escalated"`   // nobody answered in time
	At         string   `yaml:"at"`          // RFC 3339: when a deactivation would be due
	Expect     Expect   `yaml:"expect"`

	line int
}

// Act is what a person wants to do.
type Act string

// The acts. Everything else that a person can do on a key (reject, snooze, hold, extend, exempt) asks what ActDecide asks.
const (
	ActApprove Act = "approve"
	ActDecide  Act = "decide"
	ActLeaked  Act = "report_leak"
	ActGlass   Act = "break_glass"
)

// Expect is what is expected. What is left out is not compared.
type Expect struct {
	Allowed      *bool  `yaml:"allowed"`
	Says         string `yaml:"says"`  // part of the verdict's sentence
	Takes        *int   `yaml:"takes"` // distinct people that an approval takes
	Mode         string `yaml:"mode"`
	RotateAfter  string `yaml:"rotate_after"`
	Rule         string `yaml:"rule"` // policy[0]: the rule that says who decides
	Channel      string `yaml:"channel"`
	DeactivateAt string `yaml:"deactivate_at"` // RFC 3339: when it would really happen
	Because      string `yaml:"because"`       // part of why not before
}

// mostBytes bounds a file.
const mostBytes = 1 << 20

// Parse reads a file of cases. All its errors come at once, as *config.Errors.
func Parse(name string, data []byte) (Suite, error) {
	errs := &config.Errors{File: name}
	fail := func(line int, key, format string, args ...any) {
		errs.List = append(errs.List, config.Problem{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
	}
	var s Suite
	if len(data) > mostBytes {
		fail(0, "", "the file has %d bytes; a file of cases has at most %d", len(data), mostBytes)
		return s, errs
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		if errors.Is(err, io.EOF) {
			fail(0, "", "the file is empty. infra/config.cases.yaml is one to begin with")
			return s, errs
		}
		errs.List = config.Problems(err)
		return s, errs
	}
	var where struct {
		Cases []yaml.Node `yaml:"cases"`
	}
	if err := yaml.Unmarshal(data, &where); err == nil {
		for i := range min(len(where.Cases), len(s.Cases)) {
			s.Cases[i].line = where.Cases[i].Line
		}
	}
	if len(s.Cases) == 0 {
		fail(0, "cases", "there are none. infra/config.cases.yaml shows how one is written")
	}
	for i := range s.Cases {
		s.check(&s.Cases[i], fmt.Sprintf("cases[%d]", i), fail)
	}
	for name, k := range s.Keys {
		if _, err := rotation.ParseAccountID(k.Account); err != nil {
			fail(0, "keys."+name+".account", "%v", err)
		}
	}
	for name, p := range s.People {
		if p.Slack == "" {
			fail(0, "people."+name+".slack", "is missing: the Slack user ID, like U0123456789")
		}
	}
	if len(errs.List) > 0 {
		slices.SortFunc(errs.List, func(a, b config.Problem) int { return strings.Compare(a.Key, b.Key) })
		return s, errs
	}
	return s, nil
}

func (s Suite) check(c *Case, key string, fail func(line int, key, format string, args ...any)) {
	if c.Name == "" {
		fail(c.line, key+".name", "is missing: one sentence that is true if the case passes")
	}
	if _, ok := s.Keys[c.Key]; !ok {
		fail(c.line, key+".key", "there is no key %q under keys", c.Key)
	}
	for _, who := range append([]string{c.Person, c.RequestBy}, c.ApprovedBy...) {
		if _, ok := s.People[who]; !ok && who != "" {
			fail(c.line, key, "there is nobody %q under people", who)
		}
	}
	if c.Does == "" {
		c.Does = ActApprove
	}
	if !slices.Contains([]Act{ActApprove, ActDecide, ActLeaked, ActGlass}, c.Does) {
		fail(c.line, key+".does", "%q is none of approve, decide, report_leak and break_glass", c.Does)
	}
	e := c.Expect
	if e == (Expect{}) {
		fail(c.line, key+".expect", "is missing: a case that expects nothing cannot fail")
	}
	if (e.Allowed != nil || e.Says != "") && c.Person == "" {
		fail(c.line, key+".person", "is missing: who is it that may or may not?")
	}
	if (e.DeactivateAt != "" || e.Because != "") && c.At == "" {
		fail(c.line, key+".at", "is missing: when would the deactivation be due?")
	}
	for k, v := range map[string]string{"at": c.At, "expect.deactivate_at": e.DeactivateAt} {
		if _, err := time.Parse(time.RFC3339, v); err != nil && v != "" {
			fail(c.line, key+"."+k, "%q is no time like 2026-11-27T17:30:00+01:00", v)
		}
	}
	if e.RotateAfter != "" {
		if _, err := rotation.ParseDuration(e.RotateAfter); err != nil {
			fail(c.line, key+".expect.rotate_after", "%v", err)
		}
	}
}

// person is somebody as the rules know them.
func (p Person) person(name string, c config.Config) approval.Person {
	team := p.Team
	if team == "" && len(c.Slack.Teams) > 0 {
		team = c.Slack.Teams[0]
	}
	return approval.Person{SlackID: p.Slack, TeamID: team, Name: name, Email: strings.ToLower(p.Email), Known: true,
		Guest: p.Guest, Bot: p.Bot, Deleted: p.Deleted, Outside: p.Outside}
}

func (k Key) target() approval.Target {
	return approval.Target{Account: rotation.AccountID(k.Account), OUPath: k.OU, UserName: rotation.UserName(k.User), UserPath: k.path(), Tags: k.Tags}
}

func (k Key) path() string {
	if k.Path == "" {
		return "/"
	}
	return k.Path
}
