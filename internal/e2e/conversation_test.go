package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/bot"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/templates"
)

// decisions is a configuration with everything that the conversation is about.
func decisions(text string) string {
	i, j := strings.Index(text, "policy:"), strings.Index(text, "owner_tag:")
	return text[:i] + `policy:
  - match: {account: "` + world.Dev + `"}
    mode: audit
  - match: {user: image-resizer}
    approvers: {any_of: ["group:S0SECOPS"], required: 2, justification: true}
  - match: {user: vendor-feed}
    mode: auto
    notice: 5d
    approvers: {any_of: [owner, account_owner, "group:S0SECOPS"]}
  - match: {user: report-mailer}
    approvers: {any_of: ["user:` + world.Former + `"], required: 1, escalate_to: ["group:S0SECOPS"]}
  - approvers: {any_of: [owner, account_owner, "user:` + world.OnCall + `"], escalate_to: ["group:S0SECOPS"]}
    leaked: {any_of: ["group:S0SECOPS"]}
    break_glass: {any_of: ["user:` + world.Second + `"]}
    calendar: office
calendars:
  office: {zone: Europe/Berlin, days: [mon, tue, wed, thu, fri], hours: "09:00-16:00", last_day_until: "12:00"}
freezes:
  - {from: 2026-07-20, until: 2026-07-27, why: the summer release, zone: Europe/Berlin}
` + strings.Replace(text[j:], "  teams:", "  routes: [{match: {account: \""+world.Prod+"\"}, channel: "+world.ProdRoom+"}]\n  teams:", 1)
}

// TestConversation has nine people do everything that can be done in Slack, and compares everything that they see.
func TestConversation(t *testing.T) {
	s := newStage(t, decisions)
	s.Seed()
	k := newTalk(t, s)

	k.chapter("The first scan finds what is due")
	k.passes("the scan runs", func() { s.scan() })
	key := func(user string, i int) string { return s.AWS.Keys(world.Prod, user)[i].ID }
	billing, soon, two, conflict := key(world.Billing, 0), key(world.Soon, 0), key(world.TwoActive, 0), key(world.Conflict, 0)

	k.chapter("What people can ask")
	k.says(world.Owner, "")
	for _, c := range bot.Specs() {
		k.says(world.Owner, "help "+c.Name)
	}
	k.says(world.Owner, "status")
	k.says(world.Owner, "status me")
	k.says(world.AccountOwner, "status acme-prod")
	k.says(world.Owner, "status "+world.Billing)
	k.says(world.Owner, "status "+billing)
	k.says(world.Owner, "mine")
	k.says(world.AccountOwner, "mine state:awaiting")
	k.says(world.OnCall, "list")
	k.says(world.OnCall, "list account:acme-prod state:awaiting age:>90d owner:billing@acme.example")
	k.says(world.OnCall, "list ou:ou-acme-dev000001")
	k.says(world.OnCall, "due 30d")
	k.says(world.OnCall, "report 30d")
	k.says(world.OnCall, "report 30d plain")
	k.says(world.Owner, "why "+billing)
	k.says(world.Newcomer, "why "+soon)
	k.says(world.Owner, "history "+billing)
	k.home(world.Owner)
	k.home(world.OnCall)

	k.chapter("What is refused, and how")
	for _, who := range []string{world.Guest, world.Newcomer, world.Former, world.Outsider} {
		k.says(who, "mine")
		k.says(who, "approve "+billing)
		k.says(who, "leaked "+billing+" I saw it")
		k.home(who)
	}
	for _, text := range []string{"aprove " + billing, "approve", "approve nonsense", "approve AKIANOBODYNOBODYNOB7", "snooze " + billing, "snooze " + billing + " soon", "snooze " + billing + " 300d",
		"reject " + billing, "hold " + billing + " 2d", "exempt " + world.Billing + "@acme-prod until tomorrow x", "exempt nobody until 2027-01-01 x", "rotate " + world.Billing, "list age:old", "list state:open",
		"list account:nothing", "due 30", "report 1h", "leaked " + billing, "break-glass " + billing, "history", "kms", "approve `" + billing + "` <!channel> *now*"} {
		k.says(world.Owner, text)
	}
	k.clicks(world.Newcomer, k.latest(world.ProdRoom, key(world.NoSlack, 0)), "Approve")
	k.clicks(world.Guest, k.latest(world.ProdRoom, key(world.NoSlack, 0)), "Approve")

	k.chapter("The owner puts it off, says no, and yes in the end")
	k.clicks(world.Owner, k.latest(world.Owner, billing), "Snooze")
	k.submits(world.Owner, map[string]any{templates.FieldFor: "3d", templates.FieldWhy: "after the release"})
	k.says(world.Owner, "snooze "+billing+" 1d")
	k.passes("three days go by", func() { s.pass(3*rotation.Day + time.Hour) })
	k.clicks(world.Owner, k.latest(world.Owner, billing), "Approve")
	k.says(world.Owner, "approve "+billing)
	k.chooses(world.Owner, k.latest(world.Owner, billing), "History")
	k.closes(world.Owner)
	k.says(world.OnCall, "why "+billing)

	k.chapter("A rule that asks for two of the security team, with a reason")
	k.passes("the key of the image resizer becomes due", func() { s.pass(3 * rotation.Day) })
	k.says(world.Owner, "approve "+soon)
	k.says(world.OnCall, "approve "+soon)
	k.clicks(world.OnCall, k.latest(world.ProdRoom, soon), "Approve")
	k.submits(world.OnCall, map[string]any{templates.FieldWhy: ""})
	k.submits(world.OnCall, map[string]any{templates.FieldWhy: "reviewed with the team"})
	k.says(world.OnCall, "approve "+soon+" once more")
	k.says(world.Second, "approve "+soon+" fine with me")

	k.chapter("Two keys, and somebody has to choose")
	k.clicks(world.AccountOwner, k.digest(world.AccountOwner, world.TwoActive), "Review")
	k.closes(world.AccountOwner)
	k.says(world.AccountOwner, "approve "+two)
	k.says(world.AccountOwner, "approve "+conflict)

	k.chapter("Nobody answers")
	k.passes("twelve days go by", func() {
		for range 3 {
			s.pass(4 * rotation.Day)
			s.scan()
		}
	})
	k.says(world.Second, "mine")
	k.home(world.Second)

	k.chapter("The new key is used, and the old one goes within working hours")
	s.AWS.Use(key(world.Billing, 1), "s3", world.Region) //nolint:errcheck // it is checked by what follows
	k.passes("the scan sees it", func() { s.scan() })
	k.says(world.Owner, "confirm "+billing)
	k.says(world.Owner, "hold "+billing+" 2d an incident")
	k.says(world.Owner, "release "+billing+" it is over")
	k.says(world.Owner, "extend "+billing+" 2d to be sure")
	k.says(world.Owner, "retry "+billing)
	k.passes("until the old key is deactivated", func() {
		for range 14 {
			if s.AWS.Keys(world.Prod, world.Billing)[0].Inactive {
				break
			}
			s.AWS.Use(key(world.Billing, 1), "s3", world.Region) //nolint:errcheck // as above
			s.pass(rotation.Day)
		}
	})
	k.says(world.Owner, "restore "+billing+" the nightly job failed")
	k.says(world.OnCall, "anyway "+billing+" the job is mended")
	k.passes("some days go by", func() { s.pass(2 * rotation.Day) })
	k.says(world.OnCall, "history "+billing)

	k.chapter("A leak")
	seen := s.Slack.As(world.Newcomer).Say(world.Channel, "is this ours? "+soon+" stood in a log")
	k.write("\n%s writes in the channel, and %s reports it with the shortcut\n", called(world.Newcomer), called(world.OnCall))
	k.act(world.OnCall, func(p *slackemu.Person) slackemu.Result { return p.Shortcut(seen, bot.ShortcutLeaked) })
	k.submits(world.OnCall, map[string]any{templates.FieldWhy: ""})
	k.submits(world.OnCall, map[string]any{templates.FieldWhy: "in the log of the build"})
	k.says(world.Second, "leaked "+key("service-01", 0)+" somebody published it")
	k.passes("the request is served", func() { s.scan() })
	k.says(world.Owner, "leaked "+key("service-02", 0)+" I think so")

	k.chapter("Break-glass")
	k.says(world.OnCall, "break-glass "+conflict+" the vendor was breached")
	k.says(world.Second, "break-glass "+conflict+" the vendor was breached")
	k.says(world.Second, "cancel "+conflict+" false alarm")

	k.chapter("Exemptions")
	k.says(world.AccountOwner, "exempt "+world.NoSlack+"@acme-prod until 2026-07-20 the vendor cannot change it")
	k.says(world.AccountOwner, "exempt service-03@acme-prod until 2026-07-20 the vendor cannot change it")
	k.passes("until it ends soon", func() {
		for range 3 {
			s.pass(8 * rotation.Day)
			s.scan()
		}
	})
	k.clicks(world.AccountOwner, k.digest(world.AccountOwner, "Renew…"), "Renew…")
	k.submits(world.AccountOwner, map[string]any{templates.FieldUntil: "2026-09-01", templates.FieldWhy: "their next release"})
	k.says(world.AccountOwner, "unexempt service-03@acme-prod they are done")

	k.chapter("Asked for before its time")
	k.says(world.AccountOwner, "rotate service-04@acme-prod a colleague leaves")
	k.passes("the request is served", func() { s.scan() })
	k.says(world.AccountOwner, "reject "+key("service-04", 0)+" not needed after all")
	k.says(world.OnCall, "report 90d")
	k.says(world.OnCall, "list state:closed")

	k.chapter("Slack's workspace has lost the user group")
	s.Slack.RemoveGroup(world.SecOps)
	k.passes("some time goes by", func() { s.pass(rotation.Day) })
	k.says(world.OnCall, "why "+soon)

	k.everyCommand()
	k.noSecrets()
	k.golden("conversation")
}

// everyCommand holds that the script left no command out.
func (k *talk) everyCommand() {
	for _, c := range bot.Specs() {
		if c.Name != "help" && !strings.Contains(k.out.String(), ": /keys "+c.Name+" ") && !strings.Contains(k.out.String(), ": /keys "+c.Name+"\n") {
			k.t.Errorf("nobody says %s", c.Name)
		}
	}
	if n := strings.Count(k.out.String(), "a window:"); n < 5 {
		k.t.Errorf("%d windows", n)
	}
}

func (k *talk) noSecrets() {
	for _, secret := range k.AWS.SecretStrings() {
		if strings.Contains(k.out.String(), secret) || strings.Contains(k.logs.String(), secret) {
			k.t.Error("secret material in the conversation")
		}
	}
}
