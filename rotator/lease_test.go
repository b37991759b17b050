package rotator

import (
	"context"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestAnUnansweredCreateIsNotLookedAtBeforeListingsCaughtUp: IAM's listings lag, so "there is no new key" is believed only
// when the lease of the create is over for a while, by the protocol clock, however fast the domain clock runs.
func TestAnUnansweredCreateIsNotLookedAtBeforeListingsCaughtUp(t *testing.T) {
	l := to(t, rotation.Approved)
	l.once("CreateAccessKey", true, answer(errFault))
	began := l.Real()
	l.wake()
	l.aws.lagList = 3 // whoever looks now sees no new key
	calls := len(l.aws.calls)
	for l.Real().Before(began.Add(DefaultLease + DefaultSettle)) {
		l.clocks(time.Hour, 20*time.Second)
		if l.Real().Before(began.Add(DefaultLease + DefaultSettle)) {
			l.wake()
		}
	}
	if l.get().Acting != nil || len(l.aws.calls) != calls {
		t.Fatalf("AWS was asked before listings can have caught up: %v", l.aws.calls[calls:])
	}
	l.aws.lagList = 0
	l.wake()
	if n := l.count("CreateAccessKey"); n != 1 {
		t.Fatalf("%d creates", n)
	}
	l.mustHappen("key_lost", "secret was lost")
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestANewKeyThatIsNotListedYetIsNotTakenForGone: the create answered, so the key is there even if a listing lags.
func TestANewKeyThatIsNotListedYetIsNotTakenForGone(t *testing.T) {
	l := to(t, rotation.Approved)
	ctx, stop := context.WithCancel(context.Background())
	l.once("GetCallerIdentity", false, func() error { stop(); return nil })
	_ = l.wakeErr(ctx)
	l.aws.lagList = 1
	l.clocks(time.Second, time.Second)
	l.wake()
	if _, lost := l.happened("key_lost"); lost {
		t.Fatal("a key that a listing did not show yet was given up")
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
	if n := l.count("CreateAccessKey"); n != 1 {
		t.Fatalf("%d creates", n)
	}
}

// TestAStalledProcessDoesNotMutateAfterItsLease, even where nobody else has acted since.
func TestAStalledProcessDoesNotMutateAfterItsLease(t *testing.T) {
	type stalled struct {
		from  rotation.State
		begin func(*life) // brings the operation about
		at    string      // the call after which the process stands still
		not   string      // what it must not do then
	}
	soon := func(l *life) { l.pass(max(l.get().NextAt.Sub(l.Now()), 0)) }
	none := func(*life) {}
	each(t, map[string]stalled{
		"prepare":          {rotation.Approved, none, "DescribeSecret", "CreateSecret"},
		"create":           {rotation.Approved, none, "CreateSecret", "CreateAccessKey"},
		"store":            {rotation.Approved, none, "CreateAccessKey", "PutSecretValue"},
		"give up":          {rotation.Approved, func(l *life) { l.always("PutSecretValue", answer(errDenied)) }, "GetSecretValue", "UpdateAccessKey"},
		"tag":              {rotation.Approved, none, "PutSecretValue", "TagResource"},
		"evict deactivate": {rotation.Evicting, soon, "GetAccessKeyLastUsed", "UpdateAccessKey"},
		"deactivate":       {rotation.Installing, soon, "DescribeSecret", "UpdateAccessKey"},
		"delete":           {rotation.Recovering, soon, "DescribeSecret", "DeleteAccessKey"},
		"restore":          {rotation.Recovering, func(l *life) { l.do(rotation.Restore{Actor: owner}) }, "ListAccessKeys", "UpdateAccessKey"},
	}, func(t *testing.T, c stalled) {
		l := to(t, c.from)
		if c.from == rotation.Evicting {
			l = newLife(t)
			l.aws.users[userName].Keys = situations["an idle active key in the way"](l)
			l.open()
			l.approve()
		}
		c.begin(l)
		before, fired := 0, false
		l.once(c.at, true, func() error {
			before, fired = l.count(c.not), true
			l.clocks(0, DefaultLease+time.Second)
			return nil
		})
		l.wake()
		if !fired {
			t.Fatalf("%s was never called: %v", c.at, l.aws.calls)
		}
		if n := l.count(c.not) - before; n != 0 {
			t.Fatalf("%s was called %d times after the lease\n%s", c.not, n, l.logs.String())
		}
		if tr := l.get().Trouble; tr != nil {
			t.Fatalf("standing still is counted as a failure: %+v", tr)
		}
		l.unhook()
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestWhoeverLostTheClaimLeavesALostKeyAlone: a process whose clock is behind does not know that its lease is over. It asks
// the store before it gives a new key up.
func TestWhoeverLostTheClaimLeavesALostKeyAlone(t *testing.T) {
	for name, performed := range map[string]bool{"the store failed": false, "the store worked late": true} {
		t.Run(name, func(t *testing.T) {
			l := to(t, rotation.Approved)
			ahead := l.rotator()
			ahead.o.Real = func() time.Time { return l.Real().Add(DefaultLease + time.Minute) }
			l.once("PutSecretValue", performed, func() error {
				if err := ahead.Wake(context.Background(), l.id); err != nil {
					t.Error(err)
				}
				if performed {
					return nil
				}
				return errDenied
			})
			l.wake()
			if performed {
				// The version was stored before the other one looked: that one goes on, and ends the attempt.
				if r := l.get(); r.State != rotation.Installing || r.Acting != nil {
					t.Fatalf("%s, acting %v", r.State, r.Acting)
				}
			} else {
				l.mustHappen("key_lost", "")
				if n := l.count("UpdateAccessKey:Inactive"); n != 1 {
					t.Fatalf("the lost key was deactivated %d times", n)
				}
			}
			l.until("closed", state(rotation.Closed))
			l.healthy()
		})
	}
}

// TestAKeyMadeLongAfterTheAttemptIsSomebodyElses: the window of an attempt ends with the lease of its create, not with
// the lease of whoever looks at it later.
func TestAKeyMadeLongAfterTheAttemptIsSomebodyElses(t *testing.T) {
	each(t, map[string]func(*life){
		"the tick was late": func(l *life) { l.pass(2 * time.Hour) },
		"a process died over": func(l *life) {
			l.pass(2 * time.Hour)
			l.once("GetUser", false, func() error { panic(errCrash) })
			l.wake()
			l.pass(time.Hour)
		},
		"the account was out of reach": func(l *life) {
			l.pass(5 * time.Minute)
			l.aws.unreachable = true
			l.wake()
			l.pass(2 * rotation.Day)
			l.aws.unreachable = false
		},
	}, func(t *testing.T, later func(*life)) {
		l := to(t, rotation.Approved)
		l.once("CreateAccessKey", false, answer(errFault)) // not performed
		l.wake()
		later(l)
		l.makeByHand()
		r := l.untilStuck(string(foreignKey))
		if l.status(foreignKey) != rotation.Active || r.State != rotation.Issuing {
			t.Fatalf("in %s the key of somebody else is %s", r.State, l.status(foreignKey))
		}
		l.removeByHand(foreignKey)
		l.retry()
	})
}

// TestAKeyThatAppearsBeforeTheCreateIsSomebodyElses: the journal was saved, but CreateAccessKey was never called.
func TestAKeyThatAppearsBeforeTheCreateIsSomebodyElses(t *testing.T) {
	l := to(t, rotation.Approved)
	saves := l.store.saves
	l.store.around = func(n int, after bool) error {
		if n == saves+2 && after { // claim, then the journal
			panic(errCrash)
		}
		return nil
	}
	if !l.wake() || l.get().Journal == nil || l.get().Journal.Creates != 0 {
		t.Fatalf("this test does not stop where it means to: %+v", l.get().Journal)
	}
	l.makeByHand()
	l.pass(0)
	l.untilStuck("cannot be told whether keyturn made it")
	l.removeByHand(foreignKey)
	l.retry()
}
