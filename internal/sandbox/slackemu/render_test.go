package slackemu

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestRenderGolden(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	chart := slack.NewDataVisualizationBlock("Keys by age", slack.NewDataVisualizationBarChart(
		slack.NewDataVisualizationAxisConfig("0-30 d", "30-90 d", "> 90 d"),
		slack.NewDataVisualizationDataSeries("keys", slack.NewDataVisualizationDataPoint("0-30 d", 12),
			slack.NewDataVisualizationDataPoint("30-90 d", 30), slack.NewDataVisualizationDataPoint("> 90 d", 0))))
	table := slack.NewTableBlock("t").
		AddRow(slack.NewTableRawTextCell("Key"), slack.NewTableRawTextCell("Age")).
		AddRow(slack.NewTableRawTextCell("AKIA…7"), slack.NewTableRawNumberCell(93)).
		AddRow(slack.NewTableRawTextCell("AKIA…42"), slack.NewTableRawTextCell("1 day"))
	menu := slack.NewOverflowBlockElement("more", slack.NewOptionBlockObject("r", plain("Reject"), nil), slack.NewOptionBlockObject("h", plain("Hold"), nil))
	posts := map[string]slack.MsgOption{
		"notice": slack.MsgOptionBlocks(
			slack.NewHeaderBlock(plain("A key is due")),
			slack.NewSectionBlock(mrkdwn("*deploy* in _prod_ belongs to <@U0ANN>, see <#C0KEYS>. It was last used <!date^1780300800^{date_short} at {time}|in June> and &lt;not&gt; since; "+
				"`*code* & <b>`. More in <https://example.com/a|the runbook>, <https://example.com/b> &amp; elsewhere, which makes this a long line."), nil, nil),
			slack.NewSectionBlock(nil, []*slack.TextBlockObject{mrkdwn("*Account*\nacme-prod"), mrkdwn("*Age*\n93 days"), mrkdwn("*Region*\neu-central-1")}, nil),
			slack.NewSectionBlock(mrkdwn("• one\n• two\n> quoted"), nil, slack.NewAccessory(button("review", "1", "Review"))),
			slack.NewDividerBlock(),
			slack.NewActionBlock("", button("a", "1", "Approve"), button("s", "1", "Snooze"), menu),
			slack.NewContextBlock("", mrkdwn("until ~tomorrow~ Friday"), plain("*as it is*"))),
		"report": slack.MsgOptionBlocks(chart, table),
	}
	for name, blocks := range posts {
		if _, _, err := api.PostMessage(ann, slack.MsgOptionText("fallback", false), blocks); err != nil {
			t.Fatal(err)
		}
		m := s.Messages(ann)
		text := s.Render(m[len(m)-1])
		golden(t, name, text)
		for _, line := range strings.Split(text, "\n") {
			if columns(line) > width {
				t.Errorf("%d columns: %s", columns(line), line)
			}
		}
	}

	fine(t, s.As(ann).SendShortcut(t))
	if _, err := api.OpenView(got.Load().TriggerID, exemptForm()); err != nil {
		t.Fatal(err)
	}
	p := s.As(ann)
	if r := p.Submit(map[string]any{"reason": "because", "who": []string{"a"}}); len(r.Errors) != 1 {
		t.Fatalf("got %+v", r)
	}
	golden(t, "modal", s.RenderView(p.Modal()))
	if s.RenderView(nil) != "" {
		t.Error("nothing renders as something")
	}
}

func TestRenderText(t *testing.T) {
	s, _ := start(t, &bot{})
	date := "<!date^1780300800^{date_num} {time}|fallback>"
	for _, c := range []struct{ name, in, ann, nobody string }{
		{"plain", "a & b", "a & b", "a & b"},
		{"entities", "&lt;@U0ANN&gt; &amp;lt;", "<@U0ANN> &lt;", "<@U0ANN> &lt;"},
		{"unknown person", "<@U9>", "@U9", "@U9"},
		{"unknown channel", "<#C9|lost>", "#lost", "#lost"},
		{"everybody", "<!channel> <!subteam^S1|@sec>", "@channel @sec", "@channel @sec"},
		{"bare link", "<https://example.com>", "https://example.com", "https://example.com"},
		{"mail", "<mailto:a@example.com|Ann>", "Ann (a@example.com)", "Ann (a@example.com)"},
		{"date", date, "2026-06-01 10:00 AM", "fallback"},
		{"date with an unknown token", "<!date^1^{nope}|fallback>", "fallback", "fallback"},
		{"broken date", "<!date^x^{date}|fallback>", "fallback", "fallback"},
		{"bold italic", "*_x_* a*b*c snake_case_name", "x a*b*c snake_case_name", "x a*b*c snake_case_name"},
		{"code stays", "`_x_`", "`_x_`", "`_x_`"},
		{"without width", "a_\u2060b", "a_b", "a_b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Message{Channel: keys, Text: c.in}
			if got := s.Render(m); got != c.nobody {
				t.Errorf("to nobody in particular: %q, want %q", got, c.nobody)
			}
			if got := s.As(ann).Render(m); got != c.ann {
				t.Errorf("to Ann: %q, want %q", got, c.ann)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"short", "short"},
		{"one two three", "one two\nthree"},
		{"  one two three", "  one\n  two\n  three"},
		{"• one two three", "• one\n  two\n  three"},
		{"unbreakable-word next", "unbreakable-word\nnext"},
		{"a\n\nb", "a\n\nb"},
	} {
		if got := wrap(c.in, 8); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
}

// TestEmphasisAndCode: emphasis reaches over code, and no mark within code is one.
func TestEmphasisAndCode(t *testing.T) {
	for in, want := range map[string]string{
		"*Replace `x`?* now":      "Replace `x`? now",
		"*`x`* and _`a_b`_":       "`x` and `a_b`",
		"`*a*` stays, *b* not":    "`*a*` stays, b not",
		"one ` and *two*":         "one ` and two",
		"```*a*\n_b_``` *c*":      "```*a*\n_b_``` c",
		"*a\ue000`b`* `c` \ue000": "a`b` `c` ",
	} {
		if got := (screen{}).mrkdwn(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
