package templates

import (
	"regexp"
	"slices"
	"strings"
)

// Slack's IDs, alone and within a text. Those that stand alone come from Slack or from the configuration, never from a text.
var (
	person     = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	group      = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
	slackID    = regexp.MustCompile(`\b[UW][A-Z0-9]{7,20}\b`)
	slackGroup = regexp.MustCompile(`\bgroup[ :](S[A-Z0-9]{2,20})\b`)
)

// digits: an ID has one, a word in capitals has none.
const digits = "0123456789"

// mention turns Slack user IDs, and the IDs of user groups that are called so, into names that Slack fills in. It is for
// texts that are made of the configuration's approvers; what people are called is mentionUser's.
func mention(escaped string) string {
	s := mentionUser(escaped)
	var b strings.Builder
	done := 0
	for _, at := range slackGroup.FindAllStringSubmatchIndex(s, -1) {
		if id := s[at[2]:at[3]]; strings.ContainsAny(id, digits) {
			b.WriteString(s[done:at[0]] + "group <!subteam^" + id + ">")
			done = at[1]
		}
	}
	return b.String() + s[done:]
}

// mentionUser turns Slack user IDs that stand alone in escaped text into names that Slack fills in.
func mentionUser(escaped string) string {
	var b strings.Builder
	done := 0
	for _, at := range slackID.FindAllStringIndex(escaped, -1) {
		id, before, after := escaped[at[0]:at[1]], escaped[:at[0]], escaped[at[1]:]
		alone := (before == "" || strings.HasSuffix(before, " ") || strings.HasSuffix(before, "(")) && (after == "" || strings.ContainsAny(after[:1], " ).,;:"))
		if alone && strings.ContainsAny(id, digits) {
			b.WriteString(escaped[done:at[0]] + "<@" + id + ">")
			done = at[1]
		}
	}
	return b.String() + escaped[done:]
}

// mentioned writes mentions that Slack acts on, each once and not too many. Anything that is no ID is left out.
func mentioned(ids []string) string {
	var out []string
	for _, id := range ids {
		who := ""
		switch {
		case person.MatchString(id):
			who = "<@" + id + ">"
		case group.MatchString(id):
			who = "<!subteam^" + id + ">"
		}
		if who != "" && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	return strings.Join(out[:min(len(out), 20)], " ")
}
