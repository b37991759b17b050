package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

const day = 24 * time.Hour

// TestScanCallsOnTheWire counts what one account costs: whatever the number of users, a scan that finds nothing changed
// makes 5 calls and one for each page of the report (the emulator's report has one).
func TestScanCallsOnTheWire(t *testing.T) {
	for _, users := range []int{10, 100, 1000} {
		t.Run(fmt.Sprint(users), func(t *testing.T) {
			s := newStage(t)
			for i := range users {
				name := fmt.Sprintf("user-%04d", i)
				s.AWS.AddUser(world.Prod, awsemu.User{Name: name, CreatedAt: world.Start.Add(-500 * day)})
				age := time.Duration(i%80+1) * day
				if i == 0 {
					age = 100 * day // one is due
				}
				s.AWS.AddKey(world.Prod, name, awsemu.Key{Created: world.Start.Add(-age), LastUsed: world.Start.Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: world.Region})
			}
			first := s.callsOfScan()
			// Each user is new, so it is read with its keys (2); the one that is due also has its last use read (3).
			if want := 2*users + 3 + 5 + 1; first > want {
				t.Errorf("the first scan of %d users made %d calls, more than %d", users, first, want)
			}
			s.Clock.Advance(time.Hour) // the report is four hours old at most: still the same one
			if steady := s.callsOfScan(); steady != 5 {
				t.Errorf("a scan that found nothing changed made %d calls: %v", steady, s.AWS.Counters())
			}
			// A day later there is a new report, which takes a poll more to be made, and everybody used their key meanwhile.
			s.Clock.Advance(23 * time.Hour)
			for i := range users {
				if err := s.AWS.Use(s.AWS.Keys(world.Prod, fmt.Sprintf("user-%04d", i))[0].ID, "s3", world.Region); err != nil {
					t.Fatal(err)
				}
			}
			// Keys that came of age since are due for a warning or a decision, at 3 calls each; everybody else costs nothing.
			changed := 0
			for i := range users {
				if i%80+1 == 83 || i%80+1 == 89 {
					changed++
				}
			}
			if next := s.callsOfScan(); next > 5+1+3*changed {
				t.Errorf("the scan of the next day made %d calls: %v", next, s.AWS.Counters())
			}
		})
	}
}

// callsOfScan scans and counts the calls that the production account cost, with the one that opened it.
func (s *stage) callsOfScan() int {
	s.tb.Helper()
	s.AWS.ResetCounters()
	s.scan()
	n := 0
	for k, c := range s.AWS.Counters() {
		if k.Account == world.Prod {
			n += c
		}
	}
	return n + 1 // AssumeRole, which is counted for the account that calls it
}

// TestWrong01_EveryUserIsSeen: the pattern sees the first 100 users of an account, and of the exemption group.
func TestWrong01_EveryUserIsSeen(t *testing.T) {
	s := newStage(t)
	for i := range 250 {
		u := awsemu.User{Name: fmt.Sprintf("user-%04d", i), CreatedAt: world.Start.Add(-500 * day)}
		if i < 120 {
			u.Groups = []string{"IAMKeyRotationExemptionGroup"}
		}
		s.AWS.AddUser(world.Prod, u)
		s.AWS.AddKey(world.Prod, u.Name, awsemu.Key{Created: world.Start.Add(-95 * day), LastUsed: world.Start.Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: world.Region})
	}
	if sum := s.scan(); sum.Opened != 130 {
		t.Errorf("%d rotations were opened, want one for each of the 130 users who are not exempt", sum.Opened)
	}
}

// TestWrong13_TheUserCanReadItsSecret: the pattern's policy for the user never matches. Here the user reads the secret with
// nothing but the new key, and nobody else does.
func TestWrong13_TheUserCanReadItsSecret(t *testing.T) {
	s := newStage(t)
	s.SeedHero()
	s.AWS.AddUser(world.Prod, awsemu.User{Name: "somebody-else"})
	other, otherSecret := s.AWS.AddKey(world.Prod, "somebody-else", awsemu.Key{})
	s.scan()
	m, ok := s.notice(world.Owner)
	if !ok {
		t.Fatal("no notice")
	}
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.app.Drain()
	sec, ok := s.AWS.Secret(world.Prod, "keyturn/"+world.Prod+"/"+world.Billing)
	if !ok || len(sec.Versions) != 1 {
		t.Fatalf("the secret: %+v", sec.Name)
	}
	id, secret := valueOf(t, sec.Versions[0].Value)
	if err := readAs(s.World, id, secret, sec.ARN); err != nil {
		t.Errorf("the user cannot read its secret: %v", err)
	}
	if err := readAs(s.World, other, otherSecret, sec.ARN); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("somebody else reads it: %v", err)
	}
}
