package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// CLIReference returns all commands and flags as tables in Markdown, for the README. They are those of --help.
func CLIReference() string {
	parser, err := newParser(&cli{}, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		panic(err) // the grammar is wrong, and no command works
	}
	var commands, flags strings.Builder
	commands.WriteString("| Command | What it does |\n|---|---|\n")
	flags.WriteString("| Command | Flag | What it does |\n|---|---|---|\n")
	flagRows(&flags, "every command", parser.Model.Flags)
	for _, n := range parser.Model.Leaves(true) {
		path := []string{"keyturn"}
		for p := n; p.Parent != nil; p = p.Parent {
			path = append(path[:1], append([]string{p.Name}, path[1:]...)...)
		}
		name := strings.Join(path, " ")
		for _, a := range n.Positional {
			path = append(path, argument(a))
		}
		does := n.Help
		for _, a := range n.Aliases {
			does += " Also `keyturn " + a + "`."
		}
		fmt.Fprintf(&commands, "| `%s` | %s |\n", cell(strings.Join(path, " ")), cell(does))
		flagRows(&flags, "`"+name+"`", n.Flags)
	}
	return commands.String() + "\n" + flags.String()
}

// argument writes a positional argument as people type it.
func argument(v *kong.Value) string {
	name := strings.ToUpper(v.Name)
	if v.IsCumulative() {
		name += "..."
	}
	if !v.Required {
		return "[" + name + "]"
	}
	return name
}

func flagRows(b *strings.Builder, command string, flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		name := "--" + f.Name
		if f.Short != 0 {
			name = fmt.Sprintf("-%c, %s", f.Short, name)
		}
		if !f.IsBool() {
			value := strings.ToUpper(f.Name)
			if f.PlaceHolder != "" {
				value = f.PlaceHolder
			}
			name += " " + value
		}
		does := f.Help
		if f.HasDefault && f.Default != "" {
			does += " By default `" + f.Default + "`."
		}
		for _, env := range f.Envs {
			does += " Or `" + env + "` in the environment."
		}
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", command, cell(name), cell(does))
	}
}

// cell escapes what would end a cell of a table, also within code.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
