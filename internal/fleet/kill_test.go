package fleet

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// point is a numbered place in the life of a rotation: before or after the n-th call of AWS (DynamoDB and SQS included) or of
// Slack, by whichever function.
type point struct {
	kind  string // aws or slack
	n     int
	after bool
}

func (p point) String() string {
	when := "before"
	if p.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, p.kind, p.n)
}

// reads reports whether a call changes nothing. To die around it is to die after the change before it: the world is the same,
// and what the process knew is gone either way.
func reads(operation string) bool {
	for _, prefix := range []string{"Get", "List", "Query", "BatchGet", "Describe", "Assume", "Generate", "users.", "auth.", "conversations.info"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

// calls lists the operations of one undisturbed rotation, in order, by kind.
type calls map[string][]string

// watch notes every call.
func (s *stage) watch() *calls {
	out := &calls{}
	var mu sync.Mutex
	add := func(kind, operation string) {
		mu.Lock()
		defer mu.Unlock()
		(*out)[kind] = append((*out)[kind], operation)
	}
	s.AWS.OnCall(func(c awsemu.Call) awsemu.Action {
		if c.Phase == awsemu.Before {
			add("aws", c.Operation)
		}
		return awsemu.Proceed
	})
	s.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
		if c.Phase == slackemu.Before {
			add("slack", c.Method)
		}
		return slackemu.Proceed
	})
	return out
}

// arm lets whatever function runs at the point be killed there; nobody hears the answer of the call.
func (s *stage) arm(p point) *atomic.Bool {
	reached := &atomic.Bool{}
	var n, mine atomic.Int64
	hit := func(seq int, after bool) bool {
		if !after && n.Add(1) == int64(p.n) {
			mine.Store(int64(seq))
		}
		if mine.Load() != int64(seq) || after != p.after || !reached.CompareAndSwap(false, true) {
			return false
		}
		s.bot.Kill()
		s.scheduler.Kill()
		s.rotator.Kill()
		return true
	}
	switch p.kind {
	case "aws":
		s.AWS.OnCall(func(c awsemu.Call) awsemu.Action {
			if hit(c.Seq, c.Phase == awsemu.After) {
				return awsemu.Abort
			}
			return awsemu.Proceed
		})
	case "slack":
		s.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
			if hit(c.Seq, c.Phase == slackemu.After) {
				return slackemu.Abort
			}
			return slackemu.Proceed
		})
	}
	return reached
}

func (s *stage) disarm() {
	s.AWS.OnCall(nil)
	s.Slack.OnCall(nil)
}

// drive lets the schedules, the people and the time of the story go on until the rotation is closed. It looks at what is, and
// does what would happen next: it does not know who was killed.
func (s *stage) drive(old string) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(lease / 4)
	defer look.Stop()
	for {
		r, ok := s.find(old)
		select {
		case <-deadline.C:
			s.t.Fatalf("nothing moved any more: %s, acting %v, untold %v, next %s, clock %s\n%s", r.State, r.Acting, r.Untold(), r.NextAt, s.Clock.Now(), s.logs.tail())
		default:
		}
		switch {
		case !ok:
			s.fire(`{"task":"scan","run":"the-first"}`)
			s.pump()
		case r.Stuck != nil:
			s.t.Fatalf("stuck: %s\n%s", r.Stuck.Seen, s.logs.tail())
		case r.Untold() && s.Clock.Now().Before(r.TellAfter): // a run that died leaves telling to the tick
			s.until(r.TellAfter)
		case r.Untold() || r.Acting != nil: // the lease runs on the real clock
			<-look.C
			s.fire(`{"task":"tick"}`)
			s.pump()
		case r.State == rotation.Closed:
			return
		case r.State == rotation.Upcoming || r.State == rotation.Awaiting:
			if m, ok := s.notice(world.Owner, old); ok {
				s.Slack.As(world.Owner).ClickButton(m, "Approve") // whoever gets no answer clicks again
			}
			s.pump()
		default:
			s.until(r.NextAt)
		}
	}
}

// check holds the world against the promise: exactly one working key, its secret current and readable by its user, the old
// key gone, no third key, people told, and the summary of the run posted.
func (s *stage) check(old string) {
	t := s.t
	t.Helper()
	ks := s.AWS.Keys(world.Prod, world.Billing)
	if len(ks) != 1 || ks[0].Inactive || ks[0].ID == old {
		t.Fatalf("keys at the end: %+v (old key %s)\n%s", ks, old, s.logs.tail())
	}
	r, ok := s.find(old)
	if !ok || r.Outcome != rotation.OutcomeRotated || r.New == nil || string(r.New.ID) != ks[0].ID || r.Untold() {
		t.Fatalf("the table says %s with %+v, untold %v; IAM has %s", r.Outcome, r.New, r.Untold(), ks[0].ID)
	}
	if err := rotation.VerifyHistory(r.History); err != nil {
		t.Fatal(err)
	}
	sec, ok := s.AWS.Secret(world.Prod, "keyturn/"+world.Prod+"/"+world.Billing)
	if !ok || sec.Deleted || len(s.AWS.Secrets(world.Prod)) != 1 {
		t.Fatalf("secrets: %+v", s.AWS.Secrets(world.Prod))
	}
	if value := current(sec); !strings.Contains(value, ks[0].ID) {
		t.Fatalf("AWSCURRENT does not hold the working key %s", ks[0].ID)
	}
	last := ""
	for _, m := range s.Slack.Messages(world.Owner) {
		if strings.Contains(string(m.RawBlocks), old) {
			last += m.Text + "\n"
		}
	}
	if !strings.Contains(strings.ToLower(last), "deleted") && !strings.Contains(strings.ToLower(last), "done") && !strings.Contains(strings.ToLower(last), "rotated") {
		t.Fatalf("the owner's messages do not say how it ended:\n%s", last)
	}
	for _, secret := range s.AWS.SecretStrings() {
		if strings.Contains(s.logs.String(), secret) {
			t.Fatal("secret material in the logs")
		}
	}
}

func current(sec awsemu.SecretInfo) string {
	for _, v := range sec.Versions {
		for _, l := range v.Labels {
			if l == "AWSCURRENT" {
				return v.Value
			}
		}
	}
	return ""
}

// TestKill kills the function that runs, with SIGKILL, before and after every call of AWS, DynamoDB, SQS and Slack by which one
// whole rotation changes anything. Lambda starts it anew, deliveries come again, the tick finds the rest: the promise holds each time.
// Under the race detector it is every tenth of these calls, and the first of each kind: the functions are processes without it
// in any case, so what it watches are the emulators and this test, which do the same at every point. make test runs them all
// without it.
func TestKill(t *testing.T) {
	s := newStage(t, plan{})
	all := s.watch()
	old := s.hero()
	s.drive(old)
	s.disarm()
	s.check(old)
	t.Logf("calls of one rotation: %d of AWS, %d of Slack; invocations: bot %d, scheduler %d, rotator %d", len((*all)["aws"]), len((*all)["slack"]),
		s.bot.Stats().Invocations, s.scheduler.Stats().Invocations, s.rotator.Stats().Invocations)
	var reached, tried atomic.Int64
	t.Run("points", func(t *testing.T) {
		for kind, operations := range *all {
			changes := 0
			for i, operation := range operations {
				if reads(operation) && i > 0 {
					continue
				}
				if changes++; (raced || testing.Short()) && changes%10 != 1 {
					continue
				}
				for _, after := range []bool{false, true} {
					p := point{kind, i + 1, after}
					t.Run(p.String(), func(t *testing.T) {
						t.Parallel()
						s := newStage(t, plan{})
						old := s.hero()
						came := s.arm(p)
						s.drive(old)
						s.disarm()
						s.check(old)
						tried.Add(1)
						if came.Load() {
							reached.Add(1)
						}
					})
				}
			}
		}
	})
	t.Logf("%d of %d points were reached", reached.Load(), tried.Load())
	// The number of a call moves a little with the order in which goroutines come to it, so the last few may be missed.
	if reached.Load()*10 < tried.Load()*9 {
		t.Errorf("only %d of %d points were reached", reached.Load(), tried.Load())
	}
}
