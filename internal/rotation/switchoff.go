package rotation

import (
	"fmt"
	"time"
)

// Confirm says that the owner uses the new key now: the short quiet period applies.
type Confirm struct{ Actor Actor }

// Name implements Event.
func (Confirm) Name() string { return "confirm" }

// By implements Event.
func (e Confirm) By() Actor    { return e.Actor }
func (e Confirm) note() string { return "" }

func (e Confirm) apply(r *Rotation, now time.Time) error {
	if err := r.in("confirm", Installing); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Confirmed != nil {
		return refuse(Already, "already confirmed %s by %s", Ago(r.Confirmed.At, now), r.Confirmed.By)
	}
	r.Confirmed = &Intent{By: e.Actor, At: now}
	r.DeactivateAt = earliest(r.DeactivateAt, now.Add(r.Policy.ConfirmedQuiet))
	r.tell()
	return nil
}

// Deactivated says that keyturn deactivated a key of the rotation under its claim.
type Deactivated struct {
	Token string
	Key   KeyID
	Note  string // what the gate saw
}

// Name implements Event.
func (Deactivated) Name() string { return "deactivated" }

// By implements Event.
func (Deactivated) By() Actor      { return System }
func (e Deactivated) note() string { return join(string(e.Key), e.Note) }

func (e Deactivated) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if r.Acting != nil && r.Acting.Op == OpEvictDeactivate {
		if err := r.holder(e.Token, OpEvictDeactivate); err != nil {
			return err
		}
		if r.State != Evicting || r.Evict == nil || r.Evict.ID != e.Key {
			return refuse(Invalid, "key %s is not the one to be evicted", e.Key)
		}
		r.Evict.InactiveSince, r.Evict.ByHand = now, false
		r.EvictAt = now.Add(r.Policy.RecoveryGrace)
	} else {
		if err := r.holder(e.Token, OpDeactivate); err != nil {
			return err
		}
		if r.Old.ID != e.Key {
			return refuse(Invalid, "key %s is not the one to be deactivated", e.Key)
		}
		r.off(now, now, false)
	}
	r.done()
	r.Anyway, r.GateRefusals, r.GateSeen, r.Escalated = nil, 0, nil, false
	r.tell()
	return nil
}

// off notes that the old key is inactive since then, and moves on where the state waited for that.
func (r *Rotation) off(since, now time.Time, byHand bool) {
	r.Old.InactiveSince, r.Old.ByHand = since, byHand
	if r.State == Installing || r.State == Approved && r.Kind == Retire {
		r.State, r.DeleteAt = Recovering, since.Add(r.Policy.RecoveryGrace)
	}
}

// GateRefused says that the gate did not let a key pass: the date moves by a day, and after the allowed number of times a
// person is asked.
type GateRefused struct {
	Token  string // of a claim to give back, or ""
	Blocks []Block
}

// Name implements Event.
func (GateRefused) Name() string { return "gate_refused" }

// By implements Event.
func (GateRefused) By() Actor      { return System }
func (e GateRefused) note() string { return sentences(e.Blocks) }

func (e GateRefused) apply(r *Rotation, now time.Time) error {
	if len(e.Blocks) == 0 {
		return refuse(Invalid, "the gate refuses for a reason")
	}
	step, _ := r.Next()
	switch step {
	case StepDeactivate, StepDelete, StepEvictDeactivate, StepEvictDelete:
	default:
		return refuse(NotNow, "no key waits at the gate")
	}
	if r.Acting != nil {
		if err := r.holder(e.Token, opOf(step)); err != nil {
			return err
		}
		r.Acting = nil
	}
	again := now.Add(Day)
	switch step {
	case StepDelete:
		r.DeleteAt = again
	case StepEvictDeactivate, StepEvictDelete:
		r.EvictAt = again
	default:
		r.DeactivateAt = again
	}
	r.GateRefusals++
	r.GateSeen, r.Anyway = e.Blocks, nil
	r.Escalated = r.GateRefusals >= r.Policy.GateTries
	r.tell()
	return nil
}

// DeactivateAnyway is a person's word that a key may be cut off although the gate saw it in use. It lifts nothing else: a
// missing new key or secret still stops the deactivation.
type DeactivateAnyway struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (DeactivateAnyway) Name() string { return "deactivate_anyway" }

// By implements Event.
func (e DeactivateAnyway) By() Actor    { return e.Actor }
func (e DeactivateAnyway) note() string { return e.Why }

func (e DeactivateAnyway) apply(r *Rotation, now time.Time) error {
	if err := r.in("deactivate", Installing, Evicting, Approved); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	step, _ := r.wanted()
	if r.GateRefusals == 0 || step != StepDeactivate && step != StepEvictDeactivate {
		return refuse(NotNow, "keyturn has not refused to deactivate key %s, so there is nothing to overrule", r.Old.ID)
	}
	r.Anyway, r.Postponed = &Intent{By: e.Actor, Why: e.Why, At: now}, nil
	if step == StepEvictDeactivate {
		r.EvictAt = now
	} else {
		r.DeactivateAt = now
	}
	r.tell()
	return nil
}

// Restore asks for a deactivated key to be active again. The rotator carries it out.
type Restore struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (Restore) Name() string { return "restore" }

// By implements Event.
func (e Restore) By() Actor    { return e.Actor }
func (e Restore) note() string { return e.Why }

func (e Restore) apply(r *Rotation, now time.Time) error {
	if err := r.in("restore", Recovering, Evicting); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Restoring() {
		return refuse(Already, "%s asked for it %s; it is being restored", r.Restore.By, Ago(r.Restore.At, now))
	}
	if r.State == Evicting && (r.Evict == nil || r.Evict.InactiveSince.IsZero() || !r.Evict.Deleted.IsZero()) {
		return refuse(NotNow, "no key of %s can be restored now: it is active, or deleted already", r.UserName)
	}
	if r.stuckIn(OpRestore) {
		r.Stuck = nil
	}
	r.Restore = &Intent{By: e.Actor, Why: e.Why, At: now}
	r.Trouble = nil
	r.tell()
	return nil
}

// Restored says that the key is active again. It is held, so that nothing cuts it off before somebody had a look.
type Restored struct {
	Token string
	Key   KeyID
}

// Name implements Event.
func (Restored) Name() string { return "restored" }

// By implements Event.
func (Restored) By() Actor      { return System }
func (e Restored) note() string { return string(e.Key) }

func (e Restored) apply(r *Rotation, now time.Time) error {
	if err := r.in("restore", Recovering, Evicting); err != nil {
		return err
	}
	if err := r.holder(e.Token, OpRestore); err != nil {
		return err
	}
	by := Intent{By: System}
	if r.Restore != nil {
		by = *r.Restore
	}
	if err := r.on(e.Key, by, now); err != nil {
		return err
	}
	r.done()
	return nil
}

// on notes that a key is active again and holds the rotation. Where a leak was reported since its restore was asked for,
// that is the later word: nothing is held, and the key is cut off again.
func (r *Rotation) on(key KeyID, by Intent, now time.Time) error {
	overtaken := key == r.Old.ID && r.Overtaken()
	switch {
	case r.State == Evicting && r.Evict != nil && r.Evict.ID == key && r.Evict.Deleted.IsZero():
		r.Evict.InactiveSince, r.Evict.ByHand, r.EvictAt = time.Time{}, false, now
	case r.State == Recovering && r.Old.ID == key:
		r.Old.InactiveSince, r.Old.ByHand, r.DeleteAt = time.Time{}, false, time.Time{}
		if r.Kind == Rotate {
			r.State, r.DeactivateAt = Installing, now
		} else {
			r.State, r.Approvals, r.DeactivateAt = Awaiting, nil, time.Time{}
		}
	default:
		return refuse(Invalid, "key %s is not one that can be active again here", key)
	}
	r.Restore, r.Anyway, r.Confirmed, r.Stuck = nil, nil, nil, nil
	if l := r.LeakedKey; l != nil && l.Key == key && !l.Off.IsZero() {
		r.LeakedKey = nil // a person brought it back
	}
	r.RestoredAt = now
	if overtaken {
		if r.State == Awaiting {
			r.State, r.Approvals = Approved, []Approval{{Actor: r.Leaked.By, At: r.Leaked.At, Digest: r.Digest()}}
		}
		r.tell()
		return nil
	}
	if key == r.Old.ID {
		r.Leaked = nil // a person brought the leaked key back
	}
	r.Held = &Hold{By: by.By, Why: join(fmt.Sprintf("%s is active again", key), by.Why), At: now, Until: now.Add(r.Policy.Hold.Longest)}
	r.tell()
	return nil
}

// Deleted says that keyturn deleted the old key under its claim.
type Deleted struct {
	Token string
	Key   KeyID
	Note  string
}

// Name implements Event.
func (Deleted) Name() string { return "deleted" }

// By implements Event.
func (Deleted) By() Actor      { return System }
func (e Deleted) note() string { return join(string(e.Key), e.Note) }

func (e Deleted) apply(r *Rotation, now time.Time) error {
	if err := r.in("delete", Recovering); err != nil {
		return err
	}
	if err := r.holder(e.Token, OpDelete); err != nil {
		return err
	}
	if r.Old.ID != e.Key || r.Old.InactiveSince.IsZero() || now.Before(r.Old.InactiveSince.Add(r.Policy.RecoveryGrace)) {
		return refuse(Invalid, "key %s was not inactive for the whole recovery grace", e.Key)
	}
	r.Old.Deleted = now
	if r.Kind == Retire {
		r.close(OutcomeRetired, now)
	} else {
		r.close(OutcomeRotated, now)
	}
	return nil
}
