package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/browser"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// crowd is a world in which 500 keys of 40 owners are too old, after a scan.
func crowd(b *testing.B) *Server {
	b.Helper()
	s, err := stage.Open(b.Context(), stage.Options{Seed: func(w *world.World) {
		w.SeedHero()
		for i := range 499 {
			name := fmt.Sprintf("job-%03d", i)
			w.AWS.AddUser(world.Prod, awsemu.User{Name: name, Path: "/", Tags: map[string]string{"owner": fmt.Sprintf("owner%d@acme.example", i%40)}, CreatedAt: world.Start.AddDate(-1, 0, 0)})
			w.AWS.AddKey(world.Prod, name, awsemu.Key{Created: world.Start.AddDate(0, 0, -100), LastUsed: world.Start, LastUsedService: "s3", LastUsedRegion: world.Region})
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	s.Slack.SetAckWithin(time.Minute)
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	p, err := New(s)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Scan(); err != nil {
		b.Fatal(err)
	}
	if err := s.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	if j := s.Job(); j.Err != nil {
		b.Fatal(j.Err)
	}
	return p
}

func BenchmarkPage(b *testing.B) {
	p := crowd(b)
	for _, path := range []string{"/", "/?side=timeline", "/?in=C0KEYS&side=inbox", "/catalogue"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkFirstPaint is the time from the navigation to the first contentful paint, as chromium says.
func BenchmarkFirstPaint(b *testing.B) {
	srv := httptest.NewServer(crowd(b))
	b.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	tab := browser.Start(b).Tab(b, wide)
	total := 0.0
	for b.Loop() {
		tab.Open(srv.URL)
		var ms float64
		tab.Eval(`new Promise(done => {
			const seen = l => { const e = l.getEntriesByName('first-contentful-paint')[0]; if (e) done(e.startTime) }
			seen(performance)
			new PerformanceObserver(seen).observe({ type: 'paint', buffered: true })
		})`, &ms)
		total += ms
	}
	b.ReportMetric(total/float64(b.N), "ms-to-first-paint")
	tab.Close()
}
