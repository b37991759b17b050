package bot

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// The cost of an approval before its acknowledgement where a group decides: one call to Slack more.
func TestApprovalByAMemberOfAGroup(t *testing.T) {
	e := newBench(t)
	e.slack.groups = map[string][]string{"S0SECOPS": {other, former}}
	e.rules.rule.AnyOf = []approval.Circle{{Kind: approval.UserGroup, ID: "S0SECOPS"}}
	r := e.kept(opened(rotation.Awaiting))
	wants(t, only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text, "You are not among those", "S0SECOPS")
	wants(t, only(t, e.press(click{user: former, action: "approve", value: value(r)}), "Respond").Text, "deactivated")
	e.slack.fail("GroupMembers", errTest)
	wants(t, only(t, e.press(click{user: other, action: "approve", value: value(r)}), "Respond").Text, "You are not among those",
		"Nobody counts as a member of the group S0SECOPS just now: Slack could not say who is a member. Try again in a minute")
	is(t, len(e.store.get(t, r.ID).Approvals), 0)
	e.slack.fail("GroupMembers", nil)
	e.slack.counted()
	e.store.counted()
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
	got := e.slack.counted()
	delete(got, "Respond")
	is(t, got, map[string]int{"UserByID": 1, "GroupMembers": 1})
	is(t, e.store.counted(), []string{"GetForDecision", "SaveRotation"})

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

// Only groups that matter for what is asked are read, each once, however often a decision is made again.
func TestGroupsThatMatter(t *testing.T) {
	in := func(id string) []approval.Circle { return []approval.Circle{{Kind: approval.UserGroup, ID: id}} }
	e := newBench(t)
	e.slack.groups = map[string][]string{"S0ONE1": {other}, "S0LEAK1": {named}, "S0GLASS1": nil, "S0NEXT1": nil}
	e.rules.rule = approval.Rule{Required: 1, AnyOf: in("S0ONE1"), Escalate: in("S0NEXT1"), Leaked: in("S0LEAK1"), BreakGlass: in("S0GLASS1")}
	r := e.kept(opened(rotation.Awaiting))
	conflicts := 3
	e.store.before = func(method string) {
		if method == "SaveRotation" && conflicts > 0 {
			conflicts--
			e.store.put(e.store.get(t, r.ID))
		}
	}
	e.press(click{user: other, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
	is(t, e.slack.counted()["GroupMembers"], 1)
	e.says(named, "leaked "+string(oldKey)+" x")
	is(t, e.store.get(t, r.ID).Leaked != nil, true)
	is(t, e.slack.counted()["GroupMembers"], 1)
	e.says(named, "break-glass "+string(oldKey)+" x")
	is(t, e.slack.counted()["GroupMembers"], 1)

	// whoever is refused for another reason is not told of groups
	e = newBench(t)
	e.rules.rule = approval.Rule{Required: 1, AnyOf: in("S0ONE1")}
	r = e.kept(with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.RequestedBy = everybody()[3].Actor() }))
	if text := only(t, e.press(click{user: other, action: "approve", value: value(r)}), "Respond").Text; strings.Contains(text, "counts as a member") {
		t.Error(text)
	}
	// a group that Slack does not know any more
	wants(t, only(t, e.press(click{user: named, action: "approve", value: value(r)}), "Respond").Text, "Slack knows no such group, or it is disabled", "tell whoever configures keyturn")
	is(t, len(e.store.get(t, r.ID).Approvals), 0)
}
