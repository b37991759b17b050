package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func TestTwoHaveToApprove(t *testing.T) {
	e := newBench(t)
	e.rules.rule.Required = 2
	r := e.kept(opened(rotation.Awaiting))
	c := click{user: owner, action: "approve", value: value(r)}
	wants(t, only(t, e.press(c), "Respond").Text, templates.AnswerDone("approve", e.store.get(t, r.ID)).Text)
	wants(t, only(t, e.press(c), "Respond").Text, "You approved this already", "It takes 2 people")
	is(t, e.store.get(t, r.ID).State, rotation.Awaiting)
	c.user = named
	text := only(t, e.press(c), "Respond").Text
	got := e.store.get(t, r.ID)
	is(t, text, templates.AnswerDone("approve", got).Text)
	is(t, got.State, rotation.Approved)
	is(t, len(got.Approvals), 2)
	c.user = accountOwner
	wants(t, only(t, e.press(c), "Respond").Text, "Already approved just now by The named one")
}

func TestSelfApproval(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		e := newBench(t)
		e.rules.rule.SelfApproval = allowed
		r := e.kept(with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.RequestedBy = everybody()[0].Actor() }))
		got := only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text
		if allowed {
			is(t, got, templates.AnswerDone("approve", e.store.get(t, r.ID)).Text)
			continue
		}
		wants(t, got, "You asked for this rotation, so somebody else has to approve it")
		got = only(t, e.press(click{user: owner, action: "release", value: value(r)}), "Respond").Text
		wants(t, got, "is not on hold") // everything but the approval is open to the one who asked
	}
}

func TestJustification(t *testing.T) {
	e := newBench(t)
	e.rules.rule.Justification = true
	r := e.kept(opened(rotation.Awaiting))
	c := click{user: owner, action: "approve", value: value(r)}
	w := only(t, e.press(c), "OpenView")
	is(t, w.View.CallbackID, "approve")
	if what := changed(r, e.store.get(t, r.ID)); what != "" {
		t.Fatalf("without a reason it was %s", what)
	}
	wants(t, textOf(e.says(owner, "approve "+string(oldKey)).Blocks.BlockSet), "This needs a reason")
	f := filledIn{user: owner, action: "approve", value: templates.ValueOf(r)}
	wants(t, e.submit(f).Errors["why"], "Say why")
	f.why = "\u200b \n"
	wants(t, e.submit(f).Errors["why"], "Say why")
	f.why = strings.Repeat("x", templates.MostWhy+1)
	wants(t, e.submit(f).Errors["why"], "at most 500")
	f.why = "it is old"
	text := e.submit(f).Text
	got := e.store.get(t, r.ID)
	is(t, text, textOf(templates.AnswerDone("approve", got).Blocks))
	is(t, got.History[len(got.History)-1].Note, "it is old")
	// who comes later hears who was first, not that a reason is missing
	c.user = named
	wants(t, only(t, e.press(c), "Respond").Text, "Already approved just now by The owner")
	wants(t, textOf(e.says(named, "approve "+string(oldKey)).Blocks.BlockSet), "Already approved just now by The owner")
}

// A command was shown nothing. Where it would take away more than the key that it names, the plan is shown first.
func TestApproveByCommandShowsThePlanFirst(t *testing.T) {
	for name, f := range map[string]func(*rotation.Rotation){
		"an eviction":  func(r *rotation.Rotation) { r.Evict = &rotation.KeyRef{ID: twoKey, Created: start} },
		"a choice":     twoInUse,
		"the last key": func(r *rotation.Rotation) { r.Kind, r.LastActive = rotation.Retire, true },
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(with(opened(rotation.Awaiting), f))
			got := e.says(owner, "approve "+string(oldKey))
			wants(t, textOf(got.Blocks.BlockSet), "which show", "the whole plan", textOf(e.bot.notice(r).Blocks))
			if len(buttonsOf(got.Blocks.BlockSet)) == 0 {
				t.Error("no buttons to decide with")
			}
			is(t, e.store.get(t, r.ID).Version, r.Version)
		})
	}
	e := newBench(t)
	r := e.kept(with(opened(rotation.Awaiting), twoInUse))
	wants(t, textOf(e.says(owner, "approve "+string(oldKey)+" "+string(newKey)).Blocks.BlockSet), "Choose which one is removed first")
	is(t, e.store.get(t, r.ID).Version, r.Version)
}

func TestTodaysConfigurationCounts(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	c := click{user: owner, action: "approve", value: value(r)}

	e.rules.policy.Mode = rotation.ModeAudit
	wants(t, only(t, e.press(c), "Respond").Text, "only reports now (mode audit)")
	e.rules.policy.Mode = rotation.ModeApprove

	e.rules.rule.AnyOf = e.rules.rule.AnyOf[2:]
	wants(t, only(t, e.press(c), "Respond").Text, "You are not among those who may decide", named)

	e.rules.nothing = true
	wants(t, only(t, e.press(c), "Respond").Text, "No approval rule covers this key")
	is(t, changed(r, e.store.get(t, r.ID)), "")
}

func TestWithoutRulesOrTeamsNobodyDecides(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no rules": func(o *Options) { o.Rules = nil }, "no teams": func(o *Options) { o.Teams = nil },
		"another team": func(o *Options) { o.Teams = []string{"T0OTHER"} },
	} {
		e := newBench(t, change)
		r := e.kept(opened(rotation.Awaiting))
		wants(t, only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text, string(oldKey))
		if what := changed(r, e.store.get(t, r.ID)); what != "" {
			t.Errorf("%s: %s", name, what)
		}
	}
}

func TestExemptUserIsNotApproved(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.store.exemptions[r.ID] = rotation.Exemption{Account: account, UserID: r.UserID, From: start.Add(-time.Hour), Until: start.Add(days(9)), By: everybody()[2].Actor()}
	wants(t, only(t, e.press(click{user: owner, action: "approve", value: value(r)}), "Respond").Text, "exempt until 2026-06-10, by The named one")
	e.store.exemptions[rotation.MakeID(account, "AIDAYOUNG")] = e.store.exemptions[r.ID]
	wants(t, textOf(e.says(accountOwner, "rotate young@payments").Blocks.BlockSet), "exempt until 2026-06-10")
	is(t, len(e.store.requests), 0)
	e.advance(days(9))
	e.press(click{user: owner, action: "approve", value: value(r)})
	is(t, e.store.get(t, r.ID).State, rotation.Approved)
}

// A key that the plan does not remove is a mistake, by command and by button alike.
func TestPickOfAnotherKey(t *testing.T) {
	for name, from := range map[string]rotation.Rotation{
		"nothing to pick": opened(rotation.Awaiting), "an eviction": replanned(opened(rotation.Awaiting)), "the last key": with(opened(rotation.Awaiting), func(r *rotation.Rotation) { r.Kind, r.LastActive = rotation.Retire, true }),
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			r := e.kept(from)
			says := "does not remove key " + string(newKey) + " first"
			wants(t, e.says(owner, "approve "+string(oldKey)+" "+string(newKey)).Text, says)
			v := templates.ValueOf(r)
			v.Pick = newKey
			wants(t, only(t, e.press(click{user: owner, action: "approve", value: v.Encode()}), "Respond").Text, says)
			is(t, e.store.get(t, r.ID).Version, r.Version)
		})
	}
}

// The ack has to leave within three seconds on a cold function: what is done before it is counted.
func TestApprovalIsThreeStoreCallsAndOneOfSlack(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.store.counted()
	e.slack.fail("Respond", nil)
	release := make(chan struct{})
	var before []string
	var slackBefore map[string]int
	req := signedRequest("/slack/interactions", click{user: owner, action: "approve", value: value(r)}.body())
	e.slack.mu.Lock()
	e.slack.hold = map[string]chan struct{}{"Respond": release}
	e.slack.mu.Unlock()
	e.bot.ServeHTTP(newRecorder(), req)
	before, slackBefore = e.store.counted(), e.slack.counted()
	close(release)
	e.bot.Wait()
	is(t, before, []string{"GetForDecision", "SaveRotation"})
	delete(slackBefore, "Respond") // may have begun
	is(t, slackBefore, map[string]int{"UserByID": 1})
	is(t, len(e.store.counted()), 0)
}
