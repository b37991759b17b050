package templates

import (
	"strings"
)

// HelpLine is one command with its help and example.
type HelpLine struct {
	Usage   string // snooze KEY DURATION [reason]
	Does    string
	Example string
	Decides bool // changes something; the others only show
}

// FilterHelp says what the words of a command's usage stand for, as the help and the reference say it.
const FilterHelp = "FILTERS narrow a list, in any order: `account:payments` (ID or name), `ou:r-ab12/ou-prod` (a path, or one unit's ID), `owner:ann@example.com`, `state:awaiting,installing`, `age:>90d`, `kind:retire` or `kind:rotate`, and `stuck`."

// WordHelp is FilterHelp for the other words.
const WordHelp = "KEY is an access key ID (AKIA…), USER@ACCOUNT names the account by ID or name (in quotation marks if it has spaces), and DURATION, WITHIN and PERIOD read like 3d or 1d12h."

// AnswerHelp lists the commands.
func AnswerHelp(prefix string, lines []HelpLine) Message {
	var show, decide []string
	for _, l := range lines {
		line := "• `" + prefix + " " + l.Usage + "`: " + Esc(l.Does)
		if l.Decides {
			decide = append(decide, line)
		} else {
			show = append(show, line)
		}
	}
	return spoken(
		"*keyturn turns over long-lived AWS access keys.* What you can ask (only you see the answer):\n"+strings.Join(show, "\n"),
		"What you can decide, if the rules let you:\n"+strings.Join(decide, "\n"),
		WordHelp+" For example: `"+prefix+" snooze AKIAIOSFODNN7EXAMPLE 3d waiting for the release`.\n"+strings.ReplaceAll(FilterHelp, ">", "&gt;"),
	)
}

// AnswerUsage says what is wrong with a command, how it goes, and an example.
func AnswerUsage(prefix, problem string, l HelpLine) Message {
	return spoken(answerSentence(problem) + "\nIt goes: `" + prefix + " " + l.Usage + "`\nFor example: `" + prefix + " " + strings.ReplaceAll(l.Example, ">", "&gt;") + "`")
}

// AnswerNotYet says that a command belongs to a later version.
func AnswerNotYet(prefix, command string) Message {
	return spoken("This version of keyturn does not have `" + prefix + " " + command + "` yet. `" + prefix + " help` lists what it can do.")
}
