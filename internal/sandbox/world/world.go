// Package world seeds the emulators with one telling organization: four accounts in nested organizational units, about
// forty IAM users, and the people of a Slack workspace. It is used by cmd/demo and by tests, never by the product.
package world

import (
	"fmt"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// The accounts of the organization.
const (
	Management = "100000000001"
	Prod       = "200000000002"
	Dev        = "300000000003"
	Old        = "400000000004" // suspended
)

// The people of the workspace, by what they are in the story.
const (
	Owner        = "U0OWNER"   // of the billing export
	AccountOwner = "U0ACCOUNT" // gets the mails of the production account
	OnCall       = "U0ONCALL"  // named in the rule as an approver
	Guest        = "U0GUEST"
	Outsider     = "U0OUTSIDE" // of another workspace
	Former       = "U0FORMER"  // deactivated
	Second       = "U0SECOND"  // of the security team, who approves where two have to
	Newcomer     = "U0NEWCOMER"
)

// Names that the configuration needs.
const (
	Team       = "T0ACME"
	Channel    = "C0KEYS"
	ProdRoom   = "C0PRODKEYS" // of the production account, where the configuration routes it there
	SecOps     = "S0SECOPS"   // a user group: the on-call engineer and the second approver
	Token      = "xoxb-sandbox-token"
	Signing    = "sandbox-signing-secret"
	MemberRole = "keyturn-member"
	From       = "security@acme.example"
	Region     = "eu-central-1"
)

// Clock is the domain clock of a sandbox. It stands still unless it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows t.
func NewClock(t time.Time) *Clock { return &Clock{now: t} }

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// World is both emulators, running. Close it.
type World struct {
	Clock *Clock
	Hands *Hands // the protocol clock of the product: leases, limits of rate
	AWS   *awsemu.Server
	Slack *slackemu.Server

	id, secret string
}

// Start is when the story begins: a Monday morning.
var Start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// New starts the emulators, with the organization's accounts, roles and people and without users.
func New() (*World, error) {
	w := empty()
	w.populate()
	return w.listen(addresses{})
}

// empty is a world without anybody in it, which does not listen yet.
func empty() *World {
	w := &World{Clock: NewClock(Start), Hands: &Hands{}}
	w.AWS = awsemu.New(awsemu.Options{Now: w.Clock.Now, Region: Region})
	w.Slack = slackemu.New(slackemu.Options{Token: Token, SigningSecret: Signing, TeamID: Team, Now: w.Clock.Now,
		Scopes: []string{"chat:write", "commands", "im:write", "users:read", "users:read.email", "usergroups:read", "channels:read"}})
	return w
}

func (w *World) populate() {
	w.organization()
	w.people()
	w.id, w.secret = w.AWS.Bootstrap(Management)
}

func (w *World) organization() {
	a := w.AWS
	a.AddRoot("r-acme")
	a.AddOU("r-acme", "ou-acme-workload1", "Workloads")
	a.AddOU("ou-acme-workload1", "ou-acme-prod00001", "Production")
	a.AddOU("ou-acme-workload1", "ou-acme-dev000001", "Development")
	a.AddOU("r-acme", "ou-acme-attic0001", "Attic")
	for _, acct := range []awsemu.Account{
		{ID: Management, Name: "acme-management", Email: "cloud@acme.example", ParentID: "r-acme", Management: true},
		{ID: Prod, Name: "acme-prod", Email: "prod-owner@acme.example", ParentID: "ou-acme-prod00001"},
		{ID: Dev, Name: "acme-dev", Email: "dev-owner@acme.example", ParentID: "ou-acme-dev000001"},
		{ID: Old, Name: "acme-old", Email: "old@acme.example", ParentID: "ou-acme-attic0001", State: "SUSPENDED"},
	} {
		a.AddAccount(acct)
		a.AddRole(acct.ID, MemberRole, "")
		a.AddGroup(acct.ID, "IAMKeyRotationExemptionGroup")
		a.AddIdentity(acct.ID, From, true)
	}
}

func (w *World) people() {
	for _, u := range []slackemu.User{
		{ID: Owner, Name: "billing-owner", RealName: "Billing Owner", Email: "billing@acme.example", TZ: "Europe/Berlin"},
		{ID: AccountOwner, Name: "prod-owner", RealName: "Prod Owner", Email: "prod-owner@acme.example", TZ: "Europe/Berlin"},
		{ID: OnCall, Name: "on-call", RealName: "On-Call Engineer", Email: "oncall@acme.example", TZ: "America/New_York"},
		{ID: Guest, Name: "guest", RealName: "Guest", Email: "guest@acme.example", Guest: true},
		{ID: Outsider, Name: "outsider", RealName: "Outsider", Email: "outsider@other.example", TeamID: "T0OTHER", Stranger: true},
		{ID: Former, Name: "former", RealName: "Former Employee", Email: "former@acme.example", Deleted: true},
		{ID: Second, Name: "second", RealName: "Second Approver", Email: "second@acme.example", TZ: "Asia/Tokyo"},
		{ID: Newcomer, Name: "newcomer", RealName: "Newcomer", Email: "newcomer@acme.example", TZ: "Europe/Berlin"},
	} {
		w.Slack.AddUser(u)
	}
	w.Slack.AddChannel(Channel, "aws-keys", true)
	w.Slack.AddChannel(ProdRoom, "acme-prod-keys", true)
	w.Slack.AddGroup(SecOps, OnCall, Second)
}

// AWSConfig is how the SDK reaches the emulated AWS, with the credentials of the management account.
func (w *World) AWSConfig() awssdk.Config {
	url := w.AWS.URL()
	return awssdk.Config{
		Region: Region, BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(w.id, w.secret, ""),
	}
}

// Credentials returns the access key of the management account, for a child process or the AWS CLI.
func (w *World) Credentials() (id, secret string) { return w.id, w.secret }

// Close ends both emulators.
func (w *World) Close() error {
	err := w.AWS.Close()
	if serr := w.Slack.Close(); err == nil {
		err = serr
	}
	return err
}

// Config is the configuration of keyturn for this world. db is the store's file.
func (w *World) Config(db string) string {
	return fmt.Sprintf(`organization: {member_role: %s}
policy:
  - match: {account: "%s"}
    mode: audit
  - mode: approve
    approvers: {any_of: [owner, account_owner, "user:%s"]}
owner_tag: owner
slack:
  token: env:SLACK_BOT_TOKEN
  signing_secret: env:SLACK_SIGNING_SECRET
  default_channel: %s
  teams: [%s]
  api_url: %s
email: {from: %s}
store: {sqlite: %q}
listen: 127.0.0.1:0
tick_every: 1s
`, MemberRole, Dev, OnCall, Channel, Team, w.Slack.APIURL(), From, db)
}
