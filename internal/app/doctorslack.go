package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// scopes are what the Slack app needs, and what for.
var scopes = map[string]string{
	"chat:write": "to post notices", "commands": "for /keys", "im:write": "to write to owners",
	"users:read": "to know who clicks", "users:read.email": "to find owners by their address",
	"usergroups:read": "to know who is in the user groups that rules name",
}

func (a *App) doctorSlack(ctx context.Context, say sayFunc) {
	id, err := a.Slack.AuthTest(ctx)
	if !say("Slack token", err, "it is the app's bot user "+id.UserID, "copy the Bot User OAuth Token of the app again and check slack.api_url; functions read it when they start (the runbook: changing the Slack secrets)") {
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
	for _, ch := range a.Config.Channels() {
		say("Slack channel", a.Slack.CheckChannel(ctx, ch), ch, "invite the app to the channel (/invite @keyturn) and check slack.default_channel and slack.routes")
	}
	for _, g := range a.Config.Groups() {
		members, err := a.Slack.GroupMembers(ctx, g)
		if err == nil && len(members) == 0 {
			err = fmt.Errorf("user group %s has no members: nobody of it can decide", g)
		}
		say("Slack user group", err, fmt.Sprintf("%s has %d members", g, len(members)), "check the group's ID in the configuration (S…), and that the group is not disabled; the app needs the scope usergroups:read")
	}
}
