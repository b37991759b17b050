package scheduler

import (
	"context"
	"fmt"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// propose opens a rotation for a user who has none, if the keys ask for one. What is known is only the filter: before a
// rotation is opened the user is read live and planned once more.
func (c *scan) propose(ctx context.Context, v *sight, s rotation.Subject) error {
	c.remind(v, s)
	if _, ok := c.wanted(v, s, false); !ok || c.asked[v.user.ID] {
		return nil
	}
	// A report in mode audit changes nothing, so it is content with the last uses that were read when the key was found: a
	// scan in steady state costs the same in every mode.
	audit := s.Policy.Mode == rotation.ModeAudit
	switch {
	case !audit:
		if err := c.readLive(ctx, v); err != nil {
			return err
		}
	case usesMissing(v.user.Keys):
		if err := c.readUses(ctx, v); err != nil {
			return err
		}
	}
	s, covered := c.subject(v)
	if !covered || v.last != nil && v.last.Open() || c.left(v.user) != "" {
		v.again = true // the live read showed another user than the snapshot did
		return nil
	}
	q, ok := c.wanted(v, s, false)
	if !ok {
		return nil
	}
	if s.Policy.Mode == rotation.ModeAudit {
		c.find(v, s, q)
		return nil
	}
	return c.open(ctx, v, s, q, rotation.System, "")
}

func usesMissing(keys []rotation.Key) bool {
	for _, k := range keys {
		if k.LastUse.Kind == rotation.UseUnknown {
			return true
		}
	}
	return false
}

// find reports a proposal that is not acted on: mode audit, or a dry run.
func (c *scan) find(v *sight, s rotation.Subject, q rotation.Proposal) {
	v.findings = append(v.findings, Finding{User: s.User, Owner: s.Owner, Policy: s.Policy, Proposal: q})
	c.o.Log.Info("found", "account", c.account.ID, "user", s.User.Name, "key", q.Old, "reason", q.Reason, "mode", s.Policy.Mode, "dry", c.dry)
}

// open opens the rotation that q proposes for the subject, which was read live. Somebody may have exempted the user since
// the scan began, so that is asked once more.
func (c *scan) open(ctx context.Context, v *sight, s rotation.Subject, q rotation.Proposal, by rotation.Actor, why string) error {
	if exempt, err := c.exemptNow(ctx, v.user.ID); err != nil || exempt {
		v.exempt = exempt
		return err
	}
	if c.dry {
		c.find(v, s, q)
		return nil
	}
	c.readAdmin(ctx, v)
	s.User.Admin = v.user.Admin
	r, err := rotation.Open(s, q, v.last, by, why, c.now)
	if err != nil {
		return fmt.Errorf("open a rotation for %s: %w", s.User.Name, err)
	}
	if r.State == rotation.Awaiting {
		if unmet, is := approval.Unmeetable(ctx, c.o.Rules, c.o.Able, r, c.o.Log); is {
			if r, err = rotation.Apply(r, unmet, c.now); err != nil {
				return fmt.Errorf("escalate the rotation of %s: %w", s.User.Name, err)
			}
		}
	}
	if q.Reason == rotation.UnaccountedPair {
		if r, err = rotation.Apply(r, rotation.GotStuck{Seen: c.pairSeen(v)}, c.now); err != nil {
			return fmt.Errorf("leave the keys of %s to a person: %w", s.User.Name, err)
		}
	}
	saved, err := c.keep(ctx, rotation.Rotation{}, r)
	if err != nil {
		return err
	}
	v.last = &saved
	v.opened++
	v.changed = append(v.changed, saved.ID)
	c.o.Log.Info("rotation opened", "account", saved.Account, "rotation", saved.ID, "user", saved.UserName, "key", saved.Old.ID,
		"kind", saved.Kind, "reason", saved.Reason, "state", saved.State, "episode", saved.Episode, "owner", saved.Owner, "by", by.String())
	return nil
}
