package slackemu

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// node is a JSON object. Block Kit is handled as it came over the wire, so that what the client library does not model is
// seen too.
type node = blockjson.Node

func chars(s string) int { return utf8.RuneCountInString(s) }

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
	if err := blockjson.Decode(encode(n), &out); err != nil {
		return node{}
	}
	return out
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
