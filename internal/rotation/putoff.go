package rotation

import "time"

// Snooze puts a decision off. It is bounded by Policy.Snooze.
type Snooze struct {
	Actor Actor
	For   time.Duration
	Why   string
}

// Name implements Event.
func (Snooze) Name() string { return "snooze" }

// By implements Event.
func (e Snooze) By() Actor    { return e.Actor }
func (e Snooze) note() string { return join("for "+FormatDuration(e.For), e.Why) }

func (e Snooze) apply(r *Rotation, now time.Time) error {
	if err := r.in("snooze", Upcoming, Awaiting); err != nil {
		return err
	}
	spent, err := spend(r.Policy.Snooze, r.Snoozed, e.For, "snoozed")
	if err != nil {
		return err
	}
	r.Snoozed, r.SnoozedUntil = spent, now.Add(e.For)
	r.NoticeAt, r.NoticeDigest = time.Time{}, "" // an objection to mode auto: the notice begins anew
	r.tell()
	return nil
}

// spend takes d from what is left of the budget, or refuses with what is left.
func spend(b Budget, s Spent, d time.Duration, done string) (Spent, error) {
	left := b.Left(s.Count, s.Total)
	switch {
	case d <= 0:
		return s, refuse(Invalid, "the time must be longer than nothing, like 3d")
	case left <= 0:
		return s, refuse(OverBudget, "it was %s %d times for %s already, and the policy allows no more", done, s.Count, FormatDuration(s.Total))
	case d > left:
		return s, refuse(OverBudget, "at most %s are possible now: the policy allows %d times, %s at once and %s altogether", FormatDuration(left), b.Count, FormatDuration(b.Longest), FormatDuration(b.Total))
	}
	return Spent{Count: s.Count + 1, Total: s.Total + d}, nil
}

// Wake ends a snooze whose time has come.
type Wake struct{}

// Name implements Event.
func (Wake) Name() string { return "wake" }

// By implements Event.
func (Wake) By() Actor      { return System }
func (e Wake) note() string { return "" }

func (e Wake) apply(r *Rotation, now time.Time) error {
	if err := r.in("wake", Upcoming, Awaiting); err != nil {
		return err
	}
	if r.SnoozedUntil.IsZero() || now.Before(r.SnoozedUntil) {
		return refuse(NotNow, "key %s is not snoozed, or still is", r.Old.ID)
	}
	r.SnoozedUntil = time.Time{}
	r.asked(now)
	r.tell()
	return nil
}

// Remind tells people again that something waits for them.
type Remind struct{}

// Name implements Event.
func (Remind) Name() string { return "remind" }

// By implements Event.
func (Remind) By() Actor      { return System }
func (e Remind) note() string { return "" }

func (e Remind) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if step, at := r.Next(); step != StepRemind || now.Before(at) {
		return refuse(NotNow, "there is nothing to remind of yet")
	}
	r.RemindedAt = now
	r.Reminders++
	r.tell()
	return nil
}

// HoldOn stops every step that keyturn would take by itself. A person's hold is bounded by Policy.Hold; keyturn's own is not.
type HoldOn struct {
	Actor Actor
	For   time.Duration
	Why   string
}

// Name implements Event.
func (HoldOn) Name() string { return "hold" }

// By implements Event.
func (e HoldOn) By() Actor    { return e.Actor }
func (e HoldOn) note() string { return join("for "+FormatDuration(e.For), e.Why) }

func (e HoldOn) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if e.Actor.person() {
		if r.Held != nil {
			return refuse(Already, "it is on hold until %s already, by %s", day(r.Held.Until), r.Held.By)
		}
		spent, err := spend(r.Policy.Hold, r.HeldUsed, e.For, "put on hold")
		if err != nil {
			return err
		}
		r.HeldUsed = spent
	} else if e.For <= 0 {
		return refuse(Invalid, "a hold needs a time")
	}
	r.Held = &Hold{By: e.Actor, Why: e.Why, At: now, Until: now.Add(e.For)}
	r.tell()
	return nil
}

// Release ends a hold: by a person at any time, by keyturn when its time is over.
type Release struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (Release) Name() string { return "release" }

// By implements Event.
func (e Release) By() Actor    { return e.Actor }
func (e Release) note() string { return e.Why }

func (e Release) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if r.Held == nil {
		return refuse(Already, "key %s is not on hold", r.Old.ID)
	}
	if err := r.idle(); err != nil {
		return err
	}
	if !e.Actor.person() && now.Before(r.Held.Until) {
		return refuse(NotNow, "the hold lasts until %s", minute(r.Held.Until))
	}
	r.Held = nil
	if r.State == Awaiting {
		r.asked(now)
	}
	r.tell()
	return nil
}

// Extend moves the date of the next step away: of the deactivation while both keys live, of the deletion after it.
type Extend struct {
	Actor Actor
	For   time.Duration
	Why   string
}

// Name implements Event.
func (Extend) Name() string { return "extend" }

// By implements Event.
func (e Extend) By() Actor    { return e.Actor }
func (e Extend) note() string { return join("by "+FormatDuration(e.For), e.Why) }

func (e Extend) apply(r *Rotation, now time.Time) error {
	if err := r.in("extend", Installing, Recovering); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	spent, err := spend(r.Policy.Extend, r.Extended, e.For, "extended")
	if err != nil {
		return err
	}
	r.Extended = spent
	if r.State == Installing {
		r.DeactivateAt = latest(now, r.DeactivateAt).Add(e.For)
	} else {
		r.DeleteAt = latest(now, r.DeleteAt).Add(e.For)
	}
	r.tell()
	return nil
}
