package blockkit

import (
	"encoding/json"
	"fmt"
	"html/template"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Blocks renders a list of blocks. What Slack would not take is shown as an error in its place.
func Blocks(raw json.RawMessage, o Options) template.HTML {
	c := &renderer{o: o}
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var blocks []any
	if err := blockjson.Decode(raw, &blocks); err != nil {
		c.refused("this is no list of blocks")
		return c.html()
	}
	for i, v := range blocks {
		if b, ok := v.(node); ok {
			c.block(b)
		} else {
			c.refused(fmt.Sprintf("block %d is not an object", i))
		}
		c.gap()
	}
	return c.html()
}

// renderer renders blocks for one reader.
type renderer struct {
	writer
	o   Options
	ids int
}

// id makes an ID that is unique on the page if Options.ID is.
func (c *renderer) id() string {
	c.ids++
	return fmt.Sprintf("%s-%d", or(c.o.ID, "bk"), c.ids)
}

// refused shows what the real Slack would not take.
func (c *renderer) refused(why string) {
	c.leaf("p", []attr{class("bk-error"), is("role", "alert")}, "Slack would refuse this: "+why)
}

// unshown shows what Slack would take and this page cannot show.
func (c *renderer) unshown(what string) {
	c.leaf("p", []attr{class("bk-error"), is("role", "alert")}, "This page cannot show what Slack would: "+what)
}

func (c *renderer) block(b node) {
	switch kind := blockjson.Str(b, "type"); kind {
	case "header":
		c.leaf("h4", []attr{class("bk-header")}, blockjson.Text(b["text"]))
	case "section":
		c.section(b)
	case "divider":
		c.void("hr", class("bk-divider"))
	case "context":
		c.context(b)
	case "actions":
		c.box("bk-actions", func() { c.elements(b) })
	case "input":
		c.input(b)
	case "image":
		c.image(b)
	case "markdown":
		c.box("bk-text", func() { c.text(blockjson.Str(b, "text")) })
	case "alert":
		c.el("div", []attr{class("bk-alert"), is("role", "note")}, func() { c.write(b["text"]) })
	case "rich_text":
		c.box("bk-text", func() { c.rich(b) })
	case "table", "data_table":
		c.table(b)
	case "data_visualization":
		c.chart(b)
	default:
		c.refused(fmt.Sprintf("unsupported type of block: %q", kind))
	}
}

func (c *renderer) box(names string, body func()) { c.el("div", []attr{class(names)}, body) }

// write writes a text object.
func (c *renderer) write(v any) {
	n, ok := v.(node)
	if !ok {
		c.refused("a text is missing")
		return
	}
	switch kind := blockjson.Str(n, "type"); kind {
	case "mrkdwn":
		mrkdwn(&c.writer, blockjson.Str(n, "text"), c.o.Reader)
	case "plain_text":
		c.text(WithEmoji(blockjson.Str(n, "text")))
	default:
		c.refused(fmt.Sprintf("unsupported type of text: %q", kind))
	}
}

// section shows text, then fields in two columns, and the accessory beside them.
func (c *renderer) section(b node) {
	fields, accessory := blockjson.List(b, "fields"), b["accessory"]
	if b["text"] == nil && len(fields) == 0 {
		c.refused("a section must have text or fields")
		return
	}
	c.box("bk-section", func() {
		c.box("bk-body", func() {
			if b["text"] != nil {
				c.box("bk-text", func() { c.write(b["text"]) })
			}
			if len(fields) > 0 {
				c.box("bk-fields", func() {
					for _, f := range fields {
						c.box("bk-text", func() { c.write(f) })
					}
				})
			}
		})
		if accessory != nil {
			c.box("bk-accessory", func() { c.elementOf(b, accessory) })
		}
	})
}

func (c *renderer) context(b node) {
	c.box("bk-context", func() {
		for _, v := range blockjson.List(b, "elements") {
			if e, ok := v.(node); ok && blockjson.Str(e, "type") == "image" {
				c.image(e)
				continue
			}
			c.box("bk-text", func() { c.write(v) })
		}
	})
}

// image shows an image as its words: the page loads nothing.
func (c *renderer) image(n node) {
	alt := or(blockjson.Text(n["title"]), blockjson.Str(n, "alt_text"))
	if alt == "" {
		c.refused("an image must have alt_text")
		return
	}
	c.leaf("span", []attr{class("bk-image")}, "image: "+alt)
}
