package bot

import (
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

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

// Where a command cannot name what goes, the whole plan is shown with a button of its own, whose window asks why.
func TestBreakGlassByButton(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*rotation.Rotation)
		button string
		check  func(r rotation.Rotation) bool
	}{
		"the last key": {func(r *rotation.Rotation) { r.Kind, r.LastActive = rotation.Retire, true }, "break-glass", func(r rotation.Rotation) bool { return r.LastActive }},
		"an eviction":  {func(r *rotation.Rotation) { r.Evict = &rotation.KeyRef{ID: twoKey, Created: start} }, "break-glass", func(r rotation.Rotation) bool { return r.Evict.ID == twoKey }},
		"a choice":     {twoInUse, "break-glass:0", func(r rotation.Rotation) bool { return r.Evict.ID == twoKey }},
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			e.rules.rule.Required = 2
			e.rules.rule.BreakGlass = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
			r := e.kept(with(opened(rotation.Awaiting), c.change))
			got := e.says(other, "break-glass "+string(oldKey)+" the auditor waits")
			wants(t, textOf(got.Blocks.BlockSet), "the whole plan")
			all := buttonsOf(got.Blocks.BlockSet)
			b := all[c.button]
			if b == nil || all["approve"] != nil || all["approve:0"] != nil {
				t.Fatalf("the buttons are %v", all)
			}
			is(t, e.store.get(t, r.ID).Version, r.Version)
			e.press(click{user: owner, action: c.button, value: b.Value, ephemeral: true}) // nobody else breaks it
			w := only(t, e.press(click{user: other, action: c.button, value: b.Value, ephemeral: true}), "OpenView").View
			is(t, w.CallbackID, "break-glass")
			wants(t, textOf(w.Blocks.BlockSet), "You approve alone", "announced in the channel")
			v, err := templates.ParseValue(w.PrivateMetadata)
			if err != nil {
				t.Fatal(err)
			}
			f := filledIn{user: other, action: "break-glass", value: v}
			wants(t, e.submit(f).Errors["why"], "Say why")
			is(t, len(e.store.get(t, r.ID).Approvals), 0)
			f.why = "the auditor waits"
			wants(t, e.submit(f).Text, "It counts alone")
			done := e.store.get(t, r.ID)
			if done.State != rotation.Approved || len(done.Approvals) != 1 || !done.Approvals[0].BreakGlass || !c.check(done) {
				t.Errorf("%s %+v", done.State, done.Approvals)
			}
		})
	}
}
