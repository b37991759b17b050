package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Why is everything that explains what keyturn does, or does not do, with a key.
type Why struct {
	Rotation rotation.Rotation
	Covered  bool            // a policy rule matches today
	Policy   rotation.Policy // today's
	Rule     approval.Rule   // today's
	Verdict  approval.Verdict
}

// AnswerWhy explains a rotation: why it exists, what it waits for, which rules hold, and whether the person may decide.
func AnswerWhy(w Why, now time.Time) Message {
	r := w.Rotation
	lines := []string{
		fmt.Sprintf("*Why* %s\n%s %s", answerWhose(r), Esc(reason(r.Reason, r.Policy)), answerStands(r, now)),
	}
	if isAsked(r) {
		lines[0] = fmt.Sprintf("*Why* %s\n%s %s", answerWhose(r), teller{r: r}.why(), answerStands(r, now))
	}
	if step, at := r.Next(); step != rotation.StepNone {
		lines[0] += fmt.Sprintf("\nkeyturn's own next step: %s, not before %s.", answerStep(step), answerMinute(at))
	}
	if len(r.GateSeen) > 0 {
		var seen []string
		for _, b := range r.GateSeen {
			seen = append(seen, "• "+answerSentence(Cut(b.Sentence, 200)))
		}
		lines = append(lines, fmt.Sprintf("keyturn has looked %s and did not go on:\n%s", times(r.GateRefusals), strings.Join(seen, "\n")))
	}
	if !w.Covered {
		lines = append(lines, "No policy rule covers this key today, so keyturn does nothing with it and nobody may decide.")
		return answer(lines...)
	}
	p := w.Policy
	lines = append(lines, fmt.Sprintf("Rule %s, mode %s: a key is due after %s, and people are warned %s before. The old key is deactivated %s after the new one was issued, if it has been idle for %s, and is deleted %s later.",
		answerRule(p.Rule), Esc(string(p.Mode)), span(p.RotateAfter), span(p.WarnBefore), span(p.InstallGrace), span(p.QuietPeriod), span(p.RecoveryGrace)))
	may := "You may decide: " + answerSentence(w.Verdict.Why)
	if !w.Verdict.Allowed {
		may = "You may not decide: " + answerSentence(w.Verdict.Why) + "\nWho can: " + mention(esc(w.Verdict.Who, 400)) + "."
	}
	lines = append(lines, may+"\n"+answerTree(w.Verdict.Tree))
	return answer(lines...)
}

func answerRule(s string) string {
	if s == "" {
		return "without a name"
	}
	return esc(s, 100)
}

func answerTree(n approval.Node) string {
	var b strings.Builder
	var walk func(n approval.Node, depth int)
	walk = func(n approval.Node, depth int) {
		mark := "✗"
		if n.OK {
			mark = "✓"
		}
		fmt.Fprintf(&b, "%s%s %s: %s\n", strings.Repeat("    ", depth), mark, esc(n.What, 150), mention(esc(n.Detail, 200)))
		for _, c := range n.Children {
			walk(c, depth+1)
		}
	}
	for _, c := range n.Children {
		walk(c, 0)
	}
	return strings.TrimRight(b.String(), "\n")
}

func answerStep(s rotation.Step) string {
	switch s {
	case rotation.StepDue:
		return "ask for a decision"
	case rotation.StepWake:
		return "ask again"
	case rotation.StepRemind:
		return "remind people"
	case rotation.StepRelease:
		return "end the hold"
	case rotation.StepBeginEvict, rotation.StepEvictDeactivate, rotation.StepEvictDelete:
		return "make room for the new key"
	case rotation.StepIssue:
		return "issue the new key"
	case rotation.StepDeactivate:
		return "deactivate the old key"
	case rotation.StepDelete:
		return "delete the old key"
	case rotation.StepRestore:
		return "restore the key"
	case rotation.StepLook:
		return "look at the account again"
	default:
		return "none that this version knows"
	}
}
