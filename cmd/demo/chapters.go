package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/templates"
)

func (t *story) opening() {
	t.old = t.AWS.Keys(world.Prod, world.Billing)[0].ID
	t.chapter("An organization", fmt.Sprintf(`Four AWS accounts in nested organizational units, about forty IAM users. One of them, %s in acme-prod, exports
invoices to S3 every few hours with key %s, which is 95 days old. keyturn runs on loopback, with the AWS SDK
talking to %s and Slack's client to %s.`, world.Billing, t.old, t.AWS.URL(), t.Slack.APIURL()))
}

func (t *story) noticed() {
	t.chapter("The daily scan", "")
	sum, err := t.scan(t.ctx)
	t.must(err, "scan")
	t.say("Scanned %d accounts, %d users, %d keys: %d past their age, %d rotations opened, %d only reported (audit mode in acme-dev).",
		sum.Accounts, sum.Users, sum.Keys, sum.OverAge, sum.Opened, sum.Findings)
	for _, s := range sum.Skipped {
		t.say("Left out: %s (%s).", s.Account.Name, s.Why)
	}
	t.ownersNotice()
	t.say("\n   Slack, in #aws-keys, the run's summary:")
	ms := t.Slack.Messages(world.Channel)
	t.expect(len(ms) > 0, "nothing was posted in the channel")
	if t.err == nil {
		t.show(ms[len(ms)-1])
	}
}

func (t *story) snoozed() {
	t.chapter("Not today", "The owner is in the middle of a release, opens Snooze and asks for two days.")
	t.click(world.Owner, "Snooze")
	if t.err != nil {
		return
	}
	p := t.Slack.As(world.Owner)
	t.expect(p.Modal() != nil, "no snooze dialog opened")
	if t.err != nil {
		return
	}
	t.say("\n   The dialog:")
	for _, l := range strings.Split(t.Slack.RenderView(p.Modal()), "\n") {
		t.say("   │ %s", l)
	}
	r := p.Submit(map[string]any{templates.FieldFor: "2 days", templates.FieldWhy: "release week"})
	t.must(r.Err, "submit the snooze")
	t.expect(len(r.Errors) == 0, "the dialog refused: %v", r.Errors)
	t.app.Drain()
	t.ownersNotice()
	t.must(t.pass(t.ctx, 2*day), "two days")
	t.say("\nTwo days later it is back.")
}

func (t *story) refused() {
	t.chapter("Somebody else clicks", "A guest of the workspace got hold of the notice and presses Approve.")
	t.click(world.Guest, "Approve")
	for _, m := range t.Slack.As(world.Guest).WaitEphemeral(1, 5*time.Second) {
		t.say("\n   Slack, only to Guest:")
		t.show(m)
	}
	t.expect(len(t.AWS.Keys(world.Prod, world.Billing)) == 1, "a guest's click issued a key")
}

func (t *story) approved() {
	t.chapter("One click", "The owner presses Approve. keyturn makes the secret's container, notes its plan, creates the key, stores it,\nproves that it works and makes it AWSCURRENT.")
	t.click(world.Owner, "Approve")
	t.ownersNotice()
	ks := t.AWS.Keys(world.Prod, world.Billing)
	t.expect(len(ks) == 2, "keys: %s", t.keys())
	if t.err != nil {
		return
	}
	for _, k := range ks {
		if k.ID != t.old {
			t.new = k.ID
		}
	}
	sec, ok := t.AWS.Secret(world.Prod, "keyturn/"+world.Prod+"/"+world.Billing)
	t.expect(ok && len(sec.Versions) == 1, "the secret is not there")
	if t.err == nil {
		t.say("\nIn IAM: %s.\nIn Secrets Manager: %s, version %s, labels %v (value not shown).", t.keys(), sec.Name, sec.Versions[0].ID, sec.Versions[0].Labels)
	}
}

func (t *story) stillInUse() {
	t.chapter("Ten days pass", "Nobody has installed the new key. The export still runs with the old one.")
	for range 10 {
		t.must(t.AWS.Use(t.old, "s3", world.Region), "the export runs")
		t.must(t.pass(t.ctx, day), "a day")
	}
	t.must(t.AWS.Use(t.old, "s3", world.Region), "the export runs")
	t.must(t.pass(t.ctx, day), "a day")
	t.say("The day of the deactivation has come, and keyturn asks AWS first: the old key is in use. It is not cut off.")
	t.expect(t.status(t.old) == "Active", "a key in use was cut off: %s", t.keys())
	t.ownersNotice()
}

func (t *story) installed() {
	t.chapter("Installed", "The export reads its new key from Secrets Manager now. The owner presses the button that says so; from here a day\nof silence of the old key is enough.")
	t.must(t.AWS.Use(t.new, "s3", world.Region), "the export runs with the new key")
	t.click(world.Owner, "New key is in use")
	t.ownersNotice()
}

func (t *story) deactivated() {
	t.must(t.pass(t.ctx, 2*day), "two days")
	t.chapter("Idle, so deactivated", "The old key has been idle long enough. It is deactivated: nothing is lost, and one click brings it back.")
	t.expect(t.status(t.old) == "Inactive", "the old key is still active: %s", t.keys())
	t.ownersNotice()
	t.say("\nIn IAM: %s.", t.keys())
}

func (t *story) restored() {
	t.Clock.Advance(19 * time.Hour)
	t.chapter("Three in the morning", "A quarterly job that nobody remembered still has the old key.")
	err := t.AWS.Use(t.old, "s3", world.Region)
	t.expect(err != nil, "an inactive key worked")
	if t.err != nil {
		return
	}
	t.say("The job gets: %v.\nThe on-call engineer looks into #aws-keys, where everything that was cut off stands, and presses Restore.", err)
	t.clickIn(world.Channel, world.OnCall, "Restore")
	t.expect(t.status(t.old) == "Active", "the key was not restored: %s", t.keys())
	t.must(t.AWS.Use(t.old, "s3", world.Region), "the job runs again")
	t.ownersNotice()
	t.say("\nThe job runs again. Nothing happens by itself until somebody releases the hold, or it ends.")
	t.must(t.pass(t.ctx, 3*day), "three days")
	t.chapter("Mended", "The job was mended. The owner releases the hold.")
	t.click(world.Owner, "Release")
	t.must(t.pass(t.ctx, 9*day), "nine days")
	t.say("After nine days of silence of the old key it is deactivated again: %s.", t.keys())
	t.expect(t.status(t.old) == "Inactive", "the old key is still active: %s", t.keys())
}

func (t *story) deleted() {
	t.must(t.pass(t.ctx, 11*day), "eleven days")
	t.chapter("Deleted", "It stayed inactive for the whole recovery grace, the new key is healthy: now the old one is deleted.")
	t.expect(t.status(t.old) == "gone" && t.status(t.new) == "Active", "keys: %s", t.keys())
	t.ownersNotice()
	t.say("\nIn IAM: %s.", t.keys())
	r := t.Slack.As(world.Owner).Command("history " + t.old)
	t.must(r.Err, "/keys history")
	if t.err == nil && r.Ephemeral != nil {
		t.say("\n   The owner asks /keys history %s:", t.old)
		t.show(*r.Ephemeral)
	}
}

func (t *story) mails() {
	t.chapter("Mails", "Account owners and tagged owners still get mail, one for each account and run.")
	_, err := t.scan(t.ctx)
	t.must(err, "scan")
	shown := map[string]bool{}
	all := t.AWS.Mails()
	t.expect(len(all) > 0, "no mail was sent")
	for i := len(all) - 1; i >= 0; i-- {
		m := all[i]
		to := strings.Join(m.To, ", ")
		if shown[to] || len(shown) == 2 {
			continue
		}
		shown[to] = true
		t.say("\n   From: %s\n   To: %s\n   Subject: %s\n", m.From, to, m.Subject)
		for _, l := range strings.Split(strings.TrimSpace(m.Text), "\n") {
			t.say("   │ %s", l)
		}
	}
	t.say("\n%d mails were sent in these weeks.", len(all))
}

func (t *story) ending() {
	for _, secret := range t.AWS.SecretStrings() {
		for _, b := range t.Slack.AllTraffic() {
			t.expect(!strings.Contains(string(b), secret), "a secret went through Slack")
		}
		for _, m := range t.AWS.Mails() {
			t.expect(!strings.Contains(m.Text+m.HTML, secret), "a secret went out by mail")
		}
		t.expect(!strings.Contains(strings.Join(t.Log(), "\n"), secret), "a secret is in the log")
	}
	t.chapter("The end", fmt.Sprintf("No secret was in any log, message or mail. %s works with %s from Secrets Manager.", world.Billing, t.new))
}
