package rotation

import "time"

// Step is what keyturn does next for a rotation by itself.
type Step string

// The steps. Those that mutate AWS have an Op of their own.
const (
	StepNone            Step = ""
	StepDue             Step = "due"
	StepWake            Step = "wake"
	StepEscalate        Step = "escalate" // nobody answered: the next circle
	StepTimeout         Step = "timeout"  // the time for the decision is over
	StepNotice          Step = "notice"   // mode auto: the notice period is over
	StepRemind          Step = "remind"
	StepRelease         Step = "release"
	StepBeginEvict      Step = "begin_evict"
	StepEvictDeactivate Step = "evict_deactivate"
	StepEvictDelete     Step = "evict_delete"
	StepIssue           Step = "issue"
	StepDeactivate      Step = "deactivate"
	StepDelete          Step = "delete"
	StepRestore         Step = "restore"
	StepLeakOff         Step = "leak_off"
	StepLook            Step = "look" // read the account again: it could not be reached, or a key was missing
)

// RemindEvery is how long a stuck rotation waits before people are reminded, and a decision where the policy says nothing.
const RemindEvery = 7 * Day

// Next returns the step that keyturn takes next by itself, and the time before which it must not. Nothing of it is a
// permission: claim, live reads and the gate still decide. The time is never zero while the rotation is open.
func (r Rotation) Next() (Step, time.Time) {
	if r.State == Closed {
		return StepNone, time.Time{}
	}
	step, at := r.wanted()
	if r.Trouble != nil && r.Trouble.RetryAt.After(at) && step != StepRemind {
		at = r.Trouble.RetryAt
	}
	if p := r.Postponed; p != nil && opOf(step) == p.Op && p.Until.After(at) && !r.Urgent() {
		at = p.Until
	}
	return step, at
}

// Urgent reports whether the next step is one that no calendar, freeze or hold puts off: a leaked key is cut off, or a key is
// made active again.
func (r Rotation) Urgent() bool {
	switch step, _ := r.wanted(); step {
	case StepRestore, StepLeakOff:
		return true
	case StepDeactivate:
		return r.Leaked != nil
	default:
		return false
	}
}

// wanted is Next without the backoff after a failure.
func (r Rotation) wanted() (Step, time.Time) {
	switch {
	case r.Frozen != nil:
		return StepLook, latest(r.Frozen.At, r.LookedAt).Add(r.lookIn())
	case !r.AbsentSince.IsZero():
		return StepLook, r.AbsentSince.Add(GoneWait)
	case r.Leaked != nil && r.Old.InactiveSince.IsZero() && !r.stuckIn(OpDeactivate):
		return StepDeactivate, r.Leaked.At
	case r.LeakedKey != nil && r.LeakedKey.Off.IsZero() && !r.stuckIn(OpLeakOff):
		return StepLeakOff, r.LeakedKey.At
	case r.Restoring():
		return StepRestore, r.Restore.At
	case r.Stuck != nil:
		return StepRemind, latest(r.Stuck.At, r.RemindedAt).Add(RemindEvery)
	case r.Held != nil:
		return StepRelease, r.Held.Until
	}
	switch r.State {
	case Upcoming, Awaiting:
		switch {
		case r.State == Upcoming && (r.SnoozedUntil.IsZero() || r.DueAt.Before(r.SnoozedUntil)):
			return StepDue, r.DueAt
		case !r.SnoozedUntil.IsZero():
			return StepWake, r.SnoozedUntil
		}
		return r.unanswered()
	case Approved:
		switch {
		case r.Kind == Retire:
			return StepDeactivate, latest(r.Since, r.DeactivateAt)
		case r.Evict != nil && r.Evict.Deleted.IsZero():
			return StepBeginEvict, r.Since
		}
		return StepIssue, r.Since
	case Evicting:
		switch {
		case r.Evict == nil || !r.Evict.Deleted.IsZero():
			return StepIssue, r.Since
		case r.Evict.InactiveSince.IsZero():
			return StepEvictDeactivate, latest(r.Since, r.EvictAt)
		}
		return StepEvictDelete, latest(r.Since, r.EvictAt)
	case Issuing:
		if r.Journal != nil && r.Journal.LostKey != "" {
			return StepIssue, r.Journal.LostAt.Add(LostWait)
		}
		return StepIssue, r.Since
	case Installing:
		return StepDeactivate, r.DeactivateAt
	case Recovering:
		return StepDelete, r.DeleteAt
	case Closed:
		return StepNone, time.Time{}
	default:
		return StepNone, r.Since.Add(Day)
	}
}

// lookIn is how long an account that cannot be reached is left alone: less where a leaked key waits in it.
func (r Rotation) lookIn() time.Duration {
	if r.Leaked != nil && r.Old.InactiveSince.IsZero() || r.LeakedKey != nil && r.LeakedKey.Off.IsZero() {
		return LookLeaked
	}
	return LookEvery
}

// stuckIn reports whether the rotation is stuck in an operation: what is urgent goes on where it is stuck in another.
func (r Rotation) stuckIn(op Op) bool { return r.Stuck != nil && r.Stuck.Op == op }

// Restoring reports whether keyturn is about to make a key active again. Where that failed for good, a person is asked.
func (r Rotation) Restoring() bool { return r.Restore != nil && !r.stuckIn(OpRestore) }

// Overtaken reports whether the old key was reported as leaked after its restore was asked for: it is not made active any
// more, and where that has been done already, it is cut off again.
func (r Rotation) Overtaken() bool {
	return r.State == Recovering && r.Restore != nil && r.Leaked != nil && !r.Restore.At.After(r.Leaked.At)
}

// nextAt is when the tick has to look at r again. It is never zero while r is open or people are untold.
func (r Rotation) nextAt(now time.Time) time.Time {
	_, at := r.Next() // a closed rotation waits for nothing: the scan opens the next episode
	if r.Acting != nil {
		at = earliest(at, now) // the lease runs on the protocol clock: keep looking
	}
	if r.Untold() {
		at = earliest(at, latest(now, r.TellAfter))
	}
	return at
}

// Backoff is the pause after the n-th failure in a row: a minute, doubling, at most six hours.
func Backoff(n int) time.Duration {
	return min(time.Minute<<min(max(n-1, 0), 16), 6*time.Hour)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest returns the earlier of two times, where zero is no time at all.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
