package blockkit

import (
	"html/template"
	"slices"
	"strings"
)

// Visible is the text that a sighted reader sees in what this package renders: dialogs are closed, and details (menus of
// more actions, figures of charts) are open. Of an input it is the value, or else the placeholder; of a menu to choose from,
// what is chosen and then all that it offers. Drawings and remarks of the page's own (bk-cut) are no text of Slack's and are
// left out. Lines end where blocks, rows and breaks end. It reads this package's HTML only: of any other it may see a part.
func Visible(h template.HTML) string {
	var v visible
	v.element(parse(string(h)))
	var out []string
	for _, l := range strings.Split(v.b.String(), "\n") {
		if l = strings.TrimRight(l, " "); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// ownLines are elements that begin and end a line.
var ownLines = []string{
	"div", "p", "h4", "figcaption", "blockquote", "pre", "li", "tr", "caption", "label", "legend", "summary", "textarea", "select",
}

type visible struct{ b strings.Builder }

func (v *visible) write(parts ...string) {
	for _, p := range parts {
		v.b.WriteString(p)
	}
}

func (v *visible) element(n *element) {
	v.write(n.text)
	if slices.Contains(ownLines, n.tag) {
		v.write("\n")
		defer v.write("\n")
	}
	switch n.tag {
	case "dialog", "svg":
		return
	case "span":
		if n.get("class") == "bk-cut" {
			return
		}
	case "input":
		v.input(n)
	case "textarea":
		v.write(n.get("placeholder")) // it has none unless it is empty
	case "select":
		v.choice(n)
		return
	}
	for _, c := range n.children {
		v.element(c)
	}
	switch n.tag {
	case "br":
		v.write("\n")
	case "td", "th", "button":
		v.write(" ")
	case "a":
		if n.get("class") != "" {
			v.write(" ")
		}
	}
}

func (v *visible) input(n *element) {
	switch n.get("type") {
	case "radio", "checkbox":
		if n.has("checked") {
			v.write("(x) ")
		} else {
			v.write("( ) ")
		}
	default:
		v.write(or(n.get("value"), n.get("placeholder")), " ")
	}
}

func (v *visible) choice(n *element) {
	var placeholder string
	var all, chosen []string
	for i, o := range n.options() {
		text := ""
		for _, c := range o.children {
			text += c.text
		}
		if i == 0 && o.has("value") && o.get("value") == "" {
			placeholder = text
			continue
		}
		all = append(all, text)
		if o.has("selected") {
			chosen = append(chosen, text)
		}
	}
	v.write(or(strings.Join(chosen, ", "), placeholder), " ", strings.Join(all, " "))
}
