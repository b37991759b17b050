package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// validator collects every problem of a file.
type validator struct{ problems []Problem }

func (v *validator) no(line int, key, format string, args ...any) {
	v.problems = append(v.problems, Problem{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

const later = "is not supported by this version of keyturn"

func (v *validator) config(r raw) Config {
	if r.KMS.line > 0 {
		v.no(r.KMS.line, "kms", "writing KMS policies %s. Leave the section out and give the key by secrets.kms_key", later)
	}
	c := Config{
		Organization: v.organization(r.Organization),
		Rules:        v.rules(r.Policy),
		OwnerTag:     r.OwnerTag.or("owner"),
		Secrets:      v.secrets(r.Secrets),
		Slack:        v.slack(r.Slack),
		Email:        v.email(r.Email),
		Store:        v.store(r.Store),
		Listen:       r.Listen.or("127.0.0.1:8080"),
		ScanEvery:    v.atLeast(r.ScanEvery, "scan_every", 24*time.Hour, time.Hour),
		TickEvery:    v.atLeast(r.TickEvery, "tick_every", time.Minute, time.Second),
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		v.no(r.Listen.line, "listen", "%q is not an address; write it like 127.0.0.1:8080", c.Listen)
	}
	return c
}

func (v *validator) atLeast(d duration, key string, otherwise, least time.Duration) time.Duration {
	if d.set() && d.value < least {
		v.no(d.line, key, "%s is below the floor of %s", rotation.FormatDuration(d.value), rotation.FormatDuration(least))
	}
	return d.or(otherwise)
}

var (
	roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	// tableName: DynamoDB API, type TableName.
	tableName = regexp.MustCompile(`^(?:[a-zA-Z0-9_.-]{3,255}|env:[A-Za-z_][A-Za-z0-9_]*)$`)
	ouID      = regexp.MustCompile(`^(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})$`)
)

func (v *validator) organization(r rawOrganization) Organization {
	o := Organization{
		ManagementRole: r.ManagementRole.value, MemberRole: r.MemberRole.value, ExternalID: r.ExternalID.value,
		ExemptGroup: r.ExemptGroup.or("IAMKeyRotationExemptionGroup"), IncludeManagement: r.IncludeManagement.value,
	}
	if o.MemberRole == "" {
		v.no(r.MemberRole.line, "organization.member_role", "is missing: the name of the role that keyturn assumes in every account, like keyturn-member")
	} else if !roleName.MatchString(o.MemberRole) {
		v.no(r.MemberRole.line, "organization.member_role", "%q is not the name of a role (give its name, not its ARN)", o.MemberRole)
	}
	if o.ScanRole = r.ScanRole.or(o.MemberRole); !roleName.MatchString(o.ScanRole) && o.ScanRole != o.MemberRole {
		v.no(r.ScanRole.line, "organization.scan_role", "%q is not the name of a role (give its name, not its ARN)", o.ScanRole)
	}
	if o.ManagementRole != "" && !roleName.MatchString(o.ManagementRole) {
		v.no(r.ManagementRole.line, "organization.management_role", "%q is not the name of a role (give its name, not its ARN)", o.ManagementRole)
	}
	if r.ManagementAccount.set() {
		o.ManagementAccount = v.account(r.ManagementAccount, "organization.management_account")
	}
	for i, ou := range r.IncludeOUs {
		if !ouID.MatchString(ou.value) {
			v.no(ou.line, fmt.Sprintf("organization.include_ous[%d]", i), "%q is not the ID of an organizational unit, like ou-ab12-3cd4ef56", ou.value)
		}
		o.IncludeOUs = append(o.IncludeOUs, ou.value)
	}
	for i, a := range r.ExcludeAccounts {
		o.ExcludeAccounts = append(o.ExcludeAccounts, v.account(a, fmt.Sprintf("organization.exclude_accounts[%d]", i)))
	}
	return o
}

func (v *validator) account(t text, key string) rotation.AccountID {
	id, err := rotation.ParseAccountID(t.value)
	if err != nil {
		v.no(t.line, key, "%v. Put it in quotes, so that YAML keeps its zeros", err)
	}
	return id
}

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
	if p.Mode == rotation.ModeAuto {
		v.no(r.Mode.line, key+".mode", "mode auto %s. Use approve (a person decides) or audit (only reports)", later)
	}
	lines := map[string]int{
		"mode": r.Mode.line, "unused": r.Unused.line, "rotate_after": r.RotateAfter.line, "warn_before": r.WarnBefore.line,
		"install_grace": r.InstallGrace.line, "recovery_grace": r.RecoveryGrace.line, "quiet_period": r.QuietPeriod.line,
		"reopen_after": r.ReopenAfter.line, "gate_tries": r.GateTries.line,
	}
	for _, err := range p.Check() {
		field, text, _ := strings.Cut(err.Error(), ": ")
		line := lines[field]
		if line == 0 {
			line = r.line
		}
		v.no(line, key+"."+field, "%s", text)
	}
	return Rule{Match: v.match(r.Match, key+".match", r.line), Policy: p, Approval: v.approvers(r, p, key)}
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

func (v *validator) approvers(r rawRule, p rotation.Policy, key string) approval.Rule {
	rule := approval.Rule{Name: p.Rule}
	a := r.Approvers
	if a == nil || len(a.AnyOf) == 0 {
		if p.Mode != rotation.ModeAudit {
			v.no(r.line, key+".approvers", "is missing: who may approve? For example {any_of: [owner, account_owner]}")
		}
		return rule
	}
	for i, t := range a.AnyOf {
		c, err := approval.ParseCircle(t.value)
		if err != nil {
			v.no(t.line, fmt.Sprintf("%s.approvers.any_of[%d]", key, i), "%v", err)
		}
		rule.AnyOf = append(rule.AnyOf, c)
	}
	rule.Required = a.Required.or(1)
	rule.SelfApproval, rule.Justification = a.SelfApproval.or(true), a.Justification.value
	switch {
	case rule.Required < 1:
		v.no(a.Required.line, key+".approvers.required", "%d would let things happen without an approval; it is at least 1", rule.Required)
	case rule.Required > 1:
		v.no(a.Required.line, key+".approvers.required", "more than one approval %s", later)
	}
	return rule
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@{}-]+$`)

func (v *validator) secrets(r rawSecrets) Secrets {
	s := Secrets{Name: r.Name.or("keyturn/{account}/{user}"), KMSKey: r.KMSKey.value}
	switch loc := r.Location.or("member"); loc {
	case "member":
	case "central":
		v.no(r.Location.line, "secrets.location", "central storage %s. Use member: the secret lies in the account of its user", later)
	default:
		v.no(r.Location.line, "secrets.location", "%q is not member", loc)
	}
	if len(r.ReplicateTo) > 0 {
		v.no(r.ReplicateTo[0].line, "secrets.replicate_to", "replicating secrets to other regions %s", later)
	}
	rest := strings.NewReplacer("{account}", "", "{user}", "").Replace(s.Name)
	switch {
	case !strings.Contains(s.Name, "{user}"):
		v.no(r.Name.line, "secrets.name", "%q must contain {user}, or users would share a secret", s.Name)
	case !secretName.MatchString(s.Name) || strings.ContainsAny(rest, "{}"):
		v.no(r.Name.line, "secrets.name", "%q may contain letters, digits and /_+=.@- beside {account} and {user}", s.Name)
	}
	return s
}

var secretRef = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]*|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+)$`)

func (v *validator) secretRef(t text, key, what string) string {
	switch {
	case t.value == "":
		v.no(t.line, key, "is missing: %s, as env:NAME or the ARN of a secret in Secrets Manager", what)
	case !secretRef.MatchString(t.value):
		// The value may be the secret itself: it is not repeated.
		v.no(t.line, key, "must not stand in the file itself: write env:NAME, or the ARN of a secret in Secrets Manager")
	}
	return t.value
}

var slackID = map[string]*regexp.Regexp{
	"channel": regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`), "team": regexp.MustCompile(`^[TE][A-Z0-9]{2,}$`),
}

func (v *validator) slack(r rawSlack) Slack {
	s := Slack{DefaultChannel: r.DefaultChannel.value, APIURL: r.APIURL.or("https://slack.com/api/")}
	if r.SocketMode.value || r.AppToken.set() {
		v.no(max(r.SocketMode.line, r.AppToken.line), "slack.socket_mode", "Socket Mode %s. Give Slack the URL of this service instead", later)
	}
	s.Token = v.secretRef(r.Token, "slack.token", "the bot token (xoxb-...)")
	s.SigningSecret = v.secretRef(r.SigningSecret, "slack.signing_secret", "the signing secret of the Slack app")
	if !slackID["channel"].MatchString(s.DefaultChannel) {
		v.no(r.DefaultChannel.line, "slack.default_channel", "%q is not the ID of a channel, like C0123456789 (a name is not enough: channels are renamed)", s.DefaultChannel)
	}
	if len(r.Teams) == 0 {
		v.no(0, "slack.teams", "is missing: the IDs of the workspaces whose members may decide, like [T0123456789]")
	}
	for i, t := range r.Teams {
		if !slackID["team"].MatchString(t.value) {
			v.no(t.line, fmt.Sprintf("slack.teams[%d]", i), "%q is not the ID of a workspace, like T0123456789", t.value)
		}
		s.Teams = append(s.Teams, t.value)
	}
	if u, err := url.Parse(s.APIURL); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u) {
		v.no(r.APIURL.line, "slack.api_url", "%q is not an https address", s.APIURL)
	}
	if !strings.HasSuffix(s.APIURL, "/") {
		s.APIURL += "/"
	}
	return s
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (v *validator) email(r rawEmail) Email {
	e := Email{From: r.From.value, Templates: r.Templates.value}
	if via := r.Via.or("ses"); via != "ses" {
		if via == "smtp" {
			v.no(r.Via.line, "email.via", "sending by SMTP %s. Use ses", later)
		} else {
			v.no(r.Via.line, "email.via", "%q is not ses", via)
		}
	}
	if r.Decisions.value {
		v.no(r.Decisions.line, "email.decisions", "deciding by mail %s. Decide in Slack", later)
	}
	if e.From == "" {
		v.no(r.From.line, "email.from", "is missing: the address that mails to owners come from, verified in SES")
	} else if _, err := mail.ParseAddress(e.From); err != nil {
		v.no(r.From.line, "email.from", "%q is not an e-mail address", e.From)
	}
	return e
}

func (v *validator) store(r rawStore) Store {
	switch {
	case !r.DynamoDB.set():
		return Store{SQLite: r.SQLite.or("keyturn.db")}
	case r.SQLite.set():
		v.no(r.DynamoDB.line, "store.dynamodb", "store.sqlite stands in line %d already: state is kept in one place. Take one of them out", r.SQLite.line)
	case !tableName.MatchString(r.DynamoDB.value):
		v.no(r.DynamoDB.line, "store.dynamodb", "%q is neither the name of a table (3 to 255 letters, digits, _ . -) nor env:NAME, the environment variable that has it", r.DynamoDB.value)
	}
	return Store{DynamoDB: r.DynamoDB.value}
}
