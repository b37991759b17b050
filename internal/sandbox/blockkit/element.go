package blockkit

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// elements writes what a person can use at once.
func (c *renderer) elements(b node) {
	if len(blockjson.List(b, "elements")) == 0 {
		c.refused("no elements")
	}
	for _, e := range blockjson.List(b, "elements") {
		c.elementOf(b, e)
	}
}

func (c *renderer) elementOf(b node, v any) {
	e, ok := v.(node)
	if !ok {
		c.refused("an element is not an object")
		return
	}
	switch kind := blockjson.Str(e, "type"); {
	case kind == "button":
		c.button(b, e)
	case kind == "overflow":
		c.overflow(b, e)
	case kind == "image":
		c.image(e)
	case kind == "workflow_button":
		c.unshown(kind)
	case kind == "static_select" && blockjson.Sub(e, "confirm") == nil:
		c.pick(b, e)
	case blockjson.ValueKey(kind) != "" && blockjson.ValueKey(kind) != "value":
		c.acting(b, e)
	default:
		c.refused(fmt.Sprintf("unsupported type of element: %q", kind))
	}
}

// use is what choosing a value of an element means.
func use(b, e node, value string) Use {
	return Use{Block: blockjson.Str(b, "block_id"), Action: blockjson.Str(e, "action_id"), Value: value}
}

// pick is a menu that acts when something is chosen: its values are uses.
func (c *renderer) pick(b, e node) {
	u := use(b, e, "")
	placeholder := or(blockjson.Text(e["placeholder"]), "Choose")
	chosen := c.chosen(b, e)
	c.el("select", []attr{
		class("bk-select"), set("data-use", true), is("name", "pick:"+inputName(u.Block, u.Action)[len(inputPrefix):]),
		is("aria-label", clean(placeholder)), set("disabled", c.o.Inert),
	}, func() {
		c.leaf("option", []attr{is("value", "")}, placeholder)
		c.options(e, func(o node) []attr {
			value := blockjson.Str(o, "value")
			return []attr{is("value", use(b, e, value).String()), set("selected", chosen[value])}
		})
	})
}

// acting is a control that acts when it is set: a button beside it stands for that. Its value is in the form under its name.
func (c *renderer) acting(b, e node) {
	what := or(blockjson.Text(e["placeholder"]), "Choose")
	c.el("span", []attr{class("bk-acting")}, func() {
		c.control(b, e, what, []attr{is("aria-label", clean(what)), is("data-act", use(b, e, "").String())})
		c.press(press{label: "Set", use: use(b, e, ""), confirm: blockjson.Sub(e, "confirm")})()
	})
}
