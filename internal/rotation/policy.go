package rotation

import (
	"fmt"
	"time"
)

// Mode says how far keyturn goes for a key. The zero value is invalid and does nothing.
type Mode string

// The modes.
const (
	ModeAudit   Mode = "audit"   // reports only, opens no rotation
	ModeApprove Mode = "approve" // acts when the approvers said so
	ModeAuto    Mode = "auto"    // acts when the notice period passed without an objection
)

// Budget bounds how often and how long a person may put something off.
type Budget struct {
	Longest time.Duration `json:"longest"` // longest single time
	Count   int           `json:"count"`   // how many times
	Total   time.Duration `json:"total"`   // all of them together
}

// Left returns the longest time that may still be taken when used of count have been. Zero: the budget is spent.
func (b Budget) Left(count int, used time.Duration) time.Duration {
	if count >= b.Count || used >= b.Total {
		return 0
	}
	return min(b.Longest, b.Total-used)
}

// Policy is the numbers that hold for one key. A rotation keeps its own copy, so that a change of the configuration does
// not move dates that people were told.
type Policy struct {
	Rule           string        `json:"rule,omitempty"` // where it stands in the configuration, for /keys why
	Mode           Mode          `json:"mode"`
	RotateAfter    time.Duration `json:"rotate_after"`    // age at which a key is due
	WarnBefore     time.Duration `json:"warn_before"`     // how long before that people are warned
	InstallGrace   time.Duration `json:"install_grace"`   // new key issued → old key deactivated
	RecoveryGrace  time.Duration `json:"recovery_grace"`  // deactivated → deleted
	QuietPeriod    time.Duration `json:"quiet_period"`    // idle time before a deactivation
	ConfirmedQuiet time.Duration `json:"confirmed_quiet"` // the same, once the new key is known to be in use
	Unused         Kind          `json:"unused"`          // what a due key that was never used gets: retire or rotate
	Snooze         Budget        `json:"snooze"`
	Hold           Budget        `json:"hold"`
	Extend         Budget        `json:"extend"`
	GateTries      int           `json:"gate_tries"`     // refusals of the gate before it goes to a person
	ReopenAfter    time.Duration `json:"reopen_after"`   // a rejected rotation comes back after this
	Notice         time.Duration `json:"notice"`         // mode auto: delivered notice → act
	ExemptLongest  time.Duration `json:"exempt_longest"` // longest exemption a person may give

	ExemptCount   int           `json:"exempt_count,omitempty"`   // exemptions of a user, one after the other; 0: as many as fit into the total
	ExemptTotal   time.Duration `json:"exempt_total,omitempty"`   // all of them together; 0: without end
	RemindAfter   time.Duration `json:"remind_after,omitempty"`   // first reminder of a decision; each later one waits twice as long. 0: RemindEvery
	RemindMost    time.Duration `json:"remind_most,omitempty"`    // the longest wait between reminders. 0: RemindEvery
	EscalateAfter time.Duration `json:"escalate_after,omitempty"` // unanswered for so long: the next circle decides too. 0: never
	AnswerWithin  time.Duration `json:"answer_within,omitempty"`  // the decision's timeout; 0: none
	OnTimeout     Timeout       `json:"on_timeout,omitempty"`     // what happens then; empty: TimeoutEscalate
}

// Timeout is what happens to a decision that nobody took in time.
type Timeout string

// The outcomes of a timeout.
const (
	TimeoutEscalate Timeout = "escalate" // the next circle decides too
	TimeoutApprove  Timeout = "approve"  // as if approved, if the notice was delivered and nobody objected
	TimeoutExpire   Timeout = "expire"   // closed, and it comes back
)

// Floors below which a number is a configuration error, because a key in use could be cut off or lost.
const (
	MinQuietPeriod   = 4 * time.Hour
	MinRecoveryGrace = 24 * time.Hour
	MinRotateAfter   = 24 * time.Hour
	MinNotice        = 24 * time.Hour // also of a decision's timeout: a night is no notice
	MinRemindAfter   = time.Hour
)

// Day is 24 hours: keyturn's days are periods, not dates of a calendar.
const Day = 24 * time.Hour

// DefaultPolicy returns the documented defaults in mode approve.
func DefaultPolicy() Policy {
	return Policy{
		Mode:           ModeApprove,
		RotateAfter:    90 * Day,
		WarnBefore:     7 * Day,
		InstallGrace:   10 * Day,
		RecoveryGrace:  10 * Day,
		QuietPeriod:    8 * Day,
		ConfirmedQuiet: Day,
		Unused:         Retire,
		Snooze:         Budget{Longest: 7 * Day, Count: 3, Total: 14 * Day},
		Hold:           Budget{Longest: 14 * Day, Count: 3, Total: 30 * Day},
		Extend:         Budget{Longest: 7 * Day, Count: 3, Total: 21 * Day},
		GateTries:      10,
		ReopenAfter:    30 * Day,
		Notice:         7 * Day,
		ExemptLongest:  365 * Day,
		ExemptCount:    3,
		ExemptTotal:    2 * 365 * Day,
		RemindAfter:    3 * Day,
		RemindMost:     14 * Day,
		EscalateAfter:  10 * Day,
		AnswerWithin:   30 * Day,
		OnTimeout:      TimeoutEscalate,
	}
}

// checkAnswers checks what happens when nobody answers.
func (p Policy) checkAnswers(no func(field, format string, args ...any), floor func(field string, d, least time.Duration)) {
	if p.Mode == ModeAuto {
		floor("notice", p.Notice, MinNotice)
	}
	if p.RemindAfter != 0 {
		floor("remind_after", p.RemindAfter, MinRemindAfter)
		floor("remind_most", p.RemindMost, p.RemindAfter)
	}
	if p.EscalateAfter != 0 {
		floor("escalate_after", p.EscalateAfter, MinRemindAfter)
	}
	if p.AnswerWithin != 0 {
		floor("answer_within", p.AnswerWithin, MinNotice)
	}
	switch p.OnTimeout {
	case "", TimeoutEscalate, TimeoutExpire:
	case TimeoutApprove:
		if p.AnswerWithin == 0 {
			no("on_timeout", "approve needs a time after which it happens: set answer_within")
		}
	default:
		no("on_timeout", "%q is not one of escalate, approve, expire", p.OnTimeout)
	}
}

// remindIn is how long the next reminder of a decision waits after n of them.
func (p Policy) remindIn(n int) time.Duration {
	first, most := p.RemindAfter, p.RemindMost
	if first <= 0 {
		return RemindEvery
	}
	if most < first {
		most = first
	}
	for ; n > 0 && first < most; n-- {
		first *= 2
	}
	return min(first, most)
}

// Exempts is the budget of exemptions of one user.
func (p Policy) Exempts() Budget {
	b := Budget{Longest: p.ExemptLongest, Count: p.ExemptCount, Total: p.ExemptTotal}
	if b.Count == 0 {
		b.Count = 1 << 30
	}
	if b.Total == 0 {
		b.Total = 1<<63 - 1
	}
	return b
}

// Check returns every number of p that is below its floor or makes no sense, named as in the configuration.
func (p Policy) Check() []error {
	var bad []error
	no := func(field, format string, args ...any) {
		bad = append(bad, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	switch p.Mode {
	case ModeAudit, ModeApprove, ModeAuto:
	default:
		no("mode", "%q is not one of audit, approve, auto", p.Mode)
	}
	switch p.Unused {
	case Retire, Rotate:
	default:
		no("unused", "%q is not one of retire, rotate", p.Unused)
	}
	floor := func(field string, d, least time.Duration) {
		if d < least {
			no(field, "%s is below the floor of %s", FormatDuration(d), FormatDuration(least))
		}
	}
	floor("rotate_after", p.RotateAfter, MinRotateAfter)
	floor("recovery_grace", p.RecoveryGrace, MinRecoveryGrace)
	floor("quiet_period", p.QuietPeriod, MinQuietPeriod)
	floor("confirmed_quiet", p.ConfirmedQuiet, MinQuietPeriod)
	floor("install_grace", p.InstallGrace, time.Hour)
	floor("reopen_after", p.ReopenAfter, Day)
	floor("exempt", p.ExemptLongest, Day)
	if p.ExemptCount < 0 || p.ExemptTotal != 0 && p.ExemptTotal < p.ExemptLongest {
		no("exempt", "longest (%s) must not be more than total (%s)", FormatDuration(p.ExemptLongest), FormatDuration(p.ExemptTotal))
	}
	p.checkAnswers(no, floor)
	if p.WarnBefore < 0 || p.WarnBefore >= p.RotateAfter {
		no("warn_before", "%s must be shorter than rotate_after (%s)", FormatDuration(p.WarnBefore), FormatDuration(p.RotateAfter))
	}
	if p.GateTries < 1 {
		no("gate_tries", "%d is below the floor of 1", p.GateTries)
	}
	for name, b := range map[string]Budget{"snooze": p.Snooze, "hold": p.Hold, "extend": p.Extend} {
		if b.Longest < 0 || b.Total < 0 || b.Count < 0 || b.Longest > b.Total {
			no(name, "longest (%s) must not be more than total (%s)", FormatDuration(b.Longest), FormatDuration(b.Total))
		}
	}
	return bad
}
