package bot

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// grouped is a bench on which a rule lets two groups decide.
func grouped(t testing.TB, groups map[string][]string) *bench {
	e := newBench(t)
	e.slack.groups = groups
	e.rules.rule.AnyOf = []approval.Circle{{Kind: approval.Owner}, {Kind: approval.UserGroup, ID: "S0PLATFORM"}, {Kind: approval.UserGroup, ID: "S0BROKEN"}}
	return e
}

func (e *bench) opensHome(user string) []slack.Block {
	e.t.Helper()
	e.send("/slack/events", fmt.Sprintf(`{"type":"event_callback","event":{"type":"app_home_opened","user":%q,"tab":"home"}}`, user))
	return only(e.t, e.slack.heard(), "PublishHome").Home.Blocks.BlockSet
}

func TestHomeShowsTheBurnDown(t *testing.T) {
	note, err := report.AddPoint("", report.Point{Day: "2026-05-01", Active: 60, OverAge: 40})
	if err == nil {
		note, err = report.AddPoint(note, report.Point{Day: "2026-06-01", Active: 52, OverAge: 10, Rotated: 25, Removed: 8})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, note string
		err        error
		says       string
	}{
		{"points", note, nil, "On 1 June 2026, 10 of 52 active keys were past their age. On 1 May 2026 there were 40. Replaced since then: 25; removed for good: 8."},
		{"none yet", "", nil, ""},
		{"not read", "", store.ErrBusy, ""},
		{"not understood", "{", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newBench(t)
			e.store.state[report.StateKey] = c.note
			e.store.fail("GetState", c.err)
			e.kept(opened(rotation.Awaiting))
			got := textOf(e.opensHome(owner))
			wants(t, got, string(oldKey), c.says)
			if c.says == "" && strings.Contains(got, "old keys") {
				t.Errorf("it shows\n%s", got)
			}
		})
	}
}

// The parts of App Home, their pages and the way back are reached by buttons; the page is published anew each time.
func TestHomePages(t *testing.T) {
	e := newBench(t)
	e.many(60)
	press := func(value string) []slack.Block {
		t.Helper()
		return only(t, e.press(click{user: owner, action: "page:x", value: value, home: true}), "PublishHome").Home.Blocks.BlockSet
	}
	blocks := e.opensHome(owner)
	is(t, len(keyID.FindAllString(textOf(blocks), -1)), homeRows)
	buttons := buttonsOf(blocks)
	if buttons["page:more"] == nil || buttons["page:waiting"] == nil || buttons["page:mine"] == nil || buttons["page:all"] != nil {
		t.Fatalf("the buttons are %v", buttons)
	}
	seen := map[string]bool{}
	blocks = press(buttons["page:more"].Value)
	for n := 1; ; n++ {
		if len(blocks) > 100 {
			t.Errorf("%d blocks", len(blocks))
		}
		wants(t, textOf(blocks), fmt.Sprintf("Page %d of 3", n))
		for _, k := range keyID.FindAllString(textOf(blocks), -1) {
			seen[k] = true
		}
		next := buttonsOf(blocks)["page:next"]
		if next == nil {
			break
		}
		blocks = press(next.Value)
	}
	is(t, len(seen), 60)
	wants(t, textOf(press(buttonsOf(blocks)["page:mine"].Value)), "No other key belongs to you")
	is(t, len(keyID.FindAllString(textOf(press(buttonsOf(blocks)["page:all"].Value)), -1)), homeRows)
	wants(t, textOf(press(templates.PageValue("home", "nonsense", 9_999))), "Waiting for you", "Your keys")
}

func TestStrangersPressHomesButtons(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	for _, user := range []string{guest, outsider, former, robot, nobody} {
		got := only(t, e.press(click{user: user, action: "page:waiting", value: templates.PageValue("home", "waiting", 1), home: true}), "PublishHome")
		if text := textOf(got.Home.Blocks.BlockSet); strings.Contains(text, "billing") || strings.Contains(text, string(oldKey)) {
			t.Errorf("%s sees\n%s", user, text)
		}
	}
}

// A rotation of somebody else waits for whom today's rule lets decide: by a circle, by a group, or since it was escalated.
func TestWaitingForOthers(t *testing.T) {
	escalated := func(r *rotation.Rotation) { r.Escalation = &rotation.Escalation{At: start, Why: "nobody answered"} }
	approved := func(r *rotation.Rotation) {
		r.Approvals = []rotation.Approval{{Actor: everybody()[3].Actor(), At: start}}
	}
	for _, c := range []struct {
		name   string
		groups map[string][]string
		rule   func(*approval.Rule)
		change func(*rotation.Rotation)
		waits  bool
	}{
		{"nobody's", map[string][]string{"S0PLATFORM": {named}}, nil, nil, false},
		{"a member", map[string][]string{"S0PLATFORM": {named, other}}, nil, nil, true},
		{"a group that cannot be read", nil, nil, nil, false},
		{"named", nil, func(r *approval.Rule) {
			r.AnyOf = append(r.AnyOf, approval.Circle{Kind: approval.SlackUser, ID: other})
		}, nil, true},
		{"approved already", map[string][]string{"S0PLATFORM": {other}}, func(r *approval.Rule) { r.Required = 2 }, approved, false},
		{"next circle, not escalated", nil, func(r *approval.Rule) { r.Escalate = []approval.Circle{{Kind: approval.SlackUser, ID: other}} }, nil, false},
		{"next circle, escalated", nil, func(r *approval.Rule) { r.Escalate = []approval.Circle{{Kind: approval.SlackUser, ID: other}} }, escalated, true},
		{"snoozed", map[string][]string{"S0PLATFORM": {other}}, nil, func(r *rotation.Rotation) { r.SnoozedUntil = start.Add(days(1)) }, false},
		{"stuck", map[string][]string{"S0PLATFORM": {other}}, nil, stuck, true},
		{"no rule", map[string][]string{"S0PLATFORM": {other}}, func(r *approval.Rule) { *r = approval.Rule{} }, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := grouped(t, c.groups)
			if c.rule != nil {
				c.rule(&e.rules.rule)
			}
			r := opened(rotation.Awaiting)
			if c.change != nil {
				c.change(&r)
			}
			e.kept(r)
			for i := range 5 { // groups are read once for all of them
				again := r.Clone()
				again.UserID = rotation.UserID(fmt.Sprintf("AIDAAGAIN%d", i))
				again.ID, again.Old.ID = rotation.MakeID(account, again.UserID), rotation.KeyID(fmt.Sprintf("AKIAAGAINAGAINAGAI%02d", i))
				e.store.put(again)
			}
			is(t, strings.Contains(textOf(e.opensHome(other)), string(oldKey)), c.waits)
			is(t, strings.Contains(e.says(other, "mine").Text, string(oldKey)), c.waits)
			if n := e.slack.counted()["GroupMembers"]; n > 4 { // each group once for each of the two
				t.Errorf("members were read %d times", n)
			}
		})
	}
}

// However many rotations there are, only so many are looked at, and the reader is told.
func TestWaitingIsBounded(t *testing.T) {
	e := newBench(t)
	e.many(mostLooked + 5)
	e.rules.rule.AnyOf = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
	wants(t, textOf(e.opensHome(other)), "keyturn looked at 1000 open rotations", "/keys list state:awaiting")
	wants(t, textOf(e.says(other, "mine").Blocks.BlockSet), "keyturn looked at 1000 rotations of others", "/keys list state:awaiting")
	e.store.fail("ListRotations", errors.New("broken"))
	wants(t, textOf(e.opensHome(other)), "cannot read its store just now")
}
