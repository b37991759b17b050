package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

func dataBlocks(blocks []slack.Block) (charts, tables int) {
	for _, b := range blocks {
		switch b.BlockType() {
		case slack.MBTDataVisualization:
			charts++
		case slack.MBTTable:
			tables++
		}
	}
	return charts, tables
}

// reported is a bench with keys, rotations of two periods, and a burn-down.
func reported(t testing.TB) *bench {
	note := ""
	for _, p := range []report.Point{{Day: "2026-01-01", Active: 90, OverAge: 70}, {Day: "2026-05-20", Active: 60, OverAge: 40}, {Day: "2026-06-01", Active: 52, OverAge: 10}} {
		var err error
		if note, err = report.AddPoint(note, p); err != nil {
			t.Fatal(err)
		}
	}
	e := newBench(t)
	e.store.state[report.StateKey] = note
	e.several()
	closed := func(user rotation.UserID, episode int, outcome rotation.Outcome, at time.Time) rotation.Rotation {
		r := opened(rotation.Awaiting)
		r.UserID, r.ID, r.Episode = user, rotation.MakeID(account, user), episode
		r.State, r.Outcome, r.ClosedAt, r.Opened = rotation.Closed, outcome, at, at.Add(-days(2))
		return r
	}
	e.store.put(closed("AIDACLOSED1", 2, rotation.OutcomeRotated, start.Add(-days(3))))
	e.store.put(closed("AIDACLOSED2", 1, rotation.OutcomeRetired, start.Add(-days(20))))
	before := closed("AIDACLOSED1", 1, rotation.OutcomeRejected, start.Add(-days(6)))
	e.store.episodes[before.ID] = []rotation.Rotation{before, closed("AIDACLOSED1", 0, rotation.OutcomeRotated, start.Add(-days(300)))}
	e.store.exemptions[rotation.MakeID(account, "AIDAYOUNG")] = rotation.Exemption{Account: account, UserID: "AIDAYOUNG", From: start.Add(-days(1)), Until: start.Add(days(10))}
	return e
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		text           string
		says           []string
		not            string
		charts, tables int
	}{
		{"report", []string{"Access keys, the last 30 days", "4 active keys, 2 of them past their age", "Under way: 4 rotations", "1 key replaced", "1 key removed for good", "1 rejected",
			"1 exemption in force, 1 ending within 30 days", "On 20 May 2026 there were 40", "payments (111122223333): 2 of 3"}, "1 January", 1, 1},
		{"report 400d", []string{"2 keys replaced", "On 1 January 2026 there were 70"}, "", 1, 1},
		{"report 7d", []string{"1 key replaced", "0 keys removed for good"}, "", 0, 1},
		{"report plain", []string{"4 active keys", "payments (111122223333): 2 of 3"}, "", 0, 0},
		{`report account:"research lab"`, []string{`Only account:"research lab".`, "1 active key, 0 of them", "Under way: 1 rotation"}, "payments", 0, 0},
		{"report ou:ou-prod", []string{"3 active keys", "1 exemption in force"}, "research", 0, 1},
		{"report owner:owner@acme.example", []string{"1 active key, 1 of them", "Under way: 3 rotations"}, "exemption in force", 0, 1},
		{"report account:nowhere", []string{"keyturn knows no account"}, "", 0, 0},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := reported(t)
			got := e.says(owner, c.text)
			wants(t, got.Text, c.says...)
			if c.not != "" && strings.Contains(got.Text, c.not) {
				t.Errorf("%q is in\n%s", c.not, got.Text)
			}
			charts, tables := dataBlocks(got.Blocks.BlockSet)
			is(t, [2]int{charts, tables}, [2]int{c.charts, c.tables})
		})
	}
}

// A report that takes longer than the command may wait is announced, and comes by itself, once.
func TestReportComesLater(t *testing.T) {
	for _, c := range []struct {
		name, response, method string
	}{{"by response_url", "https://hooks.slack.com/later", "Respond"}, {"by direct message", "", "Post"}} {
		t.Run(c.name, func(t *testing.T) {
			e := reported(t)
			e.bot.ack = 50 * time.Millisecond
			hold := make(chan struct{})
			e.store.before = func(method string) {
				if method == "ListSnapshots" {
					<-hold
				}
			}
			got := e.bot.report(t.Context(), Command{Name: "report", For: days(30), Respond: c.response}, everybody()[0])
			wants(t, got.Text, "The report is being made")
			close(hold)
			e.bot.Wait()
			said := only(t, e.slack.heard(), c.method)
			wants(t, said.Text, "4 active keys")
		})
	}
}

func TestReportOfABrokenStore(t *testing.T) {
	for _, method := range []string{"ListSnapshots", "ListRotations", "ListEpisodes", "ListExemptions"} {
		e := reported(t)
		e.store.fail(method, errTest)
		got := e.says(owner, "report").Text
		if strings.Contains(got, "internal detail") || strings.Contains(got, "active keys") {
			t.Errorf("%s: %s", method, got)
		}
	}
}
