package rotation

import (
	"fmt"
	"slices"
	"time"
)

// Reason is why a proposal is made.
type Reason string

// The reasons of the planning table.
const (
	ExpiredActiveKey           Reason = "expired_active_key"
	ExpiredUnusedKey           Reason = "expired_unused_key"
	ForcedRotation             Reason = "forced_rotation"
	KeyPendingRotation         Reason = "key_pending_rotation"
	UnusedKeyPendingRetirement Reason = "unused_key_pending_retirement"
	SlotConflictInactive       Reason = "slot_conflict_inactive"
	SlotConflictLRU            Reason = "slot_conflict_lru"
	InstallGraceEnded          Reason = "install_grace_ended"
	RecoveryGraceEnded         Reason = "recovery_grace_ended"
	PendingDeactivation        Reason = "pending_deactivation"
	PendingDeletion            Reason = "pending_deletion"
	PendingDeletionConflict    Reason = "pending_deletion_conflict"
	PendingExpirationConflict  Reason = "pending_expiration_conflict"
	LeftoverInactiveKey        Reason = "leftover_inactive_key"
	LeakedKeyReported          Reason = "leaked_key"
	UnaccountedPair            Reason = "unaccounted_pair" // tagged secret, no record: a person adopts it
)

// Act is what a proposal asks for.
type Act string

// The acts.
const (
	ActOpen   Act = "open"   // a rotation in Proposal.State
	ActStep   Act = "step"   // the date of the open rotation's own step has come
	ActRemind Act = "remind" // that date is near; nothing is changed
)

// Proposal is one thing that a user's keys need.
type Proposal struct {
	Reason     Reason    `json:"reason"`
	Act        Act       `json:"act"`
	Kind       Kind      `json:"kind,omitempty"`
	State      State     `json:"state,omitempty"` // of the rotation to open: upcoming or awaiting
	Old        KeyID     `json:"old"`
	Evict      KeyID     `json:"evict,omitempty"`
	Choices    []Choice  `json:"choices,omitempty"`
	LastActive bool      `json:"last_active,omitempty"`
	At         time.Time `json:"at"` // when the key is due, or the step's date
}

// Plan says what the keys of a user need under the policy. last is the user's rotation, open or closed, or nil; forced is
// set when a person asked. It decides nothing: what it proposes is asked for, and every step reads the world again. An
// exempt user gets no proposal. Plan is total: keys whose creation date is not known get none.
func Plan(u User, p Policy, last *Rotation, forced bool, now time.Time) []Proposal {
	if u.Exempt {
		return nil
	}
	if last != nil && last.Open() {
		switch last.State {
		case Evicting, Issuing, Installing, Recovering:
			return ownSteps(*last, p, now)
		}
	}
	keys := slices.Clone(u.Keys)
	keys = slices.DeleteFunc(keys, func(k Key) bool { return k.ID == "" || k.Created.IsZero() })
	slices.SortStableFunc(keys, func(a, b Key) int { return a.Created.Compare(b.Created) })
	c := planner{policy: p, forced: forced, now: now}
	for _, k := range keys {
		switch k.Status {
		case Active:
			c.active = append(c.active, k)
		case Inactive:
			c.inactive = append(c.inactive, k)
		}
	}
	out := c.proposals()
	if last != nil && !last.Open() && !forced && now.Before(last.ReopenAt) {
		out = slices.DeleteFunc(out, func(q Proposal) bool { return q.Old == last.Old.ID })
	}
	return out
}

type planner struct {
	policy           Policy
	forced           bool
	now              time.Time
	active, inactive []Key // oldest first
}

func (c planner) proposals() []Proposal {
	if len(c.active) == 0 {
		return c.leftover()
	}
	key := c.active[0]
	// A due key that was never used goes first: taking it away frees a slot and harms nobody.
	for _, k := range c.active {
		if c.policy.Unused == Retire && c.due(k) && k.NeverUsed() && !c.forced {
			return []Proposal{c.retire(k, ExpiredUnusedKey, Awaiting)}
		}
	}
	switch {
	case c.forced && len(c.active) == 1 && len(c.inactive) == 0:
		return []Proposal{c.rotate(key, ForcedRotation, Awaiting)}
	case c.forced || c.due(key):
		return []Proposal{c.dueNow(key)}
	case c.near(key):
		return c.upcoming(key)
	}
	return c.leftover()
}

// dueNow proposes for the oldest active key, which is due or forced.
func (c planner) dueNow(key Key) Proposal {
	reason := ExpiredActiveKey
	if c.forced {
		reason = ForcedRotation
	} else if key.NeverUsed() {
		reason = ExpiredUnusedKey
	}
	switch {
	case len(c.active) > 1:
		return c.conflict(key, c.active[1], Awaiting)
	case len(c.inactive) > 0:
		q := c.rotate(key, SlotConflictInactive, Awaiting)
		q.Evict = c.inactive[0].ID
		return q
	}
	return c.rotate(key, reason, Awaiting)
}

// conflict proposes where two active keys fill both slots and the older one is due. Who was used least recently goes
// first; where both were used lately a person picks.
func (c planner) conflict(older, newer Key, state State) Proposal {
	q := Proposal{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: state, At: c.dueAt(older)}
	newerDue := c.forced || c.due(newer)
	busyOld, busyNew := c.busy(older), c.busy(newer)
	if busyOld && busyNew {
		q.Old = older.ID
		q.Choices = []Choice{{Remove: older.ID}, {Remove: newer.ID, Rotate: older.ID}}
		if newerDue {
			q.Choices[0].Rotate = newer.ID
		}
		return q
	}
	evictOlder := busyNew
	if busyOld == busyNew {
		a, _ := older.LastUse.IdleSince(older.Created)
		b, _ := newer.LastUse.IdleSince(newer.Created)
		evictOlder = a.Before(b)
	}
	switch {
	case !evictOlder:
		q.Old, q.Evict = older.ID, newer.ID
	case newerDue:
		q.Old, q.Evict, q.At = newer.ID, older.ID, c.dueAt(newer)
	default: // the newer key is young and in use: the older one simply goes
		q = c.retire(older, SlotConflictLRU, state)
	}
	return q
}

// upcoming warns of the oldest active key, which is near its age. Where both slots are full it says so.
func (c planner) upcoming(key Key) []Proposal {
	switch {
	case c.policy.Unused == Retire && key.NeverUsed():
		return []Proposal{c.retire(key, UnusedKeyPendingRetirement, Upcoming)}
	case len(c.active) > 1:
		q := c.conflict(key, c.active[1], Upcoming)
		q.Reason = KeyPendingRotation
		return []Proposal{q, {Reason: PendingExpirationConflict, Act: ActRemind, Old: key.ID, Evict: q.Evict, At: c.dueAt(key)}}
	case len(c.inactive) > 0:
		q := c.rotate(key, KeyPendingRotation, Upcoming)
		q.Evict = c.inactive[0].ID
		return []Proposal{q}
	}
	return []Proposal{c.rotate(key, KeyPendingRotation, Upcoming)}
}

func (c planner) leftover() []Proposal {
	if len(c.inactive) == 0 {
		return nil
	}
	q := c.retire(c.inactive[0], LeftoverInactiveKey, Awaiting)
	q.At = c.inactive[0].Created // due whatever its age; a stable date keeps approvals valid
	return []Proposal{q}
}

func (c planner) rotate(k Key, reason Reason, state State) Proposal {
	return Proposal{Reason: reason, Act: ActOpen, Kind: Rotate, State: state, Old: k.ID, At: c.dueAt(k)}
}

func (c planner) retire(k Key, reason Reason, state State) Proposal {
	return Proposal{
		Reason: reason, Act: ActOpen, Kind: Retire, State: state, Old: k.ID, At: c.dueAt(k),
		LastActive: k.Status == Active && len(c.active) == 1,
	}
}

func (c planner) dueAt(k Key) time.Time { return k.Created.Add(c.policy.RotateAfter) }
func (c planner) due(k Key) bool        { return !c.now.Before(c.dueAt(k)) }
func (c planner) near(k Key) bool       { return !c.now.Before(c.dueAt(k).Add(-c.policy.WarnBefore)) }

// busy: used within the quiet period, or nobody knows. Unknown never counts as idle.
func (c planner) busy(k Key) bool {
	since, known := k.LastUse.IdleSince(k.Created)
	return !known || c.now.Sub(since) < c.policy.QuietPeriod
}

// ownSteps speaks of the dates of an open rotation: come, or near.
func ownSteps(r Rotation, p Policy, now time.Time) []Proposal {
	step := func(reason, near Reason, key KeyID, at time.Time) []Proposal {
		q := Proposal{Reason: reason, Act: ActStep, Kind: r.Kind, Old: key, At: at}
		switch {
		case at.IsZero() || now.Before(at.Add(-p.WarnBefore)):
			return nil
		case now.Before(at):
			q.Reason, q.Act = near, ActRemind
		}
		return []Proposal{q}
	}
	switch r.State {
	case Installing:
		return step(InstallGraceEnded, PendingDeactivation, r.Old.ID, r.DeactivateAt)
	case Recovering:
		return step(RecoveryGraceEnded, PendingDeletion, r.Old.ID, r.DeleteAt)
	case Evicting:
		if r.Evict == nil || !r.Evict.Deleted.IsZero() {
			return nil
		}
		if r.Evict.InactiveSince.IsZero() {
			return step(InstallGraceEnded, PendingDeactivation, r.Evict.ID, r.EvictAt)
		}
		return step(RecoveryGraceEnded, PendingDeletionConflict, r.Evict.ID, r.EvictAt)
	default:
		return nil
	}
}

// Sentence says the reason to a person.
func (r Reason) Sentence(p Policy) string {
	age := FormatDuration(p.RotateAfter)
	switch r {
	case ExpiredActiveKey:
		return fmt.Sprintf("The key is older than %s.", age)
	case ExpiredUnusedKey:
		return fmt.Sprintf("The key is older than %s and was never used.", age)
	case ForcedRotation:
		return "A person asked for it."
	case KeyPendingRotation:
		return fmt.Sprintf("The key will soon be older than %s.", age)
	case UnusedKeyPendingRetirement:
		return fmt.Sprintf("The key will soon be older than %s and was never used.", age)
	case SlotConflictInactive:
		return fmt.Sprintf("The key is older than %s, and an inactive key fills the user's second slot.", age)
	case SlotConflictLRU:
		return fmt.Sprintf("The key is older than %s, and the user's second slot is taken by another active key.", age)
	case InstallGraceEnded:
		return "The time to install the new key has passed."
	case RecoveryGraceEnded:
		return "The time to restore the old key has passed."
	case PendingDeactivation:
		return "The old key will soon be deactivated."
	case PendingDeletion:
		return "The old key will soon be deleted."
	case PendingDeletionConflict:
		return "The key that has to make room will soon be deleted."
	case PendingExpirationConflict:
		return "The key comes of age while both slots of the user are taken."
	case LeftoverInactiveKey:
		return "The key is inactive, and nothing accounts for it."
	case LeakedKeyReported:
		return "A person reported the key as leaked."
	case UnaccountedPair:
		return "A secret in AWS says that keyturn rotated this key, but keyturn has no record of it."
	default:
		return "keyturn does not know this reason; it may come from a newer version."
	}
}
