package bot

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/templates"
)

// Reference returns all commands as two tables in Markdown, for the README. They are those of the help.
func Reference(prefix string) string {
	var b strings.Builder
	table := func(title string, decides bool) {
		fmt.Fprintf(&b, "%s\n\n| Command | What it does | For example |\n|---|---|---|\n", title)
		for _, s := range Specs() {
			if s.Decides == decides {
				fmt.Fprintf(&b, "| `%s %s` | %s | `%s %s` |\n", prefix, cell(s.Usage), cell(s.Does), prefix, cell(s.Example))
			}
		}
		b.WriteString("\n")
	}
	table("What everybody in the workspace can ask:", false)
	table("What the rules let people decide:", true)
	fmt.Fprintf(&b, "%s\n\n%s\n", templates.WordHelp, templates.FilterHelp)
	return b.String()
}

// cell escapes what would end a cell of a table, also within code.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
