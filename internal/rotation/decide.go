package rotation

import (
	"fmt"
	"time"
)

// Due asks for the decision on a key that has reached its age, or will within AskAhead.
type Due struct{}

// AskAhead is how long before its time a decision may be asked for, so that the keys of one owner are asked about at once.
const AskAhead = Day

// Name implements Event.
func (Due) Name() string { return "due" }

// By implements Event.
func (Due) By() Actor      { return System }
func (e Due) note() string { return "" }

func (e Due) apply(r *Rotation, now time.Time) error {
	if err := r.in("ask for a decision", Upcoming); err != nil {
		return err
	}
	if now.Before(r.DueAt.Add(-AskAhead)) {
		return refuse(NotNow, "key %s is not due before %s", r.Old.ID, day(r.DueAt))
	}
	r.State = Awaiting
	r.Reason = r.dueReason()
	r.tell()
	return nil
}

// dueReason is the reason of a warning once its day has come.
func (r *Rotation) dueReason() Reason {
	switch {
	case r.Reason != KeyPendingRotation && r.Reason != UnusedKeyPendingRetirement:
		return r.Reason
	case r.Kind == Retire:
		return ExpiredUnusedKey
	case len(r.Choices) > 0 || r.Evict != nil && r.Evict.InactiveSince.IsZero():
		return SlotConflictLRU
	case r.Evict != nil:
		return SlotConflictInactive
	default:
		return ExpiredActiveKey
	}
}

// Approve is one person's yes. Whether the person may approve was decided before (package approval); Required is how many
// distinct people today's rule asks for. Pick names the key to remove where the rotation offers Choices.
type Approve struct {
	Actor    Actor
	Digest   string // of what the person was shown
	Required int
	Pick     KeyID
	Why      string

	BreakGlass bool // one named person decides alone: Required is 1, and Why is said
}

// Name implements Event.
func (Approve) Name() string { return "approve" }

// By implements Event.
func (e Approve) By() Actor { return e.Actor }
func (e Approve) note() string {
	note := e.Why
	if e.Pick != "" {
		note = join("remove "+string(e.Pick)+" first", note)
	}
	if e.BreakGlass {
		note = join("break-glass, alone", note)
	}
	return note
}

func (e Approve) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if e.BreakGlass && (e.Required != 1 || e.Why == "") {
		return refuse(Invalid, "break-glass is one person's word with a reason")
	}
	if e.Required < 1 || !e.Actor.person() {
		return refuse(Invalid, "no approval rule covers this key, so nobody can approve it. Ask whoever configures keyturn")
	}
	switch r.State {
	case Upcoming, Awaiting:
	default:
		if n := len(r.Approvals); n > 0 {
			a := r.Approvals[n-1]
			return refuse(Already, "already approved %s by %s", Ago(a.At, now), a.Actor)
		}
		return r.in("approve", Upcoming, Awaiting)
	}
	if e.Digest != r.Digest() {
		return refuse(Stale, "the plan for key %s has changed since you were shown it. Look at the refreshed notice and decide again", r.Old.ID)
	}
	if r.Held != nil {
		return refuse(NotNow, "this rotation is on hold until %s by %s. Release it first", day(r.Held.Until), r.Held.By)
	}
	if r.Stuck != nil {
		return refuse(NotNow, "this rotation is stuck: %s. Retry it first", r.Stuck.Seen)
	}
	pick, ok := r.choice(e.Pick)
	switch {
	case ok:
	case len(r.Choices) == 0:
		return refuse(Invalid, "there is nothing to choose for %s: approving does not remove %s. Look at the notice and approve what it shows", r.UserName, e.Pick)
	default:
		return refuse(Invalid, "both keys of %s are in use. Choose which one is removed first: %s or %s", r.UserName, r.Choices[0].Remove, r.Choices[len(r.Choices)-1].Remove)
	}
	yes := 1
	for _, a := range r.Approvals {
		if a.Actor.Same(e.Actor) && !e.BreakGlass {
			return refuse(Already, "you approved this already, %s. It takes %d people", Ago(a.At, now), e.Required)
		}
		if a.Digest == e.Digest && a.Pick == e.Pick {
			yes++
		}
	}
	r.Approvals = append(r.Approvals, Approval{Actor: e.Actor, At: now, Digest: e.Digest, Pick: e.Pick, BreakGlass: e.BreakGlass})
	r.tell()
	if yes < e.Required {
		return nil
	}
	r.State, r.SnoozedUntil = Approved, time.Time{}
	r.settle(pick)
	r.skipOff(now)
	return nil
}

// skipOff goes straight to recovering where the key to be retired is inactive already.
func (r *Rotation) skipOff(now time.Time) {
	if r.Kind == Retire && !r.Old.InactiveSince.IsZero() {
		r.off(r.Old.InactiveSince, now, r.Old.ByHand)
	}
}

// choice returns what e.Pick stands for. Without Choices there is nothing to pick.
func (r *Rotation) choice(pick KeyID) (Choice, bool) {
	if len(r.Choices) == 0 {
		return Choice{}, pick == "" || r.Evict != nil && pick == r.Evict.ID
	}
	for _, c := range r.Choices {
		if c.Remove == pick {
			return c, true
		}
	}
	return Choice{}, false
}

// settle turns a picked choice into the plan: the decision named the key, so the plan does now.
func (r *Rotation) settle(c Choice) {
	if c.Remove == "" {
		return
	}
	refs := map[KeyID]KeyRef{r.Old.ID: r.Old}
	if r.Evict != nil {
		refs[r.Evict.ID] = *r.Evict
	}
	if r.Other != nil {
		refs[r.Other.ID] = *r.Other
	}
	removed := refs[c.Remove]
	if c.Rotate == "" {
		r.Kind, r.Old, r.Evict, r.LastActive = Retire, removed, nil, false
	} else {
		r.Kind, r.Old, r.Evict = Rotate, refs[c.Rotate], &removed
	}
	r.Choices, r.Other = nil, nil
}

// Cancel takes an approval back before anything was done.
type Cancel struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (Cancel) Name() string { return "cancel" }

// By implements Event.
func (e Cancel) By() Actor    { return e.Actor }
func (e Cancel) note() string { return e.Why }

func (e Cancel) apply(r *Rotation, now time.Time) error {
	if err := r.in("cancel", Approved); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Leaked != nil {
		return refuse(NotNow, "the key was reported as leaked: it is cut off whatever was approved")
	}
	r.State, r.Approvals, r.Passed = Awaiting, nil, nil
	r.tell()
	return nil
}

// Reject closes a rotation before a new key was issued. It comes back when Policy.ReopenAfter has passed.
type Reject struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (Reject) Name() string { return "reject" }

// By implements Event.
func (e Reject) By() Actor    { return e.Actor }
func (e Reject) note() string { return e.Why }

func (e Reject) apply(r *Rotation, now time.Time) error {
	if err := r.undecided("reject"); err != nil {
		return err
	}
	r.close(OutcomeRejected, now)
	r.ReopenAt = now.Add(r.Policy.ReopenAfter)
	return nil
}

// Exempt closes a rotation because the user is exempted until a date. The exemption itself is a record of its own.
type Exempt struct {
	Actor Actor
	Until time.Time
	Why   string
}

// Name implements Event.
func (Exempt) Name() string { return "exempt" }

// By implements Event.
func (e Exempt) By() Actor    { return e.Actor }
func (e Exempt) note() string { return join("until "+day(e.Until), e.Why) }

func (e Exempt) apply(r *Rotation, now time.Time) error {
	if err := r.undecided("exempt"); err != nil {
		return err
	}
	if !e.Until.After(now) {
		return refuse(Invalid, "an exemption ends on a day in the future")
	}
	if most := now.Add(r.Policy.ExemptLongest); e.Until.After(most) {
		return refuse(OverBudget, "an exemption may last until %s at most", day(most))
	}
	r.close(OutcomeExempted, now)
	r.ReopenAt = e.Until
	return nil
}

// Superseded closes a rotation because another plan takes its place.
type Superseded struct{ Why string }

// Name implements Event.
func (Superseded) Name() string { return "superseded" }

// By implements Event.
func (Superseded) By() Actor      { return System }
func (e Superseded) note() string { return e.Why }

func (e Superseded) apply(r *Rotation, now time.Time) error {
	if err := r.undecided("replace the plan"); err != nil {
		return err
	}
	r.close(OutcomeSuperseded, now)
	return nil
}

// undecided refuses unless nothing irrevocable has begun: no claim, no key of this rotation switched off or issued.
func (r *Rotation) undecided(doing string) error {
	if err := r.in(doing, Upcoming, Awaiting, Approved, Evicting); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Leaked != nil || r.LeakedKey != nil && r.LeakedKey.Off.IsZero() {
		return refuse(NotNow, "cannot %s now: the key was reported as leaked", doing)
	}
	if r.State == Evicting && r.Evict != nil && !r.Evict.InactiveSince.IsZero() && !r.Evict.ByHand {
		return refuse(NotNow, "cannot %s now: key %s was deactivated for it. Restore it first", doing, r.Evict.ID)
	}
	return nil
}

func (r *Rotation) close(o Outcome, now time.Time) {
	r.State, r.Outcome, r.ClosedAt = Closed, o, now
	r.Acting, r.Held, r.Stuck, r.Trouble, r.Restore, r.Anyway, r.Frozen = nil, nil, nil, nil, nil, nil, nil
	r.SnoozedUntil, r.ReopenAt = time.Time{}, time.Time{}
	r.tell()
}

func (a Actor) person() bool { return a.Via != ViaSystem && (a.ID != "" || a.Email != "") }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return fmt.Sprintf("%s: %s", a, b)
}
