package rotator

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestARestoredKeyWorksAndIsHeld: nothing cuts it off again before somebody had a look.
func TestARestoredKeyWorksAndIsHeld(t *testing.T) {
	each(t, map[string]func(*life){
		"as it is":      func(*life) {},
		"while on hold": func(l *life) { l.do(rotation.HoldOn{Actor: owner, For: rotation.Day}) },
		"after a failed deletion": func(l *life) {
			l.pass(l.get().DeleteAt.Sub(l.Now()))
			l.once("DeleteAccessKey", false, answer(errFault))
			l.wake()
		},
		"restored by hand before": func(l *life) { l.byHand(oldKey, rotation.Active) },
	}, func(t *testing.T, before func(*life)) {
		l := to(t, rotation.Recovering)
		before(l)
		l.do(rotation.Restore{Actor: owner, Why: "the nightly job"})
		l.wake()
		r := l.get()
		if l.status(oldKey) != rotation.Active || r.State != rotation.Installing || r.Restore != nil || r.Untold() {
			t.Fatalf("%s, %s, untold %t", l.status(oldKey), r.State, r.Untold())
		}
		if r.Held == nil || r.Held.By != owner || !strings.Contains(r.Held.Why, "the nightly job") || !r.Held.Until.Equal(l.Now().Add(r.Policy.Hold.Longest)) {
			t.Fatalf("held %+v", r.Held)
		}
		l.pass(r.Held.Until.Sub(l.Now()) - time.Second)
		l.wake()
		if l.status(oldKey) != rotation.Active || l.get().Held == nil {
			t.Fatal("cut off during the hold")
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestNobodyRestoresAKeyThatIsBeingDeleted: the person is told to look again in a minute.
func TestNobodyRestoresAKeyThatIsBeingDeleted(t *testing.T) {
	l := to(t, rotation.Recovering)
	l.once("DeleteAccessKey", false, func() error {
		l.refused(rotation.Restore{Actor: owner}, rotation.Busy)
		l.refused(rotation.HoldOn{Actor: owner, For: rotation.Day}, rotation.Busy)
		return nil
	})
	l.until("closed", state(rotation.Closed))
	l.healthy()
	if l.count("DeleteAccessKey") != 1 {
		t.Fatal("the question was never asked")
	}
}

// TestAnEvictedKeyCanBeRestored until it is deleted, and goes once nobody wants it any more.
func TestAnEvictedKeyCanBeRestored(t *testing.T) {
	const idle = "AKIAIDLEIDLEIDLEIDLE"
	l := to(t, rotation.Evicting)
	l.do(rotation.Restore{Actor: owner})
	l.wake()
	if r := l.get(); l.status(idle) != rotation.Active || r.State != rotation.Evicting || r.Held == nil || !r.Evict.InactiveSince.IsZero() {
		t.Fatalf("%s, %s, %+v", l.status(idle), r.State, r.Evict)
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestAKeyThatIsGoneCannotBeRestored: a person is told, and the rotation ends.
func TestAKeyThatIsGoneCannotBeRestored(t *testing.T) {
	l := to(t, rotation.Recovering)
	l.removeByHand(oldKey)
	l.do(rotation.Restore{Actor: owner})
	l.untilStuck("not there any more")
	l.do(rotation.Retry{Actor: owner})
	if r := l.until("closed", state(rotation.Closed)); r.Outcome != rotation.OutcomeRotated {
		t.Fatalf("%s", r.Outcome)
	}
}

// TestNothingHappensDuringAHold, and what was due happens after it.
func TestNothingHappensDuringAHold(t *testing.T) {
	each(t, map[string]rotation.State{"approved": rotation.Approved, "evicting": rotation.Evicting, "installing": rotation.Installing, "recovering": rotation.Recovering}, func(t *testing.T, from rotation.State) {
		for _, early := range []bool{false, true} {
			l := to(t, from)
			l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
			l.do(rotation.HoldOn{Actor: owner, For: 3 * rotation.Day, Why: "freeze"})
			before := len(l.aws.calls)
			l.wake()
			l.pass(3*rotation.Day - time.Second)
			l.wake()
			if len(l.aws.calls) != before || l.get().State != from {
				t.Fatalf("AWS was called during the hold: %v", l.aws.calls[before:])
			}
			if early {
				l.do(rotation.Release{Actor: owner})
			} else {
				l.pass(time.Second)
			}
			l.wake()
			if len(l.aws.calls) == before || l.get().Held != nil {
				t.Fatal("the hold did not end")
			}
			l.until("closed", state(rotation.Closed))
			l.healthy()
		}
	})
}

// TestASnoozedNoticeComesBack at its time, and is no approval.
func TestASnoozedNoticeComesBack(t *testing.T) {
	l := to(t, rotation.Awaiting)
	l.do(rotation.Snooze{Actor: owner, For: 3 * rotation.Day})
	l.wake()
	tells := l.tells
	l.pass(3*rotation.Day - time.Second)
	l.wake()
	if l.tells != tells || l.get().SnoozedUntil.IsZero() {
		t.Fatal("woken too early")
	}
	l.pass(time.Second)
	l.wake()
	if r := l.get(); l.tells != tells+1 || !r.SnoozedUntil.IsZero() || r.State != rotation.Awaiting {
		t.Fatalf("%s, snoozed until %s, told %d times", r.State, r.SnoozedUntil, l.tells)
	}
	l.pass(rotation.RemindEvery)
	l.wake()
	if l.tells != tells+2 || len(l.aws.calls) != 0 {
		t.Fatalf("told %d times; AWS: %v", l.tells, l.aws.calls)
	}
}

// inUse keeps the old key in use until the gate has refused so often.
func inUse(l *life, times int) rotation.Rotation {
	l.t.Helper()
	for n := 1; n <= times; n++ {
		l.pass(max(l.get().DeactivateAt.Sub(l.Now()), 0))
		l.use(oldKey, "s3")
		l.wake()
		r := l.get()
		if r.GateRefusals != n || !r.DeactivateAt.Equal(l.Now().Add(rotation.Day)) || r.Untold() {
			l.t.Fatalf("refusal %d: %d, next %s", n, r.GateRefusals, r.DeactivateAt)
		}
		if r.Escalated != (n >= r.Policy.GateTries) {
			l.t.Fatalf("escalated %t after %d refusals", r.Escalated, n)
		}
	}
	return l.get()
}

// TestAKeyThatStaysInUseGoesToAPerson after the allowed number of days, and is never cut off by itself.
func TestAKeyThatStaysInUseGoesToAPerson(t *testing.T) {
	l := to(t, rotation.Installing)
	inUse(l, l.get().Policy.GateTries+3)
	if l.status(oldKey) != rotation.Active {
		t.Fatal("cut off")
	}
}

// TestAnywayIsOneDeactivation: it lifts the question of use and nothing else, once.
func TestAnywayIsOneDeactivation(t *testing.T) {
	t.Run("it deactivates a key in use", func(t *testing.T) {
		l := to(t, rotation.Installing)
		l.refused(rotation.DeactivateAnyway{Actor: owner}, rotation.NotNow) // nothing was refused yet
		inUse(l, 1)
		l.use(oldKey, "s3")
		l.do(rotation.DeactivateAnyway{Actor: owner, Why: "a forgotten laptop"})
		l.wake()
		if r := l.get(); l.status(oldKey) != rotation.Inactive || r.State != rotation.Recovering || r.Anyway != nil {
			t.Fatalf("%s, %s", l.status(oldKey), r.State)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("it does not lift a new key that is inactive, and is used up", func(t *testing.T) {
		l := to(t, rotation.Installing)
		fresh := inUse(l, 1).New.ID
		l.byHand(fresh, rotation.Inactive)
		l.do(rotation.DeactivateAnyway{Actor: owner})
		l.wake()
		r := l.get()
		if l.status(oldKey) != rotation.Active || r.Anyway != nil || r.GateSeen[0].Why != rotation.BlockNew {
			t.Fatalf("%s, anyway %v, %+v", l.status(oldKey), r.Anyway, r.GateSeen)
		}
		l.byHand(fresh, rotation.Active)
		l.pass(r.DeactivateAt.Sub(l.Now()))
		l.use(oldKey, "s3")
		l.wake()
		if l.status(oldKey) != rotation.Active {
			t.Fatal("an old word cut the key off")
		}
	})
	t.Run("it does not lift a lost secret", func(t *testing.T) {
		l := to(t, rotation.Installing)
		inUse(l, 1)
		l.vault().PendingDeletion = true
		l.do(rotation.DeactivateAnyway{Actor: owner})
		l.untilStuck("scheduled for deletion")
		if l.status(oldKey) != rotation.Active {
			t.Fatal("cut off")
		}
	})
	t.Run("a failed call does not use it up", func(t *testing.T) {
		l := to(t, rotation.Installing)
		inUse(l, 1)
		l.do(rotation.DeactivateAnyway{Actor: owner})
		l.once("UpdateAccessKey:Inactive", false, answer(errFault))
		l.wake()
		if l.get().Anyway == nil {
			t.Fatal("used up")
		}
		l.until("recovering", state(rotation.Recovering))
	})
}

// TestOnlyAnApprovedRetireTakesTheLastActiveKey.
func TestOnlyAnApprovedRetireTakesTheLastActiveKey(t *testing.T) {
	const other = rotation.KeyID("AKIAOTHEROTHEROTHER1")
	t.Run("approved so", func(t *testing.T) {
		l := newLife(t)
		l.aws.users[userName].Keys = []rotation.Key{l.key(oldKey, 95, -1)}
		l.aws.mayBare = true
		if r := l.open(); r.Kind != rotation.Retire || !r.LastActive {
			t.Fatalf("%s, last active %t", r.Kind, r.LastActive)
		}
		l.approve()
		if r := l.until("closed", state(rotation.Closed)); r.Outcome != rotation.OutcomeRetired || len(l.keys()) != 0 {
			t.Fatalf("%s, keys %+v", r.Outcome, l.keys())
		}
	})
	t.Run("it has become the last one since", func(t *testing.T) {
		l := newLife(t)
		l.aws.users[userName].Keys = []rotation.Key{l.key(oldKey, 95, -1), l.key(other, 50, 1)}
		if r := l.open(); r.Kind != rotation.Retire || r.LastActive {
			t.Fatalf("%s, last active %t", r.Kind, r.LastActive)
		}
		l.approve()
		l.byHand(other, rotation.Inactive)
		l.wake()
		if r := l.get(); l.status(oldKey) != rotation.Active || r.GateRefusals != 1 || r.GateSeen[0].Why != rotation.BlockLast {
			t.Fatalf("%s, %+v", l.status(oldKey), r.GateSeen)
		}
	})
}

// TestAReplacementThatIsLostGoesToAPerson, and the old key stays what it is.
func TestAReplacementThatIsLostGoesToAPerson(t *testing.T) {
	losses := map[string]struct {
		lose, find func(*life)
		seen       string
	}{
		"the secret":  {func(l *life) { l.vault().PendingDeletion = true }, func(l *life) { l.vault().PendingDeletion = false }, "scheduled for deletion"},
		"its version": {func(l *life) { l.vault().values["x"] = "{}"; l.vault().move(labelCurrent, "x") }, func(l *life) { l.vault().move(labelCurrent, l.get().New.VersionID) }, "AWSCURRENT"},
		"the new key": {func(l *life) { l.key1(l.get().New.ID).ID = "AKIAHIDDENHIDDENHIDE" }, func(l *life) { l.key1("AKIAHIDDENHIDDENHIDE").ID = l.get().New.ID }, "is gone"},
	}
	for name, c := range losses {
		for _, from := range []rotation.State{rotation.Installing, rotation.Recovering} {
			t.Run(name+" while "+string(from), func(t *testing.T) {
				l := to(t, from)
				was := l.status(oldKey)
				c.lose(l)
				l.untilStuck(c.seen)
				if l.status(oldKey) != was {
					t.Fatalf("%s, was %s", l.status(oldKey), was)
				}
				c.find(l)
				l.retry()
			})
		}
	}
}

// TestAttemptsRunOut: the rotation is stuck with what went wrong, people are told, and a retry returns to the state.
func TestAttemptsRunOut(t *testing.T) {
	each(t, map[string]struct {
		from rotation.State
		call string
	}{
		"evict": {rotation.Evicting, "DeleteAccessKey"}, "issue": {rotation.Approved, "CreateSecret"},
		"deactivate": {rotation.Installing, "UpdateAccessKey:Inactive"}, "delete": {rotation.Recovering, "DeleteAccessKey"},
	}, func(t *testing.T, c struct {
		from rotation.State
		call string
	}) {
		l := to(t, c.from)
		n := l.count(c.call)
		l.always(c.call, answer(errDenied))
		r := l.untilStuck("after 8 attempts")
		if l.count(c.call)-n != rotation.MaxAttempts || r.State != c.from || r.Stuck.From != c.from || r.Acting != nil {
			t.Fatalf("%d calls, %s, %+v", l.count(c.call)-n, r.State, r.Stuck)
		}
		calls := len(l.aws.calls)
		l.pass(rotation.RemindEvery)
		l.wake()
		if len(l.aws.calls) != calls || l.get().Reminders != 1 {
			t.Fatal("a stuck rotation goes on by itself, or nobody is reminded")
		}
		l.unhook()
		l.retry()
	})
}
