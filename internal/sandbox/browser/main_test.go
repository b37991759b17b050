package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// shared is the one browser of all tests.
var shared *Browser

func TestMain(m *testing.M) {
	r := &fake{}
	code := 1
	r.run(func() {
		shared = Start(r)
		code = m.Run()
	})
	if said := r.said(); len(said) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(said, "\n"))
		code = 1
	}
	os.Exit(code)
}

// fake is a Reporter that keeps what is reported.
type fake struct {
	mu      sync.Mutex
	reports []string
	ends    []func()
}

func (f *fake) Helper()             {}
func (f *fake) Logf(string, ...any) {}
func (f *fake) Cleanup(end func())  { f.ends = append(f.ends, end) }

func (f *fake) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, fmt.Sprintf(format, args...))
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *fake) TempDir() string {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		panic(err)
	}
	f.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			f.Errorf("%v", err)
		}
	})
	return dir
}

// run runs a test that may end itself, and then what it wants cleaned up.
func (f *fake) run(test func()) {
	for _, step := range []func(){test, func() {
		for len(f.ends) > 0 {
			last := f.ends[len(f.ends)-1]
			f.ends = f.ends[:len(f.ends)-1]
			last()
		}
	}} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			step()
		}()
		<-done
	}
}

func (f *fake) said() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reports
}

// desk is an ordinary window.
var desk = Size{Width: 1000, Height: 700}

// hasty is a browser of little patience.
func hasty() *Browser {
	b := *shared
	b.patience = 150 * time.Millisecond
	return &b
}

// trial is a tab per size in which one case follows another.
type trial struct {
	t    *testing.T
	tabs map[Size]*Tab
}

func newTrial(t *testing.T) *trial { return &trial{t, map[Size]*Tab{}} }

// reports runs a case, and returns what is reported.
func (r *trial) reports(size Size, test func(p *Tab)) []string {
	p := r.tabs[size]
	if p == nil {
		p = hasty().Tab(r.t, size)
		r.tabs[size] = p
	}
	f := &fake{}
	p.t = f
	f.Cleanup(func() {
		p.report("the tab")
		p.Open("about:blank") // a server waits for its streams to end
	})
	f.run(func() { test(p) })
	p.t, p.watch.expected = r.t, nil
	return f.said()
}

// serve serves one page at /, answers /ok and /tick, and nothing else.
func serve(t *testing.T, page string, header ...string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, page)
		case "/ok":
			fmt.Fprint(w, "fine")
		case "/refused":
			http.Error(w, "refused", http.StatusConflict)
		case "/broken":
			panic(http.ErrAbortHandler)
		case "/tick":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: tick\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// good wraps a body into a page without a fault.
func good(body string) string {
	return `<!doctype html><html lang="en"><head><title>Keys</title><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><style>
::placeholder { color: light-dark(#555, #ccc) } button, input, select, textarea, summary { min-height: 28px; font: inherit } a.alone { display: inline-block; padding: 8px }
</style></head><body><main><h1>Keys</h1>` + body + `</main></body></html>`
}
