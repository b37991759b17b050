package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/scheduler"
)

// Check is one thing that doctor looked at.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`           // what was found
	Mend string `json:"mend,omitempty"` // what to do, when it is not in order
}

// scopes are what the Slack app needs, and what for.
var scopes = map[string]string{
	"chat:write": "to post notices", "commands": "for /keys", "im:write": "to write to owners",
	"users:read": "to know who clicks", "users:read.email": "to find owners by their address",
}

// Doctor checks that everything outside is as keyturn needs it. It changes nothing. found is called for each check as soon
// as it is done, so that a person sees progress.
func (a *App) Doctor(ctx context.Context, found func(Check)) bool {
	all := true
	say := func(name string, err error, text, mend string) bool {
		c := Check{Name: name, OK: err == nil, Text: text}
		if err != nil {
			c.Text, c.Mend, all = err.Error(), mend, false
		}
		found(c)
		return err == nil
	}
	say("configuration", nil, fmt.Sprintf("%d rules", len(a.Config.Rules)), "")
	_, err := a.Store.GetState(ctx, lastScan)
	say("store", err, a.Config.Store.SQLite+" can be read and written", "check that the folder exists, is writable and has space")
	a.doctorSlack(ctx, say)
	a.doctorAWS(ctx, say)
	return all
}

type sayFunc func(name string, err error, text, mend string) bool

func (a *App) doctorSlack(ctx context.Context, say sayFunc) {
	id, err := a.Slack.AuthTest(ctx)
	if !say("Slack token", err, "it is the app's bot user "+id.UserID, "copy the Bot User OAuth Token of the app again and check slack.api_url") {
		return
	}
	var missing []string
	for s, why := range scopes {
		if !slices.Contains(id.Scopes, s) {
			missing = append(missing, s+" ("+why+")")
		}
	}
	slices.Sort(missing)
	err = nil
	if len(missing) > 0 {
		err = fmt.Errorf("the token lacks %s", strings.Join(missing, ", "))
	}
	say("Slack scopes", err, "all there", "add them under OAuth & Permissions and install the app again")
	err = nil
	if !slices.Contains(a.Config.Slack.Teams, id.TeamID) {
		err = fmt.Errorf("the token belongs to workspace %s, which slack.teams does not name", id.TeamID)
	}
	say("Slack workspace", err, id.TeamID, "add the workspace to slack.teams, or use the token of the right one")
	say("Slack channel", a.Slack.CheckChannel(ctx, a.Config.Slack.DefaultChannel), a.Config.Slack.DefaultChannel,
		"invite the app to the channel (/invite @keyturn) and check slack.default_channel")
}

func (a *App) doctorAWS(ctx context.Context, say sayFunc) {
	arn, err := a.Accounts.CallerIdentity(ctx)
	if !say("AWS credentials", err, arn, "set AWS credentials and AWS_REGION for this process") {
		return
	}
	accounts, err := a.Accounts.Accounts(ctx, a.Config.Organization.IncludeOUs)
	if !say("AWS organization", err, fmt.Sprintf("%d accounts", len(accounts)),
		"use credentials of the management account or a delegated administrator, or set organization.management_role") {
		return
	}
	for i, acct := range accounts {
		name := fmt.Sprintf("account %s (%d of %d)", acct.ID, i+1, len(accounts))
		if why := a.leftOut(acct); why != "" {
			say(name, nil, "left out: "+why, "")
			continue
		}
		say(name, a.Accounts.CheckAccount(ctx, acct), acct.Name+" can be read",
			fmt.Sprintf("create the role %s there, trusting %s, with the permissions that the README lists", a.Config.Organization.MemberRole, arn))
	}
	say("mail", a.Accounts.CheckIdentity(ctx, a.Config.Email.From), a.Config.Email.From+" may send",
		"verify the address or its domain in SES, in this region, and leave the sandbox of SES")
}

// leftOut says why an account is not scanned, or "".
func (a *App) leftOut(acct scheduler.Account) string {
	switch {
	case acct.State != "ACTIVE":
		return "its state is " + acct.State
	case slices.Contains(a.Config.Organization.ExcludeAccounts, acct.ID):
		return "excluded by the configuration"
	case acct.Management && !a.Config.Organization.IncludeManagement:
		return "the management account; organization.include_management brings it in"
	default:
		return ""
	}
}
