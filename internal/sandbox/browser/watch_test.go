package browser

import (
	"context"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

func TestWatchersFind(t *testing.T) {
	tabs := newTrial(t)
	for name, tt := range map[string]struct {
		body   string
		header []string
		want   []string
	}{
		"nothing":         {body: `<script>console.log("fine"); fetch("/ok"); new EventSource("/tick")</script>`},
		"console.error":   {body: `<script>console.error("bad", 7, {a: 1})</script>`, want: []string{"console error: bad 7 Object"}},
		"console.warn":    {body: `<script>console.warn("hm")</script>`, want: []string{"console warning: hm"}},
		"exception":       {body: `<script>setTimeout(() => { throw new Error("thrown") })</script>`, want: []string{"uncaught exception: Error: thrown"}},
		"rejection":       {body: `<script>Promise.reject(new Error("rejected"))</script>`, want: []string{"uncaught exception: Error: rejected"}},
		"image":           {body: `<img alt="x" src="/gone.png">`, want: []string{"404 Not Found: GET http://127.0.0.1:"}},
		"fetch":           {body: `<script>fetch("/refused", {method: "POST"})</script>`, want: []string{"409 Conflict: POST http://127.0.0.1:"}},
		"broken":          {body: `<script>fetch("/broken").catch(() => {})</script>`, want: []string{"failed with net::ERR_EMPTY_RESPONSE: GET "}},
		"policy":          {body: `<script>1</script>`, header: []string{"Content-Security-Policy", "script-src 'none'"}, want: []string{"security error: Executing inline script violates"}},
		"policy, image":   {body: `<img alt="x" src="/ok">`, header: []string{"Content-Security-Policy", "img-src 'none'"}, want: []string{"security error: Loading the image"}},
		"another machine": {body: `<img alt="x" src="http://192.0.2.1/x.png">`, want: []string{"a request to another machine: GET http://192.0.2.1/x.png"}},
		"another name":    {body: `<script>fetch("https://example.com/").catch(() => {})</script>`, want: []string{"a request to another machine: GET https://example.com/"}},
		"dialog":          {body: `<script>confirm("Sure?")</script>`, want: []string{`a dialog of the browser: confirm "Sure?"`}},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, good(tt.body), tt.header...)
			compare(t, tabs.reports(desk, func(p *Tab) { p.Open(url) }), tt.want)
		})
	}
}

func TestExpect(t *testing.T) {
	url := serve(t, good(`<script>fetch("/refused"); fetch("/gone"); fetch("/broken").catch(() => {})</script>`))
	said := newTrial(t).reports(desk, func(p *Tab) {
		p.Expect(409, "/refused")
		p.Expect(0, "/broken")
		p.Open(url)
	})
	compare(t, said, []string{"404 Not Found"})
}

func TestLeavingAPageIsNoFinding(t *testing.T) {
	url := serve(t, good(`<script>new EventSource("/tick"); fetch("/tick")</script><a class="alone" href="/ok">On</a>`))
	p := shared.Tab(t, desk)
	p.Open(url)
	p.Click("On")
	p.See("fine")
	p.Open(url)
	p.Audit("again")
}

// TestHeard: what a page asks for is waited for; how what a page asked for ends that was left, chromium need not say.
func TestHeard(t *testing.T) {
	const main, frame = "main", "frame"
	sent := func(id string, in cdp.FrameID, by string, kind network.ResourceType) *network.EventRequestWillBeSent {
		return &network.EventRequestWillBeSent{RequestID: network.RequestID(id), FrameID: in, LoaderID: cdp.LoaderID(by), Type: kind,
			Request: &network.Request{Method: "GET", URL: "http://127.0.0.1/" + id}}
	}
	document := func(in cdp.FrameID, id string) *network.EventRequestWillBeSent {
		return sent(id, in, id, network.ResourceTypeDocument)
	}
	ended := func(id string) any { return &network.EventLoadingFinished{RequestID: network.RequestID(id)} }
	page := []any{document(main, "first"), ended("first"), document(frame, "inner"), ended("inner")}
	for name, tt := range map[string]struct {
		events []any
		want   string
	}{
		"nothing":                       {nil, ""},
		"on its way":                    {[]any{sent("a", main, "first", network.ResourceTypeFetch)}, "no answer to GET http://127.0.0.1/a"},
		"answered":                      {[]any{sent("a", main, "first", network.ResourceTypeFetch), ended("a")}, ""},
		"a stream":                      {[]any{sent("a", main, "first", network.ResourceTypeEventSource)}, ""},
		"of the page before":            {[]any{sent("a", main, "first", network.ResourceTypeFetch), document(main, "second"), ended("second")}, ""},
		"of a frame of the page before": {[]any{sent("a", frame, "inner", network.ResourceTypeFetch), document(main, "second"), ended("second")}, ""},
		"sent while its page is left":   {[]any{document(main, "second"), sent("a", main, "first", network.ResourceTypeFetch), ended("second")}, ""},
		"the next page":                 {[]any{document(main, "second")}, "no answer to GET http://127.0.0.1/second"},
		"while a frame moves on":        {[]any{sent("a", main, "first", network.ResourceTypeFetch), document(frame, "other"), ended("other")}, "no answer to GET http://127.0.0.1/a"},
		"of a frame that has moved on":  {[]any{sent("a", frame, "inner", network.ResourceTypeFetch), document(frame, "other"), ended("other")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch()
			for _, e := range slices.Concat(page, tt.events) {
				w.see(e)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			got := ""
			if err := w.heard(over); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestForeign(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080/": false, "http://localhost/": false, "http://[::1]:9/": false, "data:text/html,x": false, "blob:http://x/y": false,
		"https://example.com/": true, "http://10.0.0.1/": true, "ws://example.com": true, "http://127.0.0.1.example.com/": true, "http://localhost.example.com": true,
	} {
		if foreign(url) != want {
			t.Errorf("foreign(%q) = %v", url, !want)
		}
	}
}
