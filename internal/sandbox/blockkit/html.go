package blockkit

import (
	"html"
	"html/template"
	"strings"
	"unicode"
)

// name is a tag or an attribute. Names are constants of this package: nothing that came from outside becomes one.
type name string

// attr is an attribute. The zero value is none.
type attr struct {
	name  name
	value string
	bare  bool
}

// is sets an attribute.
func is(n name, value string) attr { return attr{name: n, value: value} }

// opt sets an attribute unless its value is empty.
func opt(n name, value string) attr {
	if value == "" {
		return attr{}
	}
	return is(n, value)
}

// set writes an attribute without a value.
func set(n name, on bool) attr {
	if !on {
		return attr{}
	}
	return attr{name: n, bare: true}
}

func class(names string) attr { return is("class", names) }

// writer collects HTML. Its methods are the only way to add to it: tags are balanced, and all else is escaped.
type writer struct{ b strings.Builder }

func (w *writer) html() template.HTML {
	return template.HTML(w.b.String()) // made of constant names and escaped text only
}

// el writes an element; body writes what is in it, and may be nil.
func (w *writer) el(tag name, attrs []attr, body func()) {
	w.start(tag, attrs)
	if body != nil {
		body()
	}
	w.b.WriteString("</" + string(tag) + ">")
}

// leaf writes an element that holds text alone.
func (w *writer) leaf(tag name, attrs []attr, text string) {
	w.el(tag, attrs, func() { w.text(text) })
}

// void writes an element that never has content.
func (w *writer) void(tag name, attrs ...attr) { w.start(tag, attrs) }

func (w *writer) start(tag name, attrs []attr) {
	w.b.WriteString("<" + string(tag))
	for _, a := range attrs {
		if a.name == "" {
			continue
		}
		w.b.WriteString(" " + string(a.name))
		if !a.bare {
			w.b.WriteString(`="` + html.EscapeString(valid(a.value)) + `"`)
		}
	}
	w.b.WriteByte('>')
}

// text writes text on one line: line ends become breaks.
func (w *writer) text(s string) {
	for i, line := range strings.Split(clean(s), "\n") {
		if i > 0 {
			w.void("br")
		}
		w.b.WriteString(html.EscapeString(line))
	}
}

// lines writes text where line ends stand for themselves: in pre and textarea. There, a first one would be swallowed.
func (w *writer) lines(s string) {
	s = valid(s)
	if strings.HasPrefix(s, "\n") {
		w.b.WriteByte('\n')
	}
	w.b.WriteString(html.EscapeString(s))
}

// gap separates blocks for whoever reads the source.
func (w *writer) gap() { w.b.WriteByte('\n') }

// clean drops what has no width, such as characters that turn the direction of writing, and control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cf, unicode.Cc) {
			return -1
		}
		return r
	}, valid(s))
}

// valid drops what HTML cannot hold, which is little; what people typed stays as it is otherwise.
func valid(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
