package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// replanned is a rotation whose plan has changed since a message showed it.
func replanned(r rotation.Rotation) rotation.Rotation {
	return with(r, func(r *rotation.Rotation) { r.Evict = &rotation.KeyRef{ID: twoKey, Created: start} })
}

func TestStalePlanIsNotApproved(t *testing.T) {
	for _, c := range []struct {
		name  string
		click click
		where string // the method that refreshes what was clicked
	}{
		{"a message", click{}, "Update"},
		{"an ephemeral message", click{ephemeral: true}, "Respond, replacing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newBench(t)
			shown := e.kept(opened(rotation.Awaiting))
			now := e.store.put(replanned(shown))
			c.click.user, c.click.action, c.click.value = owner, "approve", value(shown)
			all := e.press(c.click)
			if len(all) != 2 || all[0].Method != c.where || all[1].Method != "Respond" {
				t.Fatalf("said %+v", all)
			}
			if buttonsOf(all[0].Blocks)["approve"].Value != value(now) {
				t.Error("the refreshed message does not carry the plan as it is")
			}
			is(t, all[1].Text, templates.AnswerStale(now).Text)
			is(t, e.store.get(t, now.ID).Version, now.Version)

			c.click.value = buttonsOf(all[0].Blocks)["approve"].Value
			e.press(c.click)
			is(t, e.store.get(t, now.ID).State, rotation.Approved)
		})
	}
}

// In a window nothing else is refreshed, so the answer itself shows the plan.
func TestStalePlanInAWindow(t *testing.T) {
	e := newBench(t)
	shown := e.kept(opened(rotation.Awaiting))
	now := e.store.put(replanned(shown))
	got := only(t, e.press(click{user: owner, action: "approve", value: value(shown), modal: true}), "UpdateView")
	wants(t, got.Text, textOf(templates.AnswerStale(now).Blocks))
	if buttonsOf(got.View.Blocks.BlockSet)["approve"].Value != value(now) {
		t.Error("no way on")
	}
	e.rules.rule.Justification = true
	s := e.submit(filledIn{user: owner, action: "approve", value: templates.ValueOf(shown), why: "old"})
	if buttonsOf(s.Blocks)["approve"].Value != value(now) {
		t.Error("no way on after a window")
	}
	is(t, e.store.get(t, now.ID).Version, now.Version)
}

// Whatever is approved or cut off was shown: a button that does not say what it was drawn under decides nothing.
func TestNothingIsApprovedUnseen(t *testing.T) {
	for _, d := range deeds() {
		if d.action != "approve" && d.action != "anyway" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			e := newBench(t)
			before := e.kept(d.from)
			v := d.value()
			v.Digest = ""
			e.press(click{user: owner, action: d.action, value: v.Encode()})
			s := e.submit(filledIn{user: owner, action: d.action, value: v, why: "x"})
			wants(t, s.Text, textOf(templates.AnswerStale(before).Blocks))
			v.Digest = "0123456789abcdef"
			e.press(click{user: owner, action: d.action, value: v.Encode()})
			is(t, e.store.get(t, before.ID).Version, before.Version)
		})
	}
}

func TestApprovalsAreVoidOnceThePlanChanged(t *testing.T) {
	e := newBench(t)
	e.rules.rule.Required = 2
	shown := e.kept(opened(rotation.Awaiting))
	e.press(click{user: owner, action: "approve", value: value(shown)})
	now := e.store.put(with(e.store.get(t, shown.ID), func(r *rotation.Rotation) { r.Evict = &rotation.KeyRef{ID: twoKey, Created: start} }))
	e.press(click{user: named, action: "approve", value: value(shown)})
	is(t, len(e.store.get(t, now.ID).Approvals), 1)
	e.press(click{user: named, action: "approve", value: value(now)})
	got := e.store.get(t, now.ID)
	if got.State == rotation.Approved {
		t.Error("an approval of another plan was counted")
	}
}

func TestEarlierEpisode(t *testing.T) {
	for _, d := range deeds() {
		for _, way := range []string{"button", "window", "whisper"} {
			t.Run(d.name+"/"+way, func(t *testing.T) {
				e := newBench(t)
				e.kept(d.from)
				now := e.store.put(with(d.from, func(r *rotation.Rotation) { r.Episode++ }))
				text := d.do(e, owner, way)
				is(t, strings.TrimSpace(text), strings.TrimSpace(templates.AnswerEarlier(now).Text))
				if d.asked() { // the window is not opened either
					all := e.press(click{user: owner, action: d.action, value: d.value().Encode()})
					if len(all) != 2 || all[0].Method != "Update" || all[1].Text != templates.AnswerEarlier(now).Text {
						t.Errorf("said %+v", all)
					}
				}
				is(t, e.store.get(t, now.ID).Version, now.Version)

				// a stranger changes no message that others see
				e.slack.heard()
				for _, s := range e.press(click{user: guest, action: d.action, value: d.value().Encode()}) {
					if s.Method != "Respond" {
						t.Errorf("a guest caused %s", s.Method)
					}
					wants(t, s.Text, "Guests of the workspace cannot decide")
				}
			})
		}
	}
}

func TestRefusedOnAnEphemeralMessageIsRefreshed(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.press(click{user: named, action: "approve", value: value(r)})
	all := e.press(click{user: owner, action: "approve", value: value(r), ephemeral: true})
	if len(all) != 2 || all[0].Method != "Respond, replacing" || all[1].Method != "Respond" {
		t.Fatalf("said %+v", all)
	}
	if _, ok := buttonsOf(all[0].Blocks)["approve"]; ok {
		t.Error("the stale button is still there")
	}
	wants(t, all[1].Text, "Already approved just now by The named one")
}

func TestButtonsOfAnotherVersion(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	old := templates.AnswerTrouble(templates.TroubleOldValue).Text
	for name, c := range map[string]click{
		"an unknown action": {action: "explode", value: value(r)}, "no value": {action: "approve"}, "no JSON": {action: "approve", value: "x"},
		"no episode": {action: "approve", value: `{"i":"1/2"}`}, "no user": {action: "approve", value: `{"i":"1/","e":1}`}, "a negative episode": {action: "approve", value: `{"i":"1/2","e":-1}`},
		"an unknown entry of the menu": {action: "explode", value: value(r), menu: true}, "an empty entry of the menu": {menu: true},
		"a page of no list": {action: "page", value: templates.PageValue("secrets", "", 1)}, "a page without a value": {action: "page", value: "next"},
		"a rotation for a page": {action: "page", value: value(r)},
	} {
		c.user = owner
		if got := only(t, e.press(c), "Respond"); got.Text != old {
			t.Errorf("%s: %s", name, got.Text)
		}
	}
	if got := e.submit(filledIn{user: owner, action: "explode", value: templates.ValueOf(r), why: "x"}); got.Text != textOf(templates.AnswerTrouble(templates.TroubleOldValue).Blocks) {
		t.Error(got.Text)
	}
	if got := e.submit(filledIn{user: owner, action: "reject", why: "x"}); got.Text != textOf(templates.AnswerTrouble(templates.TroubleOldValue).Blocks) {
		t.Error(got.Text)
	}
	is(t, e.store.get(t, r.ID).Version, r.Version)
}

func TestSnoozedAlready(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	f := filledIn{user: owner, action: "snooze", value: templates.ValueOf(r), in: "3d"}
	e.submit(f)
	f.user, f.in = named, "1d"
	wants(t, e.submit(f).Text, "It is snoozed until 2026-06-04 already")
	// by a command a person may mean it
	e.says(named, "snooze "+string(oldKey)+" 5d")
	is(t, e.store.get(t, r.ID).SnoozedUntil, start.Add(days(5)))
}

func TestTheSameTwiceIsMeantAMinuteLater(t *testing.T) {
	e := newBench(t)
	r := e.kept(at(rotation.Installing))
	e.says(owner, "extend "+string(oldKey)+" 3d")
	wants(t, textOf(e.says(owner, "extend "+string(oldKey)+" 3d").Blocks.BlockSet), "You did just that a moment ago")
	e.says(named, "extend "+string(oldKey)+" 3d")
	is(t, e.store.get(t, r.ID).Extended.Count, 2)
	e.advance(time.Minute)
	e.says(owner, "extend "+string(oldKey)+" 3d")
	is(t, e.store.get(t, r.ID).Extended.Count, 3)
}
