package slackemu

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// node is a JSON object. Block Kit is handled as it came over the wire, so that what the client library does not model is
// seen too.
type node = map[string]any

func str(n node, key string) string {
	s, _ := n[key].(string)
	return s
}

func isSet(n node, key string) bool {
	b, _ := n[key].(bool)
	return b
}

func sub(n node, key string) node {
	m, _ := n[key].(node)
	return m
}

func list(n node, key string) []any {
	l, _ := n[key].([]any)
	return l
}

// nodes returns the objects in a list, leaving out what is not an object.
func nodes(n node, key string) []node { return objects(list(n, key)) }

func objects(l []any) []node {
	out := make([]node, 0, len(l))
	for _, e := range l {
		if m, ok := e.(node); ok {
			out = append(out, m)
		}
	}
	return out
}

func chars(s string) int { return utf8.RuneCountInString(s) }

// decode reads one JSON value, keeping numbers as they were written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// encode writes JSON without escaping HTML, as Slack does. Only values made of decoded JSON are passed.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// clone copies a JSON object deeply.
func clone(n node) node {
	if n == nil {
		return nil
	}
	var out node
	if err := decode(encode(n), &out); err != nil {
		return node{}
	}
	return out
}

// plainOf returns the text of a text object or of a bare string.
func plainOf(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case node:
		return str(t, "text")
	default:
		return ""
	}
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
