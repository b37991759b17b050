package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

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
		MACKey:       v.macKey(r.Audit.MACKey),
	}
	c.approvals = v.approvals(r.Approvals)
	v.everyRuleHasApprovers(r.Policy, c)
	v.calendars(r, &c)
	c.freezes = v.freezes(r.Freezes)
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
	s.routes = v.routes(r.Routes)
	if s.DigestFrom = r.DigestFrom.or(3); s.DigestFrom < 2 {
		v.no(r.DigestFrom.line, "slack.digest_from", "%d is below the floor of 2: one notice is no digest", s.DigestFrom)
	}
	return s
}

func (v *validator) routes(rs []rawRoute) (out []route) {
	for i, r := range rs {
		key := fmt.Sprintf("slack.routes[%d]", i)
		if !slackID["channel"].MatchString(r.Channel.value) {
			v.no(max(r.Channel.line, r.line), key+".channel", "%q is not the ID of a channel, like C0123456789", r.Channel.value)
		}
		if r.Match == nil {
			v.no(r.line, key, "has no match. The channel of everything else is slack.default_channel")
			continue
		}
		out = append(out, route{v.match(r.Match, key+".match", r.line), r.Channel.value})
	}
	return out
}

// macKey: AWS KMS API, GenerateMac: the ID, ARN or alias of an HMAC key.
var macKey = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[A-Za-z0-9/_-]+|alias/[A-Za-z0-9/_-]+|[0-9a-f-]{36}|mrk-[0-9a-f]{32})$`)

func (v *validator) macKey(t text) string {
	if t.set() && t.value != "" && !macKey.MatchString(t.value) {
		v.no(t.line, "audit.mac_key", "%q is neither the ARN of a KMS key nor an alias, like alias/keyturn-audit", t.value)
	}
	return t.value
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
