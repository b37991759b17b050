package blockkit

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// table writes a table block or a data table block. The first row heads the columns.
func (c *renderer) table(b node) {
	rows := blockjson.List(b, "rows")
	if len(rows) == 0 {
		c.refused("a table must have rows")
		return
	}
	caption := blockjson.Str(b, "caption")
	head, _ := rows[0].([]any)
	name := or(caption, "Table")
	if caption == "" {
		var titles []string
		for _, v := range head {
			titles = append(titles, words(v))
		}
		name += ": " + strings.Join(titles, ", ")
	}
	c.scroll(name, func() {
		c.el("table", []attr{class("bk-table"), is("aria-label", clean(name))}, func() {
			if caption != "" {
				c.leaf("caption", nil, caption)
			}
			c.el("thead", nil, func() { c.row(b, rows[0], true) })
			c.el("tbody", nil, func() {
				for _, r := range rows[1:] {
					c.row(b, r, false)
				}
			})
		})
	})
}

// scroll holds what may be wider than the page, and can be scrolled with the keyboard.
func (c *renderer) scroll(name string, body func()) {
	c.el("div", []attr{class("bk-scroll"), is("tabindex", "0"), is("role", "region"), is("aria-label", clean(name))}, body)
}

func (c *renderer) row(b node, v any, head bool) {
	cells, ok := v.([]any)
	settings, heading := blockjson.List(b, "column_settings"), num(b, "row_header_column_index")
	c.el("tr", nil, func() {
		if !ok || len(cells) == 0 {
			c.el("td", nil, func() { c.refused("a row must have cells") })
		}
		for i, v := range cells {
			n, _ := v.(node)
			var setting node
			if i < len(settings) {
				setting, _ = settings[i].(node)
			}
			names := opt("class", cellClass(setting, blockjson.Str(n, "type")))
			switch {
			case head:
				c.el("th", []attr{is("scope", "col"), names}, func() { c.cell(b, n) })
			case heading == fmt.Sprint(i):
				c.el("th", []attr{is("scope", "row"), names}, func() { c.cell(b, n) })
			default:
				c.el("td", []attr{names}, func() { c.cell(b, n) })
			}
		}
	})
}

func cellClass(setting node, kind string) string {
	var names []string
	switch to := blockjson.Str(setting, "align"); {
	case to == "center":
		names = append(names, "bk-center")
	case to == "right", to == "" && kind == "raw_number":
		names = append(names, "bk-end")
	}
	if blockjson.IsSet(setting, "is_wrapped") {
		names = append(names, "bk-wrap")
	}
	return strings.Join(names, " ")
}

func (c *renderer) cell(b, n node) {
	switch kind := blockjson.Str(n, "type"); kind {
	case "raw_text", "raw_number":
		c.text(words(n))
	case "rich_text":
		c.rich(n)
	case "action_cell":
		c.elementOf(b, n["element"])
	default:
		c.refused(fmt.Sprintf("unsupported type of cell: %q", kind))
	}
}

// words is the text of a cell that is text or a number.
func words(v any) string {
	n, _ := v.(node)
	return or(blockjson.Str(n, "text"), num(n, "value"))
}
