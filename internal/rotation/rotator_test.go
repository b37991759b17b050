package rotation

import (
	"testing"
	"time"
)

// These promises of the core were found broken by the rotator's tests.

func must(t *testing.T, r Rotation, now time.Time, events ...Event) Rotation {
	t.Helper()
	for _, e := range events {
		next, err := Apply(r, e, now)
		if err != nil {
			t.Fatalf("%s in %s: %v", e.Name(), r.State, err)
		}
		r = next
	}
	return r
}

// creating is a rotation whose create was not answered, under a lease that ends at the time that is returned.
func creating(t *testing.T) (Rotation, time.Time, time.Time) {
	t.Helper()
	r := at(t, Approved, Rotate, false)
	now := r.Since
	lease := now.Add(time.Minute)
	r = must(t, r, now, Claim{Op: OpIssue, Token: "a", Real: now, LeaseUntil: lease},
		Begin{Token: "a", Journal: Journal{Token: "v", SecretARN: "arn", SecretName: "name", StartedReal: now}}, Creating{Token: "a"})
	return r, now, lease
}

// TestAnAttemptsWindowEndsWithTheLeaseOfItsCreate: somebody who only looks later does not make it longer.
func TestAnAttemptsWindowEndsWithTheLeaseOfItsCreate(t *testing.T) {
	r, now, lease := creating(t)
	later := now.Add(time.Hour)
	r = must(t, r, later, Claim{Op: OpIssue, Token: "b", Real: later, LeaseUntil: later.Add(time.Minute)})
	if !r.Journal.LastLease.Equal(lease) {
		t.Fatalf("last lease %s, want %s", r.Journal.LastLease, lease)
	}
	if r = must(t, r, later, Creating{Token: "b"}); !r.Journal.LastLease.Equal(later.Add(time.Minute)) {
		t.Fatalf("a second create is not counted: %s", r.Journal.LastLease)
	}
}

// TestALostKeyWaitsWhateverIsRetried.
func TestALostKeyWaitsWhateverIsRetried(t *testing.T) {
	r, now, _ := creating(t)
	r = must(t, r, now, Failed{Token: "a", Op: OpIssue, Error: "x"})
	now = now.Add(time.Hour)
	r = must(t, r, now, Claim{Op: OpIssue, Token: "b", Real: now, LeaseUntil: now.Add(time.Minute)}, KeyLost{Token: "b", Key: "AKIANEW"}, Retry{Actor: first})
	if step, when := r.Next(); step != StepIssue || !when.Equal(now.Add(LostWait)) {
		t.Fatalf("%s at %s, want at %s", step, when, now.Add(LostWait))
	}
	if _, err := Apply(r, Claim{Op: OpIssue, Token: "c", Real: now, LeaseUntil: now.Add(time.Minute)}, now); Refused(err) != NotNow {
		t.Fatalf("claimed before its time: %v", err)
	}
}

// TestALeakComesBeforeEverything that would keep the key active.
func TestALeakComesBeforeEverything(t *testing.T) {
	stuck := func(r Rotation, now time.Time) Rotation { return must(t, r, now, GotStuck{Seen: "x"}) }
	failed := func(r Rotation, now time.Time) Rotation {
		for range 5 {
			r = must(t, r, now, Failed{Op: OpDeactivate, Error: "x"})
		}
		return r
	}
	same := func(r Rotation, _ time.Time) Rotation { return r }
	for _, s := range []State{Upcoming, Awaiting, Approved, Evicting, Issuing, Installing} {
		for name, before := range map[string]func(Rotation, time.Time) Rotation{"": same, "stuck": stuck, "failed": failed} {
			r := at(t, s, Rotate, s == Evicting)
			now := r.Since.Add(time.Hour)
			r.Acting = nil
			r = must(t, before(r, now), now, Leaked{Actor: first})
			if step, when := r.Next(); step != StepDeactivate || when.After(now) {
				t.Errorf("%s %s: %s at %s", s, name, step, when)
			}
		}
	}
}

// TestALeakReportedDuringARestoreStands, and one from before it does not.
func TestALeakReportedDuringARestoreStands(t *testing.T) {
	for _, kind := range []Kind{Rotate, Retire} {
		r := at(t, Recovering, kind, false)
		now := r.Since
		claim := Claim{Op: OpRestore, Token: "c", Real: now, LeaseUntil: now.Add(time.Minute)}
		during := must(t, r, now, Restore{Actor: first}, claim)
		during = must(t, during, now.Add(time.Second), Leaked{Actor: second}, Restored{Token: "c", Key: r.Old.ID})
		if step, _ := during.Next(); step != StepDeactivate || during.Leaked == nil || during.Held != nil {
			t.Errorf("%s: %s, leaked %v", kind, step, during.Leaked)
		}
		later := now.Add(time.Second)
		before := must(t, must(t, r, now, Leaked{Actor: second}), later, Restore{Actor: first}, claim, Restored{Token: "c", Key: r.Old.ID})
		if before.Leaked != nil || before.Held == nil {
			t.Errorf("%s: a restore by a person does not end the leak", kind)
		}
	}
}

// TestALeakAfterAnUnansweredRestoreIsNotForgotten: the key may be active already, so the restore is looked at, not dropped.
func TestALeakAfterAnUnansweredRestoreIsNotForgotten(t *testing.T) {
	r := at(t, Recovering, Rotate, false)
	now := r.Since
	r = must(t, r, now, Restore{Actor: first}, Claim{Op: OpRestore, Token: "c", Real: now, LeaseUntil: now.Add(time.Minute)})
	for name, r := range map[string]Rotation{"died": r, "failed": must(t, r, now, Failed{Token: "c", Op: OpRestore, Error: "x"})} {
		r = must(t, r, now.Add(time.Second), Leaked{Actor: second})
		if step, when := r.Next(); step != StepRestore || when.After(now.Add(time.Second)) || !r.Overtaken() {
			t.Errorf("%s: %s at %s", name, step, when)
		}
		if r.Acting == nil { // a scan may see it first
			if seen := must(t, r, now, ObservedReactivated{Key: r.Old.ID}); seen.Leaked == nil || seen.Held != nil {
				t.Errorf("%s: a key that keyturn itself made active is taken for a person's word", name)
			}
		}
		later := now.Add(time.Hour)
		r = must(t, r, later, Claim{Op: OpRestore, Token: "d", Real: later, LeaseUntil: later.Add(time.Minute)}, Unclaim{Token: "d", Op: OpRestore, Moot: true})
		if step, _ := r.Next(); step != StepDelete || r.Leaked == nil {
			t.Errorf("%s: %s, leaked %v", name, step, r.Leaked)
		}
	}
}

// TestALeakedLeftoverIsOff: the key to be retired is inactive already.
func TestALeakedLeftoverIsOff(t *testing.T) {
	r := at(t, Awaiting, Retire, false)
	now := r.Since
	r = must(t, r, now, ObservedDeactivated{Key: r.Old.ID})
	later := now.Add(time.Hour)
	if r = must(t, r, later, Leaked{Actor: first}); r.State != Recovering || !r.Old.InactiveSince.Equal(now) {
		t.Fatalf("%s, inactive since %s", r.State, r.Old.InactiveSince)
	}
}

// TestIssuingForAKeyThatIsGoneEnds where nothing was made, and only there.
func TestIssuingForAKeyThatIsGoneEnds(t *testing.T) {
	r, now, _ := creating(t)
	none := must(t, r, now, NotCreated{Token: "a"}, Failed{Token: "a", Op: OpIssue, Error: "denied"}, Absent{What: "key"})
	if none = must(t, none, now.Add(GoneWait), Absent{What: "key"}); none.Outcome != OutcomeGone {
		t.Fatalf("%s", none.Outcome)
	}
	made := must(t, r, now, KeyCreated{Token: "a", Key: "AKIANEW"}, Failed{Token: "a", Op: OpIssue, Error: "x"})
	if _, err := Apply(made, Absent{What: "key"}, now); Refused(err) != NotNow {
		t.Fatalf("%v", err)
	}
	must(t, made, now, Absent{What: "user", User: true})
}

// TestARestoreThatIsMootIsNotTriedAgain: its key is gone, so Retry goes on to the end.
func TestARestoreThatIsMootIsNotTriedAgain(t *testing.T) {
	r := at(t, Recovering, Rotate, false)
	now := r.Since
	r = must(t, r, now, Restore{Actor: first}, Claim{Op: OpRestore, Token: "c", Real: now, LeaseUntil: now.Add(time.Minute)},
		GotStuck{Token: "c", Op: OpRestore, Seen: "gone", Moot: true}, Retry{Actor: first})
	if step, _ := r.Next(); step != StepDelete {
		t.Fatalf("next is %s", step)
	}
}
