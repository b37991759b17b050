package blockkit

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// node is a JSON object, as it came over the wire.
type node = blockjson.Node

// num is a number as it was written; empty if there is none.
func num(n node, key string) string {
	v, _ := n[key].(json.Number)
	return v.String()
}

func chars(s string) int { return utf8.RuneCountInString(s) }

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
