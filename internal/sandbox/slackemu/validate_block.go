package slackemu

import (
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// text validates a text object; an empty kind allows both kinds.
func (c *check) text(v any, kind string, most int, here string) {
	n, ok := v.(node)
	if !ok {
		c.report(here, "missing required field")
		return
	}
	switch t := blockjson.Str(n, "type"); {
	case t != "plain_text" && t != "mrkdwn", kind != "" && t != kind:
		c.report(here+"/type", "must be a valid enum value: %q is not allowed here", t)
	case blank(blockjson.Str(n, "text")):
		c.report(here+"/text", "must be more than 0 characters")
	case chars(blockjson.Str(n, "text")) > most:
		c.report(here+"/text", "must be less than %d characters", most+1)
	}
}

func (c *check) block(n node, here string) {
	kind := blockjson.Str(n, "type")
	if !slices.Contains(surfacesOf(kind), c.where) {
		c.report(here+"/type", "unsupported type: %s in a %s", kind, c.where)
		return
	}
	switch kind {
	case "section":
		c.section(n, here)
	case "header":
		c.text(n["text"], "plain_text", mostHeader, here+"/text")
	case "actions":
		c.elements(n, mostActions, actionElements, here)
	case "context":
		c.context(n, here)
	case "input":
		c.input(n, here)
	case "image":
		c.image(n, here)
	case "alert":
		c.text(n["text"], "", mostField, here+"/text")
	case "markdown":
		if blank(blockjson.Str(n, "text")) {
			c.report(here+"/text", "must be more than 0 characters")
		}
		c.markdown += chars(blockjson.Str(n, "text"))
	case "rich_text":
		if len(blockjson.List(n, "elements")) == 0 {
			c.report(here+"/elements", "no less than 1 items allowed")
		}
	case "table":
		c.table(n, here)
	case "data_table":
		c.dataTable(n, here)
	case "data_visualization":
		c.chart(n, here)
	}
}

// surfacesOf says where a kind of block is allowed; nowhere if Slack does not know it or keyturn does not use it.
func surfacesOf(kind string) []surface {
	switch kind {
	case "section", "divider", "header", "actions", "context", "image", "input", "rich_text":
		return []surface{surfaceMessage, surfaceModal, surfaceHome}
	case "markdown", "table", "data_table", "data_visualization":
		return []surface{surfaceMessage}
	case "alert":
		return []surface{surfaceModal}
	default:
		return nil
	}
}

func (c *check) section(n node, here string) {
	_, hasText := n["text"]
	fields, hasFields := n["fields"].([]any)
	if !hasText && !hasFields {
		c.report(here, "must have text or fields")
	}
	if hasText {
		c.text(n["text"], "", mostSection, here+"/text")
	}
	if hasFields && len(fields) == 0 {
		c.report(here+"/fields", "no less than 1 items allowed")
	}
	if len(fields) > mostFields {
		c.report(here+"/fields", "no more than %d items allowed", mostFields)
	}
	for i, f := range fields {
		c.text(f, "", mostField, fmt.Sprintf("%s/fields/%d", here, i))
	}
	if a := blockjson.Sub(n, "accessory"); a != nil {
		if blockjson.Str(a, "type") == "image" {
			c.image(a, here+"/accessory")
		} else {
			c.element(a, accessoryElements, here+"/accessory")
		}
	}
}

func (c *check) elements(n node, most int, allowed []string, here string) {
	elements := blockjson.List(n, "elements")
	if len(elements) == 0 {
		c.report(here+"/elements", "no less than 1 items allowed")
	}
	if len(elements) > most {
		c.report(here+"/elements", "no more than %d items allowed", most)
	}
	for i, e := range elements {
		m, ok := e.(node)
		if !ok {
			c.report(fmt.Sprintf("%s/elements/%d", here, i), "must be an object")
			continue
		}
		c.element(m, allowed, fmt.Sprintf("%s/elements/%d", here, i))
	}
}

func (c *check) context(n node, here string) {
	elements := blockjson.List(n, "elements")
	if len(elements) == 0 {
		c.report(here+"/elements", "no less than 1 items allowed")
	}
	if len(elements) > mostContext {
		c.report(here+"/elements", "no more than %d items allowed", mostContext)
	}
	for i, e := range elements {
		at := fmt.Sprintf("%s/elements/%d", here, i)
		if m, ok := e.(node); ok && blockjson.Str(m, "type") == "image" {
			c.image(m, at)
			continue
		}
		c.text(e, "", mostSection, at)
	}
}

func (c *check) input(n node, here string) {
	c.text(n["label"], "plain_text", mostLabel, here+"/label")
	if hint, ok := n["hint"]; ok {
		c.text(hint, "plain_text", mostLabel, here+"/hint")
	}
	e := blockjson.Sub(n, "element")
	if e == nil {
		c.report(here+"/element", "missing required field")
		return
	}
	c.element(e, inputElements, here+"/element")
}

func (c *check) image(n node, here string) {
	c.length(n, "image_url", mostURL, here)
	c.length(n, "alt_text", mostAlt, here)
	if blockjson.Str(n, "image_url") == "" && blockjson.Sub(n, "slack_file") == nil {
		c.report(here, "must have image_url or slack_file")
	}
	if blockjson.Str(n, "alt_text") == "" {
		c.report(here+"/alt_text", "missing required field")
	}
	if title, ok := n["title"]; ok {
		c.text(title, "plain_text", mostAlt, here+"/title")
	}
}

// length refuses a string that is too long; one that is missing is fine.
func (c *check) length(n node, key string, most int, here string) {
	if chars(blockjson.Str(n, key)) > most {
		c.report(here+"/"+key, "must be less than %d characters", most+1)
	}
}
