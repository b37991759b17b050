package templates

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// waiting reports whether the time of a decision runs.
func (t teller) waiting() bool {
	r := t.r
	return r.State == rotation.Awaiting && r.SnoozedUntil.IsZero() && r.Held == nil && r.Stuck == nil
}

// unanswered says, in mrkdwn, what has happened for want of a decision, and whether silence is taken for a yes.
func (t teller) unanswered() []string {
	r := t.r
	if !t.waiting() {
		return nil
	}
	var out []string
	if e := r.Escalation; e != nil {
		out = append(out, fmt.Sprintf(":point_up: *Others can decide too* since %s. %s", t.v.when(e.At), sentence(esc(inWords(e.Why), 500))))
	}
	switch p := r.Policy; {
	case !r.TimedOut.IsZero():
		out = append(out, fmt.Sprintf("The time for this decision was over on %s. It still waits for somebody.", t.v.when(r.TimedOut)))
	case t.byTime():
		out = append(out, fmt.Sprintf("*If nobody decides by %s, it counts as approved.* To object, snooze, reject or exempt it, or put it on hold.", t.v.when(r.Asked().Add(p.AnswerWithin))))
	}
	return out
}

// byTime reports whether silence counts as an approval.
func (t teller) byTime() bool {
	r, p := t.r, t.r.Policy
	return p.AnswerWithin > 0 && p.OnTimeout == rotation.TimeoutApprove && !r.LastActive && len(r.Choices) == 0 && r.TimedOut.IsZero()
}

// otherwise says what happens when nobody decides.
func (t teller) otherwise() (out []string) {
	r, p := t.r, t.r.Policy
	if !t.waiting() {
		return nil
	}
	if after := othersAfter(p); after > 0 && r.Escalation == nil {
		out = append(out, fmt.Sprintf("If nobody decides by %s, others are asked too.", t.v.when(r.Asked().Add(after))))
	}
	if p.AnswerWithin > 0 && p.OnTimeout == rotation.TimeoutExpire {
		out = append(out, fmt.Sprintf("If nobody decides by %s, this ends without a change and comes up again later.", t.v.when(r.Asked().Add(p.AnswerWithin))))
	}
	return out
}

// othersAfter is how long a decision waits before the next circle is asked; 0 if it never is.
func othersAfter(p rotation.Policy) time.Duration {
	after := p.EscalateAfter
	if t := p.AnswerWithin; t > 0 && p.OnTimeout != rotation.TimeoutApprove && p.OnTimeout != rotation.TimeoutExpire && (after <= 0 || t < after) {
		after = t
	}
	return after
}

// within finds a time in the sentences of the core, which writes it as the configuration does.
var within = regexp.MustCompile(`^(Nobody decided within )([0-9dhms]+)\.$`)

// inWords writes the time in such a sentence as people do.
func inWords(why string) string {
	if m := within.FindStringSubmatch(why); m != nil {
		if d, err := rotation.ParseDuration(m[2]); err == nil {
			return m[1] + span(d) + "."
		}
	}
	return why
}

// postponed says that today's calendar holds a step up.
func (t teller) postponed() string {
	p := t.r.Postponed
	if p == nil || !p.Until.After(t.v.Now) {
		return ""
	}
	return fmt.Sprintf(":calendar: *%s waits until %s*: %s", capitalized(effort(p.Op)), t.v.when(p.Until), sentence(esc(p.Why, 200)))
}

// otherLeak says that a key of the rotation that is not the old one is leaked.
func (t teller) otherLeak() string {
	l := t.r.LeakedKey
	if l == nil {
		return ""
	}
	s := fmt.Sprintf(":rotating_light: *%s reported key %s as leaked* on %s%s", t.v.by(l.By), code(l.Key), t.v.when(l.At), because(l.Why))
	switch {
	case !l.Off.IsZero():
		return s + fmt.Sprintf(" keyturn deactivated it on %s.", t.v.when(l.Off))
	case t.r.Stuck != nil && t.r.Stuck.Op == rotation.OpLeakOff:
		return s + " keyturn cannot deactivate it: *deactivate it in AWS, at once.*"
	default:
		return s + " keyturn deactivates it at once, even if it is in use."
	}
}

// passed says why nobody approved what is approved.
func (t teller) passed() string {
	p := t.r.Passed
	switch {
	case p == nil:
		return ""
	case p.Timeout:
		return fmt.Sprintf("Nobody decided until %s, and by the policy that counts as approved. The notice was delivered on %s.", t.v.when(p.At), t.v.when(p.Delivered))
	default:
		return fmt.Sprintf("The notice was delivered on %s, and nobody objected until %s.", t.v.when(p.Delivered), t.v.when(p.At))
	}
}

// wayOut says what could take the place of the key for good.
func (t teller) wayOut() string {
	if !t.r.Open() {
		return ""
	}
	for _, a := range rotation.Advise(t.r) {
		if a.Instead != rotation.InsteadNothing || t.r.Kind == rotation.Rotate {
			return ":door: *Way out of the key:* " + esc(a.Sentence(), 500)
		}
	}
	return ""
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
