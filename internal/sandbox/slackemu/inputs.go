package slackemu

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// inputs is what a person filled in, by block_id and action_id, in the form of Slack's state.values.
type inputs map[string]map[string]node

// startingInputs are the elements of blocks with their initial values.
func startingInputs(blocks []node) inputs {
	in := inputs{}
	for _, b := range blocks {
		for _, e := range interactive(b) {
			if v := startingValue(e); v != nil {
				in.set(blockjson.Str(b, "block_id"), blockjson.Str(e, "action_id"), v)
			}
		}
	}
	return in
}

func (in inputs) set(block, action string, v node) {
	if in[block] == nil {
		in[block] = map[string]node{}
	}
	in[block][action] = v
}

// keeping takes over earlier values of elements that are still there and of the same type.
func (in inputs) keeping(old inputs) inputs {
	for block, actions := range in {
		for action, v := range actions {
			if o, ok := old[block][action]; ok && o["type"] == v["type"] {
				actions[action] = o
			}
		}
	}
	return in
}

// copy is deep enough for values being replaced, which is all that happens to them.
func (in inputs) copy() inputs {
	out := inputs{}
	for block, actions := range in {
		out[block] = maps.Clone(actions)
	}
	return out
}

func (in inputs) node() node {
	out := node{}
	for block, actions := range in {
		values := node{}
		for action, v := range actions {
			values[action] = v
		}
		out[block] = values
	}
	return out
}

func startingValue(e node) node {
	kind := blockjson.Str(e, "type")
	key := blockjson.ValueKey(kind)
	if key == "" {
		return nil
	}
	var v any
	switch key {
	case "selected_options", "selected_users", "selected_channels", "selected_conversations":
		v = append([]any{}, blockjson.List(e, "initial"+key[len("selected"):])...)
	case "value":
		v = e["initial_value"]
	default:
		v = e["initial"+key[len("selected"):]]
	}
	return node{"type": kind, key: v}
}

// valueFor makes the state of an element from what a person chose. ok is false if the element offers no such choice.
func valueFor(e node, given any) (v node, ok bool) {
	kind := blockjson.Str(e, "type")
	key := blockjson.ValueKey(kind)
	out := node{"type": kind, key: nil}
	switch key {
	case "":
		return nil, false
	case "selected_option":
		text, isText := given.(string)
		o := optionBy(e, text)
		if isText && text == "" {
			return out, true
		}
		out[key] = o
		return out, isText && o != nil
	case "selected_options", "selected_users", "selected_channels", "selected_conversations":
		chosen := []any{}
		for _, text := range texts(given) {
			var item any = text
			if key == "selected_options" {
				o := optionBy(e, text)
				if o == nil {
					return nil, false
				}
				item = o
			}
			chosen = append(chosen, item)
		}
		out[key] = chosen
		return out, true
	case "selected_date_time":
		if one(given) == "" {
			return out, true
		}
		n, err := strconv.ParseInt(one(given), 10, 64)
		out[key] = json.Number(strconv.FormatInt(n, 10))
		return out, err == nil
	default:
		if t := one(given); t != "" {
			out[key] = t
		}
		return out, true
	}
}

func one(given any) string {
	if all := texts(given); len(all) > 0 {
		return all[0]
	}
	return ""
}

// texts reads a string, a list of strings or a number.
func texts(given any) []string {
	switch g := given.(type) {
	case []string:
		return g
	case string:
		return []string{g}
	case int:
		return []string{strconv.Itoa(g)}
	case int64:
		return []string{strconv.FormatInt(g, 10)}
	case float64:
		return []string{strconv.FormatFloat(g, 'f', -1, 64)}
	default:
		return []string{""}
	}
}

// optionBy finds an option by its value, or else by its visible text. Selects that Slack fills take any value.
func optionBy(e node, choice string) node {
	options := blockjson.Options(e)
	if blockjson.Str(e, "type") == "external_select" || blockjson.Str(e, "type") == "multi_external_select" {
		return node{"text": node{"type": "plain_text", "text": choice}, "value": choice}
	}
	for _, key := range []func(node) string{
		func(o node) string { return blockjson.Str(o, "value") },
		func(o node) string { return blockjson.Text(o["text"]) },
	} {
		if i := slices.IndexFunc(options, func(o node) bool { return key(o) == choice }); i >= 0 {
			return options[i]
		}
	}
	return nil
}

// empty says whether a value is missing.
func empty(v node) bool {
	switch t := v[blockjson.ValueKey(blockjson.Str(v, "type"))].(type) {
	case nil:
		return true
	case string:
		return t == ""
	case []any:
		return len(t) == 0
	case node:
		return t == nil
	default:
		return false
	}
}
