package rotation

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Subject is whom a rotation is about, as today's scan and configuration see it.
type Subject struct {
	User         User
	AccountName  string
	AccountEmail string
	OUPath       string
	Owner        string // e-mail address or Slack user ID
	OwnerTagged  bool
	Policy       Policy
}

// Open begins a rotation for a proposal with ActOpen. last is the user's rotation before, which must be closed, or nil: the
// new one is its next episode and continues its version, so that the conditional save replaces just that one.
func Open(s Subject, q Proposal, last *Rotation, by Actor, why string, now time.Time) (Rotation, error) {
	if q.Act != ActOpen || q.State != Upcoming && q.State != Awaiting {
		return Rotation{}, refuse(Invalid, "there is nothing to open for %s", s.User.Name)
	}
	if last != nil && last.Open() {
		return Rotation{}, refuse(Already, "%s has an open rotation: key %s is %s", last.UserName, last.Old.ID, last.State.Sentence())
	}
	if s.Policy.Mode == ModeAudit || s.Policy.Mode == "" {
		return Rotation{}, refuse(NotNow, "the policy for %s only reports (mode audit)", s.User.Name)
	}
	r := Rotation{ID: MakeID(s.User.Account, s.User.ID), Episode: 1, Opened: now, Since: now, Policy: s.Policy}
	if last != nil {
		r.Episode, r.Version, r.Secret = last.Episode+1, last.Version, last.Secret
		if last.New != nil {
			r.Secret = last.New.SecretName
		}
	}
	r.Account, r.UserID = s.User.Account, s.User.ID
	if by.person() {
		r.RequestedBy, r.RequestedWhy = by, why
	}
	if err := r.take(s, q); err != nil {
		return Rotation{}, err
	}
	r.State = q.State
	r.asked(now)
	r.tell()
	r.record("open", by, "", join(string(q.Reason), why), now)
	r.NextAt = r.nextAt(now)
	return r, nil
}

// take copies what today's scan and plan say.
func (r *Rotation) take(s Subject, q Proposal) error {
	old, ok := Find(s.User.Keys, q.Old)
	if !ok {
		return refuse(Invalid, "key %s is none of %s", q.Old, s.User.Name)
	}
	r.AccountName, r.AccountEmail, r.OUPath = s.AccountName, s.AccountEmail, s.OUPath
	r.UserName, r.UserPath, r.UserARN, r.Console = s.User.Name, s.User.Path, s.User.ARN, s.User.Console
	r.Tags = maps.Clone(s.User.Tags)
	if s.User.Admin != nil {
		r.Admin = s.User.Admin
	}
	r.Owner, r.OwnerTagged = s.Owner, s.OwnerTagged
	r.Kind, r.Reason, r.LastActive, r.DueAt = q.Kind, q.Reason, q.LastActive, q.At
	r.Old = refTo(old)
	r.Evict, r.Other, r.Choices = nil, nil, slices.Clone(q.Choices)
	for _, k := range s.User.Keys {
		k := refTo(k)
		switch {
		case k.ID == q.Evict && q.Evict != "":
			r.Evict = &k
		case len(q.Choices) > 0 && k.ID != q.Old:
			r.Other = &k
		}
	}
	if q.Evict != "" && r.Evict == nil {
		return refuse(Invalid, "key %s is none of %s", q.Evict, s.User.Name)
	}
	return nil
}

func refTo(k Key) KeyRef {
	return KeyRef{ID: k.ID, Created: k.Created, LastUse: k.LastUse, InactiveSince: k.InactiveSince, ByHand: !k.InactiveSince.IsZero()}
}

// Replan brings a rotation that nobody acted on yet up to what today's scan and plan say. If what was shown has changed,
// collected approvals are void, people are told again, and an approved rotation waits for a decision again.
type Replan struct {
	Subject  Subject
	Proposal Proposal
}

// Name implements Event.
func (Replan) Name() string { return "replan" }

// By implements Event.
func (Replan) By() Actor { return System }
func (e Replan) note() string {
	return fmt.Sprintf("the plan changed (%s); approvals given before are void", e.Proposal.Reason)
}

func (e Replan) unrecorded(before Rotation) bool {
	c := before.Clone()
	return e.fill(&c) == nil && c.Digest() == before.Digest()
}

func (e Replan) fill(r *Rotation) error {
	policy := r.Policy
	if err := r.take(e.Subject, e.Proposal); err != nil {
		return err
	}
	if r.State != Approved {
		policy = e.Subject.Policy
	}
	r.Policy = policy
	return nil
}

func (e Replan) apply(r *Rotation, now time.Time) error {
	if err := r.in("change the plan", Upcoming, Awaiting, Approved); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if e.Proposal.Act != ActOpen || e.Proposal.Old != r.Old.ID && len(r.Choices) == 0 && len(e.Proposal.Choices) == 0 {
		return refuse(Invalid, "this plan is about another key than %s", r.Old.ID)
	}
	if r.Leaked != nil || r.LeakedKey != nil && r.LeakedKey.Off.IsZero() {
		return refuse(NotNow, "key %s was reported as leaked: the plan stands", r.Old.ID)
	}
	if MakeID(e.Subject.User.Account, e.Subject.User.ID) != r.ID {
		return refuse(Invalid, "this plan is about another user")
	}
	shown := r.Digest()
	if r.State == Approved && r.settled(e.Proposal) {
		return nil
	}
	if err := e.fill(r); err != nil {
		return err
	}
	if r.Digest() == shown {
		return nil
	}
	r.Approvals, r.Passed = nil, nil
	if r.State == Approved {
		r.State = Awaiting
	}
	r.asked(now)
	r.tell()
	return nil
}

// settled reports whether a proposal is the one whose choice was picked already.
func (r *Rotation) settled(q Proposal) bool {
	for _, c := range q.Choices {
		if c.Rotate == "" && r.Kind == Retire && r.Old.ID == c.Remove {
			return true
		}
		if r.Kind == Rotate && r.Evict != nil && r.Evict.ID == c.Remove && r.Old.ID == c.Rotate {
			return true
		}
	}
	return false
}
