package stage

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestNoHourBetween: time goes on when keyturn is through with what somebody asked for before. An hour between claiming to
// tell people and telling them would end the claim, and the notice would keep its old words.
func TestNoHourBetween(t *testing.T) {
	s := open(t, Options{})
	s.do(t, s.Scan)
	before := s.Clock.Now()
	var first sync.Once
	reached, goOn := make(chan struct{}), make(chan struct{})
	s.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
		if c.Method == "chat.update" && c.Phase == slackemu.Before {
			first.Do(func() { close(reached) })
			<-goOn
		}
		return slackemu.Proceed
	})
	if r := s.Slack.As(world.AccountOwner).Command("snooze " + s.AWS.Keys(world.Prod, world.Billing)[0].ID + " 2d"); r.Err != nil {
		t.Fatal(r.Err)
	}
	<-reached
	if err := s.Pass("time", time.Hour); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); s.Clock.Now().Equal(before) && time.Since(began) < 200*time.Millisecond; {
		runtime.Gosched() // an hour too early comes at once
	}
	if !s.Clock.Now().Equal(before) {
		t.Error("an hour went by while keyturn told people")
	}
	close(goOn)
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := s.Slack.Conversation(world.Owner); !strings.Contains(said, "Snoozed until") || !s.Clock.Now().Equal(before.Add(time.Hour)) {
		t.Errorf("%s: %s", s.Clock.Now(), said)
	}
}
