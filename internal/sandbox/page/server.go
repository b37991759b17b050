package page

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
)

//go:embed static/page.css static/page.js static/icon.svg html/*.html
var files embed.FS

// policy lets a page use what this server serves and nothing else: no inline script, no inline style, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// mailPolicy is for the HTML of a mail, which brings styles of its own, in a frame.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"

// Server is the page of a stage. Make one with New.
type Server struct {
	stage *stage.Stage
	mux   *http.ServeMux
	html  *template.Template
	style []byte
	run   string // names this process

	pressing sync.Mutex // the clock's buttons

	mu    sync.Mutex
	heard map[string]heard // by person
}

// heard is what a person was told last.
type heard struct {
	alert  string            // why the last deed came to nothing
	pane   pane              // where that is said
	moment string            // when it was said of the world: it is over when the world goes on. Slack's stays
	view   string            // the window that errors belong to
	errors map[string]string // beside its inputs, by block_id
}

// New returns the page of a stage.
func New(s *stage.Stage) (*Server, error) {
	p := &Server{stage: s, mux: http.NewServeMux(), heard: map[string]heard{}, run: rand.Text()}
	var err error
	if p.html, err = template.New("page").Funcs(functions).ParseFS(files, "html/*.html"); err != nil {
		return nil, fmt.Errorf("the page's templates: %w", err)
	}
	css, err := files.ReadFile("static/page.css")
	if err != nil {
		return nil, fmt.Errorf("the page's stylesheet: %w", err)
	}
	p.style = append(append([]byte{}, css...), []byte("\n"+blockkit.CSS)...)
	p.mux.HandleFunc("GET /{$}", p.world)
	p.mux.HandleFunc("GET /events", p.events)
	p.mux.HandleFunc("GET /mail/{number}", p.mail)
	p.mux.HandleFunc("GET /catalogue", p.catalogue)
	p.mux.HandleFunc("GET /catalogue/mail/{number}", p.catalogueMail)
	p.mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, _ *http.Request) { static(w, "text/css; charset=utf-8", p.style) })
	p.mux.HandleFunc("GET /page.js", p.file("static/page.js", "text/javascript; charset=utf-8"))
	p.mux.HandleFunc("GET /icon.svg", p.file("static/icon.svg", "image/svg+xml"))
	for where, all := range acts {
		for name, act := range all {
			p.mux.HandleFunc("POST /act/"+name, p.act(where, act))
		}
	}
	return p, nil
}

func (p *Server) file(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := files.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		static(w, kind, b)
	}
}

func static(w http.ResponseWriter, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b) // the browser may be gone
}

// ServeHTTP implements http.Handler. Whoever comes by another name than loopback's, or posts from another page, is refused:
// a web page that the browser also shows has no business here.
func (p *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !loopback(r.Host) {
		http.Error(w, "this page is on loopback only: open it as http://127.0.0.1 with its port", http.StatusMisdirectedRequest)
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "the request came from another page", http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// show writes a template.
func (p *Server) show(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := p.html.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // the browser may be gone
}

// events tells a browser of every change, as server-sent events whose data is the version of the world.
func (p *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	c := http.NewResponseController(w)
	for {
		version, changed := p.stage.Version()
		if _, err := fmt.Fprintf(w, "data: %d\n\n", version); err != nil || c.Flush() != nil || changed == nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}
