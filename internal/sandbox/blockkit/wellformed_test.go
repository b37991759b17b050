package blockkit

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// What may be in the HTML of this package: nothing else runs, loads or styles anything.
var (
	allowedTags = setOf(`a b blockquote br button caption circle code details dialog div fieldset figcaption figure h4 hr i
		input label legend li line ol optgroup option p path polygon polyline pre rect s select span summary svg table tbody td
		text textarea th thead time tr ul`)
	allowedAttributes = setOf(`aria-describedby aria-disabled aria-haspopup aria-hidden aria-invalid aria-label
		aria-labelledby aria-required autofocus checked class cx cy d data-act data-close data-dialog data-use datetime disabled
		fill fill-opacity for height href id label max maxlength min minlength multiple name placeholder points r rel role rows
		scope selected step stroke-dasharray stroke-width tabindex target text-anchor title type value viewBox width x x1 x2 xmlns y y1 y2`)
	void = []string{"br", "hr", "input"}
)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// wellFormed holds HTML to what this package may write: balanced tags, known attributes, links that are safe, IDs once.
func wellFormed(t *testing.T, h string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(h))
	d.Strict = false
	var open []string
	ids := map[string]bool{}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %q", err, h)
		}
		switch tok := token.(type) {
		case xml.StartElement:
			tag := tok.Name.Local
			if !allowedTags[tag] || tok.Name.Space != "" {
				t.Fatalf("the tag %q in %q", tag, h)
			}
			if !slices.Contains(void, tag) {
				open = append(open, tag)
			}
			attributes(t, h, tok, ids)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tok.Name.Local {
				t.Fatalf("</%s> closes %v in %q", tok.Name.Local, open, h)
			}
			open = open[:len(open)-1]
		case xml.CharData:
		default:
			t.Fatalf("%T in %q", token, h)
		}
	}
	if len(open) > 0 {
		t.Fatalf("%v stay open in %q", open, h)
	}
}

func attributes(t *testing.T, h string, e xml.StartElement, ids map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range e.Attr {
		key := a.Name.Local
		if !allowedAttributes[key] || seen[key] || a.Name.Space != "" {
			t.Fatalf("the attribute %q of %s in %q", key, e.Name.Local, h)
		}
		seen[key] = true
		switch key {
		case "href":
			if low := strings.ToLower(a.Value); !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "mailto:") {
				t.Fatalf("a link to %q in %q", a.Value, h)
			}
		case "id":
			if ids[a.Value] {
				t.Fatalf("the ID %q twice in %q", a.Value, h)
			}
			ids[a.Value] = true
		case "class":
			for _, c := range strings.Fields(a.Value) {
				if !strings.HasPrefix(c, "bk-") {
					t.Fatalf("the class %q in %q", c, h)
				}
			}
		}
	}
}
