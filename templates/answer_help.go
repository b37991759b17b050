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
	return answer(
		"*keyturn turns over long-lived AWS access keys.* What you can ask (only you see the answer):\n"+strings.Join(show, "\n"),
		"What you can decide, if the rules let you:\n"+strings.Join(decide, "\n"),
		"KEY is an access key ID (AKIA…), USER@ACCOUNT names the account by ID or name (in quotation marks if it has spaces), DURATION reads like 3d or 1d12h. For example: `"+prefix+" snooze AKIAIOSFODNN7EXAMPLE 3d waiting for the release`.",
	)
}

// AnswerUsage says what is wrong with a command, how it goes, and an example.
func AnswerUsage(prefix, problem string, l HelpLine) Message {
	return answer(answerSentence(problem) + "\nIt goes: `" + prefix + " " + l.Usage + "`\nFor example: `" + prefix + " " + l.Example + "`")
}

// AnswerNotYet says that a command belongs to a later version.
func AnswerNotYet(prefix, command string) Message {
	instead := "`" + prefix + " help` lists what it can do."
	if command == "leaked" {
		instead = "If a key has leaked, deactivate it in AWS right now: IAM, the user, Security credentials, Deactivate. keyturn will notice."
	}
	return answer("This version of keyturn does not have `" + prefix + " " + command + "` yet. " + instead)
}
