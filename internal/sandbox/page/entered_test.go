package page

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// TestEntered: a form's fields become what slackemu takes, by the kind of each element; what the window does not have is left out.
func TestEntered(t *testing.T) {
	s := slackemu.New(slackemu.Options{})
	s.AddUser(slackemu.User{ID: "U1", Name: "a", TZ: "Europe/Berlin"})
	v := slackemu.Shown{Blocks: []byte(`[
		{"type":"input","block_id":"why","element":{"type":"plain_text_input","action_id":"text"}},
		{"type":"input","block_id":"boxes","element":{"type":"checkboxes","action_id":"c"}},
		{"type":"input","block_id":"people","element":{"type":"multi_users_select","action_id":"m"}},
		{"type":"input","block_id":"at","element":{"type":"datetimepicker","action_id":"d"}},
		{"type":"section","block_id":"sec","accessory":{"type":"static_select","action_id":"s"}},
		{"type":"actions","block_id":"act","elements":[{"type":"datepicker","action_id":"p"},{"type":"number_input","action_id":"n"}]}]`)}
	d := deed{person: s.As("U1"), form: url.Values{
		"in:why/text": {"because"}, "in:boxes/c": {"one", "two"}, "in:at/d": {"2026-06-01T10:00"}, "in:sec/s": {"x"}, "in:act/p": {"2026-06-02"},
		"in:other/x": {"not there"}, "at": {"/"},
	}}
	got, err := d.entered(v)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"why/text": "because", "boxes/c": []string{"one", "two"}, "people/m": []string{}, "at/d": int64(1780300800), "sec/s": "x", "act/p": "2026-06-02"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	d.form.Set("in:at/d", "")
	d.form.Set("in:people/m", "U2 U3")
	if got, err := d.entered(v); err != nil || got["at/d"] != "" || len(got["people/m"].([]string)) != 2 {
		t.Errorf("%v %v", got, err)
	}
	for use, want := range map[blockkit.Use]string{
		{Block: "act", Action: "p"}: "2026-06-02", {Block: "act", Action: "p", Value: "own"}: "own", {Block: "sec", Action: "s"}: "x", {Block: "act", Action: "none"}: "",
	} {
		if got, err := d.chosen(use, v.Blocks); got != want || err != nil {
			t.Errorf("%v: %q %v", use, got, err)
		}
	}
	d.form.Set("in:at/d", "tomorrow")
	if _, err := d.entered(v); err == nil {
		t.Error("a date that is none was taken")
	}
}
