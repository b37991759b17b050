package rotation

import "time"

// Leaked says that a key of the rotation is known to others: it is deactivated at once, past the gate, the calendar and every
// hold. Where it is the old key it is replaced too, whoever has to approve that otherwise.
type Leaked struct {
	Actor    Actor
	Key      KeyID // empty: the old one
	Why      string
	Evidence string // what is known of it now: last use, where it was seen
}

// Name implements Event.
func (Leaked) Name() string { return "leaked" }

// By implements Event.
func (e Leaked) By() Actor { return e.Actor }
func (e Leaked) note() string {
	return join(string(e.Key), join(e.Why, e.Evidence))
}

func (e Leaked) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if !e.Actor.person() {
		return refuse(Invalid, "a person says that a key is leaked")
	}
	key := e.Key
	if key == "" {
		key = r.Old.ID
	}
	if len(r.Choices) > 0 { // both keys are in use, and which one goes is clear now
		if err := r.settleLeaked(key, now); err != nil {
			return err
		}
	}
	if key != r.Old.ID {
		return r.otherLeaked(e, key, now)
	}
	if r.Leaked != nil {
		return refuse(Already, "%s reported it %s", r.Leaked.By, Ago(r.Leaked.At, now))
	}
	r.Leaked = &Intent{By: e.Actor, Why: e.Why, At: now}
	r.unleash()
	if r.State == Upcoming || r.State == Awaiting {
		r.State = Approved
		r.Approvals = []Approval{{Actor: e.Actor, At: now, Digest: r.Digest()}}
		r.skipOff(now)
	}
	if r.Old.InactiveSince.IsZero() || r.Restore != nil {
		r.Stuck, r.Trouble = nil, nil // neither a question to a person nor a pause after a failure keeps a leaked key active
	}
	r.tell()
	return nil
}

// unleash takes away what would hold a step up. A restore stays: it may have been done already, unnoticed, and is looked at.
func (r *Rotation) unleash() { r.Held, r.SnoozedUntil, r.Postponed = nil, time.Time{}, nil }

// settleLeaked picks the choice that removes the leaked key.
func (r *Rotation) settleLeaked(key KeyID, now time.Time) error {
	for _, c := range r.Choices {
		if c.Remove == key {
			r.settle(c)
			r.Approvals = nil
			r.asked(now)
			return nil
		}
	}
	return refuse(Invalid, "key %s is none of %s", key, r.UserName)
}

// otherLeaked notes that another key of the user is leaked: the one to be evicted, the new key, or one that the rotation does
// not touch otherwise. Whether it is the user's is seen by the live read before it is cut off.
func (r *Rotation) otherLeaked(e Leaked, key KeyID, now time.Time) error {
	if l := r.LeakedKey; l != nil && l.Key == key {
		return refuse(Already, "%s reported it %s", l.By, Ago(l.At, now))
	}
	switch {
	case r.Evict != nil && r.Evict.ID == key && r.Evict.Deleted.IsZero():
		if !r.Evict.InactiveSince.IsZero() && r.Restore == nil {
			return refuse(Already, "key %s is inactive already, since %s", key, day(r.Evict.InactiveSince))
		}
	case r.New != nil && r.New.ID == key && r.State == Installing && r.Restore == nil:
		if err := r.idle(); err != nil { // the old key may be going just now
			return err
		}
	case r.New != nil && r.New.ID == key:
		return refuse(NotNow, "key %s is the only active key of %s in this rotation. Deactivate it in IAM now, or restore %s first and report the leak then. keyturn notices what is done by hand", key, r.UserName, r.Old.ID)
	case r.State == Issuing && r.Journal != nil && r.Journal.NewKey == key:
		return refuse(Busy, "key %s is being issued right now. Report it again in a minute, or deactivate it in IAM", key)
	}
	r.LeakedKey = &LeakedKey{Key: key, By: e.Actor, Why: e.Why, At: now}
	r.unleash()
	if r.Restore != nil && r.State == Evicting {
		r.Restore = nil
	}
	r.Stuck, r.Trouble = nil, nil
	r.tell()
	return nil
}

// LeakCut says that keyturn deactivated the leaked key that is not the old one, under its claim.
type LeakCut struct {
	Token string
	Key   KeyID
	Note  string
}

// Name implements Event.
func (LeakCut) Name() string { return "leak_cut" }

// By implements Event.
func (LeakCut) By() Actor      { return System }
func (e LeakCut) note() string { return join(string(e.Key), e.Note) }

func (e LeakCut) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.holder(e.Token, OpLeakOff); err != nil {
		return err
	}
	if r.LeakedKey == nil || r.LeakedKey.Key != e.Key {
		return refuse(Invalid, "key %s is not the leaked one", e.Key)
	}
	r.LeakedKey.Off = now
	r.done()
	switch {
	case r.Evict != nil && r.Evict.ID == e.Key:
		r.Evict.InactiveSince, r.Evict.ByHand = now, false
		r.EvictAt = now.Add(r.Policy.RecoveryGrace)
	case r.New != nil && r.New.ID == e.Key:
		// The old key still works. The leaked one makes room for another new key, as soon as the floor allows.
		r.Evict = &KeyRef{ID: r.New.ID, Created: r.New.Created, LastUse: r.New.InUse, InactiveSince: now}
		r.New, r.Journal, r.Confirmed, r.DeactivateAt = nil, nil, nil, time.Time{}
		r.State, r.EvictAt = Evicting, now.Add(MinRecoveryGrace)
	}
	r.tell()
	return nil
}

// ProposeLeaked is the rotation of a user one of whose keys was reported as leaked while no rotation is open. Where another
// key is active the leaked one simply goes; otherwise it is replaced. ok is false if the user has no such active key.
func ProposeLeaked(u User, key KeyID, now time.Time) (q Proposal, ok bool) {
	k, ok := Find(u.Keys, key)
	if !ok || k.Status != Active {
		return q, false
	}
	q = Proposal{Reason: LeakedKeyReported, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: key, At: now}
	for _, other := range u.Keys {
		switch {
		case other.ID == key:
		case other.Status == Active:
			q.Kind, q.Evict = Retire, ""
			return q, true
		case other.ID != "":
			q.Evict = other.ID
		}
	}
	return q, true
}
