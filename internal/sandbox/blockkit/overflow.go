package blockkit

import "github.com/keyturn/keyturn/internal/sandbox/blockjson"

// overflow is a menu whose entries act at once. Its dialogs stand outside, where closing the menu does not hide them.
func (c *renderer) overflow(b, e node) {
	options := blockjson.Nodes(e, "options")
	if len(options) == 0 {
		c.refused("a menu must have options")
		return
	}
	const label = "More actions"
	var dialogs []func()
	c.el("details", []attr{class("bk-overflow")}, func() {
		c.leaf("summary", []attr{is("aria-label", label)}, "⋯")
		c.el("div", []attr{class("bk-menu"), is("role", "group"), is("aria-label", label)}, func() {
			for _, o := range options {
				dialogs = append(dialogs, c.press(press{
					label: blockjson.Text(o["text"]), use: use(b, e, blockjson.Str(o, "value")), confirm: blockjson.Sub(e, "confirm"),
				}))
			}
		})
	})
	for _, write := range dialogs {
		write()
	}
}
