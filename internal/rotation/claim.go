package rotation

import (
	"slices"
	"time"
)

// Claim announces a mutation of AWS before it is made. Real is the protocol clock, on which leases run. A claim whose lease
// ran out is taken over by the next one; one that runs is never shared. Claiming again with the same token renews the lease.
type Claim struct {
	Op         Op
	Token      string // of the holder, unique for each claim
	Real       time.Time
	LeaseUntil time.Time
}

// Name implements Event.
func (Claim) Name() string { return "claim" }

// By implements Event.
func (Claim) By() Actor      { return System }
func (e Claim) note() string { return string(e.Op) }

func (e Claim) unrecorded(before Rotation) bool {
	return before.Acting != nil && before.Acting.Token == e.Token
}

func (e Claim) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if e.Token == "" || !e.LeaseUntil.After(e.Real) {
		return refuse(Invalid, "a claim needs a token and a lease")
	}
	if r.Acting != nil && r.Acting.Token != e.Token && r.Acting.LeaseUntil.After(e.Real) {
		return r.idle()
	}
	renews := r.Acting != nil && r.Acting.Token == e.Token && r.Acting.Op == e.Op
	if !renews {
		if want, at := r.Next(); opOf(want) != e.Op || now.Before(at) {
			return refuse(NotNow, "cannot %s key %s now: it is %s", e.Op, r.Old.ID, r.State.Sentence())
		}
	}
	r.Acting = &Acting{Op: e.Op, Token: e.Token, LeaseUntil: e.LeaseUntil}
	return nil
}

// opOf is the operation by which a step mutates AWS, or "".
func opOf(s Step) Op {
	switch s {
	case StepEvictDeactivate:
		return OpEvictDeactivate
	case StepEvictDelete:
		return OpEvictDelete
	case StepIssue:
		return OpIssue
	case StepDeactivate:
		return OpDeactivate
	case StepDelete:
		return OpDelete
	case StepRestore:
		return OpRestore
	case StepLeakOff:
		return OpLeakOff
	default:
		return ""
	}
}

// OpOf returns the operation that a step claims, or "" for a step that does not touch AWS.
func OpOf(s Step) Op { return opOf(s) }

// holder refuses unless the claim of op belongs to token.
func (r *Rotation) holder(token string, op Op) error {
	if r.Acting == nil || token == "" || r.Acting.Token != token || r.Acting.Op != op {
		return refuse(NotHolder, "the claim to %s key %s belongs to somebody else", op, r.Old.ID)
	}
	return nil
}

// Unclaim gives a claim back when nothing was changed.
type Unclaim struct {
	Token string
	Op    Op
	Why   string
	Moot  bool // the restore that was asked for was overtaken by a leak, and the key is inactive: it is not tried again
}

// Name implements Event.
func (Unclaim) Name() string { return "unclaim" }

// By implements Event.
func (Unclaim) By() Actor      { return System }
func (e Unclaim) note() string { return join(string(e.Op), e.Why) }

func (e Unclaim) apply(r *Rotation, now time.Time) error {
	if err := r.holder(e.Token, e.Op); err != nil {
		return err
	}
	r.Acting = nil
	if e.Moot && r.Overtaken() {
		r.Restore = nil
		r.tell()
	}
	return nil
}

// BeginEvict starts freeing the slot that the new key needs.
type BeginEvict struct{}

// Name implements Event.
func (BeginEvict) Name() string { return "begin_evict" }

// By implements Event.
func (BeginEvict) By() Actor      { return System }
func (e BeginEvict) note() string { return "" }

func (e BeginEvict) apply(r *Rotation, now time.Time) error {
	if err := r.in("free a slot", Approved); err != nil {
		return err
	}
	if step, _ := r.Next(); step != StepBeginEvict {
		return refuse(NotNow, "there is no slot to free for key %s", r.Old.ID)
	}
	r.State, r.EvictAt = Evicting, now
	if !r.Evict.InactiveSince.IsZero() {
		r.EvictAt = r.Evict.InactiveSince.Add(r.Policy.RecoveryGrace)
	}
	r.tell()
	return nil
}

// Evicted says that the key which had to go first was deleted under the claim, or, with Gone, that somebody else removed it.
type Evicted struct {
	Token string
	Gone  bool
}

// Name implements Event.
func (Evicted) Name() string { return "evicted" }

// By implements Event.
func (Evicted) By() Actor { return System }
func (e Evicted) note() string {
	if e.Gone {
		return "somebody else removed the key"
	}
	return ""
}

func (e Evicted) apply(r *Rotation, now time.Time) error {
	if err := r.in("issue a new key", Evicting); err != nil {
		return err
	}
	if r.Evict == nil || !r.Evict.Deleted.IsZero() {
		return refuse(NotNow, "there is no key left to evict for %s", r.UserName)
	}
	if e.Gone && r.Acting != nil && r.Acting.Op == OpEvictDeactivate {
		if err := r.holder(e.Token, OpEvictDeactivate); err != nil {
			return err
		}
	} else if err := r.holder(e.Token, OpEvictDelete); err != nil {
		return err
	}
	if !e.Gone && (r.Evict.InactiveSince.IsZero() || now.Before(r.Evict.InactiveSince.Add(r.Policy.RecoveryGrace))) {
		return refuse(Invalid, "key %s was not inactive for the whole recovery grace", r.Evict.ID)
	}
	r.Evict.Deleted, r.EvictAt = now, time.Time{}
	r.done()
	r.tell()
	return nil
}

// done ends a claim whose operation succeeded.
func (r *Rotation) done() { r.Acting, r.Trouble, r.Postponed = nil, nil, nil }

// Begin writes the journal of an attempt to issue a key, before the key is created.
type Begin struct {
	Token   string // of the claim
	Journal Journal
}

// Name implements Event.
func (Begin) Name() string { return "begin" }

// By implements Event.
func (Begin) By() Actor { return System }
func (e Begin) note() string {
	return "secret " + e.Journal.SecretName + ", version " + e.Journal.Token
}

func (e Begin) apply(r *Rotation, now time.Time) error {
	if err := r.in("issue a new key", Approved, Evicting, Issuing); err != nil {
		return err
	}
	if err := r.holder(e.Token, OpIssue); err != nil {
		return err
	}
	if e.Journal.Token == "" || e.Journal.SecretARN == "" {
		return refuse(Invalid, "a journal names the coming version and the secret")
	}
	if r.Kind != Rotate || r.Evict != nil && r.Evict.Deleted.IsZero() {
		return refuse(NotNow, "key %s is not to be replaced now", r.Old.ID)
	}
	if r.Journal != nil && r.Journal.NewKey != "" {
		return refuse(NotNow, "the attempt before made key %s: that one comes first", r.Journal.NewKey)
	}
	j := e.Journal
	j.KeyIDs, j.LastLease, j.Started, j.Creates = slices.Clone(j.KeyIDs), r.Acting.LeaseUntil, now, 0
	if r.Journal != nil {
		j.Lost = r.Journal.Lost
	}
	r.State, r.Journal = Issuing, &j
	return nil
}
