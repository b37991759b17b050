package rotator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

var errSlack = errors.New("slack: ratelimited")

// TestTellingThatFailsBacksOffAndBlocksNothing: the whole life goes on while Slack is down, and people are told where it
// stands when Slack is there again.
func TestTellingThatFailsBacksOffAndBlocksNothing(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	down := true
	l.aroundTell = func(int, bool) error {
		if down {
			return errSlack
		}
		return nil
	}
	for range 100 {
		if err := l.wakeErr(t.Context()); err != nil && !errors.Is(err, errSlack) {
			t.Fatal(err)
		}
		r := l.get()
		if r.State == rotation.Closed {
			break
		}
		if r.Untold() && r.Telling != nil {
			t.Fatal("a failed telling keeps its claim")
		}
		l.pass(max(r.NextAt.Sub(l.Now()), 0))
	}
	r := l.get()
	if r.State != rotation.Closed || !r.Untold() || r.Trouble != nil || r.Stuck != nil {
		t.Fatalf("%s, untold %t, %+v", r.State, r.Untold(), r.Trouble)
	}
	down = false
	l.pass(r.NextAt.Sub(l.Now()))
	l.wake()
	l.healthy()
}

// TestTellingBacksOff for longer and longer, and something new is told at once.
func TestTellingBacksOff(t *testing.T) {
	l := newLife(t)
	l.open()
	down := true
	l.aroundTell = func(int, bool) error {
		if down {
			return errSlack
		}
		return nil
	}
	for n := 1; n <= 12; n++ {
		if err := l.wakeErr(t.Context()); !errors.Is(err, errSlack) {
			t.Fatalf("try %d: %v", n, err)
		}
		r := l.get()
		if want := l.Now().Add(rotation.Backoff(n)); !r.TellAfter.Equal(want) || r.TellTries != n || !r.NextAt.Equal(want) {
			t.Fatalf("try %d: again at %s, want %s; next %s", n, r.TellAfter, want, r.NextAt)
		}
		tells := l.tells
		l.pass(rotation.Backoff(n) - time.Second)
		l.wake()
		if l.tells != tells {
			t.Fatalf("told again before its time")
		}
		l.pass(time.Second)
	}
	l.wakeErr(t.Context())
	down = false
	l.do(rotation.Snooze{Actor: owner, For: rotation.Day})
	l.wake()
	if l.get().Untold() {
		t.Fatal("news wait for the end of an old pause")
	}
}

// TestTellAfterIsRespected: a scan collects what it opens into digests first.
func TestTellAfterIsRespected(t *testing.T) {
	l := newLife(t)
	r := l.open()
	l.save(r.WithTellAfter(l.Now().Add(10*time.Minute), l.Now()))
	l.wake()
	l.pass(10*time.Minute - time.Second)
	l.wake()
	if l.tells != 0 {
		t.Fatal("told before its time")
	}
	l.pass(time.Second)
	l.wake()
	if l.tells != 1 || l.get().Untold() {
		t.Fatalf("told %d times", l.tells)
	}
}

// TestOneProcessTells at a time; one that died in it is followed after its minute.
func TestOneProcessTells(t *testing.T) {
	l := newLife(t)
	l.open()
	second := l.rotator()
	l.aroundTell = func(n int, after bool) error {
		if n == 1 && !after {
			if err := second.Wake(t.Context(), l.id); err != nil {
				t.Error(err)
			}
			panic(errCrash)
		}
		return nil
	}
	l.wake()
	if l.tells != 1 {
		t.Fatalf("told %d times at once", l.tells)
	}
	l.clocks(0, telling-time.Second)
	l.wake()
	if l.tells != 1 {
		t.Fatal("the claim was not respected")
	}
	l.clocks(0, time.Second)
	l.wake()
	if l.tells != 2 || l.get().Untold() {
		t.Fatalf("told %d times", l.tells)
	}
}

// TestWhoeverToldSomethingStaleTellsAgain: it stood still for longer than its minute, and showed something old last.
func TestWhoeverToldSomethingStaleTellsAgain(t *testing.T) {
	l := newLife(t)
	l.open()
	second := l.rotator()
	l.aroundTell = func(n int, after bool) error {
		if n == 1 && !after {
			l.clocks(0, telling+time.Second)
			l.do(rotation.Snooze{Actor: owner, For: rotation.Day})
			if err := second.Wake(t.Context(), l.id); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	l.wake()
	if last := l.told[len(l.told)-1]; l.get().Untold() || last.SnoozedUntil.IsZero() || l.tells != 3 {
		t.Fatalf("told %d times, last without the snooze: %t", l.tells, last.SnoozedUntil.IsZero())
	}
}

// TestPeopleWhoActWhileTheyAreToldAreToldOfThat at once.
func TestPeopleWhoActWhileTheyAreToldAreToldOfThat(t *testing.T) {
	l := newLife(t)
	l.open()
	l.aroundTell = func(n int, after bool) error {
		if n == 1 && after {
			l.do(rotation.Snooze{Actor: owner, For: rotation.Day})
		}
		return nil
	}
	l.wake()
	if r := l.get(); r.Untold() || l.tells != 2 || len(r.Messages) != 1 {
		t.Fatalf("told %d times, untold %t", l.tells, r.Untold())
	}
}

// TestMessagesOfAnEpisodeThatIsOverAreNoneOfTheNext.
func TestMessagesOfAnEpisodeThatIsOverAreNoneOfTheNext(t *testing.T) {
	l := newLife(t)
	first := l.open()
	l.aroundTell = func(n int, after bool) error {
		if n != 1 || after {
			return nil
		}
		l.do(rotation.Superseded{Why: "test"})
		last := l.get()
		u := *l.aws.users[userName]
		next, err := rotation.Open(rotation.Subject{User: u, Owner: owner.Email, Policy: l.rules.policy}, rotation.Plan(u, l.rules.policy, nil, false, l.Now())[0], &last, rotation.System, "", l.Now())
		if err != nil {
			t.Fatal(err)
		}
		l.save(next.WithTellAfter(l.Now().Add(time.Hour), l.Now()))
		return nil
	}
	if err := l.rot.Wake(context.Background(), first.ID); err != nil {
		t.Fatal(err)
	}
	if r := l.get(); r.Episode != 2 || len(r.Messages) != 0 || !r.Untold() {
		t.Fatalf("episode %d with messages %v", r.Episode, r.Messages)
	}
}
