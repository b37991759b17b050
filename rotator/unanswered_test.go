package rotator

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// TestNobodyAnswers: reminders, the next circle and the timeout come by themselves, and the outcome is the policy's.
func TestNobodyAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		out   rotation.Timeout
		today rotation.Timeout // what the configuration says once the time is up
		state rotation.State
	}{
		"escalate": {rotation.TimeoutEscalate, rotation.TimeoutEscalate, rotation.Awaiting},
		"expire":   {rotation.TimeoutExpire, rotation.TimeoutExpire, rotation.Closed},
		"approve":  {rotation.TimeoutApprove, rotation.TimeoutApprove, rotation.Installing},
		"approve, which today's rule says no more": {rotation.TimeoutApprove, rotation.TimeoutEscalate, rotation.Awaiting},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.rules.policy.OnTimeout = c.out
			l.open()
			l.wake()
			opened := l.Now()
			l.until("escalated", func(r rotation.Rotation) bool { return r.Escalation != nil && !r.Untold() })
			if d := l.Now().Sub(opened); d != l.rules.policy.EscalateAfter || l.get().Reminders != 2 {
				t.Errorf("escalated after %s and %d reminders", d, l.get().Reminders)
			}
			l.rules.policy.OnTimeout = c.today
			l.until("timed out", func(rotation.Rotation) bool { _, ok := l.happened("time_is_up"); return ok })
			if d := l.Now().Sub(opened); d != l.rules.policy.AnswerWithin {
				t.Errorf("timed out after %s", d)
			}
			if r := l.get(); r.State != c.state {
				t.Fatalf("%s\n%s", r.State, l.tail())
			}
			if c.state == rotation.Installing {
				l.until("closed", state(rotation.Closed))
				l.healthy()
			}
		})
	}
}

// TestModeAuto acts when the delivered notice has run out, and on nothing else.
func TestModeAuto(t *testing.T) {
	l := newLife(t)
	l.rules.policy.Mode = rotation.ModeAuto
	l.open()
	fail := true
	l.aroundTell = func(int, bool) error {
		if fail {
			return errFault
		}
		return nil
	}
	l.wake()
	l.pass(20 * rotation.Day)
	l.wake()
	if r := l.get(); r.State != rotation.Awaiting {
		t.Fatalf("it acted on a notice that nobody has: %s", r.State)
	}
	fail = false
	l.until("told", func(r rotation.Rotation) bool { return !r.Untold() })
	told := l.Now()
	l.until("installing", state(rotation.Installing))
	if d := l.Now().Sub(told); d != l.rules.policy.Notice {
		t.Errorf("it acted %s after the delivery", d)
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()

	t.Run("people decide meanwhile", func(t *testing.T) {
		l := newLife(t)
		l.rules.policy.Mode = rotation.ModeAuto
		l.open()
		l.wake()
		l.rules.policy.Mode = rotation.ModeApprove
		l.pass(8 * rotation.Day)
		l.wake()
		if r := l.get(); r.State != rotation.Awaiting || r.Policy.Mode != rotation.ModeApprove || l.changes() != 0 {
			t.Fatalf("%s, mode %s", r.State, r.Policy.Mode)
		}
	})
}

// TestCalendar: nothing that takes a key away happens outside working hours, and in a freeze nothing at all but what is
// urgent. What was put off is done as soon as the calendar opens.
func TestCalendar(t *testing.T) {
	opens := map[bool]time.Time{} // by whether working hours count
	closed := func(l *life, hours, freeze time.Duration) {
		opens[true], opens[false] = l.Now().Add(hours), l.Now().Add(freeze)
		l.rot.o.When = func(_ rotation.Rotation, hours bool, t time.Time) (time.Time, string) {
			if at := opens[hours]; at.After(t) {
				return at, "change freeze"
			}
			return t, ""
		}
	}
	t.Run("issuing waits for a freeze only", func(t *testing.T) {
		l := to(t, rotation.Approved)
		closed(l, 3*rotation.Day, 0)
		l.wake()
		if r := l.get(); r.State != rotation.Installing {
			t.Fatalf("%s", r.State)
		}
		l = to(t, rotation.Approved)
		closed(l, 5*rotation.Day, 5*rotation.Day)
		l.wake()
		if r := l.get(); r.State != rotation.Approved || r.Postponed == nil || l.changes() != 0 {
			t.Fatalf("%s %+v", r.State, r.Postponed)
		}
		from := l.Now()
		l.until("installing", state(rotation.Installing))
		if d := l.Now().Sub(from); d != 5*rotation.Day {
			t.Errorf("after %s", d)
		}
	})
	t.Run("a deactivation waits for working hours", func(t *testing.T) {
		l := to(t, rotation.Installing)
		l.pass(l.get().DeactivateAt.Sub(l.Now()))
		closed(l, 60*time.Hour, 0)
		l.wake()
		if r := l.get(); r.Postponed == nil || l.status(oldKey) != rotation.Active {
			t.Fatalf("%+v", r.Postponed)
		}
		l.until("off", func(rotation.Rotation) bool { return l.status(oldKey) == rotation.Inactive })
		if l.Now().Before(opens[true]) {
			t.Error("too early")
		}
	})
	t.Run("what a person decided waits for a freeze only", func(t *testing.T) {
		l := to(t, rotation.Installing)
		l.pass(9 * rotation.Day)
		l.use(oldKey, "s3")
		l.pass(rotation.Day)
		l.wake()
		l.mustHappen("gate_refused", "in use")
		closed(l, 9*rotation.Day, 0)
		l.do(rotation.DeactivateAnyway{Actor: owner, Why: "it is a test"})
		l.wake()
		if l.status(oldKey) != rotation.Inactive {
			t.Fatalf("still active\n%s", l.tail())
		}
	})
	t.Run("nothing holds a leak or a restore up", func(t *testing.T) {
		l := to(t, rotation.Recovering)
		closed(l, 9*rotation.Day, 9*rotation.Day)
		l.do(rotation.Restore{Actor: owner})
		l.wake()
		if l.status(oldKey) != rotation.Active {
			t.Fatalf("not restored\n%s", l.tail())
		}
		l.do(rotation.Leaked{Actor: owner})
		l.wake()
		if l.status(oldKey) != rotation.Inactive {
			t.Fatalf("not cut off\n%s", l.tail())
		}
	})
	t.Run("an attempt that may have made a key is finished", func(t *testing.T) {
		l := to(t, rotation.Approved)
		l.once("CreateAccessKey", true, func() error { panic(errCrash) })
		l.wake()
		closed(l, 90*rotation.Day, 90*rotation.Day)
		l.pass(0)
		r := l.until("installing", state(rotation.Installing))
		if l.Now().After(opens[false]) || r.New == nil {
			t.Error("it waited with a key whose secret is nowhere")
		}
	})
}

// TestARuleThatNobodyCanMeetGoesToTheNextCircleAtOnce when the key becomes due.
func TestARuleThatNobodyCanMeetGoesToTheNextCircleAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		required, able, more int
		err                  error
		why                  string
	}{
		"enough":                {2, 2, 3, nil, ""},
		"one too few":           {2, 1, 2, nil, "only 1 can decide. Correct the approvers of"},
		"too few in any case":   {2, 0, 1, nil, "Nobody whom the rule names can decide. With the next circle there are 1. Correct the approvers of"},
		"nobody, of one":        {1, 0, 1, nil, "Nobody whom the rule names can decide. Correct"},
		"nobody at all":         {1, 0, 0, nil, "Nor can anybody of the next circle."},
		"one is enough":         {1, 1, 1, nil, ""},
		"Slack could not say":   {2, 0, 0, errFault, ""},
		"nobody is left by now": {2, 1, 0, nil, "Nor can anybody of the next circle."},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.aws.users[userName].Keys = []rotation.Key{l.key(oldKey, 85, 1)}
			l.rules.rule.Required = c.required
			l.rot.o.Able = func(_ context.Context, _ approval.Rule, _ rotation.Rotation, escalated bool) (int, error) {
				if escalated {
					return c.more, c.err
				}
				return c.able, c.err
			}
			if r := l.open(); r.State != rotation.Upcoming {
				t.Fatal(r.State)
			}
			r := l.until("due", state(rotation.Awaiting))
			if (r.Escalation != nil) != (c.why != "") || c.why != "" && !strings.Contains(r.Escalation.Why, c.why) {
				t.Fatalf("%+v", r.Escalation)
			}
		})
	}
}

// TestApprovalsByMembersOfAGroup: whether they still are members is asked again before AWS is touched. Where Slack cannot
// say nothing is done, and nothing is taken back.
func TestApprovalsByMembersOfAGroup(t *testing.T) {
	members := approval.Group{Members: []string{"U0SECOPS"}}
	begin := func(t *testing.T) *life {
		l := newLife(t)
		l.rules.rule.AnyOf = []approval.Circle{{Kind: approval.UserGroup, ID: "S1"}}
		l.rot.o.Groups = func(context.Context, approval.Rule) approval.Groups { return approval.Groups{"S1": members} }
		l.open()
		r := l.get()
		l.do(rotation.Approve{Actor: rotation.Actor{ID: "U0SECOPS", Via: rotation.ViaSlack}, Digest: r.Digest(), Required: 1})
		return l
	}
	l := begin(t)
	l.wake()
	if r := l.get(); r.State != rotation.Installing {
		t.Fatalf("%s\n%s", r.State, l.tail())
	}
	members = approval.Group{Problem: "Slack could not say"}
	l = begin(t)
	_ = l.wakeErr(context.Background())
	if r := l.get(); r.State != rotation.Approved || len(r.Approvals) != 1 || l.changes() != 0 {
		t.Fatalf("%s with %d approvals\n%s", r.State, len(r.Approvals), l.tail())
	}
	members = approval.Group{}
	l.until("asked again", func(r rotation.Rotation) bool { return r.State == rotation.Awaiting })
	if l.changes() != 0 {
		t.Fatal("AWS was changed on the word of somebody who left the group")
	}
}
