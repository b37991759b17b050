package templates

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

// checkData fails unless Slack would take the chart and the table of a message (its reference of both blocks).
func checkData(t testing.TB, m Message) (charts, tables int) {
	t.Helper()
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.DataVisualizationBlock:
			charts++
			if err := b.Validate(); err != nil {
				t.Errorf("chart: %v", err)
			}
		case *slack.TableBlock:
			tables++
			all := 0
			for _, row := range b.Rows {
				if len(row) != 3 {
					t.Errorf("a row of %d cells", len(row))
				}
				for _, c := range row {
					text := c.(*slack.TableRawTextCell).Text
					if text == "" {
						t.Error("an empty cell")
					}
					all += utf8.RuneCountInString(text)
				}
			}
			if n := len(b.Rows); n > 100 || all > 10_000 {
				t.Errorf("a table of %d rows and %d characters", n, all)
			}
		}
	}
	if tables > 1 {
		t.Errorf("%d tables in a message", tables)
	}
	if _, err := json.Marshal(slack.Blocks{BlockSet: m.Blocks}); err != nil {
		t.Error(err)
	}
	return charts, tables
}

func TestReportShowsDataOrText(t *testing.T) {
	rep := sampleReport(samplePoints(60))
	charts, tables := checkData(t, AnswerReport(ReportView{Report: rep}))
	if charts != 1 || tables != 1 {
		t.Errorf("%d charts and %d tables", charts, tables)
	}
	plain := AnswerReport(ReportView{Report: rep, Plain: true})
	if charts, tables := checkData(t, plain); charts+tables != 0 {
		t.Errorf("plain has %d charts and %d tables", charts, tables)
	}
	rich := AnswerReport(ReportView{Report: rep})
	if rich.Text != plain.Text {
		t.Error("the fallbacks differ")
	}
	for _, want := range []string{"team A (111122223301): 12 of 20", "2 more accounts: 3 past their age", "14 keys replaced", "6 keys removed for good", "Replaced since then"} {
		if !strings.Contains(rich.Text, want) {
			t.Errorf("%q is not said aloud:\n%s", want, rich.Text)
		}
	}
	for _, mark := range []string{"*", "`", "•", "<!date", "█"} {
		if strings.Contains(rich.Text, mark) {
			t.Errorf("%q is read aloud", mark)
		}
	}
	rep.Points = rep.Points[:1]
	if charts, _ := checkData(t, AnswerReport(ReportView{Report: rep})); charts != 0 {
		t.Error("one point is drawn as a line")
	}
	rep.Points = []report.Point{rep.Points[0], rep.Points[0]}
	if charts, _ := checkData(t, AnswerReport(ReportView{Report: rep})); charts != 0 {
		t.Error("a day that stands twice is drawn, and Slack would refuse it")
	}
}

// However many points, units and accounts there are, Slack takes the message and App Home.
func TestReportsFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, report.MostPoints).Draw(t, "points")
		rep := sampleReport(samplePoints(n))
		for i := range rapid.IntRange(0, 300).Draw(t, "accounts") {
			rep.Accounts = append(rep.Accounts, report.Place{ID: fmt.Sprint(200000000000 + i), Name: strings.Repeat("n", i), Active: i, OverAge: i})
		}
		m := AnswerReport(ReportView{Report: rep, Plain: rapid.Bool().Draw(t, "plain")})
		if utf8.RuneCountInString(m.Text) > mostText || size(m.Blocks) > 13200 {
			t.Errorf("%d characters of text, %d in blocks", utf8.RuneCountInString(m.Text), size(m.Blocks))
		}
		for _, p := range problems(m.Blocks) {
			t.Error(p)
		}
		for _, b := range m.Blocks {
			if c, ok := b.(*slack.DataVisualizationBlock); ok && c.Validate() != nil {
				t.Error(c.Validate())
			}
		}
		home := Home(HomeView{Points: rep.Points})
		for _, p := range problems(home.Blocks.BlockSet) {
			t.Error(p)
		}
	})
}

func TestThinned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := samplePoints(rapid.IntRange(1, 100).Draw(t, "points"))
		n := rapid.IntRange(2, 20).Draw(t, "most")
		got := thinned(points, n)
		if len(got) > n || len(got) < min(n, len(points)) || got[0] != points[0] || got[len(got)-1] != points[len(points)-1] {
			t.Errorf("of %d points %d: %v", len(points), len(got), got)
		}
		for i := 1; i < len(got); i++ {
			if got[i].Day <= got[i-1].Day {
				t.Errorf("%s after %s", got[i].Day, got[i-1].Day)
			}
		}
	})
}

func TestAloud(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"*bold* and `code`", "bold and code"},
		{"• on <!date^1^{date_short} {time}|1 January 1970, 00:00 UTC>.", "on 1 January 1970, 00:00 UTC."},
		{"✓ a\n    ✗ b", "yes: a\nno: b"},
		{"`@channel` and &lt;!here&gt;", "@\u2060channel and &lt;!here&gt;"},
		{":warning: look", "Attention: look"},
		{"<@U0123456A> decides", "<@U0123456A> decides"},
		{" \n\n", ""},
	} {
		if got := aloud(c.in); got != c.want {
			t.Errorf("%q is read %q, want %q", c.in, got, c.want)
		}
	}
}

// What people may write stands in reports, reasons and App Home as text.
func TestHostileReadings(t *testing.T) {
	for _, text := range everyHostile() {
		t.Run(Cut(Clean(text), 24), func(t *testing.T) {
			look := func(what string, m Message) {
				t.Helper()
				checkMessage(t, m)
				checkData(t, m)
				clean(t, m)
				if t.Failed() {
					t.Fatalf("in the %s", what)
				}
			}
			rep := sampleReport([]report.Point{{Day: text, OverAge: 3}, {Day: text + "2", OverAge: 2}})
			for i := range rep.Accounts {
				rep.Accounts[i].ID, rep.Accounts[i].Name = text, text
			}
			for i := range rep.OUs {
				rep.OUs[i].ID = text
			}
			for i := range rep.WaysOut {
				rep.WaysOut[i].Users, rep.WaysOut[i].Instead = []string{text, text}, rotation.Instead(text)
			}
			look("report", AnswerReport(ReportView{Report: rep, Filter: text}))
			look("plain report", AnswerReport(ReportView{Report: rep, Filter: text, Plain: true}))
			for _, s := range noticeSamples() {
				r := poisoned(s.r, text)
				r.Escalation = &rotation.Escalation{At: sampleNow, Why: text}
				r.Postponed = &rotation.Postponed{Until: sampleNow.Add(rotation.Day), Why: text}
				w := sampleWhy(r, sampleNow)
				w.Rotation.Approvals[0].Actor = rotation.Actor{ID: text, Name: text}
				w.Rule.Escalate = []approval.Circle{{Kind: approval.UserGroup, ID: text}}
				w.Verdict.Why, w.Verdict.Who, w.Leak.Why, w.Glass.Who, w.Unable, w.WhenWhy = text, text, text, text, text, text
				look("why", AnswerWhy(w, sampleNow))
				u := UserStatus{Snapshot: rotation.Snapshot{Account: rotation.AccountID(text), Name: text}, User: rotation.User{Name: rotation.UserName(text)}}
				look("why of a key", AnswerWhyKey(u, w, sampleNow))
			}
			home := Home(HomeView{Points: rep.Points, Alone: HomeMine})
			clean(t, Message{Blocks: home.Blocks.BlockSet})
		})
	}
}
