package rotation

import (
	"testing"
	"time"
)

// TestStuckHoldsNoUrgentWishBack: a restore that failed is tried again by Retry, not forgotten; a leak reported while the
// rotation is stuck elsewhere is acted on; a leaked key stays reported when another key is brought back.
func TestStuckHoldsNoUrgentWishBack(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	who := Actor{ID: "U1", Via: ViaSlack}
	r := Rotation{ID: "1/A", Episode: 1, State: Recovering, Kind: Rotate, Policy: DefaultPolicy(), Since: now, DeleteAt: now.Add(9 * Day),
		Old: KeyRef{ID: "AKIAOLD", InactiveSince: now.Add(-Day)}, New: &NewKey{ID: "AKIANEW"}}
	do := func(e Event) {
		t.Helper()
		var err error
		if r, err = Apply(r, e, now); err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
	}
	do(Restore{Actor: who})
	do(Claim{Op: OpRestore, Token: "t", Real: now, LeaseUntil: now.Add(time.Minute)})
	do(GotStuck{Token: "t", Op: OpRestore, Seen: "AccessDenied"})
	if step, _ := r.Next(); step != StepRemind {
		t.Fatalf("stuck, and next is %s", step)
	}
	do(Retry{Actor: who})
	if step, at := r.Next(); step != StepRestore || at.After(now) {
		t.Fatalf("after Retry comes %s at %s: the restore was forgotten", step, at)
	}
	r.State, r.Old.InactiveSince, r.Restore = Installing, time.Time{}, nil
	do(GotStuck{Seen: "something odd"})
	do(Leaked{Actor: who})
	if step, at := r.Next(); step != StepDeactivate || at.After(now) {
		t.Fatalf("a leaked key of a stuck rotation: %s at %s", step, at)
	}
	r.State, r.Stuck, r.Evict = Evicting, nil, &KeyRef{ID: "AKIAEVICT", InactiveSince: now}
	do(ObservedReactivated{Key: "AKIAEVICT"})
	if r.Leaked == nil {
		t.Fatal("the leak was forgotten because another key was brought back")
	}
}

// TestApproveWithAPickWhereNothingIsToChoose refuses with a sentence.
func TestApproveWithAPickWhereNothingIsToChoose(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	r := Rotation{ID: "1/A", Episode: 1, State: Awaiting, Kind: Rotate, Policy: DefaultPolicy(), Since: now, Old: KeyRef{ID: "AKIAOLD"}}
	_, err := Apply(r, Approve{Actor: Actor{ID: "U1", Via: ViaSlack}, Digest: r.Digest(), Required: 1, Pick: "AKIAOTHER"}, now)
	if Refused(err) != Invalid {
		t.Fatalf("%v", err)
	}
}

// TestRefusalsDoNotFillTheHistory: somebody who clicks for weeks cannot make the record too large to save.
func TestRefusalsDoNotFillTheHistory(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	r := Rotation{ID: "1/A", Episode: 1, State: Awaiting, Kind: Rotate, Policy: DefaultPolicy(), Since: now, Old: KeyRef{ID: "AKIAOLD"}}
	for range 500 {
		now = now.Add(2 * time.Hour)
		if next, err := Apply(r, Denied{Actor: Actor{ID: "U0GUEST", Via: ViaSlack}, What: "approve", Why: "guests cannot decide"}, now); err == nil {
			r = next
		}
	}
	if len(r.History) != mostDenied {
		t.Fatalf("%d refusals are kept, want %d", len(r.History), mostDenied)
	}
}
