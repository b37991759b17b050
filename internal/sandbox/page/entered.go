package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// input is an element of a window that holds a value.
type input struct {
	Type   string `json:"type"`
	Action string `json:"action_id"`
	Block  string `json:"-"`
}

// inputsOf finds the elements of blocks, wherever they stand in one.
func inputsOf(blocks json.RawMessage) (out []input) {
	var all []struct {
		Block     string  `json:"block_id"`
		Element   *input  `json:"element"`
		Accessory *input  `json:"accessory"`
		Elements  []input `json:"elements"`
	}
	if err := json.Unmarshal(blocks, &all); err != nil {
		return nil // what cannot be read has no inputs, and is shown as an error
	}
	for _, b := range all {
		for _, e := range []*input{b.Element, b.Accessory} {
			if e != nil {
				b.Elements = append(b.Elements, *e)
			}
		}
		for _, e := range b.Elements {
			e.Block = b.Block
			out = append(out, e)
		}
	}
	return out
}

// entered reads what was typed and chosen in a window, keyed as slackemu takes it. Of several choices none may be made, of
// which a form says nothing; a date with a time is in the person's zone.
func (d deed) entered(v slackemu.Shown) (map[string]any, error) {
	given := map[string][]string{}
	for name, values := range d.form {
		if block, action, ok := blockkit.ParseName(name); ok {
			given[block+"/"+action] = values
		}
	}
	out := map[string]any{}
	for _, in := range inputsOf(v.Blocks) {
		key := in.Block + "/" + in.Action
		values, ok := given[key]
		switch {
		case in.Type == "multi_static_select" || in.Type == "checkboxes":
			out[key] = append([]string{}, values...)
		case strings.HasPrefix(in.Type, "multi_"): // typed, with a space between
			out[key] = append([]string{}, strings.Fields(strings.Join(values, " "))...)
		case !ok:
		case in.Type == "datetimepicker" && values[0] != "":
			at, err := blockkit.ParseDateTime(values[0], d.person.Zone())
			if err != nil {
				return nil, fmt.Errorf("read the date: %w", err)
			}
			out[key] = at
		default:
			out[key] = values[0]
		}
	}
	return out, nil
}

// chosen is the value that goes with a use: the option's, or the button's, or else what the element's field in the form holds.
func (d deed) chosen(u blockkit.Use, blocks json.RawMessage) (string, error) {
	if u.Value != "" {
		return u.Value, nil
	}
	values, err := d.entered(slackemu.Shown{Blocks: blocks})
	if err != nil {
		return "", err
	}
	switch v := values[u.Block+"/"+u.Action].(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []string:
		if len(v) > 1 {
			return "", errors.New("this page can make one choice at a time here")
		}
		return strings.Join(v, ""), nil
	default:
		return "", nil
	}
}
