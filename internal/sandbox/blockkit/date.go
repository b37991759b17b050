package blockkit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateLayouts are Slack's date tokens, in the words of the emulator's plain text.
var dateLayouts = map[string]string{
	"{date_num}": "2006-01-02", "{date_slash}": "01/02/2006",
	"{date_long_full}": "Monday, January 2, 2006", "{date_long}": "Monday, January 2, 2006", "{date_long_pretty}": "Monday, January 2, 2006",
	"{date_short}": "Jan 2, 2006", "{date_short_pretty}": "Jan 2, 2006",
	"{date}": "January 2, 2006", "{date_pretty}": "January 2, 2006",
	"{time}": "3:04 PM", "{time_secs}": "3:04:05 PM",
}

var dateToken = regexp.MustCompile(`\{[a-z_]+\}`)

// mostSeconds keeps years at four digits.
const mostSeconds = 250_000_000_000

// date renders !date^seconds^format^link. The format's own words must not read as a layout, so tokens are rendered one by
// one. What Slack cannot render shows its fallback.
func date(parts []string, fallback string, r Reader) reference {
	if len(parts) < 3 {
		return reference{text: fallback}
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || seconds < 0 || seconds > mostSeconds {
		return reference{text: fallback}
	}
	out := reference{text: fallback, at: time.Unix(seconds, 0).UTC().Format(time.RFC3339), title: fallback}
	if len(parts) > 3 && safe(parts[3]) {
		out.href = parts[3]
	}
	if r.Zone == nil {
		out.title = ""
		return out
	}
	at, known := time.Unix(seconds, 0).In(r.Zone), true
	text := dateToken.ReplaceAllStringFunc(parts[2], func(token string) string {
		layout, ok := dateLayouts[token]
		switch {
		case token == "{ago}":
			return fallback
		case !ok:
			known = false
			return ""
		case strings.HasSuffix(token, "_pretty}"):
			return or(relative(at, r), at.Format(layout))
		default:
			return at.Format(layout)
		}
	})
	if known {
		out.text, out.at = text, at.Format(time.RFC3339)
	}
	return out
}

// relative is a day's name seen from now, or nothing.
func relative(at time.Time, r Reader) string {
	if r.Now.IsZero() {
		return ""
	}
	now := r.Now.In(r.Zone)
	for i, word := range []string{"yesterday", "today", "tomorrow"} {
		if now.AddDate(0, 0, i-1).Format(time.DateOnly) == at.Format(time.DateOnly) {
			return word
		}
	}
	return ""
}

const localTime = "2006-01-02T15:04"

// ParseDateTime reads the value of a date and time input, which is in the reader's zone, as seconds since 1970. A nil zone
// is UTC.
func ParseDateTime(value string, zone *time.Location) (int64, error) {
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range []string{localTime, "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, value, zone); err == nil {
			return at.Unix(), nil
		}
	}
	return 0, fmt.Errorf("read a date and time: %.40q is not like %s", value, localTime)
}
