package blockkit

import (
	"html/template"
	"strings"
	"unicode/utf8"
)

// Mrkdwn renders Slack's markup. What is no markup is text.
func Mrkdwn(s string, r Reader) template.HTML {
	var w writer
	mrkdwn(&w, s, r)
	return w.html()
}

// PlainText renders text without markup.
func PlainText(s string) template.HTML {
	var w writer
	w.text(WithEmoji(s))
	return w.html()
}

// item is a character of mrkdwn, or something between marks that is shown as a whole.
type item struct {
	r    rune
	kind kind
	s    string // of a whole: what is between its marks
}

type kind byte

const (
	char kind = iota
	inlineCode
	preformatted
	bracketed
	glyph // an emoji, which is s
)

func (i item) is(r rune) bool { return i.kind == char && i.r == r }

func scan(s string) []item {
	var out []item
	for s != "" {
		it, n := next(s)
		out, s = append(out, it), s[n:]
	}
	return out
}

func next(s string) (_ item, size int) {
	if rest, ok := strings.CutPrefix(s, "```"); ok {
		if end := strings.Index(rest, "```"); end > 0 {
			return item{kind: preformatted, s: rest[:end]}, end + 6
		}
	}
	if s[0] == '`' {
		if end := strings.IndexAny(s[1:], "`\n"); end > 0 && s[1+end] == '`' {
			return item{kind: inlineCode, s: s[1 : 1+end]}, end + 2
		}
	}
	if s[0] == '<' {
		if end := strings.IndexAny(s[1:], "<>"); end > 0 && s[1+end] == '>' {
			return item{kind: bracketed, s: s[1 : 1+end]}, end + 2
		}
	}
	if drawn, n := emojiAt(s); n > 0 {
		return item{kind: glyph, s: drawn}, n
	}
	r, n := utf8.DecodeRuneInString(s)
	return item{r: r}, n
}

func mrkdwn(w *writer, s string, r Reader) {
	lines := [][]item{nil}
	for _, it := range scan(valid(s)) {
		if it.is('\n') {
			lines = append(lines, nil)
			continue
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], it)
	}
	afterBox := true // no break is needed beside what has lines of its own
	for i := 0; i < len(lines); {
		run := quoted(lines[i:])
		if len(run) > 0 {
			w.el("blockquote", nil, func() { flow(w, run, r) })
			i, afterBox = i+len(run), true
			continue
		}
		if !afterBox && !startsBox(lines[i]) {
			w.void("br")
		}
		inline(w, lines[i], r)
		afterBox = endsBox(lines[i])
		i++
	}
}

func flow(w *writer, lines [][]item, r Reader) {
	for i, l := range lines {
		if i > 0 {
			w.void("br")
		}
		inline(w, l, r)
	}
}

func startsBox(line []item) bool { return len(line) > 0 && line[0].kind == preformatted }

func endsBox(line []item) bool { return len(line) > 0 && line[len(line)-1].kind == preformatted }

// quoted returns the lines of a quotation that begins here, without its marks.
func quoted(lines [][]item) [][]item {
	var out [][]item
	for _, l := range lines {
		n := quoteMark(l)
		if n == 0 {
			break
		}
		if l = l[n:]; len(l) > 0 && l[0].is(' ') {
			l = l[1:]
		}
		out = append(out, l)
	}
	return out
}

// quoteMark is the length of the mark with which a quoted line begins, which may be escaped.
func quoteMark(line []item) int {
	for _, mark := range []string{">", "&gt;"} {
		n := 0
		for n < len(mark) && n < len(line) && line[n].is(rune(mark[n])) {
			n++
		}
		if n == len(mark) {
			return n
		}
	}
	return 0
}

// codeText is what code shows: no emphasis, and references as text.
func codeText(s string, r Reader) string {
	var b strings.Builder
	for s != "" {
		if s[0] == '<' {
			if it, n := next(s); it.kind == bracketed {
				b.WriteString(refer(it.s, r).text)
				s = s[n:]
				continue
			}
		}
		end := strings.IndexByte(s[1:], '<') + 1
		if end == 0 {
			end = len(s)
		}
		b.WriteString(unescape(s[:end]))
		s = s[end:]
	}
	return b.String()
}

var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// unescape reads the three characters that Slack has escaped, and no other.
func unescape(s string) string { return entities.Replace(s) }
