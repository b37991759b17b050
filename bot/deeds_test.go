package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// deed is one thing that a person can do to a rotation, in each way in which it can be done.
type deed struct {
	name    string
	from    rotation.Rotation
	action  string
	command string   // what is typed, after the command and the key; "-" where there is no command for it
	form    filledIn // of the window, where there is one
	pick    rotation.KeyID
	event   string // the last line of the history
	check   func(t *testing.T, r rotation.Rotation)
}

func deeds() []deed {
	return []deed{
		{name: "approve", from: at(rotation.Awaiting), action: "approve", event: "approve",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.State, rotation.Approved) }},
		{name: "approve before it is due", from: at(rotation.Upcoming), action: "approve", event: "approve",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.State, rotation.Approved) }},
		{name: "approve a choice", from: with(at(rotation.Awaiting), twoInUse), action: "approve", pick: twoKey, command: string(twoKey), event: "approve",
			check: func(t *testing.T, r rotation.Rotation) {
				is(t, r.State, rotation.Approved)
				is(t, r.Evict.ID, twoKey)
			}},
		{name: "snooze", from: at(rotation.Awaiting), action: "snooze", command: "3d waiting", form: filledIn{in: "3d", why: "waiting"}, event: "snooze",
			check: func(t *testing.T, r rotation.Rotation) {
				is(t, r.SnoozedUntil, start.Add(days(3)))
				is(t, r.Snoozed, rotation.Spent{Count: 1, Total: days(3)})
			}},
		{name: "reject", from: at(rotation.Awaiting), action: "reject", command: "a role replaces it", form: filledIn{why: "a role replaces it"}, event: "reject",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Outcome, rotation.OutcomeRejected) }},
		{name: "exempt", from: at(rotation.Awaiting), action: "exempt", command: "-", form: filledIn{until: "2026-09-01", why: "vendor"}, event: "exempt",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Outcome, rotation.OutcomeExempted) }},
		{name: "hold", from: at(rotation.Installing), action: "hold", command: "5d incident", form: filledIn{in: "5d", why: "incident"}, event: "hold",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Held.Until, start.Add(days(5))) }},
		{name: "release", from: with(at(rotation.Installing), held), action: "release", event: "release",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Held, nil) }},
		{name: "confirm", from: at(rotation.Installing), action: "confirm", event: "confirm",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.DeactivateAt, start.Add(days(1))) }},
		{name: "extend the install grace", from: at(rotation.Installing), action: "extend", command: "3d", form: filledIn{in: "3d"}, event: "extend",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.DeactivateAt, start.Add(days(13))) }},
		{name: "extend the recovery grace", from: at(rotation.Recovering), action: "extend", command: "3d", form: filledIn{in: "3d"}, event: "extend",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.DeleteAt, start.Add(days(13))) }},
		{name: "restore", from: at(rotation.Recovering), action: "restore", event: "restore",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Restore != nil, true) }},
		{name: "retry", from: with(at(rotation.Approved), stuck), action: "retry", event: "retry",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Stuck, nil) }},
		{name: "deactivate anyway", from: with(at(rotation.Installing), gated), action: "anyway", command: "it was switched off", form: filledIn{why: "it was switched off"}, event: "deactivate_anyway",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.Anyway.Why, "it was switched off") }},
		{name: "cancel", from: at(rotation.Approved), action: "cancel", event: "cancel",
			check: func(t *testing.T, r rotation.Rotation) { is(t, r.State, rotation.Awaiting) }},
	}
}

func is[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (d deed) value() templates.Value {
	v := templates.ValueOf(d.from)
	v.Pick = d.pick
	return v
}

// asked is whether the action has a window.
func (d deed) asked() bool { return d.form != filledIn{} }

// do does it in one way, as far as it goes in one request, and returns what the person read.
func (d deed) do(e *bench, user string, way string) string {
	e.t.Helper()
	switch {
	case way == "command":
		text := strings.TrimSpace(d.action + " " + string(d.from.Old.ID) + " " + d.command)
		if d.command == "-" {
			text = "exempt billing-export@payments until 2026-09-01 vendor"
		}
		return textOf(e.says(user, text).Blocks.BlockSet)
	case d.asked():
		f := d.form
		f.user, f.action, f.value = user, d.action, d.value()
		s := e.submit(f)
		for _, m := range s.Errors {
			return m
		}
		return s.Text
	default:
		all := e.press(click{user: user, action: d.action, value: d.value().Encode(), modal: way == "window", ephemeral: way == "whisper"})
		if len(all) == 0 {
			return ""
		}
		return all[len(all)-1].Text
	}
}

var ways = []string{"button", "command", "window", "whisper"}
