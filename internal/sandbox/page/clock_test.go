package page

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

var alertOf = regexp.MustCompile(`data-region="([a-z]+)" role="alert" class="alerts">\s*<p class="bad">([^<]*)`)

// alerts are what the page has to tell a person, by pane.
func alerts(body string) map[string]string {
	out := map[string]string{}
	for _, m := range alertOf.FindAllStringSubmatch(body, -1) {
		out[strings.TrimSuffix(m[1], "alert")] = m[2]
	}
	return out
}

var afterOf = regexp.MustCompile(`name="after" value="([^"]+)"`)

// drawn is what the clock's buttons say that they were drawn after.
func (s *site) drawn() string {
	s.t.Helper()
	_, body, _ := s.get("/")
	all := afterOf.FindAllStringSubmatch(body, -1)
	if len(all) != 2 || all[0][1] != all[1][1] {
		s.t.Fatalf("the clock's two forms do not say after what they were drawn: %q", all)
	}
	return all[0][1]
}

// TestDoubleClickOnTheClock is one hour, also if the first one is over before the second click comes; why the second does
// nothing is said beside the clock, and no longer than it is true. So it is with a scan.
func TestDoubleClickOnTheClock(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	click := url.Values{"at": {"/"}, "d": {"+1 hour"}, "after": {s.drawn()}}
	began := s.Clock.Now()
	s.post("/act/pass", click)
	s.still()
	_, body := s.post("/act/pass", click)
	if !strings.HasPrefix(alerts(body)["clock"], "The world has gone on") || len(alerts(body)) != 1 {
		t.Errorf("alerts %q", alerts(body))
	}
	s.still()
	if d := s.Clock.Now().Sub(began); d != time.Hour {
		t.Fatalf("%s went by", d)
	}
	if _, body, _ = s.get("/?as=" + world.OnCall); len(alerts(body)) != 0 {
		t.Errorf("somebody else is told, too: %q", alerts(body))
	}
	s.mustPass(1)
	if _, body, _ = s.get("/"); len(alerts(body)) != 0 {
		t.Errorf("the world has gone on, and it is still said: %q", alerts(body))
	}

	click.Set("after", s.drawn())
	s.post("/act/scan", click)
	s.still()
	s.AWS.ResetCounters()
	if _, body = s.post("/act/scan", click); !strings.HasPrefix(alerts(body)["clock"], "The world has gone on") || len(s.AWS.Counters()) != 0 {
		t.Errorf("a second scan: alerts %q, calls %v", alerts(body), s.AWS.Counters())
	}
}

// TestAlertsStandWhereTheClickWas: what a pane refuses, it says.
func TestAlertsStandWhereTheClickWas(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	for _, tt := range []struct {
		act   string
		form  url.Values
		where string
	}{
		{"say", url.Values{"text": {"/nothing"}}, "slack"},
		{"pass", url.Values{"d": {"+1 hour"}}, "clock"},
		{"trouble", url.Values{"name": {"rain"}}, "trouble"},
		{"key", url.Values{"do": {"lose"}}, "side"},
	} {
		tt.form.Set("at", "/")
		if _, body := s.post("/act/"+tt.act, tt.form); len(alerts(body)) != 1 || alerts(body)[tt.where] == "" {
			t.Errorf("%s: %q", tt.act, alerts(body))
		}
	}
}
