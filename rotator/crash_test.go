package rotator

import (
	"context"
	"fmt"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// plight is what goes wrong at one point.
type plight int

const (
	crash plight = iota // the process is killed
	fault               // the caller gets an error of unknown effect
	stall               // the process stands still for longer than its lease, while another one goes on to the end
)

func (p plight) String() string { return [...]string{"crash", "fault", "stall"}[p] }

// situations are the users on whom every point is tried.
var situations = map[string]func(*life) []rotation.Key{
	"one key": func(l *life) []rotation.Key { return []rotation.Key{l.key(oldKey, 95, 1)} },
	"an inactive key in the way": func(l *life) []rotation.Key {
		k := l.key("AKIAINACTIVEINACTIVE", 300, 200)
		k.Status = rotation.Inactive
		return []rotation.Key{k, l.key(oldKey, 95, 1)}
	},
	"an idle active key in the way": func(l *life) []rotation.Key {
		return []rotation.Key{l.key("AKIAIDLEIDLEIDLEIDLE", 300, 60), l.key(oldKey, 95, 1)}
	},
}

// TestEveryPoint lets a crash, a fault and a stall happen before and after every call to AWS, every save and every telling
// of a whole rotation. It ends well each time.
func TestEveryPoint(t *testing.T) {
	for name, keys := range situations {
		undisturbed := begun(t, keys)
		undisturbed.until("closed", state(rotation.Closed))
		undisturbed.healthy()
		points := map[string]int{"aws": len(undisturbed.aws.calls), "store": undisturbed.store.saves, "tell": undisturbed.tells}
		t.Logf("%s: %v", name, points)
		for kind, most := range points {
			if most < 3 {
				t.Fatalf("%d %s calls in a whole rotation cannot be right", most, kind)
			}
			for n := 1; n <= most; n++ {
				for _, what := range []plight{crash, fault, stall} {
					for _, after := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s/%s %s %d after=%t", name, what, kind, n, after), func(t *testing.T) {
							t.Parallel()
							l := begun(t, keys)
							l.disturb(kind, n, what, after)
							l.until("closed", state(rotation.Closed))
							l.until("quiet", func(r rotation.Rotation) bool { return !r.Untold() && r.Acting == nil })
							l.healthy()
						})
					}
				}
			}
		}
	}
}

func begun(t *testing.T, keys func(*life) []rotation.Key) *life {
	t.Helper()
	l := newLife(t)
	l.aws.users[userName].Keys = keys(l)
	for _, k := range l.keys() {
		if k.Status == rotation.Inactive {
			l.aws.off[k.ID] = l.now.Add(-100 * rotation.Day)
		}
	}
	l.open()
	l.approve()
	return l
}

// disturb arms the n-th call of a kind, once.
func (l *life) disturb(kind string, n int, what plight, after bool) {
	done := false
	hit := func(at int, isAfter bool) error {
		if done || at != n || isAfter != after {
			return nil
		}
		done = true
		switch what {
		case crash:
			panic(errCrash)
		case fault:
			return errFault
		default:
			l.other()
			return nil
		}
	}
	switch kind {
	case "aws":
		l.aws.around = func(n int, _ string, after bool) error { return hit(n, after) }
	case "store":
		l.store.around = hit
	case "tell":
		l.aroundTell = hit
	}
}

// other is a second process on the same store, which takes over when the first one's lease is over and goes on to the end.
func (l *life) other() {
	second := l.rotator()
	for range 200 {
		l.pass(0)
		if err := second.Wake(context.Background(), l.id); err != nil {
			l.t.Errorf("second rotator: %v", err)
		}
		r := l.get()
		if r.Stuck != nil {
			l.t.Errorf("second rotator stuck: %s", r.Stuck.Seen)
			return
		}
		if state(rotation.Closed)(r) {
			return
		}
		l.pass(max(r.NextAt.Sub(l.Now()), 0))
	}
	l.t.Errorf("second rotator never came to the end")
}
