package bot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// readings are all commands that only show something.
var readings = []string{"status", "status me", "status payments", "status billing-export", "status " + string(oldKey), "mine", "list", "list state:awaiting account:payments", "status kind:rotate", "due", "due 30d", "report", "report 7d plain account:payments", "history " + string(oldKey), "why " + string(oldKey)}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		text string
		from rotation.Rotation
		says []string
	}{
		{"status", at(rotation.Awaiting), []string{"1 account with 4 users and 3 keys", "1 waiting for a decision"}},
		{"status me", at(rotation.Awaiting), []string{"Your keys", string(oldKey)}},
		{"status payments", at(rotation.Awaiting), []string{"payments (111122223333)", string(oldKey)}},
		{"status PAYMENTS", at(rotation.Awaiting), []string{"payments (111122223333)"}},
		{"status 111122223333", at(rotation.Awaiting), []string{"payments (111122223333)", string(oldKey)}},
		{"status 999999999999", at(rotation.Awaiting), []string{`no user, account or key "999999999999"`}},
		{"status billing-export", at(rotation.Awaiting), []string{"billing-export", string(oldKey)}},
		{"status Billing-Export@payments", at(rotation.Awaiting), []string{"billing-export", string(oldKey)}},
		{"status billing-export@111122223333", at(rotation.Awaiting), []string{string(oldKey)}},
		{"status biling-export@payments", at(rotation.Awaiting), []string{"Did you mean billing-export?"}},
		{"status nothing-like-it@payments", at(rotation.Awaiting), []string{"here is no user"}},
		{"status billing-export@nowhere", at(rotation.Awaiting), []string{`no account "nowhere"`}},
		{"status young", at(rotation.Awaiting), []string{"young", "Due on <!date^1787212800^", "|20 August 2026, 08:00 UTC>"}},
		{"status console-only", at(rotation.Awaiting), []string{"console-only"}},
		{"status " + strings.ToLower(string(oldKey)), at(rotation.Awaiting), []string{string(oldKey)}},
		{"status " + string(newKey), at(rotation.Installing), []string{string(newKey), string(oldKey)}},
		{"status AKIAYOUNGYOUNGYOUNG4", at(rotation.Awaiting), []string{"young"}},
		{"status AKIAUNKNOWNUNKNOWN99", at(rotation.Awaiting), []string{"no key AKIAUNKNOWNUNKNOWN99"}},
		{"status <!channel>", at(rotation.Awaiting), []string{"no user, account or key"}},
		{"status " + strings.Repeat("x", 3900), at(rotation.Awaiting), []string{"no user, account or key"}},
		{"why " + string(oldKey), at(rotation.Awaiting), []string{"policy[0]", "yes, owner@acme.example"}},
		{"why AKIAYOUNGYOUNGYOUNG4", at(rotation.Awaiting), []string{"young", "Rule policy[0], mode approve", "You may not decide", "You may not report that it has leaked"}},
		{"why AKIAUNKNOWNUNKNOWN99", at(rotation.Awaiting), []string{"knows no key AKIAUNKNOWNUNKNOWN99"}},
		{"history " + string(oldKey), at(rotation.Approved), []string{"approve", "The owner"}},
		{"history AKIAYOUNGYOUNGYOUNG4", at(rotation.Awaiting), []string{"here is no rotation of key AKIAYOUNGYOUNGYOUNG4", "/keys rotate young@111122223333"}},
		{"hold AKIAYOUNGYOUNGYOUNG4 3d x", at(rotation.Awaiting), []string{"here is no rotation of key"}},
		{"approve AKIAUNKNOWNUNKNOWN99", at(rotation.Awaiting), []string{"knows no key"}},
	} {
		name := c.text
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(c.from)
			wants(t, textOf(e.says(owner, c.text).Blocks.BlockSet), c.says...)
			is(t, e.store.get(t, r.ID).Version, r.Version)
		})
	}
}

func TestNobodyElseReads(t *testing.T) {
	for _, user := range []string{guest, outsider, former, robot, nobody} {
		for _, text := range append(readings, "rotate young@payments", "exempt young@payments 2026-09-01 x") {
			t.Run(user+"/"+text, func(t *testing.T) {
				e := newBench(t)
				e.kept(at(rotation.Approved))
				got := e.says(user, text)
				all := got.Text + textOf(got.Blocks.BlockSet)
				for _, secret := range []string{"billing-export", "payments", "acme.example", "The owner", string(account)} {
					if strings.Contains(all, secret) {
						t.Errorf("%s is told %q", user, secret)
					}
				}
				lines := e.log.lines()
				if n := len(lines); n == 0 || !strings.Contains(lines[n-1], "denied") || !strings.Contains(lines[n-1], user) {
					t.Errorf("logged %q", lines)
				}
				is(t, len(e.store.exemptions)+len(e.store.requests), 0)
			})
		}
		e := newBench(t)
		r := e.kept(at(rotation.Approved))
		for _, c := range []click{
			{action: "history", value: value(r)}, {action: "review", value: value(r)}, {action: "page:next", value: templates.PageValue("mine", "", 2)},
			{action: "page:next", value: templates.PageValue("history", string(oldKey), 1)},
		} {
			c.user = user
			if got := only(t, e.press(c), "Respond").Text; strings.Contains(got, "billing-export") {
				t.Errorf("%s by %s: %s", c.action, user, got)
			}
		}
	}
}

// A full member whom no rule names may read everything and decide nothing.
func TestEveryMemberReads(t *testing.T) {
	e := newBench(t)
	e.kept(at(rotation.Approved))
	for _, text := range readings {
		if got := e.says(other, text).Text; strings.Contains(got, "decide.") && strings.Contains(got, ":no_entry:") {
			t.Errorf("%s: %s", text, got)
		}
	}
	wants(t, textOf(e.says(other, "why "+string(oldKey)).Blocks.BlockSet), "You may not decide", "owner@acme.example")
	wants(t, e.says(other, "mine").Text, "No key belongs to you")
}

func TestSameNameInTwoAccounts(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	second := account1()
	second.Account = "444455556666"
	e.store.snapshots[second.Account] = second
	wants(t, e.says(owner, "status payments").Text, "Several accounts are called payments: 111122223333, 444455556666")
	wants(t, e.says(owner, "rotate young@payments").Text, "Several accounts are called payments")
	wants(t, e.says(owner, "status young").Text, "2 users called young: young@111122223333, young@444455556666")
	wants(t, e.says(owner, "status young@444455556666").Text, "young")
	is(t, len(e.store.requests), 0)
}

func TestMine(t *testing.T) {
	e := newBench(t)
	e.kept(with(opened(rotation.Awaiting), func(r *rotation.Rotation) {}))
	s := e.store.snapshots[account]
	s.Users = append(s.Users, rotation.User{ID: "AIDASLACK", Name: "by-slack-id", Tags: map[string]string{"owner": owner}, Keys: []rotation.Key{{ID: "AKIASLACKSLACKSLACK6", Status: rotation.Active, Created: start}}},
		rotation.User{ID: "AIDACAPS", Name: "by-capitals", Tags: map[string]string{"owner": "Owner@ACME.example"}, Keys: []rotation.Key{{ID: "AKIACAPITALCAPITALS7", Status: rotation.Inactive, Created: start}}})
	e.store.snapshots[account] = s
	got := textOf(e.says(owner, "mine").Blocks.BlockSet)
	wants(t, got, string(oldKey), "AKIASLACKSLACKSLACK6", "AKIACAPITALCAPITALS7", "1 of them")
	if strings.Contains(got, "young") {
		t.Error("it lists what belongs to somebody else")
	}
	wants(t, textOf(e.says(accountOwner, "mine").Blocks.BlockSet), "AKIAYOUNGYOUNGYOUNG4")
	wants(t, textOf(e.says(accountOwner, "mine 99").Blocks.BlockSet), "AKIAYOUNGYOUNGYOUNG4") // there are not so many pages

	// rejected, but the key is still there
	next, err := rotation.Apply(opened(rotation.Awaiting), rotation.Reject{Actor: everybody()[0].Actor(), Why: "no"}, start)
	if err != nil {
		t.Fatal(err)
	}
	e.store.put(next)
	wants(t, textOf(e.says(owner, "mine").Blocks.BlockSet), string(oldKey), "rejected")
}

func TestDue(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Upcoming))
	if got := e.says(owner, "due").Text; strings.Contains(got, string(oldKey)) {
		t.Errorf("it is due in five days: %s", got)
	}
	wants(t, e.says(owner, "due 5d").Text, string(oldKey))
	got := e.says(owner, "due 90d").Text
	wants(t, got, string(oldKey), "AKIAYOUNGYOUNGYOUNG4")
	if strings.Contains(got, "AKIAGROUP") {
		t.Error("the exemption group is due")
	}
	if strings.Index(got, "AKIAYOUNG") < strings.Index(got, string(oldKey)) {
		t.Error("not the soonest first")
	}
	wants(t, e.says(owner, "due 0d").Text, "No key is due")
}

func TestHistory(t *testing.T) {
	e := newBench(t)
	e.kept(at(rotation.Closed))
	r := e.store.put(with(at(rotation.Approved), func(r *rotation.Rotation) { r.Episode = 2 }))
	got := e.press(click{user: owner, action: "history", value: value(r), menu: true})
	wants(t, only(t, got, "OpenView").Text, "The owner", "rotation 2", "rotation 1")
	wants(t, only(t, e.press(click{user: owner, action: "history", value: value(r), modal: true}), "UpdateView").Text, "The owner")

	e.store.put(with(r, func(r *rotation.Rotation) { r.History[1].Actor.Name = "Somebody Else" }))
	wants(t, textOf(e.says(owner, "history "+string(oldKey)).Blocks.BlockSet), "line 2 was changed after it was written")
}

func TestReview(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	got := only(t, e.press(click{user: owner, action: "review", value: value(r)}), "Respond")
	is(t, buttonsOf(got.Blocks)["approve"].Value, value(r))
	got = only(t, e.press(click{user: owner, action: "review", value: value(r), home: true}), "OpenView")
	is(t, buttonsOf(got.View.Blocks.BlockSet)["approve"].Value, value(r))
	got = only(t, e.press(click{user: owner, action: "review", value: value(r), modal: true}), "UpdateView")
	is(t, buttonsOf(got.View.Blocks.BlockSet)["approve"].Value, value(r))

	gone := r
	gone.ID = "111122223333/AIDAGONE"
	is(t, only(t, e.press(click{user: owner, action: "review", value: value(gone)}), "Respond").Text, templates.AnswerTrouble(templates.TroubleGone).Text)
}

// Where an answer goes when Slack gave no response_url.
func TestPlaces(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	only(t, e.press(click{user: guest, action: "approve", value: value(r), quiet: true}), "PostEphemeral")
	got := only(t, e.press(click{user: guest, action: "approve", value: value(r), home: true}), "Post")
	is(t, got.To, "D"+guest)
}

func TestRotateCommand(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	var asked []rotation.Request
	e.bot.o.Requested = func(q rotation.Request) { asked = append(asked, q) }
	s := account1()
	for _, c := range []struct {
		user, text string
		says       []string
	}{
		{owner, "rotate billing-export@payments", []string{"open rotation", string(oldKey)}},
		{owner, "rotate young@payments", []string{"You are not among those who may decide"}},
		{accountOwner, "rotate console-only@payments", []string{"no access keys"}},
		{accountOwner, "rotate in-group@payments", []string{"exemption group"}},
		{accountOwner, "rotate yuong@payments", []string{"Did you mean young?"}},
		{accountOwner, "rotate young@payment", []string{`no account "payment"`}},
		{accountOwner, "rotate young@payments leaving colleague", []string{textOf(templates.AnswerRequested(s, s.Users[1]).Blocks)}},
		{named, "rotate young@payments me too", []string{"The account owner"}},
	} {
		wants(t, textOf(e.says(c.user, c.text).Blocks.BlockSet), c.says...)
	}
	want := rotation.Request{Account: account, UserID: "AIDAYOUNG", UserName: "young", By: everybody()[1].Actor(), Why: "leaving colleague", At: start}
	is(t, e.store.requests, map[rotation.ID]rotation.Request{"111122223333/AIDAYOUNG": want})
	is(t, asked, []rotation.Request{want})
	is(t, len(e.woken), 1)

	e.rules.policy.Mode = rotation.ModeAudit
	wants(t, e.says(accountOwner, "rotate young@payments").Text, "only reports (mode audit)")
}

func TestExemptCommand(t *testing.T) {
	e := newBench(t)
	r := e.kept(with(opened(rotation.Awaiting), func(r *rotation.Rotation) {}))
	for _, c := range []struct{ user, text, says string }{
		{owner, "exempt young@payments until 2026-09-01 x", "You are not among those who may decide"},
		{accountOwner, "exempt young@payments until 2026-06-01 x", "a day in the future"},
		{accountOwner, "exempt young@payments until 2027-06-02 x", "until 2027-06-01 at most"},
		{owner, "exempt billing-export@payments until 2026-05-01 x", "a day in the future"},
		{owner, "exempt billing-export@payments until 2031-05-01 x", "until 2027-06-01 at most"},
	} {
		wants(t, e.says(c.user, c.text).Text, c.says)
	}
	is(t, len(e.store.exemptions), 0)
	e.says(accountOwner, "exempt young@payments until 2026-09-01 the vendor")
	got := e.store.exemptions["111122223333/AIDAYOUNG"]
	is(t, got.Why, "the vendor")
	is(t, got.By, everybody()[1].Actor())
	is(t, e.store.get(t, r.ID).Version, r.Version)

	wants(t, e.says(other, "exempt billing-export@payments until 2026-09-01 x").Text, "You are not among those who may decide")
	got2 := e.store.get(t, r.ID)
	is(t, changed(r, got2), "")
	is(t, len(refusals(got2)), 1)
}

func TestExemptWindow(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	v := templates.ValueOf(r)
	for until, says := range map[string]string{"": "Choose a day", "soon": "Choose a day", "2026-05-31": "day in the future", "2027-06-02": "until 2027-06-01 at most"} {
		wants(t, e.submit(filledIn{user: owner, action: "exempt", value: v, until: until, why: "x"}).Errors["until"], says)
	}
	is(t, len(e.store.exemptions), 0)
	is(t, e.store.get(t, r.ID).Version, r.Version)
	e.submit(filledIn{user: owner, action: "exempt", value: v, until: "2026-09-01", why: "x"})
	is(t, len(e.store.exemptions), 1)
	wants(t, e.submit(filledIn{user: named, action: "exempt", value: v, until: "2026-10-01", why: "x"}).Text, "This rotation is closed (exempted)")
	is(t, e.store.exemptions[r.ID].By, everybody()[0].Actor())
}

func TestHome(t *testing.T) {
	event := func(user, more string) string {
		return fmt.Sprintf(`{"type":"event_callback","event":{"type":"app_home_opened","user":%q%s}}`, user, more)
	}
	for _, c := range []struct {
		name, user, more string
		says             []string
	}{
		{"the owner", owner, "", []string{string(oldKey)}},
		{"the owner's home tab", owner, `,"tab":"home"`, []string{string(oldKey)}},
		{"somebody without keys", other, "", []string{"Nothing waits for you"}},
		{"a guest", guest, "", []string{"Guests of the workspace cannot decide"}},
		{"nobody", nobody, "", []string{"Slack could not say who you are"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newBench(t)
			e.kept(opened(rotation.Awaiting))
			for range 2 { // Slack delivers events twice
				if w := e.send("/slack/events", event(c.user, c.more)); w.Code != 200 || w.Body.Len() > 0 {
					t.Errorf("status %d, body %q", w.Code, w.Body)
				}
				got := only(t, e.slack.heard(), "PublishHome")
				is(t, got.To, c.user)
				wants(t, got.Text, c.says...)
			}
		})
	}
	e := newBench(t)
	for _, body := range []string{event(owner, `,"tab":"messages"`), event("", ""), `{"type":"event_callback","event":{"type":"message","user":"U1"}}`, `{"type":"app_rate_limited"}`} {
		if w := e.send("/slack/events", body); w.Code != 200 || len(e.slack.heard()) > 0 {
			t.Errorf("%s: status %d", body, w.Code)
		}
	}
	e.store.fail("RotationsByOwner", errTest)
	e.send("/slack/events", event(owner, ""))
	wants(t, only(t, e.slack.heard(), "PublishHome").Text, "cannot read its store just now")
}

func TestRulingWithoutStanding(t *testing.T) {
	e := newBench(t)
	if why := e.bot.mayRead(approval.Person{}); why == "" {
		t.Error("the zero person may read")
	}
	if why := e.bot.mayRead(approval.Person{SlackID: owner, TeamID: team}); why == "" {
		t.Error("somebody whose lookup failed may read")
	}
}

// TestDueLeavesOutWhoIsNotAsked: exempt by record, or rejected for now. Nobody will be asked, so nothing is due.
func TestDueLeavesOutWhoIsNotAsked(t *testing.T) {
	e := newBench(t)
	e.kept(with(at(rotation.Closed), func(r *rotation.Rotation) { r.ReopenAt = start.Add(-days(1)) }))
	wants(t, e.says(owner, "due 90d").Text, "AKIAYOUNGYOUNGYOUNG4", string(oldKey))
	ctx := t.Context()
	if err := e.store.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: account, UserID: "AIDAYOUNG", From: start.Add(-days(1)), Until: start.Add(days(300)), Why: "x"}); err != nil {
		t.Fatal(err)
	}
	e.store.put(with(e.store.get(t, at(rotation.Closed).ID), func(r *rotation.Rotation) { r.Outcome, r.ReopenAt = rotation.OutcomeRejected, start.Add(days(20)) }))
	got := e.says(owner, "due 90d").Text
	for _, key := range []string{"AKIAYOUNGYOUNGYOUNG4", string(oldKey)} {
		if strings.Contains(got, key) {
			t.Errorf("%s is due, although nobody will be asked: %s", key, got)
		}
	}
}
