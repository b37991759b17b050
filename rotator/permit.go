package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// holdFor is how long a rotation is held that today's configuration or an exemption stops.
const holdFor = 7 * rotation.Day

// notToday checks mode, exemption and approval rules of today before AWS is touched: what was approved under rules that
// are gone does not act. It returns the event that stops the rotation, or nil. A restore is never stopped, and neither is
// an attempt to issue that may have made a key: that one finishes or cleans up.
func (k *work) notToday(ctx context.Context) (why string, stop rotation.Event, err error) {
	if k.op == rotation.OpRestore || k.op == rotation.OpIssue && k.r.Journal != nil && k.r.Journal.Creates > 0 {
		return "", nil, nil
	}
	why, err = k.objection(ctx)
	if err != nil || why == "" {
		return "", nil, err
	}
	k.log.Warn("not carried out", "why", why)
	switch {
	case k.r.Leaked != nil || k.op == rotation.OpLeakOff:
		return why, rotation.GotStuck{Op: k.op, Seen: why}, nil
	case k.r.State == rotation.Approved:
		return why, rotation.Cancel{Actor: rotation.System, Why: why}, nil
	default:
		return why, rotation.HoldOn{Actor: rotation.System, For: holdFor, Why: why}, nil
	}
}

// objection says why today's configuration does not let the rotation go on, or "".
func (k *work) objection(ctx context.Context) (string, error) {
	r := k.r
	policy, rule, ok := k.o.Rules.For(approval.TargetOf(r))
	switch {
	case !ok:
		return "no rule of the policy covers this user any more", nil
	case policy.Mode == rotation.ModeAudit:
		return "the policy for this user only reports now (mode audit)", nil
	}
	if r.Leaked != nil || k.op == rotation.OpLeakOff {
		return "", nil // its own right, whatever else was agreed
	}
	e, err := k.o.Store.GetExemption(ctx, r.Account, r.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("read the exemption: %w", err)
	}
	if err == nil && e.InForce(k.o.Now()) {
		return fmt.Sprintf("the user is exempt until %s, by %s", e.Until.UTC().Format(time.DateOnly), e.By), nil
	}
	if in, err := k.inExemptGroup(ctx); err != nil || in {
		return fmt.Sprintf("the user is in the exemption group %s", k.o.ExemptGroup), err
	}
	if r.State != rotation.Approved && r.State != rotation.Evicting {
		return "", nil
	}
	if r.Passed != nil {
		return passed(*r.Passed, policy), nil
	}
	s := approval.SubjectOf(r, nil)
	s.Groups = k.o.Groups(ctx, rule)
	still, why := approval.Still(rule, s, decisive(r.Approvals))
	if still {
		return "", nil
	}
	for id, g := range s.Groups { // whether somebody's approval counts hangs on a group that could not be read
		if g.Problem != "" {
			return "", fmt.Errorf("read the group %s, whose members may have approved: %s", id, g.Problem)
		}
	}
	return why, nil
}

// passed says why a time that has passed does not stand for an approval today, or "".
func passed(p rotation.Passed, today rotation.Policy) string {
	switch {
	case p.Timeout && today.OnTimeout != rotation.TimeoutApprove:
		return "a decision that nobody takes in time does not count as approved any more"
	case !p.Timeout && today.Mode != rotation.ModeAuto:
		return fmt.Sprintf("the policy asks for an approval now (mode %s)", today.Mode)
	}
	return ""
}

// decisive are the approvals that agree with the last one, which decided: the others were for another choice.
func decisive(all []rotation.Approval) (out []rotation.Approval) {
	for _, a := range all {
		if last := all[len(all)-1]; a.Digest == last.Digest && a.Pick == last.Pick {
			out = append(out, a)
		}
	}
	return out
}

// inExemptGroup asks IAM, by the name that the user has now. A failed read refuses.
func (k *work) inExemptGroup(ctx context.Context) (bool, error) {
	if k.o.ExemptGroup == "" {
		return false, nil
	}
	in, err := k.account.InGroup(ctx, k.r.UserName, k.o.ExemptGroup)
	if err != nil {
		return false, fmt.Errorf("ask whether %s is in the exemption group: %w", k.r.UserName, err)
	}
	return in, nil
}
