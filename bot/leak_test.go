package bot

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

const youngKey rotation.KeyID = "AKIAYOUNGYOUNGYOUNG4"

// The report of a leak takes effect in every open state, by whomever the rule for leaks names, and by nobody else.
func TestLeaked(t *testing.T) {
	for name, from := range map[string]rotation.Rotation{
		"upcoming": at(rotation.Upcoming), "awaiting": at(rotation.Awaiting), "approved": at(rotation.Approved), "installing": at(rotation.Installing),
		"on hold": with(at(rotation.Installing), held), "stuck": with(at(rotation.Approved), stuck),
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(from)
			wants(t, e.says(other, "leaked "+string(oldKey)+" on GitHub").Text, "You are not among those who may decide")
			is(t, e.store.get(t, r.ID).Leaked == nil, true)
			e.rules.rule.Leaked = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
			wants(t, e.says(owner, "leaked "+string(oldKey)+" on GitHub").Text, "You are not among those")
			wants(t, e.says(other, "leaked "+string(oldKey)+" on GitHub").Text, "deactivates it at once", "Restore")
			got := e.store.get(t, r.ID)
			last := got.History[len(got.History)-1]
			if got.Leaked == nil || last.Actor.ID != other || !strings.Contains(last.Note, "on GitHub") || !strings.Contains(last.Note, "last known use") {
				t.Fatalf("%+v", last)
			}
			if step, _ := got.Next(); step != rotation.StepDeactivate {
				t.Errorf("next is %s", step)
			}
			is(t, len(e.woken), 1)
			wants(t, e.says(other, "leaked "+string(oldKey)+" on GitHub").Text, "Somebody else reported it just now")
		})
	}
}

// A key that no rotation names: one is asked for, at once, and past exemptions.
func TestLeakedWithoutARotation(t *testing.T) {
	e := newBench(t)
	var asked []rotation.Request
	e.bot.o.Requested = func(q rotation.Request) { asked = append(asked, q) }
	e.kept(opened(rotation.Awaiting))
	young := rotation.MakeID(account, "AIDAYOUNG")
	e.store.exemptions[young] = rotation.Exemption{Account: account, UserID: "AIDAYOUNG", From: start, Until: start.Add(days(90)), By: everybody()[0].Actor()}
	wants(t, e.says(guest, "leaked "+string(youngKey)+" x").Text, "Guests")
	wants(t, e.says(other, "leaked "+string(youngKey)+" x").Text, "You are not among those")
	is(t, len(e.store.requests), 0)
	wants(t, e.says(accountOwner, "leaked "+string(youngKey)+" it was in a log").Text, "within a minute or two", "aws iam update-access-key")
	q := e.store.requests[young]
	if q.Leaked != youngKey || q.Why != "it was in a log" || q.By.ID != accountOwner || len(asked) != 1 {
		t.Fatalf("%+v", q)
	}
	e.rules.policy.Mode = rotation.ModeAudit
	wants(t, e.says(accountOwner, "leaked "+string(youngKey)+" x").Text, "mode audit", "Do it now", "--status Inactive")
	wants(t, e.says(accountOwner, "leaked "+string(oldKey)+" x").Text, "mode audit", "Do it now")
	wants(t, e.says(accountOwner, "leaked AKIANOBODYNOBODYNOB7 x").Text, "knows no such key", "--status Inactive")
	e.rules.policy.Mode = rotation.ModeApprove
	gone := with(at(rotation.Closed), func(r *rotation.Rotation) { r.Old.Deleted = start })
	e.store.put(gone)
	wants(t, e.says(accountOwner, "leaked "+string(oldKey)+" x").Text, "not there any more", "cloudtrail")
	wants(t, e.says(accountOwner, "leaked "+string(youngKey)).Text, "Why? leaked needs a reason")
}

func shortcut(user, text string) string {
	return payload(map[string]any{
		"type": "message_action", "callback_id": ShortcutLeaked, "user": map[string]any{"id": user, "team_id": team}, "trigger_id": "trigger-" + user,
		"response_url": "https://hooks.slack.com/" + user, "channel": map[string]any{"id": "C0GENERAL"}, "message_ts": "1700000000.000100",
		"message": map[string]any{"text": text, "ts": "1700000000.000100", "attachments": []any{map[string]any{"text": "also AKIAATTACHATTACHAT22"}}},
	})
}

func leakForm(user, key, why, seen string) string {
	return payload(map[string]any{
		"type": "view_submission", "user": map[string]any{"id": user, "team_id": team},
		"view": map[string]any{"id": "V1", "type": "modal", "callback_id": "leaked", "private_metadata": seen, "state": map[string]any{"values": map[string]any{
			"key": map[string]any{"key": map[string]any{"type": "static_select", "selected_option": map[string]any{"value": key}}},
			"why": map[string]any{"why": map[string]any{"type": "plain_text_input", "value": why}}}}},
	})
}

// The message shortcut finds the keys, and keeps nothing of the message but where it stands.
func TestLeakShortcut(t *testing.T) {
	const secretText = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	w := e.send("/slack/interactions", shortcut(owner, "look: "+string(oldKey)+" "+secretText+" and again "+string(oldKey)))
	is(t, w.Code, 200)
	view := only(t, e.slack.heard(), "OpenView").View
	var options []string
	for _, o := range view.Blocks.BlockSet[1].(*slack.InputBlock).Element.(*slack.SelectBlockElement).Options {
		options = append(options, o.Value)
	}
	slices.Sort(options)
	is(t, strings.Join(options, " "), "AKIAATTACHATTACHAT22 "+string(oldKey))
	is(t, view.PrivateMetadata, "channel C0GENERAL, message 1700000000.000100")
	if strings.Contains(view.PrivateMetadata+textOf(view.Blocks.BlockSet), secretText) {
		t.Fatal("the message's text is in the window")
	}
	is(t, e.submitRaw(leakForm(owner, "nonsense", "", "x")).Errors, map[string]string{
		"key": "This is no access key ID. It looks like AKIAIOSFODNN7EXAMPLE.", "why": "Say where it was seen; others will read it in the history."})
	wants(t, e.submitRaw(leakForm(owner, string(oldKey), "in a channel", view.PrivateMetadata)).Text, "deactivates it at once")
	got := e.store.get(t, r.ID)
	wants(t, got.History[len(got.History)-1].Note, "seen in Slack, channel C0GENERAL, message 1700000000.000100")

	e.send("/slack/interactions", shortcut(guest, "x"))
	wants(t, only(t, e.slack.heard(), "Respond").Text, "Guests")
	e.send("/slack/interactions", strings.ReplaceAll(shortcut(named, "nothing here"), "AKIAATTACHATTACHAT22", "nothing"))
	if view := only(t, e.slack.heard(), "OpenView").View; view.Blocks.BlockSet[1].(*slack.InputBlock).Element.ElementType() != slack.METPlainTextInput {
		t.Error("a key can be typed where none was found")
	}
}

// submitRaw posts a filled-in window that is no action on a rotation.
func (e *bench) submitRaw(body string) submitted {
	e.t.Helper()
	return e.answered(e.send("/slack/interactions", body))
}

func TestBreakGlassCommand(t *testing.T) {
	e := newBench(t)
	e.rules.rule.Required = 3
	r := e.kept(opened(rotation.Awaiting))
	command := "break-glass " + string(oldKey) + " the auditor waits"
	for _, who := range []string{owner, guest, other} {
		if e.says(who, command); e.store.get(t, r.ID).State != rotation.Awaiting {
			t.Fatalf("%s broke the glass", who)
		}
	}
	e.rules.rule.BreakGlass = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
	wants(t, e.says(other, "break-glass "+string(oldKey)).Text, "Why? break-glass needs a reason")
	wants(t, e.says(other, "approve "+string(oldKey)).Text, "You are not among those")
	wants(t, textOf(e.says(other, command).Blocks.BlockSet), "You approved", "announced in the channel")
	got := e.store.get(t, r.ID)
	if got.State != rotation.Approved || !got.Approvals[0].BreakGlass || got.Approvals[0].Actor.ID != other {
		t.Fatalf("%s %+v", got.State, got.Approvals)
	}
	wants(t, e.says(other, command).Text, "Already approved just now")
	// What would take away more than the key that it names is shown first, as for any approval by command.
	e = newBench(t)
	e.rules.rule.BreakGlass = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
	r = e.kept(with(opened(rotation.Awaiting), twoInUse))
	if e.says(other, command); e.store.get(t, r.ID).State != rotation.Awaiting {
		t.Error("a choice was made that nobody made")
	}
}

// The cost of an approval before its acknowledgement where a group decides: one call to Slack more.
func TestApprovalByAMemberOfAGroup(t *testing.T) {
	e := newBench(t)
	e.slack.groups = map[string][]string{"S0SECOPS": {other, former}}
	e.rules.rule.AnyOf = []approval.Circle{{Kind: approval.UserGroup, ID: "S0SECOPS"}}
	r := e.kept(opened(rotation.Awaiting))
	wants(t, only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text, "You are not among those", "a member of the group S0SECOPS")
	wants(t, only(t, e.press(click{user: former, action: "approve", value: value(r)}), "Respond").Text, "deactivated")
	e.slack.fail("GroupMembers", errTest)
	wants(t, only(t, e.press(click{user: other, action: "approve", value: value(r)}), "Respond").Text, "You are not among those")
	is(t, len(e.store.get(t, r.ID).Approvals), 0)
	e.slack.fail("GroupMembers", nil)
	e.slack.counted()
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
	got := e.slack.counted()
	delete(got, "Respond")
	is(t, got, map[string]int{"UserByID": 1, "GroupMembers": 1})

	// who left the group decides on nothing
	r = e.store.put(with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.Episode = 2 }))
	e.slack.groups = map[string][]string{"S0SECOPS": nil}
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Awaiting)
	// the next circle, once nobody answered
	e.rules.rule.Escalate = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Awaiting)
	next, err := rotation.Apply(e.store.get(t, r.ID), rotation.Escalate{Why: "x"}, e.clock())
	if err != nil {
		t.Fatal(err)
	}
	r = e.store.put(next)
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
}

func TestExemptionsOfThePolicysBudget(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	e.rules.policy.ExemptCount, e.rules.policy.ExemptTotal, e.rules.policy.ExemptLongest = 2, 60*rotation.Day, 40*rotation.Day
	id := rotation.MakeID(account, "AIDAYOUNG")
	day := func(n int) string { return start.Add(days(n)).Format("2006-01-02") }
	wants(t, e.says(accountOwner, "exempt young@payments until "+day(30)+" vendor").Text, "is exempt until "+day(30))
	e.advance(days(25))
	v := templates.Value{ID: id}
	w := only(t, e.press(click{user: accountOwner, action: "renew", value: v.Encode()}), "OpenView").View
	is(t, w.CallbackID, "renew")
	wants(t, textOf(w.Blocks.BlockSet), "young", "Vendor")
	wants(t, only(t, e.press(click{user: other, action: "renew", value: v.Encode()}), "Respond").Text, "You are not among those")
	f := filledIn{user: accountOwner, action: "renew", value: v, why: "still the vendor", until: day(90)}
	wants(t, e.submit(f).Errors["until"], "until "+day(60)+" at most")
	f.until = day(50)
	wants(t, e.submit(f).Text, "is exempt until "+day(50))
	if x := e.store.exemptions[id]; x.Why != "still the vendor" || x.Used.Count != 2 {
		t.Fatalf("%+v", x)
	}
	f.until = day(55)
	wants(t, e.submit(f).Errors["until"], "the policy allows no more")
	wants(t, e.says(accountOwner, "exempt young@payments until "+day(52)+" again").Text, "the policy allows no more")
	wants(t, e.says(other, "unexempt young@payments no need").Text, "You are not among those")
	wants(t, e.says(accountOwner, "unexempt young@payments the vendor is done").Text, "is not exempt any more")
	if x := e.store.exemptions[id]; x.InForce(e.clock()) || x.Why != "the vendor is done" || x.By.ID != accountOwner {
		t.Fatalf("%+v", x)
	}
	wants(t, e.says(accountOwner, "unexempt young@payments again").Text, "is not exempt, so there is nothing to end")
	wants(t, e.says(accountOwner, "unexempt in-group@payments x").Text, "exemption group of IAM")
}
