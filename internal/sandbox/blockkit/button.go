package blockkit

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// mostLabel is how many characters of a button's label are sure to be seen (Slack, button element: "may truncate with ~30
// characters").
const mostLabel = 30

// press is something that is pressed to use an element.
type press struct {
	label, aria, style string
	use                Use
	confirm            node // what is asked first; nil: nothing
}

func (c *renderer) button(b, e node) {
	label := blockjson.Text(e["text"])
	if label == "" {
		c.refused("a button must have text")
		return
	}
	if url := blockjson.Str(e, "url"); url != "" { // the page never leaves the machine
		c.leaf("a", []attr{class("bk-button"), is("role", "link"), is("aria-disabled", "true"), is("title", clean(url))}, label)
	} else {
		c.press(press{
			label: label, aria: blockjson.Str(e, "accessibility_label"), style: blockjson.Str(e, "style"),
			use: use(b, e, blockjson.Str(e, "value")), confirm: blockjson.Sub(e, "confirm"),
		})()
	}
	c.cut(label)
}

// cut says what a real client may not show.
func (c *renderer) cut(label string) {
	if chars(label) > mostLabel {
		c.leaf("span", []attr{class("bk-cut")}, fmt.Sprintf("Slack may cut this after %d characters", mostLabel))
	}
}

// press writes a button. What it returns writes the dialog that asks first, where it may stand.
func (c *renderer) press(p press) (dialog func()) {
	names := class("bk-button" + styleOf(p.style))
	if p.confirm == nil {
		c.leaf("button", []attr{
			is("type", "submit"), is("name", "use"), is("value", p.use.String()), names,
			opt("aria-label", clean(p.aria)), set("disabled", c.o.Inert),
		}, p.label)
		return func() {}
	}
	id := c.id()
	c.leaf("button", []attr{
		is("type", "button"), is("data-dialog", id), is("aria-haspopup", "dialog"), names,
		opt("aria-label", clean(p.aria)), set("disabled", c.o.Inert),
	}, p.label)
	return func() { c.ask(id, p) }
}

func styleOf(style string) string {
	switch style {
	case "primary", "danger":
		return " bk-" + style
	default:
		return ""
	}
}

// ask is the dialog in which a person confirms.
func (c *renderer) ask(id string, p press) {
	ask := p.confirm
	yes, no := or(blockjson.Text(ask["confirm"]), "Yes"), or(blockjson.Text(ask["deny"]), "Cancel")
	title := c.id()
	c.el("dialog", []attr{is("id", id), is("aria-labelledby", title), class("bk-confirm")}, func() {
		c.leaf("p", []attr{class("bk-confirm-title"), is("id", title)}, blockjson.Text(ask["title"]))
		c.box("bk-text", func() { c.write(ask["text"]) })
		c.box("bk-actions", func() {
			c.leaf("button", []attr{is("type", "button"), set("data-close", true), set("autofocus", true), class("bk-button")}, no)
			c.leaf("button", []attr{
				is("type", "submit"), is("name", "use"), is("value", p.use.String()),
				class("bk-button" + styleOf(or(blockjson.Str(ask, "style"), "primary"))), set("disabled", c.o.Inert),
			}, yes)
		})
	})
}
