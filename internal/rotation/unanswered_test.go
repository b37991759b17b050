package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// waiting is a rotation that waits for a decision since now, under a changed policy.
func waiting(t *testing.T, change func(*Policy)) (r Rotation, now time.Time) {
	t.Helper()
	r = at(t, Awaiting, Rotate, false)
	if change != nil {
		change(&r.Policy)
	}
	return r, r.Asked()
}

func told(r Rotation, now time.Time) Rotation {
	return r.WithTold(r.PeopleSeq, []MessageRef{{Channel: "D1", TS: "1", For: "U1", Seq: r.PeopleSeq, At: now}}, now)
}

func mustApply(t *testing.T, r Rotation, e Event, now time.Time) Rotation {
	t.Helper()
	next, err := Apply(r, e, now)
	if err != nil {
		t.Fatalf("%s: %v", e.Name(), err)
	}
	return next
}

// What happens by itself while nobody answers, with the defaults: reminders further and further apart, the next circle, and
// then more reminders: it never waits in silence.
func TestWhenNobodyAnswers(t *testing.T) {
	r, asked := waiting(t, nil)
	var got []string
	for now := asked; len(got) < 8; {
		step, at := r.Next()
		now = at
		got = append(got, FormatDuration(now.Sub(asked))+" "+string(step))
		switch step {
		case StepRemind:
			r = mustApply(t, r, Remind{}, now)
		case StepEscalate:
			r = mustApply(t, r, r.Unanswered(now), now)
		case StepTimeout:
			r = mustApply(t, r, TimeIsUp{}, now)
		default:
			t.Fatalf("%s", step)
		}
		r = told(r, now)
	}
	want := []string{"3d remind", "9d remind", "10d escalate", "21d remind", "30d timeout", "35d remind", "49d remind", "63d remind"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if r.Escalation == nil || !strings.Contains(r.Escalation.Why, "Nobody decided within 10d") {
		t.Errorf("%+v", r.Escalation)
	}
}

func TestSnoozeAndHoldStopTheTime(t *testing.T) {
	for name, puts := range map[string]struct{ off, back Event }{
		"snooze": {Snooze{Actor: first, For: 5 * Day}, Wake{}},
		"hold":   {HoldOn{Actor: first, For: 5 * Day, Why: "x"}, Release{Actor: System}},
	} {
		t.Run(name, func(t *testing.T) {
			r, asked := waiting(t, nil)
			r = mustApply(t, r, puts.off, asked.Add(9*Day))
			if step, at := r.Next(); step == StepEscalate || !at.Equal(asked.Add(14*Day)) {
				t.Fatalf("%s at %s", step, at)
			}
			r = mustApply(t, r, puts.back, asked.Add(14*Day))
			if step, at := r.Next(); step != StepRemind || !at.Equal(asked.Add(17*Day)) {
				t.Fatalf("the time goes on where it stood: %s at %s", step, at)
			}
		})
	}
}

func TestTimeIsUp(t *testing.T) {
	for name, c := range map[string]struct {
		out    Timeout
		noted  bool // the notice was delivered
		change func(*Rotation)
		state  State
	}{
		"escalate":                                    {TimeoutEscalate, true, nil, Awaiting},
		"nothing said":                                {"", true, nil, Awaiting},
		"expire":                                      {TimeoutExpire, false, nil, Closed},
		"approve":                                     {TimeoutApprove, true, nil, Approved},
		"approve, but nobody was told":                {TimeoutApprove, false, nil, Awaiting},
		"approve, but the plan changed since":         {TimeoutApprove, true, func(r *Rotation) { r.Owner = "new@example.com" }, Awaiting},
		"approve, but it takes the last key":          {TimeoutApprove, true, func(r *Rotation) { r.LastActive = true; r.NoticeDigest = r.Digest() }, Awaiting},
		"approve, but somebody has to choose":         {TimeoutApprove, true, func(r *Rotation) { r.Choices = []Choice{{Remove: "A"}}; r.NoticeDigest = r.Digest() }, Awaiting},
		"approve, but they were told an hour ago":     {TimeoutApprove, true, func(r *Rotation) { r.NoticeAt = r.Asked().Add(10*Day - time.Hour) }, Awaiting},
		"a word of a later version is no approval":    {"delete", true, nil, Awaiting},
		"approve, escalated before, nobody was told":  {TimeoutApprove, false, func(r *Rotation) { r.Escalation = &Escalation{At: r.Since, Why: "x"} }, Awaiting},
		"expire, though it takes the last active key": {TimeoutExpire, true, func(r *Rotation) { r.LastActive = true }, Closed},
	} {
		t.Run(name, func(t *testing.T) {
			r, asked := waiting(t, func(p *Policy) {
				p.AnswerWithin, p.OnTimeout, p.EscalateAfter, p.RemindAfter, p.RemindMost = 10*Day, c.out, 0, 20*Day, 20*Day
			})
			if c.noted {
				r = told(r, asked)
			}
			if c.change != nil {
				c.change(&r)
			}
			if _, err := Apply(r, TimeIsUp{}, asked.Add(10*Day-time.Second)); Refused(err) != NotNow {
				t.Fatalf("before its time: %v", err)
			}
			r = mustApply(t, r, TimeIsUp{}, asked.Add(10*Day))
			if r.State != c.state {
				t.Fatalf("it is %s, want %s", r.State, c.state)
			}
			switch r.State {
			case Closed:
				if r.Outcome != OutcomeExpired || !r.ReopenAt.Equal(asked.Add(10*Day+r.Policy.ReopenAfter)) {
					t.Errorf("%s, back at %s", r.Outcome, r.ReopenAt)
				}
			case Approved:
				if r.Passed == nil || !r.Passed.Timeout || len(r.Approvals) != 0 {
					t.Errorf("%+v", r.Passed)
				}
			default:
				if r.Escalation == nil || r.TimedOut.IsZero() {
					t.Errorf("nobody else was asked: %+v", r.Escalation)
				}
				if step, at := r.Next(); step != StepRemind || !at.After(asked.Add(10*Day)) {
					t.Errorf("next is %s at %s", step, at)
				}
			}
		})
	}
}

func TestModeAutoCountsFromDelivery(t *testing.T) {
	auto := func(p *Policy) { p.Mode, p.Notice = ModeAuto, 7*Day }
	r, asked := waiting(t, auto)
	if _, ok := r.NoticeEnds(); ok {
		t.Fatal("nobody was told, and the notice runs")
	}
	r = r.WithTold(r.PeopleSeq, []MessageRef{{Channel: Listed, For: "owner@example.com", Seq: r.PeopleSeq}}, asked)
	if _, ok := r.NoticeEnds(); ok {
		t.Fatal("a mail that was not sent yet is a notice")
	}
	r = r.WithTellFailed(nil, asked)
	if _, ok := r.NoticeEnds(); ok {
		t.Fatal("a failure is a notice")
	}
	r = told(r, asked.Add(Day))
	if end, ok := r.NoticeEnds(); !ok || !end.Equal(asked.Add(8*Day)) {
		t.Fatalf("%s %v", end, ok)
	}
	again := told(r, asked.Add(3*Day))
	if end, _ := again.NoticeEnds(); !end.Equal(asked.Add(8 * Day)) {
		t.Errorf("telling twice begins it anew: %s", end)
	}
	if _, err := Apply(r, NoticePassed{}, asked.Add(8*Day-time.Second)); Refused(err) != NotNow {
		t.Fatal(err)
	}
	snoozed := mustApply(t, r, Snooze{Actor: first, For: 2 * Day}, asked.Add(7*Day))
	if _, err := Apply(snoozed, NoticePassed{}, asked.Add(8*Day)); Refused(err) != NotNow {
		t.Errorf("a snooze is no objection: %v", err)
	}
	woken := told(mustApply(t, snoozed, Wake{}, asked.Add(9*Day)), asked.Add(9*Day))
	if end, ok := woken.NoticeEnds(); !ok || !end.Equal(asked.Add(16*Day)) {
		t.Errorf("after a snooze the notice ends %s %v", end, ok)
	}
	if step, at := r.Next(); step != StepRemind || !at.Before(asked.Add(8*Day)) {
		t.Fatalf("%s %s", step, at)
	}
	r.RemindedAt = asked.Add(7 * Day)
	if step, at := r.Next(); step != StepNotice || !at.Equal(asked.Add(8*Day)) {
		t.Fatalf("%s %s", step, at)
	}
	passed := mustApply(t, r, NoticePassed{}, asked.Add(8*Day))
	if passed.State != Approved || passed.Passed == nil || passed.Passed.Timeout || !passed.Passed.Delivered.Equal(asked.Add(Day)) {
		t.Fatalf("%s %+v", passed.State, passed.Passed)
	}
	if back := mustApply(t, passed, Cancel{Actor: first}, asked.Add(8*Day)); back.Passed != nil || !back.NoticeAt.IsZero() {
		t.Errorf("taken back: %+v, notice %s", back.Passed, back.NoticeAt)
	}
	// What people were shown under mode approve is no notice of mode auto.
	r, asked = waiting(t, nil)
	r = mustApply(t, told(r, asked), ModeIs{Mode: ModeAuto}, asked.Add(Day))
	if _, ok := r.NoticeEnds(); ok {
		t.Error("the notice was of another mode")
	}
}

func TestPostpone(t *testing.T) {
	r := at(t, Installing, Rotate, false)
	now := r.DeactivateAt
	if _, err := Apply(r, Postpone{Op: OpDelete, Until: now.Add(Day)}, now); Refused(err) != NotNow {
		t.Fatalf("another operation: %v", err)
	}
	if _, err := Apply(r, Postpone{Op: OpDeactivate, Until: now.Add(Day)}, now.Add(-time.Hour)); Refused(err) != NotNow {
		t.Fatalf("before its date: %v", err)
	}
	off := mustApply(t, r, Postpone{Op: OpDeactivate, Until: now.Add(3 * Day), Why: "change freeze"}, now)
	if step, at := off.Next(); step != StepDeactivate || !at.Equal(now.Add(3*Day)) || !off.DeactivateAt.Equal(r.DeactivateAt) {
		t.Fatalf("%s %s", step, at)
	}
	if _, err := Apply(off, Claim{Op: OpDeactivate, Token: "t", Real: now, LeaseUntil: now.Add(time.Hour)}, now); Refused(err) != NotNow {
		t.Errorf("claimed all the same: %v", err)
	}
	leaked := mustApply(t, off, Leaked{Actor: first}, now)
	if step, at := leaked.Next(); step != StepDeactivate || at.After(now) {
		t.Errorf("a freeze keeps a leaked key active: %s %s", step, at)
	}
	later := mustApply(t, off, Claim{Op: OpDeactivate, Token: "t", Real: now, LeaseUntil: now.Add(time.Hour)}, now.Add(3*Day))
	if later = mustApply(t, later, Deactivated{Token: "t", Key: "AKIAA"}, now.Add(3*Day)); later.Postponed != nil {
		t.Error("it is still put off")
	}
}

func TestBreakGlass(t *testing.T) {
	r, now := waiting(t, nil)
	r = mustApply(t, r, Approve{Actor: first, Digest: r.Digest(), Required: 3}, now)
	for _, e := range []Approve{
		{Actor: second, Digest: r.Digest(), Required: 1, BreakGlass: true},
		{Actor: second, Digest: r.Digest(), Required: 3, BreakGlass: true, Why: "x"},
	} {
		if _, err := Apply(r, e, now); Refused(err) != Invalid {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if _, err := Apply(r, Approve{Actor: second, Digest: "stale", Required: 1, BreakGlass: true, Why: "x"}, now); Refused(err) != Stale {
		t.Errorf("it is bound to what was shown like any other: %v", err)
	}
	// Also somebody who approved before, as one of three.
	r = mustApply(t, r, Approve{Actor: first, Digest: r.Digest(), Required: 1, BreakGlass: true, Why: "the auditor waits"}, now)
	if last := r.History[len(r.History)-1]; r.State != Approved || last.Note != "break-glass, alone: the auditor waits" || !r.Approvals[1].BreakGlass {
		t.Fatalf("%s %q", r.State, last.Note)
	}
}
