package templates

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Wrong 18 of the pattern: its e-mail templates were read from a bucket in the middle of a run, so that a missing or broken
// one stopped the run after keys had been changed. Here each is tried when keyturn starts, and the error names it.
func TestWrong18BrokenMailTemplatesStopTheStart(t *testing.T) {
	own, err := mailFiles("")
	if err != nil {
		t.Fatal(err)
	}
	notice := func(text string) map[string]string {
		return map[string]string{"notice.txt.tmpl": text, "notice.html.tmpl": own["notice.html.tmpl"]}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // in the error
	}{
		{"nothing there", map[string]string{}, []string{"none of", "notice.html.tmpl"}},
		{"a file of another kind only", map[string]string{"README.md": "x"}, []string{"none of"}},
		{"a misspelt name", map[string]string{"notce.txt.tmpl": own["notice.txt.tmpl"]}, []string{"notce.txt.tmpl", "no template of this name", "notice.txt.tmpl"}},
		{"the HTML is missing", map[string]string{"notice.txt.tmpl": own["notice.txt.tmpl"]}, []string{"notice.html.tmpl is missing"}},
		{"the text is missing", map[string]string{"owner.html.tmpl": own["owner.html.tmpl"]}, []string{"owner.txt.tmpl is missing"}},
		{"text that does not parse", notice("Subject: x\n{{.Says"), []string{"notice.txt.tmpl"}},
		{"HTML that does not parse", map[string]string{"notice.txt.tmpl": own["notice.txt.tmpl"], "notice.html.tmpl": "{{if}}"}, []string{"notice.html.tmpl"}},
		{"shared parts that do not parse", map[string]string{"parts.html.tmpl": "{{define}}"}, []string{"parts.html.tmpl"}},
		{"shared parts without a part", map[string]string{"parts.html.tmpl": `{{define "head"}}{{.}}{{end}}`}, []string{".html.tmpl", "foot"}},
		{"a field that is not there", notice("Subject: x\n{{.Secrets}}"), []string{"notice.txt.tmpl", "Secrets"}},
		{"a field that is asked for in one state only", notice("Subject: x\n{{.Says}}{{if .NewKey}}{{.Sceret}}{{end}}"), []string{"notice.txt.tmpl", "Sceret"}},
		{"an index that is not always there", notice("Subject: x\n{{index .Never 0}}"), []string{"notice.txt.tmpl", "index"}},
		{"no subject", notice("{{.Says}}"), []string{"notice.txt.tmpl", "Subject:"}},
		{"an empty subject", notice("Subject:   \n{{.Says}}"), []string{"notice.txt.tmpl", "Subject:"}},
		{"a subject that is empty in one state", notice("Subject: {{if .Open}}x{{end}}\n{{.Says}}"), []string{"notice.txt.tmpl", "Subject:"}},
		{"nothing but a subject", notice("Subject: x\n"), []string{"notice", "renders nothing"}},
		{"HTML that ends within a tag", map[string]string{"notice.txt.tmpl": own["notice.txt.tmpl"], "notice.html.tmpl": `<p title="{{.Says}}`}, []string{"notice.html.tmpl"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := LoadMails(dir)
			if err == nil {
				t.Fatal("it was loaded")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in the error: %v", w, err)
				}
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		if _, err := LoadMails(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "mail templates") {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("never loaded", func(t *testing.T) {
		if _, err := (&Mails{}).NoticeMail(sampleNamed(t, "awaiting").r, View{}); err == nil {
			t.Error("a mail came out of nothing")
		}
	})
}

func TestMailTemplatesOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"notice.txt.tmpl": "Subject: Ours: {{.Title}}\n{{.Says}}", "notice.html.tmpl": "<p>{{.Says}}</p>", "NOTES.txt": "not a template"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := LoadMails(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := sampleNamed(t, "awaiting")
	got, err := m.NoticeMail(s.r, s.v)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "Ours: Replace access key: billing-export" || got.HTML != "<p>"+html.EscapeString(strings.TrimSpace(got.Text))+"</p>" {
		t.Errorf("got %+v", got)
	}
	if a, err := m.AccountMail(sampleAccount(), View{}); err != nil || !strings.Contains(a.Text, "WAITS FOR A DECISION") {
		t.Errorf("the mails that were not replaced are not keyturn's own: %v", err)
	}
}

// fill puts a text, or a number, of its own into every field that v reaches.
func fill(v reflect.Value, path string, n *int) {
	switch v.Kind() {
	case reflect.String:
		*n++
		v.SetString(fmt.Sprintf("fact%04dx%s<&\"", *n, strings.ReplaceAll(path, ".", "-")))
	case reflect.Int:
		*n++
		v.SetInt(int64(900000 + *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), path+"."+v.Type().Field(i).Name, n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), path, n)
		}
	}
}

// The HTML of a mail and its text say the same: whoever reads one of them misses nothing.
func TestMailsSayTheSameInBothForms(t *testing.T) {
	mails, err := LoadMails("")
	if err != nil {
		t.Fatal(err)
	}
	fact := regexp.MustCompile(`fact\d{4}x[A-Za-z-]*|\b900\d{3}\b`)
	facts := func(s string) []string {
		out := fact.FindAllString(s, -1)
		slices.Sort(out)
		return slices.Compact(out)
	}
	for name, data := range map[string]any{mailAccount: &MailAccount{}, mailOwner: &MailAccount{}, mailNotice: &MailNotice{}} {
		t.Run(name, func(t *testing.T) {
			n := 0
			fill(reflect.ValueOf(data).Elem(), "", &n)
			m, err := mails.render(name, data)
			if err != nil {
				t.Fatal(err)
			}
			text, inHTML := facts(m.Text), facts(html.UnescapeString(m.HTML))
			for _, f := range text {
				if !slices.Contains(inHTML, f) {
					t.Errorf("%s is in the text and not in the HTML", f)
				}
			}
			for _, f := range inHTML {
				if !slices.Contains(text, f) {
					t.Errorf("%s is in the HTML and not in the text", f)
				}
			}
			if len(text) < 15 {
				t.Errorf("only %d facts: %v", len(text), text)
			}
			if strings.Contains(m.HTML, `<&"`) {
				t.Error("the HTML is not escaped")
			}
		})
	}
}

// The subject says what is wanted, and wants nothing where nothing is to be done.
func TestMailSubjects(t *testing.T) {
	mails, err := LoadMails("")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"awaiting":                "[decision needed] Replace access key: billing-export",
		"upcoming":                "[decision needed] Replace access key soon: billing-export",
		"snoozed":                 "Snoozed: billing-export",
		"approved":                "Approved: billing-export",
		"installing":              "[action needed] Install the new access key: billing-export",
		"installing, confirmed":   "New access key in use: billing-export",
		"installing, escalated":   "[action needed] Access key still in use: billing-export",
		"recovering":              "Old access key deactivated: billing-export",
		"stuck":                   "[action needed] keyturn needs a person: billing-export",
		"leaked":                  "[action needed] Leaked access key: billing-export",
		"held":                    "On hold: billing-export",
		"closed, rotated":         "Access key replaced: billing-export",
		"closed, exempted":        "Exempted: billing-export",
		"restored and on hold":    "Restored and on hold: billing-export",
		"stuck, restoring failed": "[action needed] Access key not restored: billing-export",
	} {
		s := sampleNamed(t, name)
		m, err := mails.NoticeMail(s.r, s.v)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != want {
			t.Errorf("%s: %q, want %q", name, m.Subject, want)
		}
	}
	for name, want := range map[string]string{"": "Access keys", "awaiting": "[decision needed] Access keys", "snoozed": "Access keys", "installing": "[action needed] Access keys", "recovering": "Access keys", "leaked": "[action needed] Access keys"} {
		a := AccountView{ID: "111122223333", At: sampleNow}
		if name != "" {
			a.Open = []rotation.Rotation{sampleNamed(t, name).r}
		}
		if m, err := mails.AccountMail(a, View{}); err != nil || m.Subject != want+" of AWS account 111122223333" {
			t.Errorf("with %q: %q, %v", name, m.Subject, err)
		}
		if a.Quiet() != (name == "") {
			t.Errorf("with %q: quiet is %v", name, a.Quiet())
		}
	}
}

// Nothing here asks for the time, for chance or for the environment: what is rendered depends on what is given.
func TestNothingAsksForTheTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	forbidden := map[string][]string{"time": {"Now", "Since", "Until", "After", "Sleep", "Tick", "NewTimer", "Local", "LoadLocation"}, "rand": nil, "os": {"Getenv", "Environ", "LookupEnv", "Hostname"}}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			if names, ok := forbidden[x.Name]; ok && (names == nil || slices.Contains(names, sel.Sel.Name)) {
				t.Errorf("%s uses %s.%s", f, x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}
