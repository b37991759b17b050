package approval

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Unmeetable says whether a rotation that begins to wait for a decision has to go to the next circle at once, because
// today's rule asks for more people than there are: a decision must not wait for what can never come. able counts people,
// and may be nil. Where it cannot tell nothing is escalated now: the time to escalate comes by itself.
func Unmeetable(ctx context.Context, rules Rules, able func(ctx context.Context, rule Rule, r rotation.Rotation, escalated bool) (int, error), r rotation.Rotation, log *slog.Logger) (rotation.Escalate, bool) {
	_, rule, ok := rules.For(TargetOf(r))
	if !ok || rule.Required < 1 || able == nil || r.Escalation != nil {
		return rotation.Escalate{}, false
	}
	n, err := able(ctx, rule, r, false)
	if err == nil && n < rule.Required {
		var more int
		if more, err = able(ctx, rule, r, true); err == nil {
			why := fmt.Sprintf("The rule asks for %d people, and only %d can decide.", rule.Required, n)
			if n == 0 {
				why = "Nobody whom the rule names can decide."
			}
			switch {
			case more >= rule.Required:
				why += fmt.Sprintf(" Correct the approvers of %s.", rule.Name)
			case more == 0:
				why += fmt.Sprintf(" Nor can anybody of the next circle. Correct the approvers of %s, or decide by break-glass.", rule.Name)
			default:
				why += fmt.Sprintf(" With the next circle there are %d. Correct the approvers of %s, or decide by break-glass.", more, rule.Name)
			}
			return rotation.Escalate{Why: why}, true
		}
	}
	if err != nil {
		log.Warn("how many people can decide is not known; it is escalated when nobody answers", "rotation", r.ID, "error", err.Error())
	}
	return rotation.Escalate{}, false
}
