package slackemu

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

func times(n int, f func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = f(i)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func x(n int) string { return strings.Repeat("x", n) }

func obj(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func pt(n int) string { return obj(`{"type":"plain_text","text":"%s"}`, x(n)) }

func option(text, value int) string { return obj(`{"text":%s,"value":"%s"}`, pt(text), x(value)) }

func actions(element string) string { return obj(`[{"type":"actions","elements":[%s]}]`, element) }

func btn(id string) string { return obj(`{"type":"button","action_id":"%s","text":%s}`, id, pt(3)) }

// TestBlockLimits has for each limit a message that just keeps it, and one that does not.
func TestBlockLimits(t *testing.T) {
	sections := func(text int) func(int) string {
		return func(int) string { return obj(`{"type":"section","text":%s}`, pt(text)) }
	}
	for _, c := range []struct{ name, good, bad, says string }{
		{"blocks of a message", times(50, sections(1)), times(51, sections(1)), "no more than 50 items"},
		{"section text", times(1, sections(3000)), times(1, sections(3001)), "less than 3001"},
		{"section empty", times(1, sections(1)), times(1, sections(0)), "more than 0"},
		{"section blank", times(1, sections(1)), `[{"type":"section","text":{"type":"mrkdwn","text":" "}}]`, "more than 0"},
		{"section without text", times(1, sections(1)), `[{"type":"section"}]`, "text or fields"},
		{"fields", obj(`[{"type":"section","fields":%s}]`, times(10, func(int) string { return pt(5) })),
			obj(`[{"type":"section","fields":%s}]`, times(11, func(int) string { return pt(5) })), "no more than 10 items"},
		{"field text", obj(`[{"type":"section","fields":[%s]}]`, pt(2000)), obj(`[{"type":"section","fields":[%s]}]`, pt(2001)), "less than 2001"},
		{"header", obj(`[{"type":"header","text":%s}]`, pt(150)), obj(`[{"type":"header","text":%s}]`, pt(151)), "less than 151"},
		{"header markup", obj(`[{"type":"header","text":%s}]`, pt(1)), `[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`, "enum"},
		{"actions", obj(`[{"type":"actions","elements":%s}]`, times(25, func(i int) string { return btn(fmt.Sprint(i)) })),
			obj(`[{"type":"actions","elements":%s}]`, times(26, func(i int) string { return btn(fmt.Sprint(i)) })), "no more than 25 items"},
		{"no actions", actions(btn("a")), `[{"type":"actions","elements":[]}]`, "no less than 1"},
		{"context", obj(`[{"type":"context","elements":%s}]`, times(10, func(int) string { return pt(1) })),
			obj(`[{"type":"context","elements":%s}]`, times(11, func(int) string { return pt(1) })), "no more than 10 items"},
		{"button text", actions(obj(`{"type":"button","text":%s}`, pt(75))), actions(obj(`{"type":"button","text":%s}`, pt(76))), "less than 76"},
		{"button value", actions(obj(`{"type":"button","text":%s,"value":"%s"}`, pt(1), x(2000))),
			actions(obj(`{"type":"button","text":%s,"value":"%s"}`, pt(1), x(2001))), "less than 2001"},
		{"button style", actions(obj(`{"type":"button","text":%s,"style":"danger"}`, pt(1))),
			actions(obj(`{"type":"button","text":%s,"style":"red"}`, pt(1))), "enum"},
		{"confirm", actions(obj(`{"type":"button","text":%s,"confirm":{"title":%[1]s,"text":%[1]s,"confirm":%[1]s,"deny":%[1]s}}`, pt(9))),
			actions(obj(`{"type":"button","text":%s,"confirm":{"title":%[1]s,"text":%[1]s,"confirm":%s,"deny":%[1]s}}`, pt(9), pt(31))), "less than 31"},
		{"action_id", actions(btn(x(255))), actions(btn(x(256))), "less than 256"},
		{"action_ids twice", actions(btn("a") + "," + btn("b")), actions(btn("a") + "," + btn("a")), "already exists"},
		{"block_id", obj(`[{"type":"divider","block_id":"%s"}]`, x(255)), obj(`[{"type":"divider","block_id":"%s"}]`, x(256)), "less than 256"},
		{"block_ids twice", `[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"b"}]`,
			`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, "already exists"},
		{"overflow", actions(obj(`{"type":"overflow","options":%s}`, times(5, func(int) string { return option(75, 150) }))),
			actions(obj(`{"type":"overflow","options":%s}`, times(6, func(int) string { return option(1, 1) }))), "no more than 5 items"},
		{"empty overflow", actions(obj(`{"type":"overflow","options":[%s]}`, option(1, 1))), actions(`{"type":"overflow","options":[]}`), "no less than 1"},
		{"options", actions(obj(`{"type":"static_select","options":%s}`, times(100, func(int) string { return option(1, 1) }))),
			actions(obj(`{"type":"static_select","options":%s}`, times(101, func(int) string { return option(1, 1) }))), "no more than 100 items"},
		{"option text", actions(obj(`{"type":"static_select","options":[%s]}`, option(75, 1))),
			actions(obj(`{"type":"static_select","options":[%s]}`, option(76, 1))), "less than 76"},
		{"option value", actions(obj(`{"type":"static_select","options":[%s]}`, option(1, 150))),
			actions(obj(`{"type":"static_select","options":[%s]}`, option(1, 151))), "less than 151"},
		{"initial option", actions(obj(`{"type":"static_select","options":[%s],"initial_option":%[1]s}`, option(1, 1))),
			actions(obj(`{"type":"static_select","options":[%s],"initial_option":%s}`, option(1, 1), option(1, 2))), "must match"},
		{"date", actions(`{"type":"datepicker","initial_date":"2026-02-28"}`), actions(`{"type":"datepicker","initial_date":"2026-02-30"}`), "format"},
		{"input in place", obj(`[{"type":"input","label":%s,"element":{"type":"plain_text_input"}}]`, pt(1)),
			actions(`{"type":"plain_text_input"}`), "unsupported type"},
		{"table rows", table(100, 1, 1), table(101, 1, 1), "no more than 100 items"},
		{"table cells", table(1, 20, 1), table(1, 21, 1), "no more than 20 items"},
		{"table text", table(100, 1, 100), table(100, 1, 101), "less than 10001"},
		{"empty cell", table(1, 1, 1), table(1, 1, 0), "more than 0"},
		{"one table", table(1, 1, 1), strings.TrimSuffix(table(1, 1, 1), "]") + "," + strings.TrimPrefix(table(1, 1, 1), "["), "only_one_table"},
		{"data table", `[{"type":"data_table","caption":"c","rows":[[{"type":"raw_text","text":"h"}],[{"type":"raw_number","value":1}]]}]`,
			`[{"type":"data_table","rows":[[{"type":"raw_number","value":1}]]}]`, "raw_text only"},
		{"chart", chart(6), chart(7), "more than 6 segments"},
		{"alert", times(1, sections(1)), obj(`[{"type":"alert","text":%s}]`, pt(1)), "unsupported type: alert in a message"},
		{"unknown block", times(1, sections(1)), `[{"type":"hologram"}]`, "unsupported type"},
		{"image", `[{"type":"image","image_url":"https://example.com/a.png","alt_text":"a"}]`, `[{"type":"image","image_url":"https://example.com/a.png"}]`, "missing"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, c.good, c.bad, c.says) })
	}
	var k content
	if err := k.setBlocks(json.RawMessage(times(5, sections(2640))), counter()); err != nil {
		t.Errorf("13,200 characters: %v", err)
	}
	if err := k.setBlocks(json.RawMessage(times(5, sections(2641))), counter()); err == nil || err.code != "msg_too_long" {
		t.Errorf("13,205 characters: %v", err)
	}
	if err := k.setBlocks(json.RawMessage(`{"type":"divider"}`), counter()); err == nil || err.code != "invalid_blocks_format" {
		t.Errorf("an object in place of a list: %v", err)
	}
}

func counter() func() int {
	n := 0
	return func() int { n++; return n }
}

func table(rows, cells, text int) string {
	return obj(`[{"type":"table","rows":%s}]`, times(rows, func(int) string {
		return times(cells, func(int) string { return obj(`{"type":"raw_text","text":"%s"}`, x(text)) })
	}))
}

func chart(segments int) string {
	return obj(`[{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":%s}}]`,
		times(segments, func(i int) string { return obj(`{"label":"%d","value":1}`, i) }))
}

func TestViewLimits(t *testing.T) {
	view := func(more string) string {
		return obj(`{"type":"modal","title":%s,"blocks":[{"type":"divider"}]%s}`, pt(3), more)
	}
	input := obj(`{"type":"input","label":%s,"element":{"type":"plain_text_input"}}`, pt(1))
	divider := func(int) string { return `{"type":"divider"}` }
	for _, c := range []struct{ name, good, bad, code string }{
		{"title", view(""), obj(`{"type":"modal","title":%s,"blocks":[]}`, pt(25)), "invalid_arguments"},
		{"no title", view(""), `{"type":"modal","blocks":[]}`, "invalid_arguments"},
		{"no blocks", view(""), obj(`{"type":"modal","title":%s}`, pt(1)), "invalid_arguments"},
		{"submit", view(obj(`,"submit":%s`, pt(24))), view(obj(`,"submit":%s`, pt(25))), "invalid_arguments"},
		{"close", view(obj(`,"close":%s`, pt(24))), view(obj(`,"close":%s`, pt(25))), "invalid_arguments"},
		{"metadata", view(obj(`,"private_metadata":"%s"`, x(3000))), view(obj(`,"private_metadata":"%s"`, x(3001))), "invalid_arguments"},
		{"callback_id", view(obj(`,"callback_id":"%s"`, x(255))), view(obj(`,"callback_id":"%s"`, x(256))), "invalid_arguments"},
		{"blocks", obj(`{"type":"modal","title":%s,"blocks":%s}`, pt(1), times(100, divider)),
			obj(`{"type":"modal","title":%s,"blocks":%s}`, pt(1), times(101, divider)), "invalid_arguments"},
		{"inputs need submit", obj(`{"type":"modal","title":%s,"submit":%[1]s,"blocks":[%s]}`, pt(1), input),
			obj(`{"type":"modal","title":%s,"blocks":[%s]}`, pt(1), input), "invalid_arguments"},
		{"home in place of a modal", view(""), `{"type":"home","blocks":[]}`, "invalid_arguments"},
		{"table", view(""), obj(`{"type":"modal","title":%s,"blocks":%s}`, pt(1), table(1, 1, 1)), "invalid_arguments"},
		{"size", view(""), view(obj(`,"callback_id":"%s"`, x(250_000))), "view_too_large"},
		{"not JSON", view(""), `nonsense`, "invalid_arguments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := validView(json.RawMessage(c.good), surfaceModal, counter()); err != nil {
				t.Errorf("refuses what keeps the limit: %v", err)
			}
			if _, err := validView(json.RawMessage(c.bad), surfaceModal, counter()); err == nil || err.code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestErrorsReachTheClient(t *testing.T) {
	_, api := start(t, &bot{})
	_, _, err := api.PostMessage(keys, slack.MsgOptionBlocks(slack.NewSectionBlock(mrkdwn(x(3001)), nil, nil)))
	e := wantCode(t, err, "invalid_blocks")
	if want := "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"; len(e.ResponseMetadata.Messages) != 1 ||
		e.ResponseMetadata.Messages[0] != want {
		t.Errorf("got %q", e.ResponseMetadata.Messages)
	}
}

func FuzzBlocks(f *testing.F) {
	f.Add([]byte(table(2, 2, 2)))
	f.Add([]byte(actions(btn("a"))))
	f.Add([]byte(dataRows(obj(`[%s,%s]`, numberCell, obj(buttonCell, "a", numberCell)))))
	f.Add([]byte(line(`[{"label":"a","value":1},{"label":"b","value":2}]`)))
	f.Add([]byte(actions(`{"type":"multi_static_select","option_groups":[{"options":[null]}],"initial_options":[{}],"max_selected_items":1e99}`)))
	f.Add([]byte(`[{"type":"section","text":{"type":"mrkdwn","text":"<!date^1^{date}|x> *b*"},"fields":[null],"accessory":{"type":"overflow","options":[{}]}}]`))
	s := New(Options{})
	f.Fuzz(func(_ *testing.T, raw []byte) {
		var k content
		if err := k.setBlocks(raw, counter()); err == nil {
			s.Render(Message{Text: "x", RawBlocks: k.raw})
		}
		_, _ = validView(raw, surfaceModal, counter())
	})
}
