package slackemu

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// rich renders the elements of a rich text block.
func (c screen) rich(elements []any) string {
	var out []string
	for _, e := range blockjson.Objects(elements) {
		switch blockjson.Str(e, "type") {
		case "rich_text_list":
			for i, item := range blockjson.Nodes(e, "elements") {
				mark := "• "
				if blockjson.Str(e, "style") == "ordered" {
					mark = strconv.Itoa(i+1) + ". "
				}
				out = append(out, mark+c.inline(item))
			}
		case "rich_text_quote":
			out = append(out, "│ "+strings.ReplaceAll(c.inline(e), "\n", "\n│ "))
		default: // sections and preformatted text
			out = append(out, c.inline(e))
		}
	}
	return strings.Join(out, "\n")
}

func (c screen) inline(parent node) string {
	var b strings.Builder
	for _, e := range blockjson.Nodes(parent, "elements") {
		switch blockjson.Str(e, "type") {
		case "user":
			b.WriteString(c.reference("@" + blockjson.Str(e, "user_id")))
		case "channel":
			b.WriteString(c.reference("#" + blockjson.Str(e, "channel_id")))
		case "link":
			if text := blockjson.Str(e, "text"); text != "" {
				b.WriteString(text + " (" + blockjson.Str(e, "url") + ")")
			} else {
				b.WriteString(blockjson.Str(e, "url"))
			}
		case "emoji":
			b.WriteString(":" + blockjson.Str(e, "name") + ":")
		case "date":
			ts, _ := e["timestamp"].(json.Number)
			b.WriteString(c.date([]string{"!date", ts.String(), blockjson.Str(e, "format")}, blockjson.Str(e, "fallback")))
		default:
			b.WriteString(clean(blockjson.Str(e, "text")))
		}
	}
	return b.String()
}

// table renders rows in columns, with a line below the first row.
func (c screen) table(rows []any) string {
	var cells [][]string
	var widths []int
	for _, r := range rows {
		l, _ := r.([]any)
		row := make([]string, len(l))
		for i, v := range l {
			row[i] = c.cell(v)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(row[i]))
		}
		cells = append(cells, row)
	}
	var out []string
	for i, row := range cells {
		var line strings.Builder
		for j, text := range row {
			line.WriteString(pad(text, widths[j]+2))
		}
		out = append(out, strings.TrimRight(line.String(), " "))
		if i == 0 {
			total := 0
			for _, w := range widths {
				total += w + 2
			}
			out = append(out, strings.Repeat("─", max(total-2, 0)))
		}
	}
	return strings.Join(out, "\n")
}

func (c screen) cell(v any) string {
	n, ok := v.(node)
	if !ok {
		return ""
	}
	switch blockjson.Str(n, "type") {
	case "raw_number":
		num, _ := n["value"].(json.Number)
		return or(blockjson.Str(n, "text"), num.String())
	case "rich_text":
		return strings.ReplaceAll(c.rich(blockjson.List(n, "elements")), "\n", " ")
	case "action_cell":
		return c.element(blockjson.Sub(n, "element"), nil)
	default:
		return strings.ReplaceAll(clean(blockjson.Str(n, "text")), "\n", " ")
	}
}

// chart renders a chart as bars, one line for each segment, or for each point of each series.
func (c screen) chart(b node) string {
	chart := blockjson.Sub(b, "chart")
	var labels []string
	var values []float64
	add := func(label string, n node) {
		num, _ := n["value"].(json.Number)
		f, err := num.Float64()
		if err != nil {
			f = 0
		}
		labels, values = append(labels, label), append(values, f)
	}
	for _, seg := range blockjson.Nodes(chart, "segments") {
		add(blockjson.Str(seg, "label"), seg)
	}
	series := blockjson.Nodes(chart, "series")
	for _, s := range series {
		for _, point := range blockjson.Nodes(s, "data") {
			label := blockjson.Str(point, "label")
			if len(series) > 1 {
				label += " " + blockjson.Str(s, "name")
			}
			add(label, point)
		}
	}
	return blockjson.Str(b, "title") + "\n" + bars(labels, values)
}

func bars(labels []string, values []float64) string {
	const longest = 40
	top, wide := 0.0, 0
	for i, v := range values {
		top, wide = max(top, v), max(wide, columns(labels[i]))
	}
	out := make([]string, len(values))
	for i, v := range values {
		n := 0
		if top > 0 && v > 0 {
			n = max(1, int(v/top*longest+0.5))
		}
		out[i] = strings.TrimRight(fmt.Sprintf("%s  %s %s", pad(labels[i], wide), strings.Repeat("█", n),
			strconv.FormatFloat(v, 'f', -1, 64)), " ")
	}
	return strings.Join(out, "\n")
}
