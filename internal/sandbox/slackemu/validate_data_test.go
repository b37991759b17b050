package slackemu

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	textCell   = `{"type":"raw_text","text":"x"}`
	numberCell = `{"type":"raw_number","value":1.5}`
	buttonCell = `{"type":"action_cell","element":{"type":"button","action_id":"%s","text":{"type":"plain_text","text":"Go"}},"fallback":%s}`
)

// dataTable has a header and so many rows below it.
func dataTable(rows, cells int, more string) string {
	return obj(`[{"type":"data_table","caption":"c","rows":%s%s}]`, times(rows+1, func(int) string {
		return times(cells, func(int) string { return textCell })
	}), more)
}

func dataRows(rows string) string {
	return obj(`[{"type":"data_table","caption":"c","rows":[[%s,%s],%s]}]`, textCell, textCell, rows)
}

func line(values string) string {
	return obj(`[{"type":"data_visualization","title":"t","chart":{"type":"line","series":[{"name":"s","data":%s}],"axis_config":{"categories":["a","b"]}}}]`, values)
}

// TestDataLimits has what a report is made of: tables and charts.
func TestDataLimits(t *testing.T) {
	both := `[{"label":"a","value":1},{"label":"b","value":-2.5}]`
	for _, c := range []struct{ name, good, bad, says string }{
		{"rows of a data table", dataTable(100, 1, ""), dataTable(101, 1, ""), "no more than 101 items"},
		{"a header alone", dataTable(1, 1, ""), dataTable(0, 1, ""), "no less than 2 items"},
		{"cells", dataTable(1, 20, ""), dataTable(1, 21, ""), "no more than 20 items"},
		{"a ragged row", dataRows(obj(`[%s,%s]`, textCell, numberCell)), dataRows(obj(`[%s]`, textCell)), "same number of cells"},
		{"no caption", dataTable(1, 1, ""), obj(`[{"type":"data_table","rows":[[%s],[%s]]}]`, textCell, textCell), "caption"},
		{"page size", dataTable(1, 1, `,"page_size":100`), dataTable(1, 1, `,"page_size":101`), "between 1 and 100"},
		{"row header", dataTable(1, 2, `,"row_header_column_index":1`), dataTable(1, 2, `,"row_header_column_index":2`), "between 0 and 1"},
		{"a number", dataRows(obj(`[%s,%s]`, numberCell, numberCell)), dataRows(obj(`[%s,{"type":"raw_number","value":"1"}]`, numberCell)), "must be a number"},
		{"a button", dataRows(obj(`[%s,%s]`, textCell, obj(buttonCell, "a", numberCell))),
			dataRows(obj(`[%s,%s]`, textCell, obj(buttonCell, "a", `{"type":"rich_text","elements":[{}]}`))), "fallback"},
		{"the buttons of rows", dataRows(obj(`[%s,%s]`, obj(buttonCell, "a", textCell), obj(buttonCell, "b", textCell))),
			dataRows(obj(`[%s,%s]`, obj(buttonCell, "a", textCell), obj(buttonCell, "a", textCell))), "already exists"},
		{"a button in a table", dataRows(obj(`[%s,%s]`, textCell, obj(buttonCell, "a", textCell))),
			obj(`[{"type":"table","rows":[[%s]]}]`, obj(buttonCell, "a", textCell)), "unsupported type: action_cell"},
		{"two tables of two kinds", table(1, 1, 1), strings.TrimSuffix(table(1, 1, 1), "]") + "," + strings.TrimPrefix(dataTable(1, 1, ""), "["), "only_one_table"},
		{"a column's side", obj(`[{"type":"table","rows":[[%s]],"column_settings":[{"align":"right"}]}]`, textCell),
			obj(`[{"type":"table","rows":[[%s]],"column_settings":[{"align":"up"}]}]`, textCell), "enum"},
		{"a number in a table", obj(`[{"type":"table","rows":[[%s]]}]`, numberCell), `[{"type":"table","rows":[[{"type":"raw_number"}]]}]`, "must be a number"},
		{"an empty cell", obj(`[{"type":"table","rows":[[%s]]}]`, textCell), `[{"type":"table","rows":[[null]]}]`, "must be an object"},
		{"every point of a line", line(both), line(`[{"label":"a","value":1}]`), ""},
		{"a point of no category", line(both), line(`[{"label":"a","value":1},{"label":"c","value":1}]`), ""},
		{"a chart's title", chart(1), strings.Replace(chart(1), `"title":"t"`, obj(`"title":"%s"`, x(51)), 1), "50 characters"},
		{"a chart of no kind", chart(1), strings.Replace(chart(1), `"pie"`, `"sunburst"`, 1), ""},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, c.good, c.bad, c.says) })
	}
	for _, where := range []surface{surfaceModal, surfaceHome} {
		for name, blocks := range map[string]string{"a chart": chart(1), "a table": table(1, 1, 1), "a data table": dataTable(1, 1, "")} {
			v := obj(`{"type":"%s","title":%s,"blocks":%s}`, where, pt(1), blocks)
			if _, err := validView(json.RawMessage(v), where, counter()); err == nil || !strings.Contains(err.Error(), "unsupported type") {
				t.Errorf("%s in a %s: %v", name, where, err)
			}
		}
	}
}

// refuses checks a message that just keeps a limit, and one that does not.
func refuses(t *testing.T, good, bad, says string) {
	t.Helper()
	var k content
	if err := k.setBlocks(json.RawMessage(good), counter()); err != nil {
		t.Errorf("refuses what keeps the limit: %v", err)
	}
	err := k.setBlocks(json.RawMessage(bad), counter())
	if err == nil || err.code != "invalid_blocks" || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want invalid_blocks with %q", err, says)
	}
}

func TestMenuLimits(t *testing.T) {
	menu := func(kind, more string) string { return actions(obj(`{"type":"%s"%s}`, kind, more)) }
	options := obj(`,"options":[%s]`, option(1, 1))
	groups := obj(`,"option_groups":[{"label":%s,"options":[%s]}]`, pt(75), option(1, 1))
	markup := `{"text":{"type":"mrkdwn","text":"x"},"value":"x"}`
	field := func(element string) string { return obj(`[{"type":"input","label":%s,"element":%s}]`, pt(1), element) }
	sure := func(style string) string {
		return actions(obj(`{"type":"button","text":%s,"confirm":{"title":%[1]s,"text":%[1]s,"confirm":%[1]s,"deny":%[1]s,"style":"%s"}}`, pt(9), style))
	}
	for _, c := range []struct{ name, good, bad, says string }{
		{"options or groups", menu("static_select", groups), menu("static_select", groups+options), "not both"},
		{"a group's label", menu("static_select", groups), menu("static_select", strings.Replace(groups, pt(75), pt(76), 1)), "less than 76"},
		{"an empty group", menu("static_select", groups), menu("static_select", obj(`,"option_groups":[{"label":%s,"options":[]}]`, pt(1))), "no less than 1"},
		{"so many groups", menu("static_select", obj(`,"option_groups":%s`, times(100, func(int) string { return obj(`{"label":%s,"options":[%s]}`, pt(1), option(1, 1)) }))),
			menu("static_select", obj(`,"option_groups":%s`, times(101, func(int) string { return obj(`{"label":%s,"options":[%s]}`, pt(1), option(1, 1)) }))), "no more than 100"},
		{"an initial option of a group", menu("static_select", groups+obj(`,"initial_option":%s`, option(1, 1))),
			menu("static_select", groups+obj(`,"initial_option":%s`, option(1, 2))), "must match"},
		{"markup in a menu", menu("checkboxes", obj(`,"options":[%s]`, markup)), menu("static_select", obj(`,"options":[%s]`, markup)), "not allowed here"},
		{"markup in an overflow", menu("overflow", options), menu("overflow", obj(`,"options":[%s]`, markup)), "not allowed here"},
		{"several", menu("multi_static_select", options+`,"max_selected_items":1`), menu("multi_static_select", options+`,"max_selected_items":0`), "between 1 and 100"},
		{"several at first", menu("multi_static_select", obj(`,"options":[%s],"initial_options":[%[1]s],"max_selected_items":1`, option(1, 1))),
			menu("multi_static_select", obj(`,"options":[%s,%s],"initial_options":[%[1]s,%s],"max_selected_items":1`, option(1, 1), option(1, 2))), "no more than 1"},
		{"the style of a question", sure("danger"), sure("red"), "enum"},
		{"lengths of a text", field(`{"type":"plain_text_input","min_length":5,"max_length":5}`), field(`{"type":"plain_text_input","min_length":6,"max_length":5}`), "less than max_length"},
		{"decimals or not", field(`{"type":"number_input","is_decimal_allowed":false}`), field(`{"type":"number_input"}`), "is_decimal_allowed"},
		{"one cursor", field(`{"type":"plain_text_input","focus_on_load":true}`),
			strings.TrimSuffix(field(`{"type":"plain_text_input","focus_on_load":true}`), "]") + "," +
				strings.TrimPrefix(field(`{"type":"plain_text_input","focus_on_load":true}`), "["), "only one element"},
		{"a moment", menu("datetimepicker", `,"initial_date_time":1780300800`), menu("datetimepicker", `,"initial_date_time":1780300800000`), "between"},
		{"a moment beside a text", menu("datetimepicker", ""), obj(`[{"type":"section","text":%s,"accessory":{"type":"datetimepicker"}}]`, pt(1)), "unsupported type"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, c.good, c.bad, c.says) })
	}
}
