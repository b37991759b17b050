package templates

import "github.com/keyturn/keyturn/internal/rotation"

// phase is what a rotation means for people: its state and the flags beside it, the most urgent first.
type phase int

const (
	isUpcoming phase = iota
	isAwaiting
	isSnoozed
	isApproved
	isEvicting
	isIssuing
	isInstalling
	isInUse // installing or evicting, and the gate has refused
	isRecovering
	isRestoring
	isHeld
	isStuck
	isFrozen
	isLeaked
	isClosed
	isUnknown // a state of a newer version
)

func phaseOf(r rotation.Rotation) phase {
	switch {
	case r.State == rotation.Closed:
		return isClosed
	case r.Stuck != nil && !r.Restoring():
		return isStuck
	case r.Frozen != nil:
		return isFrozen
	case r.Restoring():
		return isRestoring
	case r.Leaked != nil:
		return isLeaked
	case r.Held != nil:
		return isHeld
	}
	switch r.State {
	case rotation.Upcoming, rotation.Awaiting:
		switch {
		case !r.SnoozedUntil.IsZero():
			return isSnoozed
		case r.State == rotation.Upcoming:
			return isUpcoming
		}
		return isAwaiting
	case rotation.Approved:
		if r.GateRefusals > 0 {
			return isInUse
		}
		return isApproved
	case rotation.Evicting:
		if r.GateRefusals > 0 && waits(r) && r.Evict.InactiveSince.IsZero() {
			return isInUse
		}
		return isEvicting
	case rotation.Issuing:
		return isIssuing
	case rotation.Installing:
		if r.GateRefusals > 0 {
			return isInUse
		}
		return isInstalling
	case rotation.Recovering:
		return isRecovering
	case rotation.Closed:
		return isClosed
	default:
		return isUnknown
	}
}

// leaving is the key that keyturn deactivates or deletes next: the one that makes room while it does, otherwise the old one,
// which comes first when it leaked.
func leaving(r rotation.Rotation) rotation.KeyRef {
	if r.State == rotation.Evicting && waits(r) && (r.Leaked == nil || isOff(r.Old)) {
		return *r.Evict
	}
	return r.Old
}

// restored is the key that Restore makes active again.
func restored(r rotation.Rotation) rotation.KeyRef {
	if r.State == rotation.Evicting && waits(r) {
		return *r.Evict
	}
	return r.Old
}

// adopted reports whether the new key is known to be in use.
func adopted(r rotation.Rotation) bool {
	return r.Confirmed != nil || r.New != nil && r.New.InUse.Kind == rotation.UseSeen
}

// overruling reports whether "Deactivate anyway" could help: it lifts the question of use and nothing else.
func overruling(r rotation.Rotation) bool {
	for _, b := range r.GateSeen {
		if b.Why == rotation.BlockInUse || b.Why == rotation.BlockUnknown {
			return r.Leaked == nil && r.Anyway == nil
		}
	}
	return false
}

// isOff reports whether a key is known to be inactive.
func isOff(k rotation.KeyRef) bool { return !k.InactiveSince.IsZero() }
