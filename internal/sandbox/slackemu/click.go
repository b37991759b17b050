package slackemu

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// use is an element and what the person does with it.
type use struct {
	block, element node
	choice         node // the option chosen, or nil
	given          any  // what was picked or typed into another element
}

// Click uses the button with an action_id in a message as m shows it: a stale copy acts as a stale screen does. "block/action"
// names the block too. If the button asks for confirmation, the person confirms.
func (p *Person) Click(m Message, actionID string) Result {
	for _, u := range uses(m.RawBlocks) {
		if blockjson.Str(u.element, "type") == "button" && u.named(actionID) {
			return p.act(m, u)
		}
	}
	return Result{Err: fmt.Errorf("no button %q in the message %s", actionID, m.TS)}
}

// ClickButton uses the button with this text, or the option with this text of an overflow menu or a select.
func (p *Person) ClickButton(m Message, text string) Result {
	u, ok := byText(uses(m.RawBlocks), text)
	if !ok {
		return Result{Err: fmt.Errorf("nothing reads %q in the message %s", text, m.TS)}
	}
	return p.act(m, u)
}

// Choose picks the option with a value, or with that text, from the overflow menu or select with an action_id. Among several
// buttons with one action_id it clicks the one with that value, and into other elements it enters the value.
func (p *Person) Choose(m Message, actionID, value string) Result {
	u, err := pick(uses(m.RawBlocks), actionID, value)
	if err != nil {
		return Result{Err: err}
	}
	return p.act(m, u)
}

// uses returns what a person can use in blocks. What cannot be read holds nothing.
func uses(raw json.RawMessage) []use {
	var blocks []node
	if err := blockjson.Decode(raw, &blocks); err != nil {
		return nil
	}
	return usesIn(blocks)
}

func usesIn(blocks []node) []use {
	var out []use
	for _, b := range blocks {
		for _, e := range interactive(b) {
			out = append(out, use{block: b, element: e})
		}
	}
	return out
}

func (u use) named(id string) bool {
	action := blockjson.Str(u.element, "action_id")
	return id == action || id == blockjson.Str(u.block, "block_id")+"/"+action
}

func byText(all []use, text string) (use, bool) {
	for _, u := range all {
		if blockjson.Str(u.element, "type") == "button" && blockjson.Text(u.element["text"]) == text {
			return u, true
		}
	}
	for _, u := range all {
		for _, o := range blockjson.Options(u.element) {
			if blockjson.Text(o["text"]) == text {
				u.choice = o
				return u, true
			}
		}
	}
	return use{}, false
}

func pick(all []use, actionID, value string) (use, error) {
	found := false
	for _, u := range all {
		if !u.named(actionID) {
			continue
		}
		found = true
		switch kind := blockjson.Str(u.element, "type"); {
		case kind == "button":
			if blockjson.Str(u.element, "value") == value {
				return u, nil
			}
		case kind == "overflow" || blockjson.ValueKey(kind) == "selected_option":
			if u.choice = optionBy(u.element, value); u.choice != nil {
				return u, nil
			}
		default:
			u.given = value
			return u, nil
		}
	}
	if !found {
		return use{}, fmt.Errorf("no element %q", actionID)
	}
	return use{}, fmt.Errorf("the element %q offers no %q", actionID, value)
}

// action is the entry in the payload's actions.
func (u use) action(ts string) (node, error) {
	kind := blockjson.Str(u.element, "type")
	a := node{
		"type": kind, "action_id": blockjson.Str(u.element, "action_id"), "block_id": blockjson.Str(u.block, "block_id"), "action_ts": ts,
	}
	switch key := blockjson.ValueKey(kind); {
	case kind == "button":
		a["text"], a["value"] = u.element["text"], blockjson.Str(u.element, "value")
	case u.choice != nil && strings.HasSuffix(key, "s"): // of several, one is chosen
		a[key] = []any{u.choice}
	case u.choice != nil:
		a["selected_option"] = u.choice
	default:
		v, ok := valueFor(u.element, u.given)
		if !ok {
			return nil, fmt.Errorf("the element %q does not take %v", blockjson.Str(u.element, "action_id"), u.given)
		}
		a[key] = v[key]
	}
	return a, nil
}

// act sends a block_actions from a message.
func (p *Person) act(m Message, u use) Result {
	s := p.s
	s.mu.Lock()
	payload, err := p.messagePayload("block_actions", m)
	if err == nil {
		var a node
		if a, err = u.action(s.stamp()); err == nil {
			payload["actions"] = []node{a}
			payload["state"] = node{"values": messageInputs(m, a).node()}
		}
	}
	s.mu.Unlock()
	if err != nil {
		return Result{Err: err}
	}
	return s.sendPayload(payload)
}

// messageInputs are the values of a message's elements after an action.
func messageInputs(m Message, action node) inputs {
	var blocks []node
	if err := blockjson.Decode(m.RawBlocks, &blocks); err != nil {
		return inputs{}
	}
	in := startingInputs(blocks)
	in.apply(action)
	return in
}

// apply notes the value that an action carries.
func (in inputs) apply(action node) {
	kind := blockjson.Str(action, "type")
	if key := blockjson.ValueKey(kind); key != "" {
		in.set(blockjson.Str(action, "block_id"), blockjson.Str(action, "action_id"), node{"type": kind, key: action[key]})
	}
}

// Shortcut uses a message shortcut of the app.
func (p *Person) Shortcut(m Message, callbackID string) Result {
	s := p.s
	s.mu.Lock()
	payload, err := p.messagePayload("message_action", m)
	if m.Ephemeral {
		err = fmt.Errorf("the menu of an ephemeral message offers no shortcuts")
	}
	ts := s.stamp()
	s.mu.Unlock()
	if err != nil {
		return Result{Err: err}
	}
	delete(payload, "container")
	payload["callback_id"], payload["message_ts"], payload["action_ts"] = callbackID, m.TS, ts
	return s.sendPayload(payload)
}

// GlobalShortcut uses a shortcut of the app that belongs to no message. It has no channel and no response URL.
func (p *Person) GlobalShortcut(callbackID string) Result {
	s := p.s
	s.mu.Lock()
	payload := p.payload("shortcut")
	payload["callback_id"], payload["action_ts"] = callbackID, s.stamp()
	s.mu.Unlock()
	return s.sendPayload(payload)
}
