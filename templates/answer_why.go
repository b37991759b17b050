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
	Leak     approval.Verdict // whether the person may report a leak
	Glass    approval.Verdict // whether the person may approve alone, where the rule lets anybody

	Able   *int   // how many people could approve; nil: not known
	Unable string // why Able is not known, a sentence; empty: it was not asked

	When    time.Time // the next moment at which today's calendar lets a key be deactivated; zero: not known
	WhenWhy string    // why not earlier, a sentence; empty: nothing stands in the way
}

// AnswerWhy explains a rotation: why it exists, what it waits for, which rules hold, and whether the person may decide.
func AnswerWhy(w Why, now time.Time) Message {
	r := w.Rotation
	why := Esc(reason(r.Reason, r.Policy))
	if isAsked(r) {
		why = teller{r: r}.why()
	}
	head := fmt.Sprintf("*Why* %s\n%s %s", answerWhose(r), why, answerStands(r, now))
	if step, at := r.Next(); step != rotation.StepNone {
		head += fmt.Sprintf("\nkeyturn's own next step: %s, not before %s.", answerStep(step), answerMoment(at))
	}
	lines := []string{head, whyWaits(w, now), whyGate(r)}
	m := spoken(append(lines, whyRule(w)...)...)
	m.Blocks = shrunk(m.Blocks)
	return m
}

// AnswerWhyKey explains a key that no rotation is about: what is known of it, which rule holds, and who may do what.
func AnswerWhyKey(u UserStatus, w Why, now time.Time) Message {
	m, more := AnswerUser(u, now), spoken(whyRule(w)...)
	return Message{Text: fit(m.Text+"\n"+more.Text, mostText), Blocks: shrunk(append(m.Blocks, more.Blocks...))}
}

// whyRule says which rule holds today, and what it lets the person do.
func whyRule(w Why) []string {
	if !w.Covered {
		return []string{"No policy rule covers this key today, so keyturn does nothing with it and nobody may decide."}
	}
	p := w.Policy
	rule := fmt.Sprintf("Rule %s, mode %s: a key is due after %s, and people are warned %s before. The old key is deactivated %s after the new one was issued, if it has been idle for %s, and is deleted %s later.%s",
		answerRule(p.Rule), Esc(string(p.Mode)), span(p.RotateAfter), span(p.WarnBefore), span(p.InstallGrace), span(p.QuietPeriod), span(p.RecoveryGrace), whyUnanswered(p, w.Rule))
	return []string{rule, whyApproved(w), whyMay("decide", w.Verdict) + "\n" + answerTree(w.Verdict.Tree), whyRights(w)}
}

// whyWaits says what came of the decision so far, and what the calendar holds back.
func whyWaits(w Why, now time.Time) string {
	r := w.Rotation
	var out []string
	if e := r.Escalation; e != nil {
		out = append(out, fmt.Sprintf("Since %s the next circle may decide too. %s", answerMoment(e.At), answerSentence(Cut(e.Why, 300))))
	}
	if !r.TimedOut.IsZero() && r.State == rotation.Awaiting {
		out = append(out, fmt.Sprintf("The time for the decision was over on %s; it still waits.", answerMoment(r.TimedOut)))
	}
	if at, ok := r.NoticeEnds(); ok && w.Policy.Mode == rotation.ModeAuto {
		out = append(out, fmt.Sprintf("Nobody has to approve: keyturn goes on by itself on %s, unless somebody objects.", answerMoment(at)))
	}
	if b := r.Passed; b != nil {
		what := "the notice period was over"
		if b.Timeout {
			what = "the time for the decision was over"
		}
		out = append(out, fmt.Sprintf("Nobody approved it in person: on %s %s, and nobody had objected.", answerMoment(b.At), what))
	}
	if b := r.Postponed; b != nil && b.Until.After(now) {
		out = append(out, fmt.Sprintf("keyturn waits until %s. %s", answerMoment(b.Until), answerSentence(Cut(b.Why, 300))))
	}
	if !w.When.IsZero() {
		say := fmt.Sprintf("The next moment at which the calendar lets a key be deactivated is %s.", answerMoment(w.When))
		if !w.When.After(now) {
			say = "The calendar lets a key be deactivated right now."
		}
		out = append(out, strings.TrimSpace(say+" "+answerSentence(Cut(w.WhenWhy, 300))))
	}
	return strings.Join(out, "\n")
}

func whyGate(r rotation.Rotation) string {
	if len(r.GateSeen) == 0 {
		return ""
	}
	var seen []string
	for _, b := range r.GateSeen {
		seen = append(seen, "• "+answerSentence(Cut(b.Sentence, 200)))
	}
	return fmt.Sprintf("keyturn has looked %s and did not go on:\n%s", times(r.GateRefusals), strings.Join(seen, "\n"))
}

// whyUnanswered says what today's policy does when nobody answers.
func whyUnanswered(p rotation.Policy, rule approval.Rule) string {
	out, next := "", "the owner of the account is told"
	if len(rule.Escalate) > 0 {
		var names []string
		for _, c := range rule.Escalate {
			names = append(names, c.String())
		}
		next = esc(strings.Join(names, " or "), 300) + " may decide too"
	}
	if p.Mode == rotation.ModeAuto {
		out += fmt.Sprintf(" keyturn goes on by itself %s after people were told.", span(p.Notice))
	}
	if p.EscalateAfter > 0 {
		out += fmt.Sprintf(" Where nobody answers for %s, %s.", span(p.EscalateAfter), next)
	}
	if p.AnswerWithin > 0 {
		then := next
		switch p.OnTimeout {
		case rotation.TimeoutApprove:
			then = "it counts as approved"
		case rotation.TimeoutExpire:
			then = "it is closed, and comes back later"
		}
		if then != next || p.EscalateAfter == 0 {
			out += fmt.Sprintf(" After %s without a decision %s.", span(p.AnswerWithin), then)
		}
	}
	return out
}

// whyApproved says who has approved, how many it takes, and how many there are.
func whyApproved(w Why) string {
	r := w.Rotation
	if r.State != rotation.Upcoming && r.State != rotation.Awaiting {
		return ""
	}
	out := "An approval takes 1 person."
	if w.Verdict.Required > 1 {
		out = fmt.Sprintf("An approval takes %d different people.", w.Verdict.Required)
	}
	for _, a := range r.Approvals[:min(len(r.Approvals), 10)] {
		out += fmt.Sprintf("\n• approved by %s on %s", answerBy(a.Actor), answerMoment(a.At))
	}
	switch {
	case w.Able == nil && w.Unable == "":
	case w.Able == nil:
		out += "\nHow many people could approve is not known just now. " + answerSentence(Cut(w.Unable, 300))
	case *w.Able < w.Verdict.Required:
		out += fmt.Sprintf("\nBut as Slack knows people today, only %d could, so the rule cannot be met. Ask whoever configures keyturn.", *w.Able)
	default:
		out += fmt.Sprintf("\nAs Slack knows people today, %d could.", *w.Able)
	}
	return out
}

// whyRights says who may do what needs a right of its own.
func whyRights(w Why) string {
	if w.Leak.Who == "" { // it was not asked
		return ""
	}
	out := whyMay("report that it has leaked", w.Leak)
	if len(w.Rule.BreakGlass) == 0 {
		return out + "\nNobody may approve alone (break glass): the rule names nobody."
	}
	return out + "\n" + whyMay("approve alone (break glass)", w.Glass)
}

func whyMay(what string, v approval.Verdict) string {
	if v.Allowed {
		return "*You may " + what + "*: " + answerSentence(v.Why)
	}
	return "*You may not " + what + "*: " + answerSentence(v.Why) + "\nWho can: " + mention(esc(v.Who, 400)) + "."
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
	case rotation.StepEscalate:
		return "let the next circle decide too"
	case rotation.StepTimeout:
		return "see that the time for the decision is over"
	case rotation.StepNotice:
		return "go on, unless somebody objects"
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
	case rotation.StepLeakOff:
		return "cut the leaked key off"
	case rotation.StepLook:
		return "look at the account again"
	default:
		return "none that this version knows"
	}
}
