package page

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/templates"
)

// entry is one sample of the catalogue as the page shows it.
type entry struct {
	ID, Name      string
	Kind          string // Message, Mail, Window or Home
	Title, Aloud  string
	Body          template.HTML
	Submit, Close string
	Text          string
	Frame         template.URL
}

type group struct {
	Name    string
	Count   int
	URL     template.URL
	Current bool
	Entries []entry // of a group that is shown
}

// allGroups shows every group at once.
const allGroups = "all"

type cataloguePage struct {
	Groups []group
	All    bool
}

// catalogue shows every message, window, Home and mail in every state, with canned data: one group of them, or all.
func (p *Server) catalogue(w http.ResponseWriter, r *http.Request) {
	want := r.URL.Query().Get("group")
	out := cataloguePage{All: want == allGroups}
	at := map[string]int{}
	for i, s := range templates.Catalogue() {
		name, _, _ := strings.Cut(s.Name, ":")
		if want == "" {
			want = name
		}
		if _, ok := at[name]; !ok {
			at[name] = len(out.Groups)
			out.Groups = append(out.Groups, group{Name: name, Current: name == want, URL: template.URL("/catalogue?" + url.Values{"group": {name}}.Encode())}) //nolint:gosec // encoded
		}
		g := &out.Groups[at[name]]
		g.Count++
		if out.All || g.Current {
			g.Entries = append(g.Entries, entryOf(i, s))
		}
	}
	p.show(w, "catalogue.html", out)
}

// wire is blocks as Slack is sent them.
func wire(blocks any) json.RawMessage {
	b, err := json.Marshal(blocks)
	if err != nil {
		return nil
	}
	return b
}

// entryOf renders a sample as somebody sees it whose client knows nobody: mentions show IDs, and dates their fallback.
func entryOf(i int, s templates.Sample) entry {
	e := entry{ID: "s-" + strconv.Itoa(i), Name: s.Name}
	o := blockkit.Options{ID: e.ID, Inert: true}
	switch {
	case s.Message != nil:
		e.Kind, e.Body = "Message", body(s.Message.Text, blocksOf(s.Message), o)
		e.Aloud = strings.Join(strings.Fields(blockkit.Visible(blockkit.Mrkdwn(s.Message.Text, o.Reader))), " ")
	case s.Mail != nil:
		e.Kind, e.Title, e.Text = "Mail", s.Mail.Subject, s.Mail.Text
		e.Frame = template.URL("/catalogue/mail/" + strconv.Itoa(i)) //nolint:gosec // a number
	case s.Modal != nil:
		e.Kind, e.Title, e.Body = "Window", s.Modal.Title.Text, blockkit.Blocks(wire(s.Modal.Blocks), o)
		if s.Modal.Submit != nil {
			e.Submit = s.Modal.Submit.Text
		}
		if s.Modal.Close != nil {
			e.Close = s.Modal.Close.Text
		}
	case s.Home != nil:
		e.Kind, e.Body = "Home", blockkit.Blocks(wire(s.Home.Blocks), o)
	}
	return e
}

func blocksOf(m *templates.Message) json.RawMessage {
	if len(m.Blocks) == 0 {
		return nil
	}
	return wire(m.Blocks)
}

// catalogueMail serves the HTML of a mail of the catalogue.
func (p *Server) catalogueMail(w http.ResponseWriter, r *http.Request) {
	all := templates.Catalogue()
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 0 || n >= len(all) || all[n].Mail == nil {
		http.NotFound(w, r)
		return
	}
	showMail(w, all[n].Mail.HTML)
}
