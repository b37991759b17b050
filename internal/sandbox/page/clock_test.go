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

// TestDoubleClickOnTheClock is one hour, also if the first one is over before the second click comes; why the second does
// nothing is said beside the clock, and no longer than it is true.
func TestDoubleClickOnTheClock(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	_, body, _ := s.get("/")
	from := regexp.MustCompile(`name="from" value="([^"]+)"`).FindStringSubmatch(body)
	if from == nil {
		t.Fatal("the clock's buttons do not say what they were drawn for")
	}
	click := url.Values{"at": {"/"}, "d": {"+1 hour"}, "from": {from[1]}}
	began := s.Clock.Now()
	s.post("/act/pass", click)
	s.still()
	if _, body = s.post("/act/pass", click); !strings.HasPrefix(alerts(body)["clock"], "The clock has gone on") || len(alerts(body)) != 1 {
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
