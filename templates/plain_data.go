package templates

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/slack-go/slack"
)

// plainTable renders a table with columns of equal width.
func plainTable(t *slack.TableBlock) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			text := ""
			switch c := c.(type) {
			case *slack.TableRawTextCell:
				text = c.Text
			case *slack.TableRawNumberCell:
				text = fmt.Sprint(c.Value)
			}
			cells = append(cells, text)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush() //nolint:errcheck // a strings.Builder never fails
	return strings.TrimRight(b.String(), "\n")
}

// plainChart renders a line chart as its values, one series a line.
func plainChart(c *slack.DataVisualizationBlock) string {
	out := []string{"(chart) " + c.Title}
	line, ok := c.Chart.(*slack.DataVisualizationLineChart)
	if !ok {
		return out[0]
	}
	for _, s := range line.Series {
		var values []string
		for _, p := range s.Data {
			values = append(values, fmt.Sprintf("%s %g", p.Label, p.Value))
		}
		out = append(out, s.Name+": "+strings.Join(values, ", "))
	}
	return strings.Join(out, "\n")
}
