package blockkit

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// rich writes the elements of a rich text.
func (c *renderer) rich(b node) {
	for _, v := range blockjson.List(b, "elements") {
		e, ok := v.(node)
		if !ok {
			c.refused("an element is not an object")
			continue
		}
		switch kind := blockjson.Str(e, "type"); kind {
		case "rich_text_section":
			c.el("div", nil, func() { c.runs(e) })
		case "rich_text_list":
			tag := name("ul")
			if blockjson.Str(e, "style") == "ordered" {
				tag = "ol"
			}
			c.el(tag, nil, func() {
				for _, item := range blockjson.Nodes(e, "elements") {
					c.el("li", nil, func() { c.runs(item) })
				}
			})
		case "rich_text_quote":
			c.el("blockquote", nil, func() { c.runs(e) })
		case "rich_text_preformatted":
			c.el("pre", nil, func() { c.runs(e) })
		default:
			c.refused(fmt.Sprintf("unsupported type of rich text: %q", kind))
		}
	}
}

// runs writes the pieces of which a line of rich text is made.
func (c *renderer) runs(parent node) {
	r := c.o.Reader
	for _, e := range blockjson.Nodes(parent, "elements") {
		c.styled(blockjson.Sub(e, "style"), func() {
			switch kind := blockjson.Str(e, "type"); kind {
			case "text":
				c.text(blockjson.Str(e, "text"))
			case "user":
				refer("@"+blockjson.Str(e, "user_id"), r).write(&c.writer)
			case "usergroup":
				refer("!subteam^"+blockjson.Str(e, "usergroup_id"), r).write(&c.writer)
			case "channel":
				refer("#"+blockjson.Str(e, "channel_id"), r).write(&c.writer)
			case "broadcast":
				refer("!"+blockjson.Str(e, "range"), r).write(&c.writer)
			case "link":
				link(blockjson.Str(e, "url"), blockjson.Str(e, "text")).write(&c.writer)
			case "emoji":
				c.text(WithEmoji(":" + blockjson.Str(e, "name") + ":"))
			case "color":
				c.text(blockjson.Str(e, "value"))
			case "date":
				date([]string{"!date", num(e, "timestamp"), blockjson.Str(e, "format")}, blockjson.Str(e, "fallback"), r).write(&c.writer)
			default:
				c.text(fmt.Sprintf("[Slack would refuse this: unsupported type of rich text: %q]", kind))
			}
		})
	}
}

func (c *renderer) styled(style node, body func()) {
	for _, mark := range []struct {
		key string
		tag name
	}{{"code", "code"}, {"strike", "s"}, {"italic", "i"}, {"bold", "b"}} {
		if blockjson.IsSet(style, mark.key) {
			inner := body
			body = func() { c.el(mark.tag, nil, inner) }
		}
	}
	body()
}
