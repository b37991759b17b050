package page

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/browser"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// await waits for a sign, or until nobody waits for the answer any more.
func await(r *http.Request, sign <-chan bool) {
	select {
	case <-sign:
	case <-r.Context().Done():
	}
}

// TestLateAnswerInTheBrowser: a click that leads to another place leads there also if the page was brought up to date while
// its answer was on the way.
func TestLateAnswerInTheBrowser(t *testing.T) {
	loaded := make(chan bool, 100)
	s := siteBehind(t, stage.Options{Seed: (*world.World).SeedHero}, func(s *stage.Stage, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				h.ServeHTTP(w, r)
				if r.URL.Path == "/" {
					loaded <- true
				}
				return
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			for len(loaded) > 0 {
				<-loaded
			}
			for range 2 { // the page asks anew when it shows the answer to the one before
				s.Changed()
				await(r, loaded)
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
		})
	})
	p := browser.Start(t).Tab(t, wide)
	p.Open(s.url)
	p.Click("keyturn Home")
	p.See("keyturn, Home")
	p.Close()
}

// TestOldAnswerInTheBrowser: answers that come in another order than the page has asked take nothing back.
func TestOldAnswerInTheBrowser(t *testing.T) {
	var said atomic.Bool
	drawn, release, loaded := make(chan bool), make(chan bool), make(chan bool, 100)
	s := siteBehind(t, stage.Options{Seed: (*world.World).SeedHero}, func(s *stage.Stage, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost: // it waits until what the page asked for after it is drawn
				said.Store(true)
				s.Changed()
				await(r, drawn)
				h.ServeHTTP(w, r)
			case r.URL.Path == "/" && said.CompareAndSwap(true, false): // which is on its way longer
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, r)
				close(drawn)
				await(r, release)
				_, _ = io.Copy(w, answer.Body)
			default:
				h.ServeHTTP(w, r)
				loaded <- true
			}
		})
	})
	p := browser.Start(t).Tab(t, wide)
	p.Open(s.url)
	p.Fill("Message or command", "hello")
	p.Eval(`document.querySelector('#sayform').requestSubmit()`, nil)
	p.Within("article").See("hello")
	p.Eval(`window.gone = 0; new MutationObserver(all => { for (const m of all) window.gone += m.removedNodes.length }).observe(document.querySelector('[data-keyed]'), {childList: true})`, nil)
	for len(loaded) > 0 {
		<-loaded
	}
	s.Changed()
	close(release)
	<-loaded // the page asks anew when it has seen the old answer
	var gone int
	p.Eval(`window.gone`, &gone)
	if gone != 0 {
		t.Errorf("%d messages vanished", gone)
	}
	p.Close()
}
