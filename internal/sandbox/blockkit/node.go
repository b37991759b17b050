package blockkit

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// node is a JSON object, as it came over the wire.
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

// num is a number as it was written; empty if there is none.
func num(n node, key string) string {
	v, _ := n[key].(json.Number)
	return v.String()
}

// textOf returns the text of a text object, or of a bare string.
func textOf(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case node:
		return str(t, "text")
	default:
		return ""
	}
}

// optionsOf returns an element's options, from groups too.
func optionsOf(e node) []node {
	out := nodes(e, "options")
	for _, g := range nodes(e, "option_groups") {
		out = append(out, nodes(g, "options")...)
	}
	return out
}

// decode reads one JSON value, keeping numbers as they were written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

func chars(s string) int { return utf8.RuneCountInString(s) }

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
