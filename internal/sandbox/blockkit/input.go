package blockkit

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// input is a block to fill in: label, control, hint and what is wrong with it. The server checks what is required, as Slack
// does: the browser is only told.
func (c *renderer) input(b node) {
	e, label := blockjson.Sub(b, "element"), blockjson.Text(b["label"])
	if e == nil || label == "" {
		c.refused("an input must have a label and an element")
		return
	}
	if blockjson.IsSet(b, "optional") {
		label += " (optional)"
	}
	id, hint, wrong := c.id(), blockjson.Text(b["hint"]), c.o.Errors[blockjson.Str(b, "block_id")]
	attrs, described := []attr{is("id", id)}, ""
	if hint != "" {
		described = id + "-hint"
	}
	if wrong != "" {
		if described != "" {
			described += " "
		}
		described += id + "-error"
		attrs = append(attrs, is("aria-invalid", "true"))
	}
	attrs = append(attrs, opt("aria-describedby", described))
	if !blockjson.IsSet(b, "optional") && blockjson.Str(e, "type") != "checkboxes" {
		attrs = append(attrs, is("aria-required", "true"))
	}
	c.box("bk-input", func() {
		if !grouped(blockjson.Str(e, "type")) {
			c.leaf("label", []attr{class("bk-label"), is("for", id)}, label)
		}
		c.control(b, e, label, attrs)
		if hint != "" {
			c.leaf("p", []attr{class("bk-hint"), is("id", id+"-hint")}, hint)
		}
		if wrong != "" {
			c.leaf("p", []attr{class("bk-input-error"), is("id", id+"-error")}, wrong)
		}
	})
}

// grouped says whether a control is several, with a legend in place of a label.
func grouped(kind string) bool { return kind == "radio_buttons" || kind == "checkboxes" }

// control writes what holds a value. label is for controls that are several.
func (c *renderer) control(b, e node, label string, attrs []attr) {
	kind := blockjson.Str(e, "type")
	field := inputName(blockjson.Str(b, "block_id"), blockjson.Str(e, "action_id"))
	attrs = append(attrs, is("name", field), set("autofocus", blockjson.IsSet(e, "focus_on_load") && !c.o.Inert), set("disabled", c.o.Inert))
	switch kind {
	case "plain_text_input", "rich_text_input":
		c.typed(b, e, attrs)
	case "email_text_input":
		c.field("email", c.entered(b, e), e, attrs)
	case "url_text_input":
		c.field("url", c.entered(b, e), e, attrs)
	case "number_input":
		step := is("step", "1")
		if blockjson.IsSet(e, "is_decimal_allowed") {
			step = is("step", "any")
		}
		c.field("number", c.entered(b, e), e, append(attrs, step, opt("min", blockjson.Str(e, "min_value")), opt("max", blockjson.Str(e, "max_value"))))
	case "datepicker":
		c.field("date", c.entered(b, e), node{}, attrs)
	case "timepicker":
		c.field("time", c.entered(b, e), node{}, attrs)
	case "datetimepicker":
		c.field("datetime-local", c.moment(b, e), node{}, attrs)
	case "static_select", "multi_static_select":
		c.choose(b, e, append(attrs, set("multiple", kind == "multi_static_select")))
	case "radio_buttons", "checkboxes":
		c.group(b, e, field, label, attrs)
	case "file_input":
		c.unshown(kind)
	default:
		if blockjson.ValueKey(kind) == "" {
			c.refused(fmt.Sprintf("unsupported type of element: %q", kind))
			return
		}
		c.field("text", c.entered(b, e), e, attrs) // people, channels and options that a server offers: by their IDs
	}
}

func (c *renderer) field(kind, value string, e node, attrs []attr) {
	c.void("input", append([]attr{
		is("type", kind), class("bk-field"), opt("value", value), opt("placeholder", clean(blockjson.Text(e["placeholder"]))),
	}, attrs...)...)
}

func (c *renderer) typed(b, e node, attrs []attr) {
	attrs = append(attrs, opt("minlength", num(e, "min_length")), opt("maxlength", num(e, "max_length")))
	if !blockjson.IsSet(e, "multiline") && blockjson.Str(e, "type") != "rich_text_input" {
		c.field("text", c.entered(b, e), e, attrs)
		return
	}
	c.el("textarea", append([]attr{
		class("bk-field"), is("rows", "4"), opt("placeholder", clean(blockjson.Text(e["placeholder"]))),
	}, attrs...), func() { c.lines(c.entered(b, e)) })
}
