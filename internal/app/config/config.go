package config

import (
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/calendar"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Config is a valid configuration. Only Parse makes one.
type Config struct {
	Organization Organization
	Rules        []Rule // in the file's order; the first that matches wins
	OwnerTag     string
	Secrets      Secrets
	Slack        Slack
	Email        Email
	Store        Store
	Listen       string        // host:port of the bot
	ScanEvery    time.Duration // serve scans so often
	TickEvery    time.Duration // serve looks so often for what is due
	MACKey       string        // KMS key that anchors of the audit chains are signed with; empty: none are made

	approvals []Approval // for rules without approvers of their own; the first that matches wins
	freezes   []freeze
}

// Organization says which accounts there are and how to reach them.
type Organization struct {
	ManagementRole    string // role to list accounts with, in ManagementAccount; empty: our own credentials may
	ManagementAccount rotation.AccountID
	MemberRole        string // role in every account
	ScanRole          string // role in every account that a scan assumes; it need only read. MemberRole, if nothing else is said
	ExternalID        string
	IncludeOUs        []string
	ExcludeAccounts   []rotation.AccountID
	ExemptGroup       string
	IncludeManagement bool // scan the management account with our own credentials
}

// Rule is one rule of the policy.
type Rule struct {
	Match    Match
	Policy   rotation.Policy
	Approval approval.Rule // without people, where approvals says who may decide

	calendar string // its name
	when     calendar.Calendar
}

// Approval says who decides where a rule of the policy does not.
type Approval struct {
	Match Match
	Rule  approval.Rule
}

type freeze struct {
	calendar.Freeze
	match Match
}

type route struct {
	match   Match
	channel string
}

// Secrets says where new keys go.
type Secrets struct {
	Name   string // template with {account} and {user}
	KMSKey string // ARN, ID or alias; empty: the account's AWS-managed key
}

// Slack says how to reach Slack. Token and SigningSecret are references: env:NAME or a Secrets Manager ARN.
type Slack struct {
	Token          string
	SigningSecret  string
	DefaultChannel string
	Teams          []string
	APIURL         string // with a slash at its end
	DigestFrom     int    // so many notices at once for one recipient become one digest

	routes []route
}

// Email says how mail goes out. From empty: no mail is sent.
type Email struct {
	From      string
	Templates string // a folder that replaces the built-in templates
}

// Store says where the state is kept: one of them is set.
type Store struct {
	SQLite   string // a file
	DynamoDB string // the name of a table, or env:NAME
}

// Audit reports whether every rule only reports.
func (c Config) Audit() bool {
	for _, r := range c.Rules {
		if r.Policy.Mode != rotation.ModeAudit {
			return false
		}
	}
	return true
}

// For implements approval.Rules.
func (c Config) For(t approval.Target) (rotation.Policy, approval.Rule, bool) {
	r, ok := c.rule(t)
	if !ok {
		return rotation.Policy{}, approval.Rule{}, false
	}
	if len(r.Approval.AnyOf) > 0 {
		return r.Policy, r.Approval, true
	}
	t.Mode = r.Policy.Mode
	for _, a := range c.approvals {
		if a.Match.Matches(t) {
			rule := a.Rule
			if len(r.Approval.Leaked) > 0 {
				rule.Leaked = r.Approval.Leaked
			}
			if len(r.Approval.BreakGlass) > 0 {
				rule.BreakGlass = r.Approval.BreakGlass
			}
			return r.Policy, rule, true
		}
	}
	return r.Policy, r.Approval, true
}

func (c Config) rule(t approval.Target) (Rule, bool) {
	for _, r := range c.Rules {
		if r.Match.Matches(t) {
			return r, true
		}
	}
	return Rule{}, false
}

// Calendar says when something may be done about a target: the calendar of its rule, and the freezes that cover it.
func (c Config) Calendar(t approval.Target) calendar.Calendar {
	r, _ := c.rule(t)
	cal := r.when
	for _, f := range c.freezes {
		if f.match.Matches(t) {
			cal.Freezes = append(cal.Freezes, f.Freeze)
		}
	}
	return cal
}

// When says from when on something may be done about a rotation, t at the earliest, and why not before. hours: working hours
// count too, and not only freezes.
func (c Config) When(r rotation.Rotation, hours bool, t time.Time) (at time.Time, why string) {
	at, why, ok := c.Calendar(approval.TargetOf(r)).Next(t, hours)
	if !ok { // the configuration refuses such calendars
		return t.Add(rotation.Day), "the calendar is never open"
	}
	return at, why
}

// Channel is the Slack channel of a target.
func (c Config) Channel(t approval.Target) string {
	for _, r := range c.Slack.routes {
		if r.match.Matches(t) {
			return r.channel
		}
	}
	return c.Slack.DefaultChannel
}

// Groups returns the IDs of the Slack user groups that rules name, each once.
func (c Config) Groups() (ids []string) {
	rules := make([]approval.Rule, 0, len(c.Rules)+len(c.approvals))
	for _, r := range c.Rules {
		rules = append(rules, r.Approval)
	}
	for _, a := range c.approvals {
		rules = append(rules, a.Rule)
	}
	for _, r := range rules {
		for _, ci := range slices.Concat(r.AnyOf, r.Escalate, r.Leaked, r.BreakGlass) {
			if ci.Kind == approval.UserGroup && !slices.Contains(ids, ci.ID) {
				ids = append(ids, ci.ID)
			}
		}
	}
	return ids
}

// Channels lists every channel that the configuration names, each once.
func (c Config) Channels() []string {
	out := []string{c.Slack.DefaultChannel}
	for _, r := range c.Slack.routes {
		if !slices.Contains(out, r.channel) {
			out = append(out, r.channel)
		}
	}
	return out
}

var _ approval.Rules = Config{}
