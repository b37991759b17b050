package page

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/browser"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// wide is the screen of the tour; narrow is that of a small phone.
var (
	wide   = browser.Size{Width: 1440, Height: 1000}
	narrow = browser.Size{Width: 360, Height: 740, Mobile: true}
)

// mustPass lets hours go by.
func (s *site) mustPass(hours int) {
	s.t.Helper()
	if err := s.Pass("time", time.Duration(hours)*time.Hour); err != nil {
		s.t.Fatal(err)
	}
	s.still()
}

// messageOf is the selector of the newest message in a channel, or of a person's, that names something.
func (s *site) messageOf(where, names string) string {
	s.t.Helper()
	s.still()
	ms := s.Slack.Messages(where)
	for i := len(ms) - 1; i >= 0; i-- {
		if m := ms[i]; m.ThreadTS == "" && strings.Contains(string(m.RawBlocks), names) && strings.Contains(string(m.RawBlocks), `"actions"`) {
			return "#m-" + strings.ReplaceAll(m.TS, ".", "-")
		}
	}
	s.t.Fatalf("no message in %s names %s:\n%s", where, names, s.Slack.Conversation(where))
	return ""
}

// still waits until the world stands still: nothing runs, and keyturn has nothing left to do.
func (s *site) still() {
	s.t.Helper()
	if err := s.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	a, err := s.App(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	a.Drain()
}

// scanned is the page of the whole world as the hero's owner sees it after the first scan; old is the hero's key.
func scanned(t *testing.T) (s *site, b *browser.Browser, p *browser.Tab, old string) {
	t.Helper()
	s = newSite(t, stage.Options{})
	old = s.AWS.Keys(world.Prod, world.Billing)[0].ID
	b = browser.Start(t)
	p = b.Tab(t, wide)
	p.Open(s.url)
	p.Click("Scan now")
	p.See("1 of 8 steps done")
	return s, b, p, old
}

// TestTourInTheBrowser does the whole guided tour by clicking.
func TestTourInTheBrowser(t *testing.T) {
	s := newSite(t, stage.Options{})
	old := s.AWS.Keys(world.Prod, world.Billing)[0].ID
	b := browser.Start(t)
	p := b.Tab(t, wide)
	p.Open(s.url)
	p.Audit("the page before anything happened")

	p.Click("Scan now")
	p.See("1 of 8 steps done")
	p.See("Replace access key: billing-export")
	p.Audit("after the scan")
	lone := b.Tab(t, browser.Size{Width: 720, Height: 1300})
	lone.Open(s.url)
	lone.Within(s.messageOf(world.Owner, old)).Screenshot(shot("notice"))
	lone.Close()

	p.Click("Act as the guest in #aws-keys")
	p.See("Guest's screen")
	p.Within("#status").See("Guest's screen, #aws-keys. 1 of 8 steps of the tour done.")
	p.Within(s.messageOf(world.Channel, "vendor-feed")).Click("Approve")
	p.See("Guests of the workspace cannot decide")
	p.See("2 of 8 steps done")
	p.Audit("the guest is refused")

	p.Click("Act as the owner")
	notice := s.messageOf(world.Owner, old)
	p.Within(notice).See("Replace access key: billing-export")
	p.Within(notice).Click("Approve")
	p.Within(notice).See("Install the new access key")
	p.See("3 of 8 steps done")
	p.Click("billing-export")
	p.See("CreateAccessKey")
	p.Audit("the timeline")
	p.Screenshot(shot("page"))

	p.Click("Show the keys of billing-export")
	p.Click("+10 days")
	p.See("4 of 8 steps done")
	p.Within("#side").Not("Inactive")

	fresh := s.AWS.Keys(world.Prod, world.Billing)[1].ID
	p.Click("Show both")
	p.Click("Install " + fresh)
	p.See("Stop the workload")
	p.Within(notice).Click("New key is in use")
	p.See("5 of 8 steps done")

	p.Click("+1 day")
	p.See("It is now Friday 12 June 2026")
	p.Click("+1 day")
	p.See("6 of 8 steps done")
	p.Within("#side").See("Inactive")
	p.Screenshot(shot("accounts"))

	p.Click("Act as the on-call engineer")
	p.See("On-Call Engineer's screen")
	p.Click("Use this key: " + old)
	p.See(old + " was refused")
	p.Within(s.messageOf(world.Channel, old)).Click("Restore")
	p.See("7 of 8 steps done")
	p.Audit("restored")

	p.Click("Act as the owner")
	p.Within(notice).Click("Release")
	for range 3 {
		p.Click("+10 days")
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.See("8 of 8 steps done")
	p.Fill("Message or command", "/keys history "+old)
	p.Click("Send")
	p.See("History of")
	p.Audit("the end of the tour")
	p.Close()
	if k, _, _, ok := s.AWS.Key(old); ok {
		t.Errorf("the old key is still there: %+v", k)
	}
}

// TestGuestInTheBrowser: a second tour, as the guest, who presses whatever is there and is refused each time.
func TestGuestInTheBrowser(t *testing.T) {
	s, _, p, old := scanned(t)
	p.Click("Guest")
	p.See("Guest's screen")
	p.Within("#slack").See("Nothing here yet")
	p.Audit("an empty conversation")
	p.Click("keyturn Home")
	p.See("keyturn, Home")
	p.Audit("the guest's Home")

	p.Within("nav[aria-label=Conversations]").Click("# aws-keys messages: 3")
	vendor := s.messageOf(world.Channel, "vendor-feed")
	for _, button := range []string{"Approve", "Snooze"} {
		p.Within(vendor).Click(button)
		p.See("Guests of the workspace cannot decide")
	}
	p.Within(vendor).Click("More actions")
	p.Within(vendor).Click("History")
	p.Fill("Message or command", "/keys approve "+old)
	p.Press("Enter")
	p.See("Who can: the owner (billing@acme.example)")
	p.Fill("Message or command", "/keys leaked "+old)
	p.Press("Enter")
	p.Fill("Message or command", "/nonsense")
	p.Press("Enter")
	p.See("/nonsense is not a valid command")
	p.Audit("what the guest was told")
	p.Close()

	for _, user := range s.AWS.Users(world.Prod) {
		for _, k := range s.AWS.Keys(world.Prod, user.Name) {
			if k.Created.Equal(world.Start) {
				t.Errorf("%s has a new key", user.Name)
			}
		}
	}
	for _, c := range s.Called().Counts() {
		if c.Service == "iam" && c.Changes() {
			t.Errorf("the guest made keyturn call %s:%s", c.Service, c.Name)
		}
	}
}

// TestTroubleInTheBrowser: whatever goes wrong is shown, and when it is over keyturn goes on.
func TestTroubleInTheBrowser(t *testing.T) {
	s, _, p, old := scanned(t)
	notice := s.messageOf(world.Owner, old)

	p.Click("Trouble for the curious")
	p.Click("Slack is down")
	p.See("something is wrong")
	p.Within(notice).Click("Approve")
	p.Audit("Slack is down")
	p.Click("Slack is down")
	if n := len(s.AWS.Keys(world.Prod, world.Billing)); n != 1 {
		t.Errorf("%d keys, and Slack could not say who clicked", n)
	}

	p.Click("Secrets Manager fails")
	p.See("something is wrong")
	p.Within(notice).Click("Approve")
	p.Within(notice).See("Approved")
	p.Click("Timeline")
	p.See("has trouble")
	p.Audit("Secrets Manager fails")
	p.Click("Secrets Manager fails")
	if n := len(s.AWS.Keys(world.Prod, world.Billing)); n != 1 {
		t.Errorf("%d keys, and none could be stored", n)
	}
	p.Click("IAM is throttled")
	p.Click("+1 hour")
	p.See("It is now Monday 1 June 2026, 09:00 UTC")
	p.Click("IAM is throttled")

	p.Click("Kill the rotator now")
	p.See("It will die in the middle of its next call")
	p.Click("+1 day")
	p.See("was killed after")
	p.Audit("killed")
	p.Screenshot(shot("killed"))
	p.Fill("Message or command", "/keys mine")
	p.Press("Enter")
	p.See("It does not run just now")
	p.Click("Start keyturn again")
	p.See("Kill the rotator now")
	p.Click("+1 day")
	p.Within(notice).See("Install the new access key")
	p.Close()
	if n := len(s.AWS.Keys(world.Prod, world.Billing)); n != 2 {
		t.Errorf("%d keys after it recovered", n)
	}
}
