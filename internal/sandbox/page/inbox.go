package page

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
)

type mailRow struct {
	Number            int
	From, To, Subject string
	At                string
	URL               template.URL
}

type mailView struct {
	mailRow
	Headers []string
	Text    string
	Frame   template.URL
	HTML    bool
}

type inboxPane struct {
	Mails []mailRow
	Pages pages
	Open  *mailView
	Back  template.URL
}

func rowOf(m awsemu.Mail, number int, at place) mailRow {
	return mailRow{
		Number: number, From: m.From, To: strings.Join(m.To, ", "), Subject: m.Subject, At: m.At.UTC().Format("Mon 2 Jan, 15:04"),
		URL: at.With(pMail, strconv.Itoa(number)).URL(),
	}
}

// inboxPane lists the mails, the latest first, and shows the open one.
func (p *Server) inboxPane(at place) inboxPane {
	all := p.stage.AWS.Mails()
	out := inboxPane{Back: at.With(pMail, "").URL()}
	if n := at.number(pMail, 0); n >= 1 && n <= len(all) {
		m := all[n-1]
		v := mailView{mailRow: rowOf(m, n, at), Text: m.Text, HTML: m.HTML != "", Frame: template.URL("/mail/" + strconv.Itoa(n))} //nolint:gosec // a number
		for _, list := range []struct {
			name string
			who  []string
		}{{"Cc", m.CC}, {"Bcc", m.BCC}} {
			if len(list.who) > 0 {
				v.Headers = append(v.Headers, list.name+": "+strings.Join(list.who, ", "))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
			v.Headers = append(v.Headers, name+": "+m.Headers[name])
		}
		out.Open = &v
		return out
	}
	from, to, pg := at.paged(len(all))
	out.Pages = pg
	for i := from; i < to; i++ {
		n := len(all) - i
		out.Mails = append(out.Mails, rowOf(all[n-1], n, at))
	}
	return out
}

// mail serves the HTML of a mail, for a frame that lets it do nothing.
func (p *Server) mail(w http.ResponseWriter, r *http.Request) {
	all := p.stage.AWS.Mails()
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(all) {
		http.NotFound(w, r)
		return
	}
	showMail(w, all[n-1].HTML)
}

func showMail(w http.ResponseWriter, html string) {
	w.Header().Set("Content-Security-Policy", mailPolicy)
	static(w, "text/html; charset=utf-8", []byte(html))
}
