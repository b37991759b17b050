package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/keyturn/keyturn/internal/rotation"
)

//go:embed mail/*.tmpl
var embedded embed.FS

// The mails, by the names of their templates: NAME.txt.tmpl, whose first line is "Subject: ...", and NAME.html.tmpl.
const (
	mailAccount = "account"
	mailOwner   = "owner"
	mailNotice  = "notice"
	mailRenewal = "renewal"
	mailDigest  = "digest"
	mailParts   = "parts.html.tmpl" // shared by the HTML ones
)

var mailNames = []string{mailAccount, mailOwner, mailNotice, mailRenewal, mailDigest}

// Mails renders e-mails. Its templates were tried with sample data when it was loaded. It is safe for concurrent use.
type Mails struct {
	text map[string]*texttemplate.Template
	html map[string]*htmltemplate.Template
}

// LoadMails reads the templates of the mails: those of keyturn, replaced by those that dir has under the same names. dir is
// "" if nothing is replaced. Every template is parsed and tried with sample data here, so that a missing or broken one
// stops keyturn before it has touched any key.
func LoadMails(dir string) (*Mails, error) {
	files, err := mailFiles(dir)
	if err != nil {
		return nil, err
	}
	m := &Mails{text: map[string]*texttemplate.Template{}, html: map[string]*htmltemplate.Template{}}
	for _, name := range mailNames {
		t := name + ".txt.tmpl"
		if m.text[name], err = texttemplate.New(t).Option("missingkey=error").Parse(files[t]); err != nil {
			return nil, fmt.Errorf("mail template %s: %w", t, err)
		}
		h := name + ".html.tmpl"
		root := htmltemplate.New(h).Option("missingkey=error")
		if _, err = root.New(mailParts).Parse(files[mailParts]); err != nil {
			return nil, fmt.Errorf("mail template %s: %w", mailParts, err)
		}
		if m.html[name], err = root.Parse(files[h]); err != nil {
			return nil, fmt.Errorf("mail template %s: %w", h, err)
		}
	}
	return m, m.try()
}

// mailFiles returns the source of every template by its file name.
func mailFiles(dir string) (map[string]string, error) {
	files := map[string]string{}
	entries, err := fs.ReadDir(embedded, "mail")
	if err != nil {
		return nil, fmt.Errorf("read keyturn's own mail templates: %w", err)
	}
	for _, e := range entries {
		b, err := fs.ReadFile(embedded, "mail/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read keyturn's own mail template %s: %w", e.Name(), err)
		}
		files[e.Name()] = string(b)
	}
	if dir == "" {
		return files, nil
	}
	return files, override(files, dir)
}

func override(files map[string]string, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the mail templates: %w", err)
	}
	have := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || filepath.Ext(name) != ".tmpl" {
			continue
		}
		if _, known := files[name]; !known {
			return fmt.Errorf("mail template %s: keyturn has no template of this name; it has %s", filepath.Join(dir, name), strings.Join(fileNames(files), ", "))
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("read the mail template: %w", err)
		}
		files[name], have[name] = string(b), true
	}
	if len(have) == 0 {
		return fmt.Errorf("the directory of mail templates, %s, has none of %s", dir, strings.Join(fileNames(files), ", "))
	}
	for _, name := range mailNames {
		t, h := name+".txt.tmpl", name+".html.tmpl"
		if have[t] != have[h] {
			if have[t] {
				t, h = h, t
			}
			return fmt.Errorf("mail template %s is missing: %s has %s, and one of them alone would say something else than the other", t, dir, h)
		}
	}
	return nil
}

func fileNames(files map[string]string) []string {
	var out []string
	for n := range files {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// try renders every mail with sample data, full and empty.
func (m *Mails) try() error {
	for _, a := range []AccountView{sampleAccount(), {ID: "111122223333", At: sampleNow}} {
		if _, err := m.AccountMail(a, View{Now: sampleNow}); err != nil {
			return err
		}
		if _, err := m.OwnerMail("owner@example.com", a, View{Now: sampleNow}); err != nil {
			return err
		}
	}
	for _, all := range [][]Ending{sampleEndings(), sampleEndings()[:1]} {
		if _, err := m.RenewalMail(all, View{Now: sampleNow}); err != nil {
			return err
		}
	}
	for _, s := range noticeSamples() {
		if _, err := m.NoticeMail(s.r, s.v); err != nil {
			return err
		}
	}
	for _, n := range []int{1, mostRows + 1} {
		if _, err := m.DigestMail(sampleMany(n), View{Now: sampleNow}); err != nil {
			return err
		}
	}
	return nil
}

// AccountMail is the mail for an account's owner: everything that was done or is about to be done there, what failed, and
// the root user's keys.
func (m *Mails) AccountMail(a AccountView, v View) (Mail, error) {
	return m.render(mailAccount, accountData(a, v))
}

// OwnerMail is the mail for the owner whom users' tags name: a holds the rotations of that owner only.
func (m *Mails) OwnerMail(owner string, a AccountView, v View) (Mail, error) {
	d := accountData(a, v)
	d.Owner = line(owner, 200)
	return m.render(mailOwner, d)
}

// NoticeMail is for an owner whom Slack cannot reach: what is asked, and what to do instead of pressing a button.
func (m *Mails) NoticeMail(r rotation.Rotation, v View) (Mail, error) {
	return m.render(mailNotice, noticeData(r, v))
}

var errNoSubject = errors.New(`the first line must be "Subject: ..." with a subject`)

func (m *Mails) render(name string, data any) (Mail, error) {
	if m == nil || m.text[name] == nil || m.html[name] == nil {
		return Mail{}, fmt.Errorf("mail template %s: it was never loaded", name)
	}
	var text, html bytes.Buffer
	if err := m.text[name].Execute(&text, data); err != nil {
		return Mail{}, fmt.Errorf("mail template %s.txt.tmpl: %w", name, err)
	}
	if err := m.html[name].Execute(&html, data); err != nil {
		return Mail{}, fmt.Errorf("mail template %s.html.tmpl: %w", name, err)
	}
	first, rest, _ := strings.Cut(text.String(), "\n")
	subject, ok := strings.CutPrefix(first, "Subject:")
	subject = line(subject, 200)
	if !ok || subject == "" {
		return Mail{}, fmt.Errorf("mail template %s.txt.tmpl: %w", name, errNoSubject)
	}
	rest = strings.TrimSpace(rest)
	if rest == "" || strings.TrimSpace(html.String()) == "" {
		return Mail{}, fmt.Errorf("mail template %s: it renders nothing", name)
	}
	return Mail{Subject: subject, Text: rest + "\n", HTML: html.String()}, nil
}

// line makes s a single line of plain text of at most n characters.
func line(s string, n int) string { return strings.TrimSpace(clip(strings.TrimSpace(s), n)) }
