package rotation

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// words are the values of typed strings: the known ones, and what a newer version or a broken record may hold.
var words = rapid.SampledFrom([]string{
	"", "AKIAOLD", "AKIANEW", "AKIAEVICT", "t", "odd", "upcoming", "awaiting", "approved", "evicting", "issuing", "installing", "recovering", "closed",
	"rotate", "retire", "approve", "audit", "auto", "issue", "deactivate", "delete", "restore", "evict_deactivate", "evict_delete", "used", "never", "slack", "keyturn",
})

// anything makes values of any shape, with times around a day and the words above in every string.
func anything[T any]() *rapid.Generator[T] {
	start := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	at := rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 3).Draw(t, "no time") == 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(rapid.IntRange(-200, 40).Draw(t, "days")) * Day)
	})
	text := rapid.Custom(func(t *rapid.T) any { return words.Draw(t, "word") })
	length := rapid.Custom(func(t *rapid.T) any { return time.Duration(rapid.IntRange(-1, 40).Draw(t, "length")) * Day })
	return rapid.MakeCustom[T](rapid.MakeConfig{Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[time.Time](): at, reflect.TypeFor[string](): text, reflect.TypeFor[time.Duration](): length,
		reflect.TypeFor[KeyID](): rapid.Custom(func(t *rapid.T) any { return KeyID(words.Draw(t, "key")) }),
		reflect.TypeFor[State](): rapid.Custom(func(t *rapid.T) any { return State(words.Draw(t, "state")) }),
		reflect.TypeFor[Kind]():  rapid.Custom(func(t *rapid.T) any { return Kind(words.Draw(t, "kind")) }),
		reflect.TypeFor[Mode]():  rapid.Custom(func(t *rapid.T) any { return Mode(words.Draw(t, "mode")) }),
		reflect.TypeFor[Op]():    rapid.Custom(func(t *rapid.T) any { return Op(words.Draw(t, "op")) }),
		reflect.TypeFor[Via]():   rapid.Custom(func(t *rapid.T) any { return Via(words.Draw(t, "via")) }),
	}})
}

// events makes any event with any arguments.
func events(t *rapid.T) Event {
	all := []func() Event{
		of[Due](t), of[Approve](t), of[NoticePassed](t), of[Cancel](t), of[Reject](t), of[Exempt](t), of[Superseded](t),
		of[Snooze](t), of[Wake](t), of[Remind](t), of[HoldOn](t), of[Release](t), of[Extend](t),
		of[Claim](t), of[Unclaim](t), of[BeginEvict](t), of[Evicted](t), of[Begin](t), of[Creating](t), of[NotCreated](t), of[KeyCreated](t),
		of[Stored](t), of[Verified](t), of[KeyLost](t), of[LostRemoved](t), of[Issued](t),
		of[Confirm](t), of[Deactivated](t), of[GateRefused](t), of[DeactivateAnyway](t), of[Restore](t), of[Restored](t), of[Deleted](t), of[Leaked](t),
		of[ObservedDeactivated](t), of[ObservedReactivated](t), of[Used](t), of[Absent](t), of[Present](t), of[Freeze](t), of[Thaw](t), of[LookedInVain](t), of[LastUsed](t),
		of[Failed](t), of[GotStuck](t), of[Retry](t), of[ReplacementLost](t), of[Denied](t), of[Replan](t), of[Escalate](t), of[TimeIsUp](t), of[ModeIs](t), of[Postpone](t), of[LeakCut](t),
	}
	return rapid.SampledFrom(all).Draw(t, "event")()
}

func of[E Event](t *rapid.T) func() Event {
	return func() Event { return anything[E]().Draw(t, "arguments") }
}

// TestApplyIsTotal: whatever a record holds and whatever happens, Apply answers, changes nothing of its input, and what it
// refuses leaves the rotation as it was.
func TestApplyIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anything[Rotation]().Draw(t, "rotation")
		now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
		before, err := json.Marshal(r)
		if err != nil {
			t.Skip("not a value that a record can hold")
		}
		for range 20 {
			e := events(t)
			if a, ok := e.(Approve); ok { // a digest is not come by at random
				a.Digest, a.Required, a.Actor.ID = r.Digest(), 1, "U1"
				e = a
			}
			next, err := Apply(r, e, now)
			if after, _ := json.Marshal(r); string(after) != string(before) {
				t.Fatalf("%s changed its input", e.Name())
			}
			if err != nil && Refused(err) == "" {
				t.Fatalf("%s: %v is no refusal", e.Name(), err)
			}
			if out, _ := json.Marshal(next); err != nil && string(out) != string(before) {
				t.Fatalf("%s was refused and changed something", e.Name())
			}
			_, _ = next.Next()
			_ = next.Quiet()
		}
	})
}
