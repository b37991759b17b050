package e2e

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

// point is a numbered place in the life of a rotation: before or after the n-th call of a kind.
type point struct {
	kind  string // aws, slack or store
	n     int
	after bool
}

func (p point) String() string { return fmt.Sprintf("%s %s %d", p.when(), p.kind, p.n) }

func (p point) when() string {
	if p.after {
		return "after"
	}
	return "before"
}

// plan tells the child what to do to itself at a point of its store; at the others the emulators do it.
func (p point) plan(deed string) string {
	if p.kind != "store" {
		return ""
	}
	return fmt.Sprintf("%s %s %d", deed, p.when(), p.n)
}

// most bounds the numbers: a whole rotation has far fewer calls of each kind.
const most = 400

// arm makes the n-th call of the emulators stop at the point: at is called there, once, and says whether the call goes on.
func (j *journey) arm(p point, at func() bool) *atomic.Bool {
	reached := &atomic.Bool{}
	n := &atomic.Int64{}
	mine := &atomic.Int64{} // Seq of the call that is the n-th
	hit := func(seq int, after bool) bool {
		if !after && n.Add(1) == int64(p.n) {
			mine.Store(int64(seq))
		}
		if mine.Load() != int64(seq) || after != p.after || !reached.CompareAndSwap(false, true) {
			return true
		}
		return at()
	}
	switch p.kind {
	case "aws":
		j.AWS.OnCall(func(c awsemu.Call) awsemu.Action {
			if hit(c.Seq, c.Phase == awsemu.After) {
				return awsemu.Proceed
			}
			return awsemu.Abort
		})
	case "slack":
		j.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
			if hit(c.Seq, c.Phase == slackemu.After) {
				return slackemu.Proceed
			}
			return slackemu.Abort
		})
	}
	return reached
}

// disarm lets every later call pass: the test's own ones, too, are calls.
func (j *journey) disarm() {
	j.AWS.OnCall(nil)
	j.Slack.OnCall(nil)
}

// TestKill kills the product with SIGKILL before and after every AWS, Slack and saving store call of one whole rotation and
// starts it again: the promise holds each time.
func TestKill(t *testing.T) {
	everyPoint(t, func(t *testing.T, p point) bool {
		j := newJourney(t)
		victim, ready := (*process)(nil), make(chan struct{})
		reached := j.arm(p, func() bool {
			<-ready
			victim.kill()
			<-victim.done
			return false // nobody hears the answer
		})
		v := start(t, j.World, j.dir, p.plan("kill"))
		victim = v
		close(ready)
		defer v.end()
		if j.drive(func() bool { return !v.dead() }) {
			came := reached.Load() // if not, the rotation ended before it came to the point: there is none with this number
			j.disarm()
			j.check()
			return came
		}
		j.disarm()
		again := start(t, j.World, j.dir, "")
		defer again.end()
		if !j.drive(func() bool { return !again.dead() }) {
			t.Fatalf("the product died by itself:\n%s", j.tail())
		}
		j.check()
		return true
	})
}

// signatureLife is how old a signed request may be when AWS gets it (Signature Version 4).
const signatureLife = 5 * time.Minute

// TestStall stops one rotator at every point for longer than its lease, lets a second one on the same store finish the
// rotation, and lets the first one go on.
func TestStall(t *testing.T) {
	everyPoint(t, func(t *testing.T, p point) bool {
		j := newJourney(t)
		victim, ready := (*process)(nil), make(chan struct{})
		stopped, goOn := make(chan struct{}), make(chan struct{})
		reached := j.arm(p, func() bool {
			<-ready
			began := j.Clock.Now()
			j.stall(victim)
			close(stopped)
			<-goOn
			// AWS carries out a late request as long as its signature is valid; afterwards it refuses it.
			return p.kind != "aws" || p.after || j.Clock.Now().Sub(began) < signatureLife
		})
		v := start(t, j.World, j.dir, p.plan("stop"))
		victim = v
		close(ready)
		defer v.end()
		if j.drive(func() bool { return !isStopped(stopped) && !v.halted() }) {
			came := reached.Load()
			j.disarm()
			j.check()
			return came
		}
		j.disarm()
		second := start(t, j.World, j.dir, "")
		defer second.end()
		if !j.drive(func() bool { return !second.dead() }) {
			t.Fatalf("the second rotator died by itself:\n%s", j.tail())
		}
		if p.kind != "store" {
			close(goOn)
		}
		_ = v.cmd.Process.Signal(syscall.SIGCONT)
		j.settle(v)
		j.check()
		return true
	})
}

func isStopped(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// everyPoint counts the calls of one undisturbed rotation and runs f for each of them, before and after it. Under the race
// detector it is every tenth of them: the product is a child without it in any case, so what it watches are the emulators and
// this test, which do the same at every point. make test runs them all without it.
func everyPoint(t *testing.T, f func(*testing.T, point) bool) {
	some := raced || testing.Short()
	if some {
		t.Log("every tenth point")
	}
	counts := undisturbed(t)
	t.Logf("calls of one rotation: %v", counts)
	var reached, all atomic.Int64
	t.Run("points", func(t *testing.T) {
		for _, kind := range []string{"aws", "slack", "store"} {
			if counts[kind] < 5 || counts[kind] > most {
				t.Fatalf("%d %s calls in a whole rotation cannot be right", counts[kind], kind)
			}
			for n := 1; n <= counts[kind]; n++ {
				for _, after := range []bool{false, true} {
					p := point{kind, n, after}
					if some && n%10 != 5 {
						continue
					}
					t.Run(p.String(), func(t *testing.T) {
						t.Parallel()
						all.Add(1)
						if f(t, p) {
							reached.Add(1)
						}
					})
				}
			}
		}
	})
	t.Logf("%d of %d points were reached", reached.Load(), all.Load())
	// The number of a call moves a little with the order in which goroutines come to it, so the last few may be missed.
	if reached.Load()*10 < all.Load()*9 {
		t.Errorf("only %d of %d points were reached", reached.Load(), all.Load())
	}
}

// undisturbed runs one rotation and counts its calls.
func undisturbed(t *testing.T) map[string]int {
	j := newJourney(t)
	counts := map[string]int{}
	p := start(t, j.World, j.dir, "count after 0")
	defer p.end()
	if !j.drive(func() bool { return !p.dead() }) {
		t.Fatalf("the product died by itself:\n%s", j.tail())
	}
	for _, n := range j.AWS.Counters() {
		counts["aws"] += n
	}
	for _, n := range j.Slack.Counters() {
		counts["slack"] += n
	}
	counts["store"] = j.storeCalls()
	j.check()
	return counts
}
