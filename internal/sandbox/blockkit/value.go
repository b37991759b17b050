package blockkit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// held is what an element holds now: from the state, or else its initial value.
func (c *renderer) held(b, e node) any {
	key := blockjson.ValueKey(blockjson.Str(e, "type"))
	if state, ok := c.o.Values[blockjson.Str(b, "block_id")][blockjson.Str(e, "action_id")]; ok && state != nil {
		return state[key]
	}
	if key == "value" {
		return e["initial_value"]
	}
	return e["initial"+strings.TrimPrefix(key, "selected")]
}

// chosen are the values of the options that are chosen.
func (c *renderer) chosen(b, e node) map[string]bool {
	out := map[string]bool{}
	for _, v := range listed(c.held(b, e)) {
		if o, ok := v.(node); ok {
			out[blockjson.Str(o, "value")] = true
		}
	}
	return out
}

// entered is what was typed into an element, as its input shows it: IDs and options stand with a space between them.
func (c *renderer) entered(b, e node) string {
	var out []string
	for _, v := range listed(c.held(b, e)) {
		switch t := v.(type) {
		case string:
			out = append(out, t)
		case json.Number:
			out = append(out, t.String())
		case float64:
			out = append(out, strconv.FormatFloat(t, 'f', -1, 64))
		case int64:
			out = append(out, strconv.FormatInt(t, 10))
		case node:
			out = append(out, blockjson.Str(t, "value"))
		}
	}
	return strings.Join(out, " ")
}

// moment is a date and time in the reader's zone, as its input shows it.
func (c *renderer) moment(b, e node) string {
	seconds, err := strconv.ParseInt(c.entered(b, e), 10, 64)
	if err != nil || seconds <= 0 || seconds > mostSeconds {
		return ""
	}
	zone := c.o.Reader.Zone
	if zone == nil {
		zone = time.UTC
	}
	return time.Unix(seconds, 0).In(zone).Format(localTime)
}

func listed(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}
