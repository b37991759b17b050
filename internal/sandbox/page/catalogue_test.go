package page

import (
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/templates"
)

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// fallback is what a golden of package templates says in plain text: everything before its JSON, or before its HTML.
func fallback(t *testing.T, s templates.Sample) string {
	t.Helper()
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(s.Name), "-"), "-")
	b, err := os.ReadFile(filepath.Join("../../../templates/testdata", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, begin := range []string{"\n{\n", "\n[\n", "\n[]\n", "\n<!doctype", "\n<!DOCTYPE"} {
		text, _, _ = strings.Cut(text, begin)
	}
	return text
}

// Marks that only the plain text has: of headers, dividers, buttons, menus and choices; what a button asks before it acts is
// in a closed dialog on the page.
var (
	asked = regexp.MustCompile(`(?m) \(asks: .*?\)(\]| \[|$)`)
	marks = strings.NewReplacer("[More: ", " ", "[choose: ", " ", "[", " ", "]", " ", " | ", " ", "(chart) ", " ", "`", "")
)

// words is text without its layout.
func words(text string) []string {
	for asked.MatchString(text) {
		text = asked.ReplaceAllString(text, "$1")
	}
	var out []string
	for _, w := range strings.Fields(marks.Replace(blockkit.WithEmoji(text))) {
		if w != "==" && w != "----" && w != "⋯" && w != ">" {
			out = append(out, w)
		}
	}
	return out
}

// between cuts a part out of a page.
func between(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, from)
	part, _, end := strings.Cut(rest, to)
	if !ok || !end {
		t.Fatalf("no %q … %q", from, to)
	}
	return part
}

// TestEveryGoldenOnThePage: the catalogue shows every message, window, Home and mail, and a reader sees on it what the
// golden's fallback text says.
func TestEveryGoldenOnThePage(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	status, page, _ := s.get("/catalogue?group=all")
	if status != 200 {
		t.Fatal(status)
	}
	shown := map[string]string{}
	for _, part := range strings.Split(page, `<article data-sample="`)[1:] {
		name, rest, _ := strings.Cut(part, `"`)
		body, _, _ := strings.Cut(rest, "</article>")
		shown[name] = body
	}
	for _, sample := range templates.Catalogue() {
		t.Run(sample.Name, func(t *testing.T) {
			body, ok := shown[template.HTMLEscapeString(sample.Name)]
			if !ok {
				t.Fatal("it is not on the page")
			}
			plain := fallback(t, sample)
			if sample.Mail != nil {
				subject := between(t, body, `<p class="sampletitle">`, "</p>")
				text := between(t, body, ">", "</pre>")
				text = text[strings.LastIndex(text, ">")+1:]
				compare(t, words(plain), words("Subject: "+unescape(subject)+" "+unescape(text)))
				return
			}
			seen := blockkit.Visible(template.HTML(between(t, body, `<div class="sample">`, `</div><div class="after">`)))
			if sample.Modal != nil {
				seen = unescape(between(t, body, `<p class="sampletitle">`, "</p>")) + " " + seen
			}
			plain, aloud, _ := strings.Cut(plain, "\n(aloud: ")
			if sample.Message != nil {
				said := unescape(between(t, body, `<p class="quiet aloud">Aloud: `, "</p>"))
				compare(t, words(strings.TrimSuffix(strings.TrimSpace(aloud), ")")), words(said))
			}
			want, got := words(plain), words(seen)
			if sample.Modal != nil { // the page also shows what is chosen, and what an input holds
				within(t, want, got)
				return
			}
			if strings.Contains(plain, "(chart)") { // the page has the figures in a table, category by category
				slices.Sort(want)
				want = slices.Compact(want)
				for _, w := range want {
					if w = strings.Trim(w, ",:"); w != "" && !slices.ContainsFunc(got, func(g string) bool { return strings.Trim(g, ",:") == w }) {
						t.Errorf("%q is not on the page", w)
					}
				}
				return
			}
			compare(t, want, got)
		})
	}
}

// empty are inputs that hold nothing, as the plain text names them.
var empty = []string{"plain_text_input", "datepicker", "number_input"}

// within checks that everything of a window's plain text is on the page, in its order. A label has a colon there.
func within(t *testing.T, want, got []string) {
	t.Helper()
	for _, w := range want {
		if slices.Contains(empty, w) {
			continue
		}
		i := slices.IndexFunc(got, func(g string) bool { return g == w || g == strings.TrimSuffix(w, ":") })
		if i < 0 {
			t.Fatalf("%q is not on the page, after what was before it; left are %q", w, got)
		}
		got = got[i+1:]
	}
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'", "&#43;", "+").Replace(s)
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the page says something else (-golden +page):\n%s", d)
	}
}
