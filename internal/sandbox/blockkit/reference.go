package blockkit

import (
	"net/url"
	"strings"
	"unicode"
)

// reference is what stands between angle brackets, as a reader sees it.
type reference struct {
	text    string
	mention bool
	href    string // a link that may be followed; empty: none
	at      string // a moment, for machines
	title   string
}

func (f reference) write(w *writer) {
	switch {
	case f.at != "" && f.href != "":
		w.el("a", linkTo(f.href), func() { w.leaf("time", []attr{is("datetime", f.at), opt("title", clean(f.title))}, f.text) })
	case f.at != "":
		w.leaf("time", []attr{is("datetime", f.at), opt("title", clean(f.title))}, f.text)
	case f.href != "":
		w.leaf("a", linkTo(f.href), f.text)
	case f.mention:
		w.leaf("span", []attr{class("bk-mention")}, f.text)
	default:
		w.text(f.text)
	}
}

// linkTo shows where a link leads, for its words may say anything.
func linkTo(href string) []attr {
	return []attr{is("href", href), is("rel", "noreferrer noopener"), is("target", "_blank"), is("title", href)}
}

func refer(s string, r Reader) reference {
	target, label, _ := strings.Cut(s, "|")
	target, label = unescape(target), unescape(label)
	switch {
	case strings.HasPrefix(target, "@"):
		return mention("@" + or(named(r.User, target[1:]), or(label, target[1:])))
	case strings.HasPrefix(target, "#"):
		return mention("#" + or(named(r.Channel, target[1:]), or(label, target[1:])))
	case strings.HasPrefix(target, "!date^"):
		return date(strings.Split(target, "^"), label, r)
	case strings.HasPrefix(target, "!subteam^"):
		id := strings.TrimPrefix(target, "!subteam^")
		if handle := named(r.Group, id); handle != "" {
			return mention("@" + handle)
		}
		return mention(or(label, "@"+id))
	case strings.HasPrefix(target, "!"):
		return mention("@" + target[1:])
	default:
		return link(target, label)
	}
}

func mention(text string) reference { return reference{text: text, mention: true} }

// link is followed only where it leads to a page over TLS or to a mail. Of any other, its target is shown.
func link(target, label string) reference {
	shown := or(label, strings.TrimPrefix(target, "mailto:"))
	if safe(target) {
		return reference{text: shown, href: target}
	}
	if label == "" || label == target {
		return reference{text: target}
	}
	return reference{text: label + " (" + target + ")"}
}

func safe(target string) bool {
	if strings.ContainsFunc(target, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '\\' }) {
		return false
	}
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	return u.Scheme == "https" && u.Host != "" || u.Scheme == "mailto" && u.Opaque != ""
}
