package scheduler

import (
	"context"
	"maps"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
)

// follow brings an open rotation that nobody acted on yet up to what today's scan says. From the first step on AWS the
// rotation is the rotator's alone.
func (c *scan) follow(ctx context.Context, v *sight, s rotation.Subject) error {
	c.remind(v, s)
	if handsOff(*v.last) {
		v.again = v.again || v.last.Acting != nil && v.live.keys
		return nil
	}
	why := c.left(v.user)
	if why == "" && s.Policy.Mode == rotation.ModeAudit {
		why = "the policy for the user only reports now (mode audit)"
	}
	if why != "" {
		_, err := c.apply(ctx, v, rotation.Superseded{Why: why})
		return err
	}
	if usesMissing(v.user.Keys) { // a key of which nothing is known counts as busy, and its rotation would never change
		if err := c.readUses(ctx, v); err != nil {
			return err
		}
		s.User.Keys = v.user.Keys
	}
	verdict, q := c.weigh(v, s)
	if verdict == stands {
		return c.relabel(ctx, v, s, q)
	}
	if err := c.readLive(ctx, v); err != nil {
		return err
	}
	if err := c.observe(ctx, v); err != nil {
		return err
	}
	s, covered := c.subject(v)
	if !covered || handsOff(*v.last) || rotation.MakeID(c.account.ID, v.user.ID) != v.last.ID {
		v.again = v.again || v.last.AbsentSince.IsZero()
		return nil
	}
	var err error
	changed := false
	switch verdict, q = c.weigh(v, s); verdict {
	case stands:
		return c.relabel(ctx, v, s, q)
	case differs:
		if changed, err = c.apply(ctx, v, rotation.Replan{Subject: s, Proposal: q}); changed {
			v.refreshed++
		}
	case replaced:
		changed, err = c.apply(ctx, v, rotation.Superseded{Why: "another key of the user comes first now"})
	case pointless:
		changed, err = c.apply(ctx, v, rotation.Superseded{Why: "nothing has to be done about the key any more"})
	}
	v.again = v.again || !changed
	return err
}

// handsOff reports whether a scan has no say in an open rotation: work on AWS has begun or is claimed, or it waits for a
// person or for a second look.
func handsOff(r rotation.Rotation) bool {
	switch r.State {
	case rotation.Upcoming, rotation.Awaiting, rotation.Approved:
	default:
		return true
	}
	leaking := r.Leaked != nil || r.LeakedKey != nil && r.LeakedKey.Off.IsZero()
	return r.Acting != nil || leaking || r.Stuck != nil || r.Frozen != nil || !r.AbsentSince.IsZero() || r.Reason == rotation.UnaccountedPair
}

// verdict is how today's plan stands to that of an open rotation.
type verdict int

const (
	stands    verdict = iota // nothing that was shown has changed
	differs                  // the same key, another plan
	replaced                 // another key of the user comes first
	pointless                // the keys need nothing
)

// weigh compares the plan of an undecided rotation with today's. An approved one keeps the numbers that it was approved
// with, and a choice between two keys that a person made is not taken back because the other key looks better today.
func (c *scan) weigh(v *sight, s rotation.Subject) (verdict, rotation.Proposal) {
	r := *v.last
	approved := r.State == rotation.Approved
	if approved {
		mode := s.Policy.Mode
		s.Policy = r.Policy
		s.Policy.Mode = mode
	}
	q, ok := c.wanted(v, s, asked(r))
	if !ok {
		return pointless, q
	}
	if approved && slices.ContainsFunc(r.Approvals, func(a rotation.Approval) bool { return a.Pick != "" }) {
		return stands, q
	}
	next, err := rotation.Apply(r, rotation.Replan{Subject: s, Proposal: q}, c.now)
	switch {
	case err == nil && next.Digest() != r.Digest():
		return differs, q
	case err != nil && q.Old != r.Old.ID && !approved:
		return replaced, q
	default:
		return stands, q
	}
}

// asked reports whether a person asked for the rotation: then it needs no other reason.
func asked(r rotation.Rotation) bool {
	return r.RequestedBy.ID != "" || r.RequestedBy.Email != ""
}

// relabel takes in what has changed about the user and is not part of the decision: tags by which rules are chosen, path,
// names, the numbers of an undecided rotation. Nobody is told.
func (c *scan) relabel(ctx context.Context, v *sight, s rotation.Subject, q rotation.Proposal) error {
	r := *v.last
	next, err := rotation.Apply(r, rotation.Replan{Subject: s, Proposal: q}, c.now)
	if err != nil || next.Digest() != r.Digest() || sameLabels(r, next) {
		return nil
	}
	_, err = c.apply(ctx, v, rotation.Replan{Subject: s, Proposal: q})
	return err
}

func sameLabels(a, b rotation.Rotation) bool {
	return a.AccountName == b.AccountName && a.AccountEmail == b.AccountEmail && a.OUPath == b.OUPath && a.UserName == b.UserName &&
		a.UserPath == b.UserPath && a.UserARN == b.UserARN && a.Console == b.Console && a.OwnerTagged == b.OwnerTagged &&
		a.Policy == b.Policy && maps.Equal(a.Tags, b.Tags)
}
