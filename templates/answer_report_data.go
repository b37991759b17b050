package templates

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/report"
)

// placed is one line about where old keys are.
type placed struct{ where, active, over string }

// placesOf lists units and accounts with old keys, the most first; the rest of each is one line.
func placesOf(rep report.Report) []placed {
	var out []placed
	add := func(what string, all []report.Place, name func(report.Place) string) {
		top, more, keys := report.Top(all, mostPlaces)
		for _, p := range top {
			out = append(out, placed{name(p), fmt.Sprint(p.Active), fmt.Sprint(p.OverAge)})
		}
		if more > 0 {
			out = append(out, placed{fmt.Sprintf("%d more %ss", more, what), "–", fmt.Sprint(keys)})
		}
	}
	if len(rep.OUs) > 1 {
		add("unit", rep.OUs, func(p report.Place) string {
			if p.ID == "" {
				return "accounts of no known unit"
			}
			return "unit " + p.ID[strings.LastIndexByte(p.ID, '/')+1:]
		})
	}
	add("account", rep.Accounts, func(p report.Place) string {
		if p.Name == "" {
			return p.ID
		}
		return p.Name + " (" + p.ID + ")"
	})
	return out
}

func placesText(places []placed) string {
	var lines []string
	for _, p := range places {
		of := " of " + p.active + " active keys"
		if p.active == "–" {
			of = ""
		}
		lines = append(lines, fmt.Sprintf("• %s: %s%s past their age", esc(p.where, 120), p.over, of))
	}
	return strings.Join(lines, "\n")
}

// placesTable shows places as Slack's table. Its cells are plain text: numbers as cells of their own kind were refused by
// earlier versions of Slack.
func placesTable(places []placed) slack.Block {
	t := slack.NewTableBlock("")
	row := func(texts ...string) {
		var cells []slack.TableCell
		for _, s := range texts {
			if s = clip(s, 120); strings.TrimSpace(s) == "" {
				s = "–"
			}
			cells = append(cells, slack.NewTableRawTextCell(s))
		}
		t.Rows = append(t.Rows, cells)
	}
	row("Where", "Active keys", "Past their age")
	for _, p := range places {
		row(p.where, p.active, p.over)
	}
	t.ColumnSettings = []slack.ColumnSetting{{Align: slack.ColumnAlignmentLeft, IsWrapped: true}, {Align: slack.ColumnAlignmentRight}, {Align: slack.ColumnAlignmentRight}}
	return t
}

// burnChart draws the burn-down with Slack's own chart; nil where one point is no line, or the points make no chart.
func burnChart(points []report.Point) slack.Block {
	if len(points) < 2 {
		return nil
	}
	some := thinned(points, mostTicks)
	over, open := slack.DataVisualizationDataSeries{Name: "Past their age"}, slack.DataVisualizationDataSeries{Name: "Open rotations"}
	var days []string
	for _, p := range some {
		days = append(days, p.Day)
		over.Data = append(over.Data, slack.NewDataVisualizationDataPoint(p.Day, float64(p.OverAge)))
		open.Data = append(open.Data, slack.NewDataVisualizationDataPoint(p.Day, float64(p.Open)))
	}
	axis := slack.NewDataVisualizationAxisConfig(days...).WithXLabel("Day").WithYLabel("Keys")
	b := slack.NewDataVisualizationBlock("Keys past their age", slack.NewDataVisualizationLineChart(axis, over, open))
	if b.Validate() != nil { // a day that stands twice
		return nil
	}
	return b
}
