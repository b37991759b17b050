package rotation

import (
	"fmt"
	"time"
)

// What happens to a decision that nobody takes: reminders, the next circle, a timeout, and in mode auto the passed notice.
// All of it is counted from AskedAt and stops while the rotation is snoozed, held or stuck.

// asked begins the time of the decision anew: what people saw before stands no more.
func (r *Rotation) asked(now time.Time) {
	r.AskedAt, r.RemindedAt, r.Reminders = now, time.Time{}, 0
	r.NoticeAt, r.NoticeDigest, r.TimedOut = time.Time{}, "", time.Time{}
}

// Asked is since when the decision waits.
func (r Rotation) Asked() time.Time { return latest(r.Since, r.AskedAt) }

// unanswered is the next step of a rotation that waits for a decision or was only announced.
func (r Rotation) unanswered() (Step, time.Time) {
	asked := r.Asked()
	step, at := StepRemind, latest(asked, r.RemindedAt).Add(r.Policy.remindIn(r.Reminders))
	sooner := func(s Step, t time.Time) {
		if !t.After(at) {
			step, at = s, t
		}
	}
	if r.State != Awaiting {
		return step, at
	}
	if t := r.Policy.EscalateAfter; t > 0 && r.Escalation == nil {
		sooner(StepEscalate, asked.Add(t))
	}
	if t := r.Policy.AnswerWithin; t > 0 && r.TimedOut.IsZero() {
		sooner(StepTimeout, asked.Add(t))
	}
	if t, ok := r.NoticeEnds(); ok && r.TimedOut.IsZero() {
		sooner(StepNotice, t)
	}
	return step, at
}

// NoticeEnds is when a rotation in mode auto is acted on unless somebody objects. ok is false if a person has to decide, or
// if the notice of what is proposed now was not delivered yet.
func (r Rotation) NoticeEnds() (at time.Time, ok bool) {
	if r.State != Awaiting || r.Policy.Mode != ModeAuto || !r.noticed() || r.mustChoose() {
		return time.Time{}, false
	}
	return r.NoticeAt.Add(r.Policy.Notice), true
}

// noticed reports whether people have seen what is proposed now.
func (r Rotation) noticed() bool { return !r.NoticeAt.IsZero() && r.NoticeDigest == r.Digest() }

// mustChoose: what leaves open which key goes, or leaves a user without one, is nothing that happens by itself.
func (r Rotation) mustChoose() bool { return len(r.Choices) > 0 || r.LastActive }

// Escalate gives a decision to the next circle too: nobody answered in time, or the rule asks for more people than there are.
type Escalate struct{ Why string }

// Name implements Event.
func (Escalate) Name() string { return "escalate" }

// By implements Event.
func (Escalate) By() Actor      { return System }
func (e Escalate) note() string { return e.Why }

func (e Escalate) apply(r *Rotation, now time.Time) error {
	if err := r.in("escalate", Awaiting); err != nil {
		return err
	}
	if r.Escalation != nil {
		return refuse(Already, "it was escalated %s: %s", Ago(r.Escalation.At, now), r.Escalation.Why)
	}
	r.Escalation = &Escalation{At: now, Why: e.Why}
	r.tell()
	return nil
}

// Unanswered is the Escalate of a decision that waits for too long.
func (r Rotation) Unanswered(now time.Time) Escalate {
	return Escalate{Why: fmt.Sprintf("Nobody decided within %s.", FormatDuration(now.Sub(r.Asked()).Truncate(time.Hour)))}
}

// TimeIsUp ends the time of a decision: by the rotation's policy it goes to the next circle, counts as approved, or expires.
type TimeIsUp struct{}

// Name implements Event.
func (TimeIsUp) Name() string { return "time_is_up" }

// By implements Event.
func (TimeIsUp) By() Actor      { return System }
func (e TimeIsUp) note() string { return "" }

func (e TimeIsUp) apply(r *Rotation, now time.Time) error {
	if err := r.in("time out", Awaiting); err != nil {
		return err
	}
	if step, at := r.Next(); step != StepTimeout || now.Before(at) {
		return refuse(NotNow, "the time for a decision about key %s is not over", r.Old.ID)
	}
	switch {
	case r.Policy.OnTimeout == TimeoutExpire:
		r.close(OutcomeExpired, now)
		r.ReopenAt = now.Add(r.Policy.ReopenAfter)
		return nil
	case r.Policy.OnTimeout == TimeoutApprove && r.noticed() && !r.mustChoose() && !now.Before(r.NoticeAt.Add(MinNotice)):
		r.Passed = &Passed{Timeout: true, Delivered: r.NoticeAt, At: now}
		r.State = Approved
		r.skipOff(now)
	default: // also where the time would approve what people have not seen: that goes to a person
		r.TimedOut = now
		if r.Escalation == nil {
			r.Escalation = &Escalation{At: now, Why: fmt.Sprintf("Nobody decided within %s.", FormatDuration(r.Policy.AnswerWithin))}
		}
	}
	r.tell()
	return nil
}

// NoticePassed acts for mode auto: Slack or mail had accepted the notice of what is proposed now, the notice period passed
// since, and nobody objected.
type NoticePassed struct{}

// Name implements Event.
func (NoticePassed) Name() string { return "notice_passed" }

// By implements Event.
func (NoticePassed) By() Actor      { return System }
func (e NoticePassed) note() string { return "" }

func (e NoticePassed) apply(r *Rotation, now time.Time) error {
	if err := r.in("act on the notice", Awaiting); err != nil {
		return err
	}
	at, ok := r.NoticeEnds()
	switch {
	case r.Policy.Mode != ModeAuto:
		return refuse(NotNow, "the policy asks for an approval (mode %s)", r.Policy.Mode)
	case !r.SnoozedUntil.IsZero() || r.Held != nil || r.Stuck != nil || r.mustChoose():
		return refuse(NotNow, "a person has to decide: the rotation is snoozed, on hold, stuck, needs a choice or takes the last key")
	case !ok || now.Before(at):
		return refuse(NotNow, "the notice period has not passed")
	}
	r.Passed = &Passed{Delivered: r.NoticeAt, At: now}
	r.State = Approved
	r.skipOff(now)
	r.tell()
	return nil
}

// ModeIs brings the rotation's mode up to today's configuration: mode, unlike dates, is never a promise.
type ModeIs struct{ Mode Mode }

// Name implements Event.
func (ModeIs) Name() string { return "mode" }

// By implements Event.
func (ModeIs) By() Actor      { return System }
func (e ModeIs) note() string { return string(e.Mode) }

func (e ModeIs) apply(r *Rotation, now time.Time) error {
	if err := r.in("change the mode", Upcoming, Awaiting); err != nil {
		return err
	}
	if r.Policy.Mode == e.Mode {
		return refuse(Already, "the mode is %s already", e.Mode)
	}
	r.Policy.Mode = e.Mode
	r.Approvals = nil // what was shown has changed
	r.asked(now)
	r.tell()
	return nil
}

// Postpone puts an operation off because today's calendar lets keyturn do nothing now. It moves no date that people were
// told: the step waits until the calendar opens.
type Postpone struct {
	Op    Op
	Until time.Time
	Why   string
}

// Name implements Event.
func (Postpone) Name() string { return "postpone" }

// By implements Event.
func (Postpone) By() Actor      { return System }
func (e Postpone) note() string { return join("until "+minute(e.Until), e.Why) }

func (e Postpone) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	step, at := r.Next()
	if opOf(step) != e.Op || e.Op == "" || now.Before(at) || !e.Until.After(now) {
		return refuse(NotNow, "there is nothing to put off")
	}
	r.Postponed = &Postponed{Op: e.Op, Until: e.Until, Why: e.Why}
	r.tell()
	return nil
}
