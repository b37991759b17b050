package slackemu

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

func (c screen) block(b node, state inputs) string {
	switch kind := blockjson.Str(b, "type"); kind {
	case "header":
		return underlined(c.text(b["text"]))
	case "section":
		return c.section(b, state)
	case "divider":
		return strings.Repeat("─", width/2)
	case "context":
		return wrap(strings.Join(c.contextParts(b), "  "), width)
	case "actions":
		var parts []string
		for _, e := range blockjson.Nodes(b, "elements") {
			parts = append(parts, c.element(e, state[blockjson.Str(b, "block_id")][blockjson.Str(e, "action_id")]))
		}
		return wrap(strings.Join(parts, " "), width)
	case "input":
		return c.input(b, state)
	case "image":
		return "[image: " + or(c.text(b["title"]), blockjson.Str(b, "alt_text")) + "]"
	case "markdown":
		return wrap(blockjson.Str(b, "text"), width)
	case "alert":
		return wrap("! "+c.text(b["text"]), width)
	case "rich_text":
		return wrap(c.rich(blockjson.List(b, "elements")), width)
	case "table":
		return c.table(blockjson.List(b, "rows"))
	case "data_table":
		return blockjson.Str(b, "caption") + "\n" + c.table(blockjson.List(b, "rows"))
	case "data_visualization":
		return c.chart(b)
	default:
		return "[" + kind + "]"
	}
}

// section shows text, then fields in two columns, and the accessory behind the text.
func (c screen) section(b node, state inputs) string {
	var parts []string
	if t := c.text(b["text"]); t != "" {
		parts = append(parts, wrap(t, width))
	}
	if f := c.fields(blockjson.List(b, "fields")); f != "" {
		parts = append(parts, f)
	}
	text := strings.Join(parts, "\n")
	a := blockjson.Sub(b, "accessory")
	if a == nil {
		return text
	}
	shown := c.element(a, state[blockjson.Str(b, "block_id")][blockjson.Str(a, "action_id")])
	last := text[strings.LastIndex(text, "\n")+1:]
	if columns(last)+2+columns(shown) <= width {
		return text + "  " + shown
	}
	return text + "\n" + shown
}

// fields shows two columns, row by row as Slack does.
func (c screen) fields(fields []any) string {
	const gap = 2
	half := (width - gap) / 2
	var out []string
	for i := 0; i < len(fields); i += 2 {
		left := strings.Split(wrap(c.text(fields[i]), half), "\n")
		var right []string
		if i+1 < len(fields) {
			right = strings.Split(wrap(c.text(fields[i+1]), half), "\n")
		}
		for j := range max(len(left), len(right)) {
			line := at(left, j)
			if r := at(right, j); r != "" {
				line = pad(line, half+gap) + r
			}
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-columns(s))) }

func (c screen) contextParts(b node) []string {
	var out []string
	for _, e := range blockjson.Nodes(b, "elements") {
		if blockjson.Str(e, "type") == "image" {
			out = append(out, "["+blockjson.Str(e, "alt_text")+"]")
			continue
		}
		out = append(out, c.text(e))
	}
	return out
}

func (c screen) input(b node, state inputs) string {
	e := blockjson.Sub(b, "element")
	label := c.text(b["label"])
	if blockjson.IsSet(b, "optional") {
		label += " (optional)"
	}
	out := label + "\n  " + c.element(e, state[blockjson.Str(b, "block_id")][blockjson.Str(e, "action_id")])
	if hint := c.text(b["hint"]); hint != "" {
		out += "\n" + wrap("  "+hint, width)
	}
	return out
}

// element shows what a person can use, with the value it has now.
func (c screen) element(e, value node) string {
	switch kind := blockjson.Str(e, "type"); kind {
	case "button":
		return "[" + c.text(e["text"]) + "]"
	case "overflow":
		return "[⋯ " + c.optionTexts(e, nil) + "]"
	case "image":
		return "[image: " + blockjson.Str(e, "alt_text") + "]"
	case "radio_buttons", "checkboxes":
		return c.optionTexts(e, chosen(e, value))
	default:
		shown := strings.Join(c.shown(e, value), ", ")
		if shown == "" {
			shown = c.text(e["placeholder"])
		}
		if options := c.optionTexts(e, nil); options != "" {
			return "[" + shown + " ▾ " + options + "]"
		}
		return "[" + or(shown, strings.Repeat("_", 20)) + "]"
	}
}

// chosen returns the values of the options that are chosen; without a state those that are initial.
func chosen(e, value node) []string {
	if value == nil {
		value = startingValue(e)
	}
	var out []string
	for _, o := range append(blockjson.Nodes(value, "selected_options"), blockjson.Sub(value, "selected_option")) {
		if o != nil {
			out = append(out, blockjson.Str(o, "value"))
		}
	}
	return out
}

// optionTexts shows options; picked is nil for a menu, where none is marked.
func (c screen) optionTexts(e node, picked []string) string {
	options := blockjson.Options(e)
	texts := make([]string, len(options))
	marked := blockjson.Str(e, "type") == "radio_buttons" || blockjson.Str(e, "type") == "checkboxes"
	for i, o := range options {
		texts[i] = c.text(o["text"])
		if marked {
			mark := "( ) "
			for _, p := range picked {
				if p == blockjson.Str(o, "value") {
					mark = "(x) "
				}
			}
			texts[i] = mark + texts[i]
		}
	}
	if marked {
		return strings.Join(texts, "  ")
	}
	return strings.Join(texts, " | ")
}

// shown is the value of an element in words.
func (c screen) shown(e, value node) []string {
	if value == nil {
		value = startingValue(e)
	}
	kind := blockjson.Str(e, "type")
	switch v := value[blockjson.ValueKey(kind)].(type) {
	case json.Number:
		if seconds := number(v); seconds > 0 && c.zone != nil {
			return []string{time.Unix(seconds, 0).In(c.zone).Format("2006-01-02 15:04")}
		}
	case string:
		return []string{c.mention(kind, v)}
	case node:
		if v != nil {
			return []string{c.text(v["text"])}
		}
	case []any:
		var out []string
		for _, item := range v {
			if o, ok := item.(node); ok {
				out = append(out, c.text(o["text"]))
			} else if id, ok := item.(string); ok {
				out = append(out, c.mention(kind, id))
			}
		}
		return out
	}
	return nil
}

func (c screen) mention(kind, id string) string {
	switch {
	case id == "":
		return ""
	case strings.Contains(kind, "users_select"):
		return c.reference("@" + id)
	case strings.Contains(kind, "channels_select"), strings.Contains(kind, "conversations_select"):
		return c.reference("#" + id)
	default:
		return id
	}
}
