package blockkit

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden.html")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

const confirmed = `{"type":"button","action_id":"restore","text":{"type":"plain_text","text":"Restore"},"value":"v1/a b","style":"danger","confirm":{
	"title":{"type":"plain_text","text":"Restore a leaked key?"},"text":{"type":"mrkdwn","text":"It *works* again."},
	"confirm":{"type":"plain_text","text":"Restore it"},"deny":{"type":"plain_text","text":"Not now"},"style":"danger"}}`

const menu = `{"type":"overflow","action_id":"more","options":[{"text":{"type":"plain_text","text":"Reject…"},"value":"reject v1"},
	{"text":{"type":"plain_text","text":"History"},"value":"history v1"}]}`

const table = `{"type":"table","column_settings":[{"is_wrapped":true},null,{"align":"center"}],"rows":[
	[{"type":"raw_text","text":"Key"},{"type":"raw_text","text":"Age"},{"type":"raw_text","text":"State"}],
	[{"type":"raw_text","text":"AKIA <1>"},{"type":"raw_number","value":93},{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"due","style":{"bold":true,"code":true}}]}]}],
	[{"type":"raw_text","text":"AKIA2"},{"type":"raw_number","value":1,"text":"1 day"},{"type":"action_cell","element":{"type":"button","action_id":"x","text":{"type":"plain_text","text":"Review"},"value":"2"}}]]}`

func series2(kind string) string {
	return `{"type":"data_visualization","title":"Keys & age","chart":{"type":"` + kind + `","axis_config":{"categories":["May","June","July"],"x_label":"Month","y_label":"Keys"},"series":[
		{"name":"old","data":[{"label":"May","value":30},{"label":"July","value":-2.5},{"label":"June","value":12}]},
		{"name":"new","data":[{"label":"May","value":0},{"label":"June","value":3}]}]}}`
}

const pie = `{"type":"data_visualization","title":"By state","chart":{"type":"pie","segments":[{"label":"due","value":3},{"label":"done","value":1}]}}`

// richest has every element that can be an input, with its initial value.
const richest = `[
	{"type":"input","block_id":"t","label":{"type":"plain_text","text":"Text"},"element":{"type":"plain_text_input","action_id":"t","max_length":9,"min_length":2,"placeholder":{"type":"plain_text","text":"Type"}}},
	{"type":"input","block_id":"n","label":{"type":"plain_text","text":"Number"},"optional":true,"element":{"type":"number_input","action_id":"n","is_decimal_allowed":true,"min_value":"1","max_value":"9","initial_value":"4.5"}},
	{"type":"input","block_id":"g","label":{"type":"plain_text","text":"Group"},"element":{"type":"static_select","action_id":"g","option_groups":[{"label":{"type":"plain_text","text":"First"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]}]}},
	{"type":"input","block_id":"m","label":{"type":"plain_text","text":"Many"},"element":{"type":"multi_static_select","action_id":"m","options":[{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}],"initial_options":[{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}},
	{"type":"input","block_id":"r","label":{"type":"plain_text","text":"Radio"},"element":{"type":"radio_buttons","action_id":"r","options":[{"text":{"type":"mrkdwn","text":"*Yes*"},"value":"y","description":{"type":"plain_text","text":"really"}},{"text":{"type":"plain_text","text":"No"},"value":"n"}],"initial_option":{"text":{"type":"mrkdwn","text":"*Yes*"},"value":"y"}}},
	{"type":"input","block_id":"c","label":{"type":"plain_text","text":"Checks"},"element":{"type":"checkboxes","action_id":"c","options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]}},
	{"type":"input","block_id":"d","label":{"type":"plain_text","text":"Date"},"element":{"type":"datepicker","action_id":"d","initial_date":"2026-06-01"}},
	{"type":"input","block_id":"h","label":{"type":"plain_text","text":"Time"},"element":{"type":"timepicker","action_id":"h","initial_time":"09:30"}},
	{"type":"input","block_id":"x","label":{"type":"plain_text","text":"Moment"},"element":{"type":"datetimepicker","action_id":"x","initial_date_time":1780300800}},
	{"type":"input","block_id":"u","label":{"type":"plain_text","text":"People"},"element":{"type":"multi_users_select","action_id":"u","initial_users":["U1","U2"]}},
	{"type":"input","block_id":"e","label":{"type":"plain_text","text":"Mail"},"element":{"type":"email_text_input","action_id":"e"}},
	{"type":"input","block_id":"l","label":{"type":"plain_text","text":"Link"},"element":{"type":"url_text_input","action_id":"l","focus_on_load":true}}]`

func TestGolden(t *testing.T) {
	r := someone(t)
	for _, c := range []struct {
		name, raw string
		o         Options
	}{
		{"notice", `[{"type":"header","text":{"type":"plain_text","text":"A key is due"}},
			{"type":"section","text":{"type":"mrkdwn","text":"*deploy* belongs to <@U0ANN>"},"fields":[{"type":"mrkdwn","text":"*Age*\n93 days"},{"type":"plain_text","text":"eu"}],"accessory":` + menu + `},
			{"type":"divider"},
			{"type":"actions","block_id":"b/1","elements":[` + confirmed + `,{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Remove AKIAI44QH8DHBEXAMPLE first"}}]},
			{"type":"context","elements":[{"type":"mrkdwn","text":"until <!date^1780300800^{date_num} {time}|June>"},{"type":"image","image_url":"https://example.com/a.png","alt_text":"a lock"}]}]`,
			Options{ID: "m1", Reader: r}},
		{"modal", `[{"type":"input","block_id":"why","label":{"type":"plain_text","text":"Why?"},"hint":{"type":"plain_text","text":"In a sentence"},"element":{"type":"plain_text_input","action_id":"why","multiline":true,"max_length":500}},
			{"type":"input","block_id":"for","optional":true,"label":{"type":"plain_text","text":"For how long?"},"element":{"type":"static_select","action_id":"for","options":[{"text":{"type":"plain_text","text":"1 day"},"value":"1d"},{"text":{"type":"plain_text","text":"2 days"},"value":"2d"}]}}]`,
			Options{ID: "v1", Reader: r, Errors: map[string]string{"why": `Please "complete" this <field>.`}, Values: map[string]map[string]map[string]any{
				"why": {"why": {"type": "plain_text_input", "value": "\n</textarea><script>"}},
				"for": {"for": {"type": "static_select", "selected_option": map[string]any{"value": "2d"}}},
			}}},
		{"inputs", richest, Options{ID: "v2", Reader: r}},
		{"report", "[" + table + "," + series2("bar") + "," + series2("line") + "," + series2("area") + "," + pie + "]", Options{ID: "m2", Reader: r}},
		{"acting", `[{"type":"actions","block_id":"b","elements":[
			{"type":"static_select","action_id":"s","placeholder":{"type":"plain_text","text":"Snooze"},"options":[{"text":{"type":"plain_text","text":"1 day"},"value":"1d"}]},
			{"type":"datepicker","action_id":"d","initial_date":"2026-06-01"},
			{"type":"checkboxes","action_id":"c","options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]}]}]`, Options{ID: "m3", Inert: true}},
		{"wrong", `[{"type":"hologram<>"},7,{"type":"section"},{"type":"actions","elements":[{"type":"plain_text_input"},{"type":"button"},null]},{"type":"input"},
			{"type":"table"},{"type":"table","rows":[[{"type":"x"}],3]},{"type":"data_visualization","title":"t","chart":{"type":"radar"}},{"type":"context","elements":[{"type":"sms"}]},
			{"type":"actions","elements":[{"type":"workflow_button"},{"type":"button","url":"https://example.com/","text":{"type":"plain_text","text":"Away"}}]}]`, Options{ID: "m4"}},
		{"rich", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U0ANN"},{"type":"link","url":"javascript:x","text":"click"},{"type":"emoji","name":"lock"},{"type":"broadcast","range":"here"}]},
			{"type":"rich_text_list","style":"ordered","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]}]},{"type":"rich_text_quote","elements":[{"type":"nope"}]}]},
			{"type":"alert","text":{"type":"plain_text","text":"Look"}},{"type":"markdown","text":"**as it is**"}]`, Options{ID: "m5", Reader: r}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(Blocks(json.RawMessage(c.raw), c.o))
			wellFormed(t, got)
			golden(t, c.name, got)
		})
	}
}

func TestNoBlocks(t *testing.T) {
	for raw, want := range map[string]string{"": "", "null": "", "[]": "", `{"type":"divider"}`: "no list", "[": "no list"} {
		got := string(Blocks(json.RawMessage(raw), Options{}))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q became %q", raw, got)
		}
	}
}

// TestUsesOfNotice follows what is in a form back to the block, the element and the value.
func TestUsesOfNotice(t *testing.T) {
	h := Blocks(json.RawMessage(`[{"type":"actions","block_id":"b/1","elements":[`+confirmed+`,`+menu+`]}]`), Options{ID: "m"})
	var got []Use
	var walk func(e *element)
	walk = func(e *element) {
		if e.get("name") == "use" {
			u, err := ParseUse(e.get("value"))
			if err != nil {
				t.Error(err)
			}
			got = append(got, u)
		}
		for _, c := range e.children {
			walk(c)
		}
	}
	walk(parse(string(h)))
	want := []Use{{"b/1", "restore", "v1/a b"}, {"b/1", "more", "reject v1"}, {"b/1", "more", "history v1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	if seen := Visible(h); strings.Contains(seen, "again") || !strings.Contains(seen, "History") {
		t.Errorf("a reader sees %q", seen)
	}
}

func TestOverflowAsks(t *testing.T) {
	ask := `,"confirm":` + confirmed[strings.Index(confirmed, `"confirm":{`)+len(`"confirm":`):len(confirmed)-1] + `}`
	raw := `[{"type":"actions","elements":[` + strings.TrimSuffix(menu, "}") + ask + `]}]`
	h := string(Blocks(json.RawMessage(raw), Options{ID: "m"}))
	wellFormed(t, h)
	if n := strings.Count(h, "<dialog"); n != 2 || strings.Index(h, "<dialog") < strings.Index(h, "</details>") {
		t.Errorf("%d dialogs: %s", n, h)
	}
}

// TestStyle holds the style to the classes that are written, and to the colours of the page.
func TestStyle(t *testing.T) {
	for _, forbidden := range []string{"@import", "url(", "#"} {
		if strings.Contains(CSS, forbidden) {
			t.Errorf("the style has %q", forbidden)
		}
	}
	var all strings.Builder
	files, err := filepath.Glob("testdata/*.golden.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	var walk func(e *element)
	walk = func(e *element) {
		for _, c := range strings.Fields(e.get("class")) {
			if !strings.Contains(CSS, "."+c) {
				t.Errorf("the class %s has no style", c)
			}
		}
		for _, c := range e.children {
			walk(c)
		}
	}
	walk(parse(all.String()))
}

func FuzzBlocks(f *testing.F) {
	f.Add([]byte("[" + table + "," + series2("bar") + "," + pie + "]"))
	f.Add([]byte("[" + series2("line") + "," + series2("area") + "]"))
	f.Add([]byte(`[{"type":"actions","block_id":"b","elements":[` + confirmed + `,` + menu + `]}]`))
	f.Add([]byte(richest))
	f.Add([]byte(`[{"type":"data_visualization","title":"t","chart":{"type":"bar","axis_config":{"categories":["a","b"]},"series":[{"name":"n","data":[{"label":"a","value":-1e308},{"label":"b","value":1.7e308}]}]}}]`))
	f.Add([]byte(`[{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1e-320},{"label":"b","value":1e999},{"label":"c","value":-3}]}}]`))
	f.Add([]byte(`[{"type":"data_table","caption":"c","row_header_column_index":0,"rows":[[{"type":"raw_text","text":"\" onload=\"x"}],[{"type":"action_cell","element":{"type":"overflow","options":[{}]}}]]}]`))
	f.Add([]byte(`[{"type":"section","text":{"type":"mrkdwn","text":"<!date^1^{date}|x> *b*"},"fields":[null],"accessory":{"type":"radio_buttons","options":[{}],"confirm":{}}}]`))
	o := Options{ID: "f", Reader: someone(f), Errors: map[string]string{"t": "\"><script>"}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := Blocks(raw, o)
		wellFormed(t, string(h))
		if strings.Contains(string(h), "NaN") && !strings.Contains(string(raw), "NaN") || strings.Contains(string(h), "Inf\"") {
			t.Errorf("a drawing has no number: %s", h)
		}
		Visible(h)
	})
}
