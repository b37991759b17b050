package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

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

// Keys are found wherever a message has text, and nowhere else in the payload.
func TestKeysIn(t *testing.T) {
	const a, b, c = "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "AKIAATTACHATTACHAT22"
	many := ""
	for i := range 30 {
		many += fmt.Sprintf("AKIAMANYMANYMANY%04d ", i)
	}
	for name, m := range map[string]struct {
		message any
		want    []rotation.KeyID
	}{
		"after a line break":        {map[string]any{"text": "look:\n" + a + "\n\t" + b}, []rotation.KeyID{a, b}},
		"in marks":                  {map[string]any{"text": "`" + a + "` _" + b + "_ <https://x.example|" + c + ">"}, []rotation.KeyID{a, b, c}},
		"in code":                   {map[string]any{"text": `key="` + a + `";id=` + b + `\u003c`}, []rotation.KeyID{a, b}},
		"beside small letters":      {map[string]any{"text": "accessKey" + a + "and"}, []rotation.KeyID{a}},
		"twice":                     {map[string]any{"text": a + " " + a, "blocks": []any{map[string]any{"text": a}}}, []rotation.KeyID{a}},
		"the text's come first":     {map[string]any{"attachments": []any{map[string]any{"fallback": c}}, "text": b, "blocks": []any{map[string]any{"elements": []any{map[string]any{"text": a}}}}}, []rotation.KeyID{b, c, a}},
		"of a role":                 {map[string]any{"text": "ASIAIOSFODNN7EXAMPLE"}, nil},
		"part of something longer":  {map[string]any{"text": "X" + a + " " + "AKIA" + strings.Repeat("A", 200)}, nil},
		"too short":                 {map[string]any{"text": "AKIA123"}, nil},
		"numbers, nothing and such": {map[string]any{"text": 5, "blocks": nil, "x": []any{true, 1.5, []any{}}}, nil},
		"no message":                {nil, nil},
		"a message of another kind": {"AKIAIOSFODNN7EXAMPLE", nil},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"message": m.message, "trigger_id": c, "response_url": "https://x.example/AKIAELSEWHEREELSE123"})
			if err != nil {
				t.Fatal(err)
			}
			is(t, keysIn(body), m.want)
		})
	}
	body, err := json.Marshal(map[string]any{"message": map[string]any{"text": many}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, len(keysIn(body)), mostFound)
	is(t, keysIn([]byte("{")), nil)
}

func FuzzKeysIn(f *testing.F) {
	f.Add(`{"message":{"text":"look:\nAKIAIOSFODNN7EXAMPLE"}}`)
	f.Add(`{"message":{"blocks":[{"elements":[{"text":"AKIAIOSFODNN7EXAMPLE"}]}],"attachments":[{"fallback":"xAKIAI44QH8DHBEXAMPLEx"}]}}`)
	f.Add(`{"message":"AKIAIOSFODNN7EXAMPLE"}`)
	f.Add(`{"message":` + strings.Repeat(`{"a":`, 500) + `"AKIAIOSFODNN7EXAMPLE"` + strings.Repeat("}", 501))
	f.Add("null")
	f.Fuzz(func(t *testing.T, body string) {
		keys := keysIn([]byte(body))
		if len(keys) > mostFound {
			t.Errorf("%d keys", len(keys))
		}
		for i, k := range keys {
			if got, err := rotation.ParseKeyID(string(k)); err != nil || got != k || slices.Contains(keys[:i], k) {
				t.Errorf("%q: %v", k, err)
			}
		}
	})
}
