package config

import (
	"time"

	"github.com/keyturn/keyturn/internal/approval"
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
	Approval approval.Rule
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
	for _, r := range c.Rules {
		if r.Match.Matches(t) {
			return r.Policy, r.Approval, true
		}
	}
	return rotation.Policy{}, approval.Rule{}, false
}

var _ approval.Rules = Config{}
