package blockkit

import (
	"encoding/xml"
	"strings"
)

// element is an element of parsed HTML, or a text, which has no tag.
type element struct {
	tag, text string
	attrs     []xml.Attr
	children  []*element
}

// parse reads the HTML that writer writes, which is balanced and has its attributes quoted. It ends where that is not so.
func parse(h string) *element {
	d := xml.NewDecoder(strings.NewReader(h))
	d.Strict, d.AutoClose = false, xml.HTMLAutoClose
	root := &element{}
	open := []*element{root}
	for {
		token, err := d.Token()
		if err != nil {
			return root
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{tag: t.Name.Local, attrs: t.Copy().Attr}
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			if len(open) > 1 {
				open = open[:len(open)-1]
			}
		case xml.CharData:
			top.children = append(top.children, &element{text: string(t)})
		}
	}
}

func (e *element) has(key string) bool {
	for _, a := range e.attrs {
		if a.Name.Local == key {
			return true
		}
	}
	return false
}

func (e *element) get(key string) string {
	for _, a := range e.attrs {
		if a.Name.Local == key {
			return a.Value
		}
	}
	return ""
}

// options returns the options of a menu, from groups too.
func (e *element) options() []*element {
	var out []*element
	for _, c := range e.children {
		switch c.tag {
		case "option":
			out = append(out, c)
		case "optgroup":
			out = append(out, c.options()...)
		}
	}
	return out
}
