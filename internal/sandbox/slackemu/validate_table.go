package slackemu

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Limits of tables (Slack, table block and data table block). A data table has a header beside its rows. Its cells and the
// number of tables in a message are not documented: it is held to the limits of the table.
const (
	mostRows      = 100
	mostCells     = 20
	mostTableText = 10_000
)

func (c *check) table(n node, here string) {
	c.tables++
	c.rows(n, here, 1, mostRows, []string{"raw_text", "raw_number", "rich_text"})
	if len(blockjson.List(n, "column_settings")) > mostCells {
		c.report(here+"/column_settings", "no more than %d items allowed", mostCells)
	}
	for i, s := range blockjson.Nodes(n, "column_settings") {
		if a, ok := s["align"]; ok && a != "left" && a != "center" && a != "right" {
			c.report(fmt.Sprintf("%s/column_settings/%d/align", here, i), "must be a valid enum value")
		}
	}
}

func (c *check) dataTable(n node, here string) {
	c.tables++
	if blank(blockjson.Str(n, "caption")) {
		c.report(here+"/caption", "must be more than 0 characters")
	}
	c.within(n, "page_size", 1, mostRows, here)
	c.rows(n, here, 2, mostRows+1, []string{"raw_text", "raw_number", "rich_text", "action_cell"})
	rows := blockjson.List(n, "rows")
	if len(rows) == 0 {
		return
	}
	header, _ := rows[0].([]any)
	for i, cell := range blockjson.Objects(header) {
		if blockjson.Str(cell, "type") != "raw_text" {
			c.report(fmt.Sprintf("%s/rows/0/%d", here, i), "the header holds raw_text only")
		}
	}
	for i, r := range rows {
		if cells, _ := r.([]any); len(cells) != len(header) {
			c.report(fmt.Sprintf("%s/rows/%d", here, i), "all rows must have the same number of cells")
		}
	}
	c.within(n, "row_header_column_index", 0, int64(max(0, len(header)-1)), here)
}

// rows validates the cells of a table, and their sum.
func (c *check) rows(n node, here string, least, most int, kinds []string) {
	rows := blockjson.List(n, "rows")
	if len(rows) < least {
		c.report(here+"/rows", "no less than %d items allowed", least)
	}
	if len(rows) > most {
		c.report(here+"/rows", "no more than %d items allowed", most)
	}
	for i, r := range rows {
		at := fmt.Sprintf("%s/rows/%d", here, i)
		cells, ok := r.([]any)
		if !ok || len(cells) == 0 {
			c.report(at, "no less than 1 items allowed")
			continue
		}
		if len(cells) > mostCells {
			c.report(at, "no more than %d items allowed", mostCells)
		}
		for j, v := range cells {
			c.cell(v, fmt.Sprintf("%s/%d", at, j), kinds)
		}
	}
	if textIn(rows) > mostTableText {
		c.report(here+"/rows", "must be less than %d characters in all", mostTableText+1)
	}
}

func (c *check) cell(v any, here string, kinds []string) {
	n, ok := v.(node)
	if !ok {
		c.report(here, "must be an object")
		return
	}
	kind := blockjson.Str(n, "type")
	switch {
	case !slices.Contains(kinds, kind):
		c.report(here+"/type", "unsupported type: %s", kind)
	case kind == "raw_text" && blockjson.Str(n, "text") == "":
		c.report(here+"/text", "must be more than 0 characters")
	case kind == "raw_number":
		if v, ok := n["value"].(json.Number); !ok {
			c.report(here+"/value", "must be a number")
		} else if _, err := v.Float64(); err != nil {
			c.report(here+"/value", "must be a number")
		}
	case kind == "rich_text" && len(blockjson.List(n, "elements")) == 0:
		c.report(here+"/elements", "no less than 1 items allowed")
	case kind == "action_cell":
		e := blockjson.Sub(n, "element")
		if e == nil {
			c.report(here+"/element", "missing required field")
			return
		}
		c.element(e, []string{"button"}, here+"/element")
		if f, ok := n["fallback"]; ok {
			c.cell(f, here+"/fallback", []string{"raw_text", "raw_number"})
		}
	}
}

// chart relies on the client library, which knows the documented limits of charts.
func (c *check) chart(n node, here string) {
	var b slack.DataVisualizationBlock
	if err := json.Unmarshal(encode(n), &b); err != nil {
		c.report(here, "%v", err)
		return
	}
	if err := b.Validate(); err != nil {
		c.report(here, "%v", err)
	}
}
