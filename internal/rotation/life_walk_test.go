package rotation

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLifeKeepsItsPromises(t *testing.T) {
	states := map[State]int{}
	outcomes := map[Outcome]int{}
	walk := func(t *rapid.T) {
		w := &world{t: t, now: noon, ours: map[KeyID]bool{}, off: map[KeyID]time.Time{}, named: map[KeyID]bool{}, holds: map[string]KeyID{}, leaks: map[KeyID]time.Time{}, policy: drawnPolicy(t)}
		for i := range rapid.IntRange(1, 2).Draw(t, "keys") {
			k := key(string(rune('A'+i)), rapid.IntRange(1, 120).Draw(t, "age"), rapid.IntRange(-2, 90).Draw(t, "used"), Active)
			if i > 0 && rapid.Bool().Draw(t, "inactive") {
				k.Status = Inactive
				w.off[k.ID] = noon
			}
			w.keys = append(w.keys, k)
		}
		for range rapid.IntRange(10, 200).Draw(t, "length") {
			switch rapid.IntRange(0, 15).Draw(t, "what") {
			case 15:
				if w.r != nil {
					w.told()
				}
			case 0, 1, 2:
				w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 15 * time.Minute, time.Hour, Day, 5 * Day, 11 * Day}).Draw(t, "pass"))
			case 3:
				w.scan()
			case 4:
				if len(w.keys) > 0 {
					if k := &w.keys[rapid.IntRange(0, len(w.keys)-1).Draw(t, "user")]; k.Status == Active {
						k.LastUse = LastUse{Kind: UseSeen, At: w.now, Service: "s3", Region: "eu-west-1"}
					}
				}
			case 5:
				if w.r != nil && rapid.IntRange(0, 3).Draw(t, "by hand") == 0 {
					w.hands()
				}
			case 6, 7:
				if w.r != nil {
					w.people()
				}
			case 8:
				if w.r != nil && (w.r.State == Upcoming || w.r.State == Awaiting) && len(w.r.Choices) == 0 {
					_ = w.apply(Approve{Actor: first, Digest: w.r.Digest(), Required: 1})
				}
			default:
				if w.r != nil {
					if _, at := w.r.Next(); at.After(w.now) && rapid.Bool().Draw(t, "wait for it") {
						w.now = at
					}
					w.step()
				}
			}
			if w.r != nil {
				states[w.r.State]++
				outcomes[w.r.Outcome]++
			}
		}
	}
	// The promises say little unless the walk gets everywhere, so a hundred walks that did not are followed by others.
	missing := func() (all []string) {
		for _, s := range []State{Upcoming, Awaiting, Approved, Evicting, Installing, Recovering, Closed} {
			if states[s] == 0 {
				all = append(all, "came to "+string(s))
			}
		}
		for _, o := range []Outcome{OutcomeRotated, OutcomeRetired, OutcomeRejected, OutcomeGone, OutcomeExpired} {
			if outcomes[o] == 0 {
				all = append(all, "ended "+string(o))
			}
		}
		return all
	}
	for range 5 {
		if rapid.Check(t, walk); len(missing()) == 0 {
			return
		}
	}
	t.Errorf("no walk %s", strings.Join(missing(), ", none "))
}

// drawnPolicy is one of the policies that a configuration can have.
func drawnPolicy(t *rapid.T) Policy {
	p := DefaultPolicy()
	if rapid.IntRange(0, 2).Draw(t, "auto") == 0 {
		p.Mode = ModeAuto
	}
	p.OnTimeout = rapid.SampledFrom([]Timeout{TimeoutEscalate, TimeoutApprove, TimeoutExpire}).Draw(t, "timeout")
	p.AnswerWithin = rapid.SampledFrom([]time.Duration{0, 2 * Day, 10 * Day}).Draw(t, "answer within")
	p.EscalateAfter = rapid.SampledFrom([]time.Duration{0, Day, 5 * Day}).Draw(t, "escalate after")
	if p.OnTimeout == TimeoutApprove && p.AnswerWithin == 0 {
		p.OnTimeout = TimeoutEscalate
	}
	if bad := p.Check(); len(bad) > 0 {
		t.Fatalf("no policy of a configuration: %v", bad)
	}
	return p
}
