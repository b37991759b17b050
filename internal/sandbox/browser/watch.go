package browser

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch collects what a page does wrong: messages of warning and error, exceptions, violations of its content security policy,
// answers of 400 and above, requests that fail, and requests to other machines. The icon /favicon.ico may be missing.
type watch struct {
	dialog func() // answers a dialog that blocks the page

	mu       sync.Mutex
	findings []string
	expected []expectation
	requests map[network.RequestID]*request // without an end
	loaders  map[cdp.FrameID]cdp.LoaderID   // the document of a frame, or the one that is on its way
	top      cdp.FrameID                    // the frame of the page itself
	changed  chan struct{}                  // closed when a request ends
}

type expectation struct {
	status int64
	part   string
}

type request struct {
	method, url string
	frame       cdp.FrameID
	loader      cdp.LoaderID
	stream      bool // it has no end
	told        bool // a failure is no news
}

func newWatch() *watch {
	return &watch{requests: map[network.RequestID]*request{}, loaders: map[cdp.FrameID]cdp.LoaderID{}, changed: make(chan struct{})}
}

func (w *watch) expect(status int64, part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, expectation{status, part})
}

// take returns the findings and forgets them.
func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.findings
	w.findings = nil
	return all
}

// rest waits until no request is on its way, streams apart.
func (w *watch) rest(ctx context.Context) {
	_ = w.until(ctx, func(*request) bool { return true }) // what is not at rest by then is not waited for
}

// heard waits until the requests that are on their way now are answered, streams apart.
func (w *watch) heard(ctx context.Context) error {
	now := map[*request]bool{}
	w.mu.Lock()
	for _, r := range w.requests {
		now[r] = true
	}
	w.mu.Unlock()
	return w.until(ctx, func(r *request) bool { return now[r] })
}

// until waits until no request that counts is on its way, streams apart. The error names one that is.
func (w *watch) until(ctx context.Context, counts func(*request) bool) error {
	for {
		var open *request
		w.mu.Lock()
		changed := w.changed
		for _, r := range w.requests {
			if !r.stream && !w.left(r) && counts(r) {
				open = r
			}
		}
		w.mu.Unlock()
		if open == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no answer to %s %s", open.method, open.url)
		}
	}
}

// see takes one event of the tab.
func (w *watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.add("console %s: %s", e.Type, said(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.add("uncaught exception: %s", thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		w.logged(e.Entry)
	case *network.EventRequestWillBeSent:
		w.sent(e)
	case *network.EventWebSocketCreated:
		if foreign(e.URL) {
			w.add("a socket to another machine: %s", e.URL)
		}
	case *network.EventResponseReceived:
		w.answered(e)
	case *network.EventLoadingFailed:
		w.failed(e)
	case *network.EventLoadingFinished:
		w.ended(e.RequestID)
	case *page.EventJavascriptDialogOpening:
		if e.Type != page.DialogTypeBeforeunload {
			w.add("a dialog of the browser: %s %q", e.Type, e.Message)
		}
		go w.dialog() // see must not call the browser
	}
}

// add adds a finding, once.
func (w *watch) add(format string, args ...any) {
	finding := fmt.Sprintf(format, args...)
	for _, f := range w.findings {
		if f == finding {
			return
		}
	}
	w.findings = append(w.findings, finding)
}

// logged takes what chromium itself says, as of violated policies; of requests the other events tell.
func (w *watch) logged(e *log.Entry) {
	if (e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning) && e.NetworkRequestID == "" {
		w.add("%s %s: %s", e.Source, e.Level, e.Text)
	}
}

func (w *watch) sent(e *network.EventRequestWillBeSent) {
	if e.RedirectResponse != nil {
		w.ended(e.RequestID)
	}
	r := &request{method: e.Request.Method, url: e.Request.URL, frame: e.FrameID, loader: e.LoaderID, stream: e.Type == network.ResourceTypeEventSource}
	if e.Type == network.ResourceTypeDocument {
		if w.top == "" {
			w.top = e.FrameID
		}
		if e.FrameID == w.top && w.loaders[w.top] != e.LoaderID {
			clear(w.loaders) // its frames go with it
		}
		w.loaders[e.FrameID] = e.LoaderID
		w.change()
	}
	if foreign(r.url) {
		w.add("a request to another machine: %s %s", r.method, r.url)
		r.told = true
	}
	w.requests[e.RequestID] = r
}

// left says whether a request is of a document that was left: chromium need not say how it ends.
func (w *watch) left(r *request) bool { return r.loader != w.loaders[r.frame] }

func (w *watch) answered(e *network.EventResponseReceived) {
	r := w.requests[e.RequestID]
	if r == nil {
		r = &request{url: e.Response.URL, told: true}
	}
	if e.Response.MimeType == "text/event-stream" {
		r.stream = true
		w.change()
	}
	if e.Response.Status < 400 {
		return
	}
	r.told = true
	if !unasked(e.Response.URL) && !w.meant(e.Response.Status, e.Response.URL) {
		w.add("%d %s: %s %s", e.Response.Status, e.Response.StatusText, r.method, e.Response.URL)
	}
}

// failed takes a request without an answer. An event stream ends so, and whatever is on its way when its page is left.
func (w *watch) failed(e *network.EventLoadingFailed) {
	r := w.requests[e.RequestID]
	w.ended(e.RequestID)
	if r == nil || r.told || e.BlockedReason == network.BlockedReasonCsp || w.meant(0, r.url) { // of the policy the log tells
		return
	}
	if e.ErrorText == "net::ERR_ABORTED" && (r.stream || w.left(r)) {
		return
	}
	w.add("failed with %s: %s %s", e.ErrorText, r.method, r.url)
}

func (w *watch) ended(id network.RequestID) {
	delete(w.requests, id)
	w.change()
}

func (w *watch) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watch) meant(status int64, url string) bool {
	for _, e := range w.expected {
		if e.status == status && strings.Contains(url, e.part) {
			return true
		}
	}
	return false
}

// unasked says whether chromium asks for a URL by itself, some time after the page has loaded, if at all.
func unasked(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Path == "/favicon.ico"
}

// foreign says whether a URL leads to another machine.
func foreign(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return !strings.HasPrefix(raw, "data:") && !strings.HasPrefix(raw, "blob:")
	}
	switch u.Scheme {
	case "data", "blob", "about":
		return false
	}
	host := u.Hostname()
	return host != "localhost" && !net.ParseIP(host).IsLoopback()
}

// said joins the arguments of a message.
func said(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, a := range args {
		switch {
		case a.Description != "":
			words[i] = a.Description
		default:
			words[i] = strings.Trim(string(a.Value), `"`)
		}
	}
	return strings.Join(words, " ")
}
