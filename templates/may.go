package templates

import "github.com/keyturn/keyturn/internal/rotation"

// May reports whether the state of r allows an action, so that a message offers nothing that can only be refused. Who may do
// it is another question (package approval), and a claim on AWS is no reason to hide a button: it lasts for minutes, while
// a message stays as it is until there is something new to say.
func May(r rotation.Rotation, act string) bool {
	switch act {
	case ActHistory, ActReview:
		return true
	}
	if !r.Open() {
		return false
	}
	undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting
	step, _ := r.Next()
	switch act {
	case ActApprove:
		return undecided && r.Held == nil && r.Stuck == nil
	case ActSnooze:
		return undecided && r.Policy.Snooze.Left(r.Snoozed.Count, r.Snoozed.Total) > 0
	case ActReject, ActExempt:
		return r.Leaked == nil && !leaking(r) && (undecided || r.State == rotation.Approved || r.State == rotation.Evicting && !evictedByUs(r))
	case ActCancel:
		return r.State == rotation.Approved && r.Leaked == nil
	case ActHold:
		return r.Held == nil && r.Policy.Hold.Left(r.HeldUsed.Count, r.HeldUsed.Total) > 0
	case ActRelease:
		return r.Held != nil
	case ActConfirm:
		return r.State == rotation.Installing && r.Confirmed == nil
	case ActExtend:
		return (r.State == rotation.Installing || r.State == rotation.Recovering) && r.Policy.Extend.Left(r.Extended.Count, r.Extended.Total) > 0
	case ActRestore:
		return !r.Restoring() && (r.State == rotation.Recovering || r.State == rotation.Evicting && waits(r) && !r.Evict.InactiveSince.IsZero())
	case ActRetry:
		return r.Stuck != nil || r.Trouble != nil && r.Trouble.Attempts > 0
	case ActAnyway:
		switch r.State {
		case rotation.Installing, rotation.Evicting, rotation.Approved:
			return r.GateRefusals > 0 && (step == rotation.StepDeactivate || step == rotation.StepEvictDeactivate)
		}
	}
	return false
}

// leaking reports whether a leaked key that is not the old one has yet to be cut off.
func leaking(r rotation.Rotation) bool { return r.LeakedKey != nil && r.LeakedKey.Off.IsZero() }

// waits reports whether a key has to go before the new one can be issued.
func waits(r rotation.Rotation) bool { return r.Evict != nil && r.Evict.Deleted.IsZero() }

func evictedByUs(r rotation.Rotation) bool {
	return r.Evict != nil && !r.Evict.InactiveSince.IsZero() && !r.Evict.ByHand
}
