package templates

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// offered are the actions of the buttons and menu entries of a message, each with the value that it carries.
func offered(m Message) map[string][]Value {
	out := map[string][]Value{}
	take := func(action, value string) {
		v, err := ParseValue(value)
		if err != nil {
			v.ID = "unreadable"
		}
		out[action] = append(out[action], v)
	}
	for _, b := range m.Blocks {
		a, ok := b.(*slack.ActionBlock)
		if !ok {
			continue
		}
		for _, e := range a.Elements.ElementSet {
			switch e := e.(type) {
			case *slack.ButtonBlockElement:
				action, _, _ := strings.Cut(e.ActionID, ":")
				take(action, e.Value)
			case *slack.OverflowBlockElement:
				for _, o := range e.Options {
					action, value, _ := strings.Cut(o.Value, " ")
					take(action, value)
				}
			}
		}
	}
	return out
}

// newcomer decides in the tests: nobody who has approved before.
var newcomer = rotation.Actor{ID: "U0NEW0001", Name: "Somebody new", Via: rotation.ViaSlack}

// event is what the bot applies for an action, with the least that it may ask for.
func event(r rotation.Rotation, act string, v Value, s noticeSample) rotation.Event {
	const least = rotation.Day / 24
	switch act {
	case ActApprove:
		return rotation.Approve{Actor: newcomer, Digest: v.Digest, Required: 2, Pick: v.Pick}
	case ActSnooze:
		return rotation.Snooze{Actor: newcomer, For: least}
	case ActReject:
		return rotation.Reject{Actor: newcomer}
	case ActExempt:
		return rotation.Exempt{Actor: newcomer, Until: s.v.Now.Add(rotation.Day)}
	case ActHold:
		return rotation.HoldOn{Actor: newcomer, For: least}
	case ActRelease:
		return rotation.Release{Actor: newcomer}
	case ActConfirm:
		return rotation.Confirm{Actor: newcomer}
	case ActExtend:
		return rotation.Extend{Actor: newcomer, For: least}
	case ActRestore:
		return rotation.Restore{Actor: newcomer}
	case ActRetry:
		return rotation.Retry{Actor: newcomer}
	case ActAnyway:
		return rotation.DeactivateAnyway{Actor: newcomer}
	case ActCancel:
		return rotation.Cancel{Actor: newcomer}
	default:
		return nil
	}
}

var allActions = []string{ActApprove, ActSnooze, ActReject, ActExempt, ActHold, ActRelease, ActConfirm, ActExtend, ActRestore, ActRetry, ActAnyway, ActCancel}

// missable says why an action that the state allows may be without a button; else "".
func missable(r rotation.Rotation, act string) string {
	switch {
	case act == ActSnooze && (r.Held != nil || r.Stuck != nil || !r.SnoozedUntil.IsZero()):
		return "it is put off already"
	case act == ActHold && (r.Restore != nil || r.Stuck != nil):
		return "nothing goes on that a hold could stop"
	case (act == ActConfirm || act == ActExtend) && (r.Stuck != nil || r.Restore != nil || leaking(r)):
		return "something else comes first"
	case act == ActRetry && r.Stuck != nil && r.Stuck.Op == rotation.OpRestore:
		return "Restore tries again, Retry would give up the restoring"
	case act == ActAnyway && !slices.ContainsFunc(r.GateSeen, func(b rotation.Block) bool {
		return b.Why == rotation.BlockInUse || b.Why == rotation.BlockUnknown
	}):
		return "it lifts the question of use, and that is not what stands in the way"
	case act == ActAnyway && (r.Anyway != nil || r.Leaked != nil):
		return "it was said already"
	}
	return ""
}

// Whatever a notice offers, Apply accepts; and whatever Apply accepts, the notice offers, or there is a reason.
func TestButtonsAreWhatApplyAccepts(t *testing.T) {
	for _, s := range crossed(t) {
		got := offered(Notice(s.r, s.v))
		for act, values := range got {
			if act == ActHistory {
				continue
			}
			for _, v := range values {
				if v.ID != s.r.ID || v.Episode != s.r.Episode {
					t.Errorf("%s: %s carries %+v", s.name, act, v)
				}
				e := event(s.r, act, v, s)
				if e == nil {
					t.Errorf("%s: nothing is known of the button %q", s.name, act)
					continue
				}
				if v.Digest == "" && act == ActApprove {
					t.Errorf("%s: the approval is bound to nothing", s.name)
				}
				if _, err := rotation.Apply(s.r, e, s.v.Now); err != nil && rotation.Refused(err) != rotation.Busy {
					t.Errorf("%s: %s is offered, and refused (%s): %v", s.name, act, rotation.Refused(err), err)
				}
			}
		}
		for _, act := range allActions {
			v := ValueOf(s.r)
			if len(s.r.Choices) > 0 {
				v.Pick = s.r.Choices[0].Remove
			}
			if _, err := rotation.Apply(s.r, event(s.r, act, v, s), s.v.Now); err == nil && len(got[act]) == 0 && missable(s.r, act) == "" {
				t.Errorf("%s: %s would be accepted, but cannot be reached", s.name, act)
			}
		}
		if len(got[ActHistory]) != 1 {
			t.Errorf("%s: the history is there %d times", s.name, len(got[ActHistory]))
		}
		if n := len(s.r.Choices); n > 0 && len(got[ActApprove]) != n && May(s.r, ActApprove) {
			t.Errorf("%s: %d choices, %d buttons", s.name, n, len(got[ActApprove]))
		}
	}
}

// crossed are the samples, and each of them after every event, and every two, that can happen to it: a flag beside a flag.
func crossed(t testing.TB) []noticeSample {
	t.Helper()
	who := rotation.Actor{ID: "U0OTHER01", Name: "Somebody else", Via: rotation.ViaSlack}
	events := func(r rotation.Rotation) []rotation.Event {
		out := []rotation.Event{
			rotation.HoldOn{Actor: who, For: 3 * rotation.Day, Why: "held"}, rotation.Freeze{Why: "frozen"}, rotation.Leaked{Actor: who, Why: "leaked"},
			rotation.Restore{Actor: who, Why: "restore"}, rotation.GotStuck{Op: rotation.OpDelete, Seen: "stuck"}, rotation.Failed{Op: rotation.OpDelete, Error: "failed"},
			rotation.Absent{What: "absent"}, rotation.ObservedDeactivated{Key: r.Old.ID}, rotation.ObservedReactivated{Key: r.Old.ID},
			rotation.Approve{Actor: who, Digest: r.Digest(), Required: 1}, rotation.Snooze{Actor: who, For: rotation.Day}, rotation.BeginEvict{},
			rotation.GateRefused{Blocks: []rotation.Block{{Why: rotation.BlockUnknown, Sentence: "It is not known."}}},
		}
		if r.Evict != nil {
			out = append(out, rotation.ObservedDeactivated{Key: r.Evict.ID}, rotation.ObservedReactivated{Key: r.Evict.ID})
		}
		return out
	}
	all := noticeSamples()
	from := all
	seen := map[string]bool{}
	for range 2 {
		var next []noticeSample
		for _, s := range from {
			for _, e := range events(s.r) {
				r, err := rotation.Apply(s.r, e, s.v.Now)
				if key := kindred(r); err == nil && !seen[key] {
					seen[key] = true
					next = append(next, noticeSample{name: fmt.Sprintf("%s + %s", s.name, e.Name()), r: r, v: s.v})
				}
			}
		}
		all, from = append(all, next...), next
	}
	if len(all) < 500 {
		t.Fatalf("only %d combinations", len(all))
	}
	return all
}

// kindred is the same for rotations of which a notice says the same, but for names and dates.
func kindred(r rotation.Rotation) string {
	off := func(k *rotation.KeyRef) string {
		if k == nil {
			return "none"
		}
		return fmt.Sprint(isOff(*k), k.ByHand, k.Deleted.IsZero())
	}
	return fmt.Sprint(phaseOf(r), r.State, r.Outcome, r.Kind, len(r.Choices), r.LastActive, off(&r.Old), off(r.Evict), r.New != nil, adopted(r), r.SnoozedUntil.IsZero(),
		r.Held != nil, r.Stuck != nil, r.Frozen != nil, r.Restore != nil, r.Leaked != nil, r.Anyway != nil, r.Trouble != nil, r.AbsentSince.IsZero(), r.GateRefusals > 0, r.Escalated, len(r.Approvals) > 0, r.Policy.Mode)
}

// A notice is silent about nothing that matters, in no combination of flags, and promises nothing that is not so.
func TestNoticeIsSilentAboutNoFlag(t *testing.T) {
	for _, s := range crossed(t) {
		m := Notice(s.r, s.v)
		text := Plain(m)
		lower := strings.ToLower(text)
		r := s.r
		open := r.Open()
		for what, tt := range map[string]struct {
			is   bool
			says string
		}{
			"hold":     {open && r.Held != nil, "on hold until"},
			"stuck":    {open && r.Stuck != nil, "not go on by itself"},
			"frozen":   {open && r.Frozen != nil, "not reached"},
			"leak":     {open && r.Leaked != nil, "as leaked"},
			"restore":  {open && r.Restore != nil, "restor"},
			"absent":   {open && !r.AbsentSince.IsZero(), "did not find"},
			"user":     {true, string(r.UserName)},
			"account":  {true, string(r.Account)},
			"key":      {true, strings.ToLower(string(r.Old.ID))},
			"new key":  {open && r.New != nil, "new key"},
			"evict":    {open && r.Evict != nil, "key that goes first"},
			"as of":    {true, "as of"},
			"a person": {open && r.Escalated && phaseOf(r) == isInUse && r.Anyway == nil, "a person has to decide"},
		} {
			if tt.is && !strings.Contains(lower, tt.says) {
				t.Errorf("%s: silent about the %s:\n%s", s.name, what, text)
			}
		}
		for what, tt := range map[string]struct {
			is   bool
			says string
		}{
			"both keys work":       {r.Stuck != nil || isOff(r.Old), "both keys work:"},
			"a click restores":     {open && !May(r, ActRestore) && r.Restore == nil, "press restore"},
			"a retry":              {len(offered(m)[ActRetry]) == 0, "presses retry"},
			"a release":            {len(offered(m)[ActRelease]) == 0, "presses release"},
			"a confirmation":       {len(offered(m)[ActConfirm]) == 0, "new key is in use, the old"},
			"a date that is unset": {true, "not set yet"},
			"a year one":           {true, "jan 1"},
			"an error":             {true, "%!"},
			"a double full stop":   {true, ".. "},
			"nothing":              {true, "``"},
		} {
			if tt.is && strings.Contains(lower, tt.says) {
				t.Errorf("%s: speaks of %s:\n%s", s.name, what, text)
			}
		}
		if t.Failed() {
			return
		}
	}
}
