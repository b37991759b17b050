package templates

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/rotation"
)

// View is what a rendering needs beside the rotation. The zero value works: no time has passed, times are in UTC, and who
// can decide is not said.
type View struct {
	Now      time.Time                   // domain clock
	Who      string                      // who can decide, as approval.Who says it; plain text
	Names    func(rotation.Actor) string // how to call a person, plain text; nil: as the history has them
	Location *time.Location              // for times where Slack cannot show the reader's own; nil: UTC
	Help     string                      // whom to ask, a sentence in plain text; may be empty
	For      []string                    // Slack users and user groups whom the message calls; it is in a channel
	Shared   bool                        // for digests: many read it, and the keys are not all theirs
	Posted   bool                        // for mails: the notice stands in Slack too, before others
	Because  string                      // for mails: why they get it, a sentence; empty: Slack does not reach the owner
}

// Clean takes out of s what could disturb a single line of text: control and format characters (those that turn the
// direction of writing too) and line ends.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= ' ' && r < 0x7f:
			return r
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, "�"))
}

var (
	escaper     = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "_\u2060", "`", "'", "~", "∼", "@channel", "@\u2060channel", "@here", "@\u2060here", "@everyone", "@\u2060everyone")
	codeEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'")
)

// Esc escapes text for mrkdwn, so that what users typed can neither mention anybody nor break out of its place. Control
// characters, also those that turn the direction of writing, are taken out.
func Esc(s string) string { return escaper.Replace(Clean(s)) }

// esc is Esc for as much of s as gives at most n characters: cut first, so that no escape is cut in two.
func esc(s string, n int) string { return bounded(escaper, clip(s, n), n) }

// bounded escapes as much of s as gives at most n characters, and cuts no escape in two.
func bounded(r *strings.Replacer, s string, n int) string {
	e := r.Replace(Cut(s, n))
	if utf8.RuneCountInString(e) <= n {
		return e
	}
	e = string([]rune(e)[:n-1])
	if i := strings.LastIndexByte(e, '&'); i > strings.LastIndexByte(e, ';') {
		e = e[:i]
	}
	return e + "…"
}

// code shows s as code, where it can be copied as it is.
func code[T ~string](s T) string { return codeOf(string(s), 200) }

// short is code for names that are short, unless somebody plays with them.
func short[T ~string](s T) string { return codeOf(string(s), 60) }

func codeOf(s string, n int) string {
	c := bounded(codeEscaper, clip(s, n), n)
	if strings.TrimSpace(c) == "" {
		return "–"
	}
	return "`" + c + "`"
}

// clip cleans s and shortens it to at most n characters. Of a text that is far too long it looks at the beginning only.
func clip(s string, n int) string {
	most := 8 * n
	if len(s) <= most {
		return Cut(Clean(s), n)
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	c := Clean(s[:most])
	if utf8.RuneCountInString(c) < n {
		return c + "…"
	}
	return Cut(c+"…", n)
}

// Cut shortens s to at most n characters and says so with an ellipsis.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

func (v View) loc() *time.Location {
	if v.Location == nil {
		return time.UTC
	}
	return v.Location
}

// when shows a time in the reader's own zone; a client that cannot gets it in the view's.
func (v View) when(t time.Time) string {
	if t.IsZero() {
		return "a date that is not set yet"
	}
	return fmt.Sprintf("<!date^%d^{date_short} {time}|%s>", t.Unix(), v.stamp(t))
}

// stamp is a time in plain text: "24 Nov 2026, 09:00 UTC".
func (v View) stamp(t time.Time) string { return t.In(v.loc()).Format("2 Jan 2006, 15:04 MST") }

// day is a date in plain text that reads well aloud: "24 November 2026".
func (v View) day(t time.Time) string {
	if t.IsZero() {
		return "a date that is not set yet"
	}
	return t.In(v.loc()).Format("2 January 2006")
}

// name is who an actor is, in plain text.
func (v View) name(a rotation.Actor) string {
	if v.Names != nil {
		if s := Clean(v.Names(a)); s != "" {
			return Cut(s, 80)
		}
	}
	return clip(a.String(), 80)
}

// by is name for mrkdwn.
func (v View) by(a rotation.Actor) string { return mentionUser(Esc(v.name(a))) }

// span says a duration in words: "10 days", "24 hours".
func span(d time.Duration) string {
	unit := func(n time.Duration, name string) string {
		if n == 1 {
			return "1 " + name
		}
		return fmt.Sprintf("%d %ss", n, name)
	}
	switch {
	case d < 0:
		return span(0)
	case d >= 2*rotation.Day && d%rotation.Day == 0:
		return unit(d/rotation.Day, "day")
	case d >= time.Hour && d%time.Hour == 0 && d <= 2*rotation.Day:
		return unit(d/time.Hour, "hour")
	case d >= rotation.Day:
		return unit(d/rotation.Day, "day") + " and " + unit(d%rotation.Day/time.Hour, "hour")
	case d >= time.Hour:
		return unit(d/time.Hour, "hour")
	default:
		return unit(d/time.Minute, "minute")
	}
}

// age says how old something is: "95 days".
func (v View) age(created time.Time) string {
	d := v.Now.Sub(created)
	switch {
	case created.IsZero():
		return "not known"
	case d >= 2*rotation.Day:
		return span(d.Truncate(rotation.Day))
	default:
		return span(max(d, 0).Truncate(time.Hour))
	}
}

// useKind tells the three things that can be known of a key's last use apart.
func useKind(k rotation.KeyRef) rotation.UseKind {
	if _, known := k.LastUse.IdleSince(k.Created); !known {
		return rotation.UseUnknown
	}
	return k.LastUse.Kind
}

// used shows a key's last use in mrkdwn: with service and region, never, or not known.
func (v View) used(k rotation.KeyRef) string {
	switch useKind(k) {
	case rotation.UseSeen:
		return fmt.Sprintf("%s in %s, %s", short(k.LastUse.Service), short(k.LastUse.Region), v.when(k.LastUse.At))
	case rotation.UseNever:
		return "never"
	default:
		return "not known" + beforeTracking(k)
	}
}

// usedAloud is used in plain words that complete "it was ...".
func (v View) usedAloud(k rotation.KeyRef) string {
	switch useKind(k) {
	case rotation.UseSeen:
		return fmt.Sprintf("last used with %s in %s on %s", clip(k.LastUse.Service, 60), clip(k.LastUse.Region, 60), v.day(k.LastUse.At))
	case rotation.UseNever:
		return "never used"
	default:
		return "last used at a time that is not known"
	}
}

func beforeTracking(k rotation.KeyRef) string {
	if k.LastUse.Kind == rotation.UseNever {
		return fmt.Sprintf(" (AWS has no record, but the key is older than its records, which begin on %s)", rotation.TrackingSince.Format("2 January 2006"))
	}
	return ""
}

// sentence begins s with a capital letter and ends it with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	if !strings.HasPrefix(s, "keyturn") { // a name that is written small
		s = string(unicode.ToUpper(r)) + s[n:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?…") && !strings.HasSuffix(s, "…") {
		s += "."
	}
	return s
}

// bullets writes a heading and its points.
func bullets(heading string, points ...string) string {
	if len(points) == 0 {
		return ""
	}
	return "*" + heading + "*\n• " + strings.Join(points, "\n• ")
}
