package slackemu

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// hidden stands for a piece of code while marks of emphasis are looked for: a character that no text has.
const hidden = "\uE000"

var (
	inCode    = regexp.MustCompile("`[^`\n]*`")
	bracketed = regexp.MustCompile(`<([^<>]+)>`)
	emphasis  = regexp.MustCompile("(^|[\\s(\\[{\"'.,:;–—·|>-])(\\*[^*\\n]+\\*|_[^_\\n]+_|~[^~\\n]+~)($|[\\s)\\]}\"'.,:;!?–—·|<-])")
)

// text renders a text object.
func (c screen) text(v any) string {
	n, ok := v.(node)
	if !ok {
		return ""
	}
	if blockjson.Str(n, "type") == "mrkdwn" {
		return c.mrkdwn(blockjson.Str(n, "text"))
	}
	return clean(blockjson.Str(n, "text"))
}

// mrkdwn renders Slack's markup: mentions, links and dates are shown, marks of emphasis are gone, code keeps its quotes.
func (c screen) mrkdwn(s string) string {
	var code []string
	s = inCode.ReplaceAllStringFunc(strings.ReplaceAll(s, hidden, ""), func(m string) string {
		code = append(code, m)
		return hidden // emphasis reaches over code, and no mark within code is one
	})
	s = plainEmphasis(s)
	for _, m := range code {
		s = strings.Replace(s, hidden, m, 1)
	}
	shown := bracketed.ReplaceAllStringFunc(s, func(m string) string { return c.reference(m[1 : len(m)-1]) })
	lines := strings.Split(html.UnescapeString(shown), "\n")
	for i, l := range lines {
		if rest, quoted := strings.CutPrefix(l, ">"); quoted {
			lines[i] = "│ " + strings.TrimPrefix(rest, " ")
		}
	}
	return clean(strings.Join(lines, "\n"))
}

func plainEmphasis(s string) string {
	for range 3 { // marks may be nested, and neighbours share the character between them
		s = emphasis.ReplaceAllStringFunc(s, func(m string) string {
			parts := emphasis.FindStringSubmatch(m)
			return parts[1] + parts[2][1:len(parts[2])-1] + parts[3]
		})
	}
	return s
}

// reference renders what stands between angle brackets.
func (c screen) reference(r string) string {
	target, label, labelled := strings.Cut(r, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		if u, ok := c.users[target[1:]]; ok {
			return "@" + or(u.RealName, u.Name)
		}
		return "@" + or(label, target[1:])
	case strings.HasPrefix(target, "#"):
		return "#" + or(c.names[target[1:]], or(label, target[1:]))
	case strings.HasPrefix(target, "!date^"):
		return c.date(strings.Split(target, "^"), label)
	case strings.HasPrefix(target, "!subteam^"):
		id := strings.TrimPrefix(target, "!subteam^")
		if handle := c.teams[id]; handle != "" {
			return "@" + handle
		}
		return or(label, "@"+id)
	case strings.HasPrefix(target, "!"):
		return "@" + strings.TrimPrefix(target, "!")
	case labelled && label != target:
		return label + " (" + strings.TrimPrefix(target, "mailto:") + ")"
	default:
		return target
	}
}

// dateLayouts are Slack's date tokens. The pretty ones read like the plain ones here: there is no today in a rendering.
var dateLayouts = strings.NewReplacer(
	"{date_num}", "2006-01-02", "{date_slash}", "01/02/2006", "{date_long_full}", "Monday, January 2, 2006",
	"{date_long_pretty}", "Monday, January 2, 2006", "{date_long}", "Monday, January 2, 2006",
	"{date_short_pretty}", "Jan 2, 2006", "{date_short}", "Jan 2, 2006", "{date_pretty}", "January 2, 2006",
	"{date}", "January 2, 2006", "{time_secs}", "3:04:05 PM", "{time}", "3:04 PM",
)

// date renders !date^seconds^format^link. The format's own words must not read as a layout, so tokens are rendered one by one.
func (c screen) date(parts []string, fallback string) string {
	if c.zone == nil || len(parts) < 3 {
		return fallback
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return fallback
	}
	at := time.Unix(seconds, 0).In(c.zone)
	known := true
	out := dateToken.ReplaceAllStringFunc(parts[2], func(token string) string {
		layout := dateLayouts.Replace(token)
		if layout == token {
			if token == "{ago}" {
				return fallback
			}
			known = false
		}
		return at.Format(layout)
	})
	if !known {
		return fallback
	}
	return out
}

var dateToken = regexp.MustCompile(`\{[a-z_]+\}`)

// clean drops characters without width.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

func columns(s string) int { return utf8.RuneCountInString(s) }

// wrap breaks lines at spaces so that none is wider than most, if its words allow it. Indentation and bullets are kept.
func wrap(s string, most int) string {
	var out []string
	for _, line := range strings.Split(s, "\n") {
		out = append(out, wrapLine(line, most)...)
	}
	return strings.Join(out, "\n")
}

func wrapLine(line string, most int) []string {
	line = strings.TrimRight(line, " ")
	if columns(line) <= most {
		return []string{line}
	}
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	hang := indent
	if strings.HasPrefix(body, "• ") || strings.HasPrefix(body, "- ") || strings.HasPrefix(body, "│ ") {
		hang += "  "
	}
	var out []string
	current, first := indent, true
	for _, word := range strings.Fields(body) {
		switch {
		case first:
			current, first = current+word, false
		case columns(current)+1+columns(word) <= most:
			current += " " + word
		default:
			out = append(out, current)
			current = hang + word
		}
	}
	return append(out, current)
}
