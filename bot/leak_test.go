package bot

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
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

// Somebody closes the rotation between the look at it and the report: the leak is not lost.
func TestLeakedWhileTheRotationCloses(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	reject := func() {
		next, err := rotation.Apply(e.store.get(t, r.ID), rotation.Reject{Actor: everybody()[2].Actor(), Why: "no"}, start)
		if err != nil {
			t.Error(err)
		}
		e.store.put(next)
	}
	first := true
	e.store.before = func(method string) {
		if method == "SaveRotation" && first {
			first = false
			reject()
		}
	}
	wants(t, e.says(owner, "leaked "+string(oldKey)+" on GitHub").Text, "within a minute or two")
	q := e.store.requests[r.ID]
	if q.Leaked != oldKey || q.Why != "on GitHub" || !strings.Contains(q.Evidence, "last known use s3 in eu-central-1") {
		t.Errorf("%+v", q)
	}
	is(t, e.store.get(t, r.ID).Outcome, rotation.OutcomeRejected)
}

// There is one request for a user at a time: a second leak does not push the first one out, and says so.
func TestLeaksOfOneUser(t *testing.T) {
	const second rotation.KeyID = "AKIASECONDSECONDSEC8"
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	s := account1()
	s.Users[1].Keys = append(s.Users[1].Keys, rotation.Key{ID: second, Status: rotation.Inactive, Created: start.Add(-days(20)), LastUse: rotation.LastUse{Kind: rotation.UseNever}})
	s.Users[1].Console = true
	e.store.snapshots[account] = s
	young := rotation.MakeID(account, "AIDAYOUNG")

	e.says(accountOwner, "rotate young@payments leaver") // gives way
	// The scan may be a day old: what it saw inactive is looked at all the same.
	wants(t, e.says(accountOwner, "leaked "+string(second)+" in a log").Text, "As of the last scan", "inactive already", "looks again now")
	q := e.store.requests[young]
	is(t, q.Leaked, second)
	is(t, q.Evidence, "no known use; created 2026-05-12 (20 days ago); the user has a console password")
	wants(t, e.says(named, "leaked "+string(second)+" in a log").Text, "was reported already, by The account owner")
	is(t, e.store.requests[young], q)
	wants(t, e.says(accountOwner, "leaked "+string(youngKey)+" in a log").Text, "was not taken down", string(second), "again in a minute or two", "--status Inactive")
	is(t, e.store.requests[young], q)
	delete(e.store.requests, young) // it was served
	e.says(accountOwner, "leaked "+string(youngKey)+" in a log")
	is(t, e.store.requests[young].Leaked, youngKey)
}

// Whatever keeps keyturn from taking a leak down, the answer says how to cut the key off without it.
func TestLeakThatCannotBeTakenDown(t *testing.T) {
	for method, key := range map[string]rotation.KeyID{
		"RotationByKey": oldKey, "GetRotation": oldKey, "SaveRotation": oldKey, "ListSnapshots": youngKey, "ListRequests": youngKey, "SaveRequest": youngKey,
	} {
		t.Run(method, func(t *testing.T) {
			e := newBench(t)
			e.kept(opened(rotation.Awaiting))
			e.store.fail(method, errTest)
			got := e.says(accountOwner, "leaked "+string(key)+" x")
			wants(t, textOf(got.Blocks.BlockSet), "Something went wrong inside keyturn", "aws iam update-access-key --access-key-id "+string(key), "--status Inactive")
			wants(t, got.Text, "--status Inactive")
			wants(t, strings.Join(e.noted(accountOwner), "\n"), "trouble: leaked")
			is(t, len(e.store.requests), 0)
		})
	}
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	for _, key := range []rotation.KeyID{oldKey, youngKey} {
		wants(t, e.says(other, "leaked "+string(key)+" x").Text, "You are not among those", "Whoever has access to its account", "--status Inactive")
	}
	if text := e.says(guest, "leaked "+string(oldKey)+" x").Text; strings.Contains(text, "aws iam") {
		t.Error(text)
	}
}

// What a closed rotation named and no scan sees any more is not cut off by keyturn.
func TestLeakedKeyThatIsGone(t *testing.T) {
	e := newBench(t)
	e.kept(with(at(rotation.Closed), func(r *rotation.Rotation) { r.Outcome = rotation.OutcomeGone }))
	s := account1()
	s.Users[0].Keys = nil
	e.store.snapshots[account] = s
	wants(t, e.says(owner, "leaked "+string(oldKey)+" x").Text, "that key is not there any more", "its rotation ended on 2026-06-01", "--status Inactive")
	is(t, len(e.store.requests), 0)
}

func TestEvidence(t *testing.T) {
	r := with(at(rotation.Installing), func(r *rotation.Rotation) {
		r.Console, r.Admin = true, &rotation.AdminPolicies{Names: []string{"AdministratorAccess"}}
		r.Other = &rotation.KeyRef{ID: twoKey, Created: start.Add(-days(300)), LastUse: rotation.LastUse{Kind: rotation.UseNever}}
	})
	const user = "; the user has a console password; administrator by AdministratorAccess"
	for key, want := range map[rotation.KeyID]string{
		oldKey:                 "last known use s3 in eu-central-1, 2026-06-01 07:00 UTC; created 2026-02-26 (95 days ago)" + user,
		newKey:                 "last use not known; created 2026-06-01 (just now)" + user,
		twoKey:                 "no known use; created 2025-08-05 (300 days ago)" + user,
		"AKIANOBODYNOBODYNOB7": "last use not known" + user,
	} {
		is(t, evidence(r, leak{key: key}, start), want)
	}
	r.Console, r.Admin = false, &rotation.AdminPolicies{Problem: "AccessDenied"}
	is(t, evidence(r, leak{key: "AKIANOBODYNOBODYNOB7", seen: "channel C1, message 1.1"}, start), "last use not known; administrator policies not known; seen in Slack, channel C1, message 1.1")
}
