package blockkit

import "github.com/keyturn/keyturn/internal/sandbox/blockjson"

// choose is a menu of a form: its values are the options' own.
func (c *renderer) choose(b, e node, attrs []attr) {
	chosen := c.chosen(b, e)
	c.el("select", append([]attr{class("bk-select")}, attrs...), func() {
		if blockjson.Str(e, "type") == "static_select" {
			c.leaf("option", []attr{is("value", "")}, or(blockjson.Text(e["placeholder"]), "Choose"))
		}
		c.options(e, func(o node) []attr {
			return []attr{is("value", blockjson.Str(o, "value")), set("selected", chosen[blockjson.Str(o, "value")])}
		})
	})
}

// options writes the options of a menu, in their groups.
func (c *renderer) options(e node, attrs func(o node) []attr) {
	write := func(options []node) {
		for _, o := range options {
			c.leaf("option", attrs(o), blockjson.Text(o["text"]))
		}
	}
	if len(blockjson.Options(e)) == 0 {
		c.leaf("option", []attr{set("disabled", true)}, "Slack would refuse this: no options")
	}
	write(blockjson.Nodes(e, "options"))
	for _, g := range blockjson.Nodes(e, "option_groups") {
		c.el("optgroup", []attr{is("label", clean(blockjson.Text(g["label"])))}, func() { write(blockjson.Nodes(g, "options")) })
	}
}

// group is one box to check for each option.
func (c *renderer) group(b, e node, field, label string, attrs []attr) {
	if len(blockjson.Nodes(e, "options")) == 0 {
		c.refused("no options")
		return
	}
	kind, role := "checkbox", "group"
	if blockjson.Str(e, "type") == "radio_buttons" {
		kind, role = "radio", "radiogroup"
	}
	var whole []attr // of the group; the rest is of each box
	for _, a := range attrs {
		switch a.name {
		case "name", "autofocus", "disabled", "aria-label":
		default:
			whole = append(whole, a)
		}
	}
	chosen := c.chosen(b, e)
	c.el("fieldset", append([]attr{class("bk-group"), is("role", role), set("disabled", c.o.Inert)}, whole...), func() {
		c.leaf("legend", []attr{class("bk-label")}, label)
		for _, o := range blockjson.Nodes(e, "options") {
			c.el("label", []attr{class("bk-option")}, func() {
				value := blockjson.Str(o, "value")
				c.void("input", is("type", kind), is("name", field), is("value", value), set("checked", chosen[value]), set("disabled", c.o.Inert))
				c.el("span", nil, func() {
					c.write(o["text"])
					if d := o["description"]; d != nil {
						c.el("span", []attr{class("bk-hint")}, func() { c.write(d) })
					}
				})
			})
		}
	})
}
