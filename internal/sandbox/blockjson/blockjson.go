// Package blockjson reads Block Kit as it came over the wire, so that what the client library does not model is seen too. It knows
// how elements hold their values; it must not know who sends them, nor how they are shown.
package blockjson

import (
	"bytes"
	"encoding/json"
)

// Node is a JSON object.
type Node = map[string]any

// Str returns a text, or "" if there is none.
func Str(n Node, key string) string {
	s, _ := n[key].(string)
	return s
}

// IsSet returns a boolean, or false if there is none.
func IsSet(n Node, key string) bool {
	b, _ := n[key].(bool)
	return b
}

// Sub returns an object, or nil if there is none.
func Sub(n Node, key string) Node {
	m, _ := n[key].(Node)
	return m
}

// List returns a list, or nil if there is none.
func List(n Node, key string) []any {
	l, _ := n[key].([]any)
	return l
}

// Nodes returns the objects in a list, leaving out what is not an object.
func Nodes(n Node, key string) []Node { return Objects(List(n, key)) }

// Objects returns the objects among values.
func Objects(l []any) []Node {
	out := make([]Node, 0, len(l))
	for _, e := range l {
		if m, ok := e.(Node); ok {
			out = append(out, m)
		}
	}
	return out
}

// Text returns the text of a text object or of a bare string.
func Text(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case Node:
		return Str(t, "text")
	default:
		return ""
	}
}

// Options returns the options of an element, from groups too.
func Options(e Node) []Node {
	out := Nodes(e, "options")
	for _, g := range Nodes(e, "option_groups") {
		out = append(out, Nodes(g, "options")...)
	}
	return out
}

// Decode reads one JSON value, keeping numbers as they were written.
func Decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// ValueKey is the field in which an element's value stands; empty for elements without a value.
func ValueKey(kind string) string {
	switch kind {
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		return "value"
	case "static_select", "external_select", "radio_buttons":
		return "selected_option"
	case "multi_static_select", "multi_external_select", "checkboxes":
		return "selected_options"
	case "users_select":
		return "selected_user"
	case "multi_users_select":
		return "selected_users"
	case "channels_select":
		return "selected_channel"
	case "multi_channels_select":
		return "selected_channels"
	case "conversations_select":
		return "selected_conversation"
	case "multi_conversations_select":
		return "selected_conversations"
	case "datepicker":
		return "selected_date"
	case "timepicker":
		return "selected_time"
	case "datetimepicker":
		return "selected_date_time"
	default:
		return ""
	}
}
