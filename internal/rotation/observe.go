package rotation

import "time"

// ObservedDeactivated says that a person deactivated a key of the rotation by hand. The recovery clock starts at now: when
// keyturn first saw it.
type ObservedDeactivated struct{ Key KeyID }

// Name implements Event.
func (ObservedDeactivated) Name() string { return "observed_deactivated" }

// By implements Event.
func (ObservedDeactivated) By() Actor      { return System }
func (e ObservedDeactivated) note() string { return string(e.Key) + " was deactivated by hand" }

func (e ObservedDeactivated) apply(r *Rotation, now time.Time) error {
	if err := r.observable(); err != nil {
		return err
	}
	k := r.refOf(e.Key)
	if k == nil || !k.Deleted.IsZero() {
		return refuse(Invalid, "key %s is none of this rotation", e.Key)
	}
	if !k.InactiveSince.IsZero() {
		return refuse(Already, "key %s is known to be inactive since %s", e.Key, minute(k.InactiveSince))
	}
	if k == &r.Old {
		r.off(now, now, true)
	} else {
		k.InactiveSince, k.ByHand = now, true
		if r.State == Evicting {
			r.EvictAt = now.Add(r.Policy.RecoveryGrace)
		}
	}
	r.tell()
	return nil
}

// ObservedReactivated says that a person activated a key by hand which was inactive: it is held, like a restored one.
type ObservedReactivated struct{ Key KeyID }

// Name implements Event.
func (ObservedReactivated) Name() string { return "observed_reactivated" }

// By implements Event.
func (ObservedReactivated) By() Actor      { return System }
func (e ObservedReactivated) note() string { return string(e.Key) + " was activated by hand" }

func (e ObservedReactivated) apply(r *Rotation, now time.Time) error {
	if err := r.observable(); err != nil {
		return err
	}
	k := r.refOf(e.Key)
	if k == nil || !k.Deleted.IsZero() {
		return refuse(Invalid, "key %s is none of this rotation", e.Key)
	}
	if k.InactiveSince.IsZero() {
		return refuse(Already, "key %s is known to be active", e.Key)
	}
	if r.State == Recovering && k == &r.Old || r.State == Evicting && k == r.Evict {
		return r.on(e.Key, Intent{By: System, Why: "a person activated it by hand"}, now)
	}
	k.InactiveSince, k.ByHand = time.Time{}, false
	r.tell()
	return nil
}

// observable refuses where an observation would disturb what is under way.
func (r *Rotation) observable() error {
	if err := r.open(); err != nil {
		return err
	}
	return r.idle()
}

func (r *Rotation) refOf(key KeyID) *KeyRef {
	switch {
	case key == "":
		return nil
	case r.Old.ID == key:
		return &r.Old
	case r.Evict != nil && r.Evict.ID == key:
		return r.Evict
	default:
		return nil
	}
}

// Used says that a live read saw a use of the new key by somebody else than keyturn: the short quiet period applies.
type Used struct{ Use LastUse }

// Name implements Event.
func (Used) Name() string { return "new_key_used" }

// By implements Event.
func (Used) By() Actor { return System }
func (e Used) note() string {
	return join(e.Use.Service+" in "+e.Use.Region, minute(e.Use.At))
}

func (e Used) apply(r *Rotation, now time.Time) error {
	if err := r.in("note a use", Installing, Recovering); err != nil {
		return err
	}
	if !Adopted(*r, e.Use) {
		return refuse(Invalid, "this use of the new key is keyturn's own")
	}
	if r.New.InUse.Kind == UseSeen {
		return refuse(Already, "the new key is known to be in use")
	}
	r.New.InUse = e.Use
	r.tell()
	return nil
}

// Adopted reports whether a use of the new key is somebody else's than keyturn's verification: later than it, and where it
// is an sts call, later than AWS could report the verification itself (of several uses within 15 minutes the first counts).
func Adopted(r Rotation, use LastUse) bool {
	if r.New == nil || use.Kind != UseSeen || !use.At.After(r.New.VerifiedAt) {
		return false
	}
	return use.Service != "sts" || use.At.Sub(r.New.VerifiedAt) > 15*time.Minute
}

// GoneWait is how far apart two live reads have to be that do not show a key or its user.
const GoneWait = 10 * time.Minute

// Absent says that a live read at now did not show the old key, or, with User, its user. The second one, GoneWait later,
// closes the rotation. An attempt to issue that made a key finishes or cleans up first, unless its user is absent: then no
// key of it is left.
type Absent struct {
	What string
	User bool
}

// Name implements Event.
func (e Absent) Name() string { return "gone" }

// By implements Event.
func (Absent) By() Actor      { return System }
func (e Absent) note() string { return e.What }

func (e Absent) apply(r *Rotation, now time.Time) error {
	states := []State{Upcoming, Awaiting, Approved, Evicting, Installing, Recovering}
	if e.User || r.Journal == nil || r.Journal.NewKey == "" && r.Journal.LostKey == "" {
		states = append(states, Issuing)
	}
	if err := r.in("close it as gone", states...); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	switch {
	case r.AbsentSince.IsZero():
		r.AbsentSince = now
		return nil
	case now.Before(r.AbsentSince.Add(GoneWait)):
		return refuse(NotNow, "it was missed %s for the first time; a second look comes later", Ago(r.AbsentSince, now))
	}
	r.Old.Deleted = now
	if r.State == Installing || r.State == Recovering && r.Kind == Rotate {
		r.close(OutcomeRotated, now)
	} else {
		r.close(OutcomeGone, now)
	}
	return nil
}

// Present says that a live read showed the old key and its user again, under this name.
type Present struct{ As UserName }

// Name implements Event.
func (e Present) Name() string { return "present" }

// By implements Event.
func (Present) By() Actor      { return System }
func (e Present) note() string { return string(e.As) }

func (e Present) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if r.AbsentSince.IsZero() && (e.As == "" || e.As == r.UserName) {
		return refuse(Already, "nothing has changed")
	}
	r.AbsentSince = time.Time{}
	if e.As != "" && e.As != r.UserName {
		r.UserName = e.As
		r.tell()
	}
	return nil
}

// Freeze says that the account cannot be reached or has left: its clocks stand still and nothing is closed.
type Freeze struct{ Why string }

// Name implements Event.
func (Freeze) Name() string { return "freeze" }

// By implements Event.
func (Freeze) By() Actor      { return System }
func (e Freeze) note() string { return e.Why }

func (e Freeze) apply(r *Rotation, now time.Time) error {
	if err := r.observable(); err != nil {
		return err
	}
	if r.Frozen != nil {
		return refuse(Already, "its account cannot be reached since %s", minute(r.Frozen.At))
	}
	r.Frozen = &Intent{By: System, Why: e.Why, At: now}
	r.tell()
	return nil
}

// Thaw says that the account is reachable again: dates that keyturn set move by the time that was lost.
type Thaw struct{}

// Name implements Event.
func (Thaw) Name() string { return "thaw" }

// By implements Event.
func (Thaw) By() Actor      { return System }
func (e Thaw) note() string { return "" }

func (e Thaw) apply(r *Rotation, now time.Time) error {
	if err := r.observable(); err != nil {
		return err
	}
	if r.Frozen == nil {
		return refuse(Already, "its account can be reached")
	}
	lost := max(0, now.Sub(r.Frozen.At))
	for _, t := range []*time.Time{&r.DeactivateAt, &r.DeleteAt, &r.EvictAt, &r.SnoozedUntil} {
		if !t.IsZero() {
			*t = t.Add(lost)
		}
	}
	if r.Held != nil {
		r.Held.Until = r.Held.Until.Add(lost)
	}
	r.Frozen, r.LookedAt = nil, time.Time{}
	r.tell()
	return nil
}

// LookEvery is how often an account that cannot be reached is looked at again.
const LookEvery = 6 * time.Hour

// LookLeaked is the same where a leaked key waits in the account.
const LookLeaked = 15 * time.Minute

// LookedInVain says that the account of a frozen rotation still cannot be reached: the next look comes later.
type LookedInVain struct{}

// Name implements Event.
func (LookedInVain) Name() string { return "looked" }

// By implements Event.
func (LookedInVain) By() Actor      { return System }
func (e LookedInVain) note() string { return "" }

func (e LookedInVain) unrecorded(Rotation) bool { return true }

func (e LookedInVain) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if r.Frozen == nil {
		return refuse(Already, "its account can be reached")
	}
	r.LookedAt = now
	return nil
}

// LastUsed refreshes what is known of a key's last use from a live read. It is no history.
type LastUsed struct {
	Key KeyID
	Use LastUse
}

// Name implements Event.
func (LastUsed) Name() string { return "last_used" }

// By implements Event.
func (LastUsed) By() Actor      { return System }
func (e LastUsed) note() string { return "" }

func (e LastUsed) unrecorded(Rotation) bool { return true }

func (e LastUsed) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	k := r.refOf(e.Key)
	if k == nil {
		return refuse(Invalid, "key %s is none of this rotation", e.Key)
	}
	if e.Use.Kind != UseUnknown {
		k.LastUse = e.Use
	}
	return nil
}
