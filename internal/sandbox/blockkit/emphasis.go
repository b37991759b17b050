package blockkit

import (
	"strings"
	"unicode"
)

// inline writes one line, or what is between two marks of emphasis.
func inline(w *writer, items []item, r Reader) {
	var plain strings.Builder
	flush := func() {
		w.text(unescape(plain.String()))
		plain.Reset()
	}
	for i := 0; i < len(items); i++ {
		it := items[i]
		if end := emphasised(items, i); end > 0 {
			flush()
			w.el(markTag(it), nil, func() { inline(w, items[i+1:end], r) })
			i = end
			continue
		}
		if it.kind == char {
			plain.WriteRune(it.r)
			continue
		}
		if it.kind == glyph {
			plain.WriteString(it.s)
			continue
		}
		flush()
		switch it.kind {
		case inlineCode:
			w.leaf("code", nil, codeText(it.s, r))
		case preformatted:
			w.el("pre", nil, func() { w.lines(clean(strings.TrimPrefix(codeText(it.s, r), "\n"))) })
		default:
			refer(it.s, r).write(w)
		}
	}
	flush()
}

func markTag(it item) name {
	if it.kind != char {
		return ""
	}
	switch it.r {
	case '*':
		return "b"
	case '_':
		return "i"
	case '~':
		return "s"
	default:
		return ""
	}
}

// emphasised returns where the emphasis ends that begins at i, or 0. Marks stand at the edge of words, as the emulator's
// plain text has it, and hold no mark of their own kind.
func emphasised(items []item, i int) int {
	if markTag(items[i]) == "" || i > 0 && !edge(items[i-1], `([{"'.,:;–—·|>-`) {
		return 0
	}
	for j := i + 1; j < len(items); j++ {
		if !items[j].is(items[i].r) {
			continue
		}
		if j == i+1 || blank(items[i+1]) || blank(items[j-1]) || j+1 < len(items) && !edge(items[j+1], `)]}"'.,:;!?–—·|<-`) {
			return 0
		}
		return j
	}
	return 0
}

func edge(it item, marks string) bool {
	return it.kind != char || unicode.IsSpace(it.r) || strings.ContainsRune(marks, it.r)
}

func blank(it item) bool { return it.kind == char && unicode.IsSpace(it.r) }
