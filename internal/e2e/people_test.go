package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/scheduler"
)

// click presses a button of somebody's newest notice, and lets everything that follows happen.
func (s *stage) click(place, who, text string) {
	s.tb.Helper()
	m, ok := s.notice(place)
	if !ok {
		s.tb.Fatalf("%s has no notice", place)
	}
	if r := s.Slack.As(who).ClickButton(m, text); r.Err != nil {
		s.tb.Fatalf("%v\n%s", r.Err, s.Slack.Render(m))
	}
	s.app.Drain()
}

// rotationOf reads the rotation that names a key.
func (s *stage) rotationOf(key string) rotation.Rotation {
	s.tb.Helper()
	r, err := s.app.Store.(interface {
		RotationByKey(context.Context, rotation.KeyID) (rotation.Rotation, error)
	}).RotationByKey(context.Background(), rotation.KeyID(key))
	if err != nil {
		s.tb.Fatal(err)
	}
	return r
}

// TestAKeyInTheWay: an inactive key fills the second slot. The approval names it; it stays for the whole recovery grace, then
// makes room, and the rotation goes its way to the end.
func TestAKeyInTheWay(t *testing.T) {
	s := newStage(t)
	s.AWS.AddUser(world.Prod, awsemu.User{Name: world.Conflict})
	old, _ := s.AWS.AddKey(world.Prod, world.Conflict, awsemu.Key{Created: world.Start.Add(-120 * day), LastUsed: world.Start.Add(-2 * day), LastUsedService: "s3", LastUsedRegion: world.Region})
	inTheWay, _ := s.AWS.AddKey(world.Prod, world.Conflict, awsemu.Key{Created: world.Start.Add(-300 * day), Inactive: true})
	s.scan()
	s.click(world.AccountOwner, world.AccountOwner, "Approve")
	if r := s.rotationOf(old); r.State != rotation.Evicting || r.Evict == nil || string(r.Evict.ID) != inTheWay {
		t.Fatalf("after the approval: %s %+v", r.State, r.Evict)
	}
	s.pass(9 * day)
	if len(s.AWS.Keys(world.Prod, world.Conflict)) != 2 {
		t.Fatal("the key in the way was deleted before its recovery grace was over")
	}
	s.pass(3 * day)
	if r := s.rotationOf(old); r.State != rotation.Installing {
		t.Fatalf("after the recovery grace: %s", r.State)
	}
	if _, _, _, there := s.AWS.Key(inTheWay); there {
		t.Fatal("the key in the way is still there")
	}
	s.pass(25 * day)
	ks := s.AWS.Keys(world.Prod, world.Conflict)
	if r := s.rotationOf(old); len(ks) != 1 || ks[0].Inactive || string(r.New.ID) != ks[0].ID || r.Outcome != rotation.OutcomeRotated {
		t.Fatalf("at the end: %+v, %s", ks, r.Outcome)
	}
}

// TestAskedFor: /keys rotate opens a rotation at once, without waiting for the next scan; the one who asked is named.
func TestAskedFor(t *testing.T) {
	s := newStage(t)
	s.AWS.AddUser(world.Prod, awsemu.User{Name: "young", Tags: map[string]string{"owner": "billing@acme.example"}})
	key, _ := s.AWS.AddKey(world.Prod, "young", awsemu.Key{Created: world.Start.Add(-3 * day), LastUsed: world.Start.Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: world.Region})
	s.scan()
	if n := len(s.Slack.Messages(world.Owner)); n != 0 {
		t.Fatalf("the owner of a young key was told %d things", n)
	}
	if r := s.Slack.As(world.OnCall).Command("rotate young@acme-prod the laptop was stolen"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.app.Drain()
	r := s.rotationOf(key)
	if r.Reason != rotation.ForcedRotation || r.RequestedBy.ID != world.OnCall {
		t.Fatalf("%s, asked for by %+v", r.Reason, r.RequestedBy)
	}
	s.click(world.Owner, world.Owner, "Approve")
	if r := s.rotationOf(key); r.State != rotation.Installing {
		t.Errorf("after the owner's approval: %s", r.State)
	}
}

// TestOneAccountOutOfReach: a role that is gone stops neither the others nor their mails. The run's summary says what to do,
// the rotation stands still, and goes on when the role is back.
func TestOneAccountOutOfReach(t *testing.T) {
	s := newStage(t)
	s.SeedHero()
	key := s.AWS.Keys(world.Prod, world.Billing)[0].ID
	s.scan()
	s.AWS.RemoveRole(world.Prod, world.MemberRole)
	s.Clock.Advance(day)
	s = newStageOn(t, s.World, s.db) // a process has the role's session for an hour; this one asks for its own
	sum, err := s.app.Scan(context.Background(), scheduler.RunOptions{})
	s.app.Drain()
	if err != nil || len(sum.Failed) != 1 || sum.Failed[0].Account.ID != world.Prod || sum.Accounts != 1 {
		t.Fatalf("%v %+v", err, sum)
	}
	ms := s.Slack.Messages(world.Channel)
	if last := s.Slack.Render(ms[len(ms)-1]); !strings.Contains(last, world.Prod) || !strings.Contains(last, "cannot be assumed") {
		t.Errorf("the summary does not say which account failed and why:\n%s", last)
	}
	if r := s.rotationOf(key); r.Frozen == nil {
		t.Error("the rotation of an account out of reach goes on")
	}
	s.AWS.AddRole(world.Prod, world.MemberRole, "")
	s.Clock.Advance(day)
	s.scan()
	s.click(world.Owner, world.Owner, "Approve")
	if r := s.rotationOf(key); r.Frozen != nil || r.State != rotation.Installing {
		t.Errorf("after the role is back: frozen %v, %s", r.Frozen, r.State)
	}
}

// TestAnEmptyStoreEvictsNothing: the database is lost half way. keyturn recognizes its pair by the secret's tags, asks a
// person, and touches neither key.
func TestAnEmptyStoreEvictsNothing(t *testing.T) {
	s := newStage(t)
	s.SeedHero()
	s.scan()
	s.click(world.Owner, world.Owner, "Approve")
	again := newStageOn(t, s.World, filepath.Join(t.TempDir(), "empty.db"))
	again.Clock.Advance(200 * day)
	again.scan()
	again.pass(60 * day)
	for _, k := range s.AWS.Keys(world.Prod, world.Billing) {
		if k.Inactive {
			t.Errorf("key %s was deactivated without a record of why", k.ID)
		}
	}
	if n := len(s.AWS.Keys(world.Prod, world.Billing)); n != 2 {
		t.Errorf("%d keys are left of 2", n)
	}
	old := s.AWS.Keys(world.Prod, world.Billing)[0].ID
	if r := again.rotationOf(old); r.Stuck == nil {
		t.Errorf("nobody was asked: %s %s", r.State, r.Reason)
	}
}
