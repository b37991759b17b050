package bot

import (
	"fmt"
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Slack takes reports with charts and tables as long as they get, in the answer to the command and after it.
func TestReportsInSlack(t *testing.T) {
	s := newStage(t)
	s.many(30)
	note := ""
	for i := range report.MostPoints {
		var err error
		if note, err = report.AddPoint(note, report.Point{Day: start.AddDate(0, 0, i-report.MostPoints+1).Format("2006-01-02"), Active: 900, OverAge: report.MostPoints - i, Open: 30}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		a := account1()
		a.Account, a.Name, a.OUPath = rotation.AccountID(fmt.Sprint(222233334400+i)), fmt.Sprintf("team %d <&> *", i), fmt.Sprintf("r-acme/ou-%d", i)
		s.store.snapshots[a.Account] = a
	}
	s.store.state[report.StateKey] = note
	for _, text := range []string{"report", "report 400d", "report 400d plain", "report ou:ou-7"} {
		got := s.fine(s.emu.As(owner).Command(text)).Ephemeral
		if got == nil {
			t.Fatalf("%s: nothing is shown", text)
		}
		wants(t, s.emu.Render(*got), "past their age", "Where the old keys are", "team")
	}
	for i, plain := range []bool{false, true} {
		m := s.bot.makeReport(t.Context(), Command{Name: "report", For: days(400), Plain: plain})
		s.bot.say(t.Context(), place{user: owner}, m)
		s.bot.say(t.Context(), place{user: owner, channel: channel}, m)
		is(t, len(s.whispers(owner)), i+1)
	}
	for _, l := range s.log.lines() {
		t.Error(l)
	}
}

// The whole of a reason is taken by Slack, however many people and groups a rule names.
func TestWhyInSlack(t *testing.T) {
	s := newStage(t)
	s.kept(opened(rotation.Awaiting))
	for i := range 60 {
		s.rules.rule.AnyOf = append(s.rules.rule.AnyOf, approval.Circle{Kind: approval.Email, ID: fmt.Sprintf("somebody.with.a.long.name.%d@acme.example", i)})
	}
	s.rules.rule.Required = 2
	if got := s.fine(s.emu.As(owner).Command("why " + string(oldKey))).Ephemeral; got == nil {
		t.Error("nothing is shown")
	} else {
		wants(t, s.emu.Render(*got), "You may decide", "An approval takes 2 different people", "You may report that it has leaked")
	}
}
