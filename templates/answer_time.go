package templates

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// answerMoment shows a time in the reader's own zone; where Slack cannot, in UTC. Days that people chose are shown as
// they chose them instead, with answerDay.
func answerMoment(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short} {time}|%s>", t.Unix(), t.UTC().Format("2 January 2006, 15:04 UTC"))
}

// answerDayOf reads a day written like 2026-06-01 as it is said; what is no day stays as it is.
func answerDayOf(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Esc(s)
	}
	return t.Format("2 January 2006")
}

var (
	spokenDate  = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)
	spokenMarks = strings.NewReplacer("*", "", "`", "", "•", "", ":warning:", "Attention:", "@channel", "@\u2060channel", "@here", "@\u2060here", "@everyone", "@\u2060everyone", "✓", "yes:", "✗", "no:", "█", "", "░", "", "  ", " ")
)

// aloud makes text for those who hear a message instead of seeing it out of its mrkdwn: dates in words, without marks.
// What was escaped stays escaped.
func aloud(mrkdwn string) string {
	var out []string
	for _, line := range strings.Split(spokenDate.ReplaceAllString(mrkdwn, "$1"), "\n") {
		if line = strings.TrimSpace(spokenMarks.Replace(line)); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func aloudAll(lines []string) string { return fit(aloud(strings.Join(lines, "\n")), mostText) }

// spoken is answer with a text that reads well aloud.
func spoken(lines ...string) Message {
	m := answer(lines...)
	if text := aloudAll(lines); text != "" {
		m.Text = text
	}
	return m
}
