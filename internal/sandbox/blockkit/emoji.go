package blockkit

import (
	"regexp"
	"strings"
)

// emoji are the names that are drawn. Slack knows thousands; these are keyturn's, and what people often type. Others stay
// names, as Slack shows those which it does not know.
var emoji = map[string]string{
	"bell": "🔔", "calendar": "📅", "door": "🚪", "eyes": "👀", "hourglass": "⌛", "key": "🔑", "lock": "🔒", "no_entry": "⛔",
	"point_up": "☝️", "rotating_light": "🚨", "tada": "🎉", "thumbsup": "👍", "warning": "⚠️", "white_check_mark": "✅", "x": "❌",
}

var emojiName = regexp.MustCompile(`:[a-z0-9_]+:`)

// WithEmoji draws the emoji that a text names between colons.
func WithEmoji(s string) string {
	return emojiName.ReplaceAllStringFunc(s, func(m string) string {
		if drawn, ok := emoji[m[1:len(m)-1]]; ok {
			return drawn
		}
		return m
	})
}

// emojiAt returns the emoji that a text begins with, and how much of the text names it.
func emojiAt(s string) (drawn string, size int) {
	name, _, ok := strings.Cut(strings.TrimPrefix(s, ":"), ":")
	if drawn = emoji[name]; !ok || s[0] != ':' || drawn == "" {
		return "", 0
	}
	return drawn, len(name) + 2
}
