package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

// ReportView is a report and how it is shown.
type ReportView struct {
	Report report.Report
	Filter string // what it was narrowed to, as people write it; empty: to nothing
	Plain  bool   // text alone: no chart and no table
	Cut    bool   // there was more than could be counted in time
}

// How much of a report is shown.
const (
	mostPlaces = 10 // accounts, and units as many
	mostWays   = 5
	mostTicks  = 20 // days of a chart: Slack takes no more points
)

// AnswerReport shows a report: with a chart and a table, or in text alone. The fallback says the same in words.
func AnswerReport(v ReportView) Message {
	rep := v.Report
	head := "Access keys, the last " + span(rep.Now.Sub(rep.Since))
	stand := reportStand(rep)
	if v.Filter != "" {
		stand = "Only " + esc(v.Filter, 200) + ". " + stand
	}
	if v.Cut {
		stand += "\nThere was more than could be counted in time, so all figures are too low: narrow the report, for example to one account."
	}
	burn, places := "", placesOf(rep)
	if len(rep.Points) > 0 {
		burn = "*Keys past their age*\n" + burnDown(rep.Points)
	}
	end := fmt.Sprintf("As of %s. Figures of keys are those of the last scans, the oldest of which is from %s.", answerMoment(rep.Now), answerScanned(rep.Seen))
	blocks := []slack.Block{header(head)}
	add := func(text string) {
		if text != "" {
			blocks = append(blocks, section(text))
		}
	}
	add(stand)
	if chart := burnChart(rep.Points); chart != nil && !v.Plain {
		add(burn)
		blocks = append(blocks, chart)
	} else if burn != "" {
		add(burn + "\n" + burnBars(rep.Points))
	}
	add(reportOpen(rep))
	add(reportClosed(rep))
	add(reportWays(rep))
	switch {
	case len(places) == 0:
	case v.Plain:
		add("*Where the old keys are*\n" + placesText(places))
	default:
		add("*Where the old keys are*")
		blocks = append(blocks, placesTable(places))
	}
	blocks = append(blocks, contextLine(end))
	text := []string{head + ".", stand, burn, reportOpen(rep), reportClosed(rep), reportWays(rep)}
	if len(places) > 0 {
		text = append(text, "Where the old keys are:", placesText(places))
	}
	return Message{Text: aloudAll(append(text, end)), Blocks: blocks}
}

// AnswerReportLater says that a report takes longer than Slack waits for an answer.
func AnswerReportLater() Message {
	return answer("The report is being made. It comes here by itself, in half a minute at most.")
}

func answerScanned(t time.Time) string {
	if t.IsZero() {
		return "a time that is not known"
	}
	return answerMoment(t)
}

func reportStand(rep report.Report) string {
	k := rep.Keys
	out := fmt.Sprintf("*%s, %d of them past their age.* Never used: %d. Inactive: %d. The oldest is %s old.",
		count(k.Active, "active key"), k.OverAge, k.NeverUsed, k.Inactive, span(k.Oldest.Truncate(rotation.Day)))
	if k.Active == 0 {
		out = fmt.Sprintf("*There is no active key.* Inactive: %d.", k.Inactive)
	}
	if rep.RootKeys > 0 {
		out += fmt.Sprintf("\n:warning: Root users have %s: remove them by hand.", count(rep.RootKeys, "active key"))
	}
	if rep.Failed > 0 {
		out += fmt.Sprintf("\n:warning: The last scan of %s failed, so older figures stand for them.", count(rep.Failed, "account"))
	}
	return out
}

func reportOpen(rep report.Report) string {
	o := rep.Open
	if o.All == 0 {
		return "*Under way*\nNo rotation is open."
	}
	var points []string
	for _, s := range rotation.States {
		n := o.States[s]
		if n == 0 {
			continue
		}
		say := fmt.Sprintf("%d %s", n, answerStateWord(s))
		if s == rotation.Awaiting && o.Longest >= rotation.Day {
			say += ", the longest for " + span(o.Longest.Truncate(rotation.Day))
		}
		points = append(points, say)
	}
	note := func(n int, what string) {
		if n > 0 {
			points = append(points, fmt.Sprintf("%d %s", n, what))
		}
	}
	note(o.Stuck, "stuck: a person has to look")
	note(o.Escalated, "escalated, because nobody answered or the old key is still in use")
	note(o.Held, "on hold")
	note(o.Snoozed, "snoozed")
	note(o.Leaked, "reported as leaked")
	return bullets(fmt.Sprintf("Under way: %s", count(o.All, "rotation")), points...)
}

// reportClosed says what became of keys in the period. Keys that are gone for good count beside those that were replaced:
// they are the way out.
func reportClosed(rep report.Report) string {
	c := rep.Closed
	points := []string{fmt.Sprintf("%s replaced", count(c.Rotated, "key")), fmt.Sprintf("%s removed for good", count(c.Removed, "key"))}
	note := func(n int, what string) {
		if n > 0 {
			points = append(points, fmt.Sprintf("%d %s", n, what))
		}
	}
	note(c.Outcomes[rotation.OutcomeRejected], "rejected")
	note(c.Outcomes[rotation.OutcomeExpired], "expired, because nobody decided in time")
	note(c.Outcomes[rotation.OutcomeExempted], "closed by an exemption")
	note(c.Outcomes[rotation.OutcomeGone], "gone: the key or its user was removed by somebody else")
	note(c.Outcomes[rotation.OutcomeSuperseded], "overtaken by another rotation")
	note(c.Automatic, "went on without an approval, because a time had passed")
	note(c.BreakGlass, "approved by one person alone (break glass)")
	note(c.Leaks, "reported as leaked")
	if e := rep.Exempt; e.InForce > 0 {
		say := count(e.InForce, "exemption") + " in force"
		if e.Ending > 0 {
			say += fmt.Sprintf(", %d ending within 30 days", e.Ending)
		}
		points = append(points, say)
	}
	return bullets("In these "+span(rep.Now.Sub(rep.Since)), points...)
}

func reportWays(rep report.Report) string {
	var points []string
	for _, w := range rep.WaysOut[:min(len(rep.WaysOut), mostWays)] {
		var users []string
		for _, u := range w.Users {
			users = append(users, short(u))
		}
		points = append(points, fmt.Sprintf("%d by %s: %s", w.Keys, w.Instead.Words(), strings.Join(users, ", ")))
		if w.Instead == rotation.InsteadNothing {
			points[len(points)-1] = fmt.Sprintf("%d by nothing, as AWS knows of no use: %s", w.Keys, strings.Join(users, ", "))
		}
	}
	return bullets("Keys in open rotations that something else looks able to replace", points...)
}
