package slackemu

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Limits of interactive elements (Slack, Block Kit reference).
const (
	mostButton      = 75
	mostValue       = 2000
	mostOptions     = 100
	mostOverflow    = 5
	mostChecks      = 10 // options of checkboxes and radio buttons
	mostOptionText  = 75
	mostOptionValue = 150
	mostPlaceholder = 150
	mostInput       = 3000
)

// Which elements a block may hold.
var (
	singleSelects  = []string{"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
	multiSelects   = []string{"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"}
	choices        = []string{"checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker"}
	actionElements = slices.Concat([]string{"button", "overflow", "workflow_button"}, singleSelects, multiSelects, choices)

	accessoryElements = slices.DeleteFunc(slices.Clone(actionElements), func(kind string) bool { return kind == "datetimepicker" })
	inputElements     = slices.Concat([]string{
		"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input",
	}, singleSelects, multiSelects, choices)
)

func (c *check) element(n node, allowed []string, here string) {
	kind := blockjson.Str(n, "type")
	if !slices.Contains(allowed, kind) {
		c.report(here+"/type", "unsupported type: %s", kind)
		return
	}
	if p, ok := n["placeholder"]; ok {
		c.text(p, "plain_text", mostPlaceholder, here+"/placeholder")
	}
	if d, ok := n["confirm"]; ok {
		c.confirm(d, here+"/confirm")
	}
	if blockjson.IsSet(n, "focus_on_load") {
		if c.focused {
			c.report(here+"/focus_on_load", "only one element can have focus_on_load")
		}
		c.focused = true
	}
	if slices.Contains(multiSelects, kind) {
		c.within(n, "max_selected_items", 1, mostOptions, here)
	}
	switch kind {
	case "button":
		c.button(n, here)
	case "overflow":
		c.options(n, mostOverflow, "plain_text", here)
	case "static_select", "multi_static_select":
		c.selects(n, here)
	case "checkboxes", "radio_buttons":
		c.options(n, mostChecks, "", here)
		c.initial(n, here)
	case "plain_text_input":
		c.length(n, "initial_value", mostInput, here)
		c.within(n, "min_length", 0, mostInput, here)
		c.within(n, "max_length", 1, mostInput, here)
		if least, most := count(n, "min_length"), count(n, "max_length"); most > 0 && least > most {
			c.report(here+"/min_length", "must be less than max_length")
		}
	case "number_input":
		if _, ok := n["is_decimal_allowed"].(bool); !ok {
			c.report(here+"/is_decimal_allowed", "missing required field")
		}
	case "datepicker":
		c.layout(n, "initial_date", time.DateOnly, here)
	case "timepicker":
		c.layout(n, "initial_time", "15:04", here)
	case "datetimepicker":
		c.within(n, "initial_date_time", 1_000_000_000, 9_999_999_999, here)
	}
}

func (c *check) button(n node, here string) {
	c.text(n["text"], "plain_text", mostButton, here+"/text")
	c.length(n, "value", mostValue, here)
	c.length(n, "url", mostURL, here)
	c.length(n, "accessibility_label", mostButton, here)
	c.style(n, here)
}

func (c *check) style(n node, here string) {
	if s, ok := n["style"]; ok && s != "primary" && s != "danger" {
		c.report(here+"/style", "must be a valid enum value")
	}
}

func (c *check) confirm(v any, here string) {
	n, ok := v.(node)
	if !ok {
		c.report(here, "must be an object")
		return
	}
	c.text(n["title"], "plain_text", 100, here+"/title")
	c.text(n["text"], "", 300, here+"/text")
	c.text(n["confirm"], "plain_text", 30, here+"/confirm")
	c.text(n["deny"], "plain_text", 30, here+"/deny")
	c.style(n, here)
}

func (c *check) selects(n node, here string) {
	groups := blockjson.List(n, "option_groups")
	if len(groups) == 0 {
		c.options(n, mostOptions, "plain_text", here)
		c.initial(n, here)
		return
	}
	if len(blockjson.List(n, "options")) > 0 {
		c.report(here, "must have options or option_groups, and not both")
	}
	if len(groups) > mostOptions {
		c.report(here+"/option_groups", "no more than %d items allowed", mostOptions)
	}
	for i, g := range blockjson.Objects(groups) {
		at := fmt.Sprintf("%s/option_groups/%d", here, i)
		c.text(g["label"], "plain_text", mostOptionText, at+"/label")
		c.options(g, mostOptions, "plain_text", at)
	}
	c.initial(n, here)
}

// options validates a list of options, whose text may be of one kind only in menus.
func (c *check) options(n node, most int, kind string, here string) {
	options := blockjson.List(n, "options")
	if len(options) == 0 {
		c.report(here+"/options", "no less than 1 items allowed")
	}
	if len(options) > most {
		c.report(here+"/options", "no more than %d items allowed", most)
	}
	for i, o := range options {
		at := fmt.Sprintf("%s/options/%d", here, i)
		m, ok := o.(node)
		if !ok {
			c.report(at, "must be an object")
			continue
		}
		c.text(m["text"], kind, mostOptionText, at+"/text")
		if blockjson.Str(m, "value") == "" {
			c.report(at+"/value", "missing required field")
		}
		c.length(m, "value", mostOptionValue, at)
		if d, ok := m["description"]; ok {
			c.text(d, kind, mostOptionText, at+"/description")
		}
	}
}

// initial refuses an initial choice that is not among the options.
func (c *check) initial(n node, here string) {
	chosen := blockjson.Nodes(n, "initial_options")
	if o := blockjson.Sub(n, "initial_option"); o != nil {
		chosen = append(chosen, o)
	}
	if most := count(n, "max_selected_items"); most > 0 && int64(len(chosen)) > most {
		c.report(here+"/initial_options", "no more than %d items allowed", most)
	}
	for _, o := range chosen {
		if !slices.ContainsFunc(blockjson.Options(n), func(have node) bool { return blockjson.Str(have, "value") == blockjson.Str(o, "value") }) {
			c.report(here+"/initial_option", "must match one of the options")
		}
	}
}

func (c *check) within(n node, key string, least, most int64, here string) {
	v, ok := n[key]
	if !ok {
		return
	}
	num, isNum := v.(json.Number)
	i, err := num.Int64()
	if !isNum || err != nil || i < least || i > most {
		c.report(here+"/"+key, "must be between %d and %d", least, most)
	}
}

// count reads a number that may be missing: 0.
func count(n node, key string) int64 {
	v, ok := n[key].(json.Number)
	if !ok {
		return 0
	}
	return number(v)
}

func (c *check) layout(n node, key, layout, here string) {
	if v := blockjson.Str(n, key); v != "" {
		if _, err := time.Parse(layout, v); err != nil {
			c.report(here+"/"+key, "must be in the format %s", layout)
		}
	}
}
