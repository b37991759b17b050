package blockkit

import (
	"encoding/json"
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// chart is what a data visualization shows.
type chart struct {
	kind, title, xTitle, yTitle string
	labels                      []string // of the points, or of the segments of a pie
	series                      []series
}

type series struct {
	name   string
	points []point // as many as there are labels
}

type point struct {
	given bool
	value float64
	shown string // as it was written
}

// chart draws a chart, and has its figures beside it for those who do not see it.
func (c *renderer) chart(b node) {
	ch, ok := readChart(b)
	if !ok {
		c.refused(fmt.Sprintf("unsupported type of chart: %q", ch.kind))
		return
	}
	if ch.title == "" || len(ch.labels) == 0 || len(ch.series) == 0 {
		c.refused("a chart must have a title and figures")
		return
	}
	c.el("figure", []attr{class("bk-chart")}, func() {
		id := c.id()
		c.leaf("figcaption", []attr{is("id", id)}, ch.title)
		draw(&c.writer, ch, id)
		c.legend(ch)
		c.el("details", []attr{class("bk-figures")}, func() {
			c.leaf("summary", nil, "Figures")
			c.scroll("Figures: "+ch.title, func() { c.figures(ch) })
		})
	})
}

func readChart(b node) (_ chart, ok bool) {
	n := blockjson.Sub(b, "chart")
	ch := chart{kind: blockjson.Str(n, "type"), title: blockjson.Str(b, "title")}
	switch ch.kind {
	case "pie":
		s := series{name: "Value"}
		for _, seg := range blockjson.Nodes(n, "segments") {
			ch.labels = append(ch.labels, blockjson.Str(seg, "label"))
			s.points = append(s.points, readPoint(seg))
		}
		ch.series = []series{s}
	case "bar", "line", "area":
		ch.readSeries(n)
	default:
		return ch, false
	}
	return ch, true
}

func (ch *chart) readSeries(n node) {
	axis := blockjson.Sub(n, "axis_config")
	ch.xTitle, ch.yTitle = blockjson.Str(axis, "x_label"), blockjson.Str(axis, "y_label")
	where := map[string]int{}
	for _, v := range blockjson.List(axis, "categories") {
		if label, ok := v.(string); ok {
			where[label] = len(ch.labels)
			ch.labels = append(ch.labels, label)
		}
	}
	for _, s := range blockjson.Nodes(n, "series") {
		out := series{name: blockjson.Str(s, "name"), points: make([]point, len(ch.labels))}
		for _, p := range blockjson.Nodes(s, "data") {
			if i, ok := where[blockjson.Str(p, "label")]; ok {
				out.points[i] = readPoint(p)
			}
		}
		ch.series = append(ch.series, out)
	}
}

func readPoint(n node) point {
	v, ok := n["value"].(json.Number)
	f, err := v.Float64()
	if !ok || err != nil {
		return point{}
	}
	return point{given: true, value: f, shown: v.String()}
}

// legend names the series, or the segments of a pie, in the order in which they are drawn.
func (c *renderer) legend(ch chart) {
	names, tag := ch.labels, name("ol") // segments are numbered
	if ch.kind != "pie" {
		names, tag = nil, "ul"
		for _, s := range ch.series {
			names = append(names, s.name)
		}
		if len(names) == 1 && ch.xTitle == "" && ch.yTitle == "" {
			return
		}
	}
	c.el(tag, []attr{class("bk-legend")}, func() {
		for i, n := range names {
			c.el("li", nil, func() {
				swatch(&c.writer, ch.kind, i)
				c.text(n)
			})
		}
	})
}

// figures has a row for each label and a column for each series.
func (c *renderer) figures(ch chart) {
	c.el("table", []attr{class("bk-table"), is("aria-label", clean("Figures: "+ch.title))}, func() {
		c.el("thead", nil, func() {
			c.el("tr", nil, func() {
				c.leaf("th", []attr{is("scope", "col")}, or(ch.xTitle, "Label"))
				for _, s := range ch.series {
					c.leaf("th", []attr{is("scope", "col"), class("bk-end")}, s.name)
				}
			})
		})
		c.el("tbody", nil, func() {
			for i, label := range ch.labels {
				c.el("tr", nil, func() {
					c.leaf("th", []attr{is("scope", "row")}, label)
					for _, s := range ch.series {
						c.leaf("td", []attr{class("bk-end")}, s.points[i].shown)
					}
				})
			}
		})
	})
}
