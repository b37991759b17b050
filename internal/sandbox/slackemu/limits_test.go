package slackemu

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// verdict keeps what a helper says of a test.
type verdict struct{ said []string }

func (*verdict) Helper() {}

func (v *verdict) Errorf(format string, args ...any) {
	v.said = append(v.said, fmt.Sprintf(format, args...))
}

func TestWithinLimits(t *testing.T) {
	s, api := start(t, &bot{})
	members := func() error { _, err := api.GetUserGroupMembers("S0SEC"); return err }
	s.AddGroup("S0SEC", ann)
	for range 2 * tier2 {
		if err := members(); err != nil {
			t.Fatalf("the limits are off: %v", err)
		}
	}
	var v verdict
	if s.WithinLimits(&v); len(v.said) != 1 {
		t.Errorf("where nobody looks: %q", v.said)
	}

	c := &clock{now: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)}
	s.LimitRates(c.Now)
	s.ResetCounters()
	for range tier2 {
		if err := members(); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Second)
	}
	s.WithinLimits(t)
	var limit *slack.RateLimitedError
	if err := members(); !errors.As(err, &limit) || limit.RetryAfter != 40*time.Second {
		t.Errorf("beyond tier 2: %v", err)
	}
	c.Advance(limit.RetryAfter)
	if err := members(); err != nil {
		t.Errorf("after waiting: %v", err)
	}
	s.SetFault(Fault{Method: "users.info", Kind: FaultRateLimited, RetryAfter: time.Second})
	if _, err := api.GetUserInfo(ann); !errors.As(err, &limit) {
		t.Errorf("an ordered refusal: %v", err)
	}
	want := map[string]Usage{"usergroups.users.list": {Calls: tier2 + 2, Refused: 1}, "users.info": {Calls: 1}}
	if diff := cmp.Diff(want, s.Limits()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v = verdict{}
	if s.WithinLimits(&v); len(v.said) != 1 || v.said[0] != "1 calls of usergroups.users.list were beyond Slack's limit" {
		t.Errorf("it says %q", v.said)
	}
}

// A user's ID and that of the direct message name one channel, to which one limit applies.
func TestOneLimitForOneChannel(t *testing.T) {
	s, api := start(t, &bot{})
	c := &clock{now: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)}
	s.LimitRates(c.Now)
	for i := range postBurst {
		if _, _, err := api.PostMessage([]string{ann, s.DM(ann)}[i%2], slack.MsgOptionText("x", false)); err != nil {
			t.Fatal(err)
		}
	}
	var limit *slack.RateLimitedError
	if _, _, err := api.PostMessage(ann, slack.MsgOptionText("x", false)); !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
	s.LimitRates(nil)
	if _, _, err := api.PostMessage(ann, slack.MsgOptionText("x", false)); err != nil {
		t.Errorf("on another clock nothing was counted yet: %v", err)
	}
}
