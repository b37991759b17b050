package fleet

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestStory is a whole rotation through the three functions: a schedule scans, the owner clicks, the streams' records let the
// rotator issue, deactivate and delete, mails go out; under the templates' policies.
func TestStory(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	m, ok := s.notice(world.Owner, old)
	if !ok {
		t.Fatalf("the owner got no notice\n%s", s.logs.tail())
	}
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatalf("%v\n%s", r.Err, s.logs.tail())
	}
	s.pump()
	r, _ := s.find(old)
	if r.State != rotation.Installing || r.Untold() {
		t.Fatalf("after the click: %s, untold %v\n%s", r.State, r.Untold(), s.logs.tail())
	}
	before := s.rotator.Stats().Invocations
	for range 20 {
		if r, _ = s.find(old); r.State == rotation.Closed {
			break
		}
		s.until(r.NextAt)
	}
	if r.Outcome != rotation.OutcomeRotated || r.Untold() {
		t.Fatalf("in the end: %s %s\n%s", r.State, r.Outcome, s.logs.tail())
	}
	if ks := s.AWS.Keys(world.Prod, world.Billing); len(ks) != 1 || ks[0].Inactive || ks[0].ID == old {
		t.Errorf("keys: %+v", ks)
	}
	t.Logf("invocations: bot %d, scheduler %d, rotator %d (of them %d after the new key)", s.bot.Stats().Invocations,
		s.scheduler.Stats().Invocations, s.rotator.Stats().Invocations, s.rotator.Stats().Invocations-before)
	if n := s.rotator.Stats().Invocations; n > 12 {
		t.Errorf("one rotation cost %d invocations of the rotator, and may cost 12", n)
	}
	for _, c := range s.AWS.Calls() {
		if !c.Allowed && !c.Free {
			t.Errorf("%s was refused %s on %s: %s", c.Principal, c.Action, c.Resource, c.Why)
		}
	}
	if len(s.given) > 0 || len(s.dead.Messages()) > 0 {
		t.Errorf("given up: %d records, %d messages", len(s.given), len(s.dead.Messages()))
	}
	for _, secret := range s.AWS.SecretStrings() {
		if strings.Contains(s.logs.String(), secret) {
			t.Error("secret material in the logs")
		}
	}
	mails := 0
	for _, mail := range s.AWS.Mails() {
		if strings.Contains(mail.Text, old) {
			mails++
		}
	}
	if mails == 0 {
		t.Error("no mail names the key")
	}
}
