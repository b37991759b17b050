package page

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/browser"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/templates"
)

// TestWindowsInTheBrowser: modals with their errors, the Home, the inbox, the log and the catalogue, also on a small phone and
// in the dark.
func TestWindowsInTheBrowser(t *testing.T) {
	s, b, p, old := scanned(t)
	notice := s.messageOf(world.Owner, old)

	p.Within(notice).Click("More actions")
	p.Within(notice).Click("Reject…")
	p.Within("dialog").See("Why?")
	p.Audit("a window")
	p.Click("Reject")
	p.See("Please complete this required field.")
	p.Audit("a window with an error")
	p.Screenshot(shot("window"))
	p.Press("Escape")

	p.Within(notice).Click("More actions")
	p.Within(notice).Click("Exempt…")
	p.Within("dialog").See("Until when?")
	p.Within("dialog").Click("Exempt")
	p.See("Please complete this required field.")
	var on string
	p.Eval(`document.activeElement.getAttribute('aria-invalid')`, &on)
	if on != "true" {
		t.Error("the focus is not on the field with the error")
	}
	bot := s.Slack.BotURL()
	s.Slack.SetBotURL("http://127.0.0.1:1") // nobody listens there
	p.Fill("Why?", "a vendor")
	p.Within("dialog").Click("Exempt")
	p.Within("dialog").See("does not run just now")
	p.Audit("an error within a window")
	s.Slack.SetBotURL(bot)
	p.Press("Escape")

	p.Within(notice).Click("Snooze")
	p.Select("For how long?", "2 days")
	p.Fill("Why? (optional)", "release week")
	p.Open(s.url) // a reload
	p.See("For how long?")
	var kept string
	p.Eval(`document.querySelector('dialog textarea, dialog input[type=text]').value`, &kept)
	if kept != "release week" {
		t.Errorf("after a reload the window holds %q", kept)
	}
	p.Within("dialog").Click("Snooze")
	p.Within(notice).See("Snoozed until")

	small := b.Tab(t, browser.Size{Width: narrow.Width, Height: narrow.Height, Mobile: true, Dark: true})
	for _, at := range []struct{ path, see string }{
		{"/", "Snoozed until"}, {"/?side=inbox&mail=1", "HTML of"}, {"/?in=C0KEYS&side=timeline", "Rotations"}, {"/?user=billing-export", "Access keys"}, {"/?side=log", "What keyturn logs"},
	} {
		small.Open(s.url + at.path)
		if at.path != "/?side=inbox&mail=1" {
			small.See(at.see)
		}
		small.Audit(at.path)
	}
	small.Screenshot(shot("narrow"))
	small.Close()
	p.Open(s.url + "/catalogue")
	p.See("notice: upcoming")
	p.Within("nav").Click("home")
	p.Within("#list").See("home: ")
	p.Within("#list").Not("notice: upcoming")
	for _, group := range []string{"modal", "mail", "home"} {
		p.Open(s.url + "/catalogue?group=" + group)
		p.Audit("the catalogue: " + group)
	}
	p.Close()
}

// TestMailsInTheBrowser: every mail of the catalogue, as a mail client shows it, in light and dark, on a wide and a narrow screen.
// The page's own frame lets nothing run, not even the audit, so that the mails are served without it.
func TestMailsInTheBrowser(t *testing.T) {
	mails := map[string]string{}
	for _, s := range templates.Catalogue() {
		if s.Mail != nil {
			mails["/"+strings.Trim(notInPath.ReplaceAllString(s.Name, "-"), "-")] = s.Mail.HTML
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, mails[r.URL.Path])
	}))
	t.Cleanup(srv.Close)
	if len(mails) < 5 {
		t.Fatalf("%d mails", len(mails))
	}
	b := browser.Start(t)
	for _, size := range []browser.Size{wide, narrow} {
		p := b.Tab(t, size)
		for _, path := range slices.Sorted(maps.Keys(mails)) {
			p.Open(srv.URL + path)
			p.Audit(path, "main")
		}
		p.Open(srv.URL + "/mail-digest")
		p.Screenshot(shot("mail-" + strconv.Itoa(size.Width)))
		p.Close()
	}
}

var notInPath = regexp.MustCompile(`[^a-z0-9]+`)

// TestKeyboardInTheBrowser: without a mouse, what is pressed keeps the focus, menus and windows open and close, and the focus
// comes back to where it was.
func TestKeyboardInTheBrowser(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	p := browser.Start(t).Tab(t, wide)
	p.Open(s.url)
	at := func(want string) {
		t.Helper()
		var name string
		p.Eval(`(document.activeElement.ariaLabel || document.activeElement.textContent).trim()`, &name)
		if name != want {
			t.Errorf("the focus is on %q, not on %q", name, want)
		}
	}
	focus := func(selector string) { t.Helper(); p.Eval(`document.querySelector('`+selector+`').focus()`, nil) }
	p.Press("Tab")
	at("Skip to Slack")
	focus("#clock form:nth-of-type(2) button")
	p.Press("Enter")
	p.See("1 of 8 steps done")
	s.still()
	p.See("Scanned accounts: 2")
	at("Scan now")

	notice := s.messageOf(world.Owner, "billing-export")
	focus(notice + " .bk-overflow summary")
	p.Press("Enter")
	p.Within(notice).See("Reject…")
	p.Press("Escape")
	p.Within(notice).Not("Reject…")
	at("More actions")
	focus(notice + " [value*=snooze]")
	p.Press("Enter")
	p.Within("dialog").See("For how long?")
	p.Press("Escape")
	p.Eval(`new Promise(done => { const look = () => document.querySelector('dialog[data-modal]') ? requestAnimationFrame(look) : done(); look() })`, nil)
	var back bool
	p.Eval(`document.querySelector('`+notice+`').contains(document.activeElement)`, &back)
	if !back {
		at("a button of the notice")
	}
	p.Close()
}

// TestQuestionInTheBrowser: what asks before it acts does nothing if the answer is no, and keeps its question open while the
// world goes on.
func TestQuestionInTheBrowser(t *testing.T) {
	s := newSite(t, stage.Options{Seed: func(w *world.World) {
		w.AWS.AddUser(world.Prod, awsemu.User{Name: "old-tool", Path: "/", Tags: map[string]string{"owner": "billing@acme.example"}, CreatedAt: world.Start.AddDate(-1, 0, 0)})
		w.AWS.AddKey(world.Prod, "old-tool", awsemu.Key{Created: world.Start.AddDate(0, 0, -140)})
	}})
	p := browser.Start(t).Tab(t, wide)
	p.Open(s.url)
	p.Click("Scan now")
	p.See("old-tool")
	s.still()
	notice := s.messageOf(world.Owner, "old-tool")
	p.Within(notice).Click("Approve removal")
	p.Within(notice + " dialog").See("Remove the last active key?")
	p.Audit("a question")
	s.Slack.As(world.AccountOwner).Command("snooze " + s.AWS.Keys(world.Prod, "old-tool")[0].ID + " 2d")
	s.mustPass(1) // the notice says something else now, and the clock says when that has come to the page
	p.See("It is now Monday 1 June 2026, 09:00 UTC")
	p.Within(notice + " dialog").See("Remove the last active key?")
	p.Within(notice).Not("Snoozed until")
	p.Press("Escape")
	p.Within(notice).See("Snoozed until")
	if k := s.AWS.Keys(world.Prod, "old-tool"); len(k) != 1 || k[0].Inactive {
		t.Errorf("no was taken for yes: %+v", k)
	}
	p.Within(notice).Click("Approve removal")
	p.Within(notice + " dialog").Click("Remove it")
	p.Within(notice).See("one click restores it")
	p.Close()
}

// TestTwoBrowsers see the same world; twenty clicks in a second do what one does; a reload loses nothing.
func TestTwoBrowsers(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	one, two := browser.Start(t).Tab(t, wide), browser.Start(t).Tab(t, wide)
	one.Open(s.url)
	two.Open(s.url + "/?as=" + world.OnCall + "&in=" + world.Channel + "&side=timeline")
	one.Click("Scan now")
	two.See("1 of 8 steps done")
	two.See("billing-export")
	one.Within("article").See("Replace access key")
	one.Burst("Approve", 20)
	one.See("Install the new access key")
	two.Within("#side").See("installing")
	s.still()
	fresh := browser.Start(t).Tab(t, wide)
	fresh.Open(s.url)
	fresh.See("Install the new access key")
	var all string
	fresh.Eval(`document.querySelector('main').innerText`, &all)
	one.Within("main").See(all) // what was brought up to date bit by bit is what somebody sees who comes now
	one.Open(s.url)             // a reload
	one.Within("main").See(all)
	fresh.Close()
	if n := len(s.AWS.Keys(world.Prod, world.Billing)); n != 2 {
		t.Errorf("%d keys", n)
	}
	one.Close()
	two.Close()
}
