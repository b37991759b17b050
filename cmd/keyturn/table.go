package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// table prints rows for people, in columns. Flush prints what came since the last flush, so that a long list begins to show
// before it was read to its end; from page to page columns grow wider and never narrower.
type table struct {
	out    io.Writer
	widths []int
	rows   [][]string
}

// newTable returns a table whose first row is its head, if it has one.
func newTable(out io.Writer, head ...string) *table {
	t := &table{out: out}
	if len(head) > 0 {
		t.add(head...)
	}
	return t
}

// add adds a row. What stands in cells may come from tags and from people, and controls no terminal.
func (t *table) add(cells ...string) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = templates.Clean(c)
	}
	t.rows = append(t.rows, row)
}

func (t *table) flush() error {
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range t.rows {
		var b strings.Builder
		for i, c := range row {
			b.WriteString(c)
			b.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(c)+2))
		}
		if _, err := fmt.Fprintln(t.out, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	t.rows = slices.Delete(t.rows, 0, len(t.rows))
	return nil
}

// minute is a moment for a person; nothing for no time.
func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// ageOf is the age of a key in days; ? where its creation is not known.
func ageOf(created, now time.Time) string {
	if created.IsZero() {
		return "?"
	}
	return fmt.Sprintf("%dd", max(0, now.Sub(created))/rotation.Day)
}

// useOf is the last use of a key: never used and not known are different.
func useOf(u rotation.LastUse) string {
	switch u.Kind {
	case rotation.UseNever:
		return "never"
	case rotation.UseSeen:
		return strings.TrimSpace(strings.Join([]string{date(u.At), u.Service, u.Region}, " "))
	case rotation.UseUnknown:
		return "not known"
	default:
		return "not known"
	}
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
