package rotator

import (
	"fmt"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// leaks are rotations in which a key that is not the old one was just reported as leaked.
var leaks = map[string]func(t *testing.T) (*life, rotation.KeyID){
	"the key in the way": func(t *testing.T) (*life, rotation.KeyID) {
		l := newLife(t)
		l.aws.users[userName].Keys = situations["an idle active key in the way"](l)
		l.open()
		l.approve()
		key := l.get().Evict.ID
		l.use(key, "s3")
		l.wake() // the gate keeps it active
		l.do(rotation.HoldOn{Actor: owner, For: rotation.Day, Why: "x"})
		l.do(rotation.Leaked{Actor: owner, Key: key, Why: "on GitHub"})
		return l, key
	},
	"the new key": func(t *testing.T) (*life, rotation.KeyID) {
		l := to(t, rotation.Installing)
		key := l.get().New.ID
		l.use(key, "s3")
		l.aws.mayLose = key // its secret names a key that is good for nothing
		l.do(rotation.Leaked{Actor: owner, Key: key, Why: "in a log"})
		return l, key
	},
}

// TestAnotherLeakedKeyIsCutOffAtOnce: at once, whatever it is used for; the rotation then goes its way to the end.
func TestAnotherLeakedKeyIsCutOffAtOnce(t *testing.T) {
	each(t, leaks, func(t *testing.T, begin func(*testing.T) (*life, rotation.KeyID)) {
		l, key := begin(t)
		l.wake()
		r := l.get()
		if l.status(key) != rotation.Inactive || r.LeakedKey.Off.IsZero() {
			t.Fatalf("%s is %s\n%s", key, l.status(key), l.tail())
		}
		if l.status(oldKey) != rotation.Active {
			t.Fatal("the old key was touched")
		}
		l.mustHappen("leak_cut", string(key))
		if n := l.count("UpdateAccessKey:Inactive"); n != 1 {
			t.Errorf("%d deactivations", n)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestEveryPointOfALeak: a crash, a fault and a stall at every point from the report on.
func TestEveryPointOfALeak(t *testing.T) {
	for name, begin := range leaks {
		l, _ := begin(t)
		from := map[string]int{"aws": len(l.aws.calls), "store": l.store.saves, "tell": l.tells}
		l.until("cut", func(r rotation.Rotation) bool { return !r.LeakedKey.Off.IsZero() && r.Acting == nil && !r.Untold() })
		to := map[string]int{"aws": len(l.aws.calls), "store": l.store.saves, "tell": l.tells}
		t.Logf("%s: from %v to %v", name, from, to)
		for kind, n := range from {
			if to[kind] <= n {
				t.Fatalf("no %s calls", kind)
			}
			for n++; n <= to[kind]; n++ {
				for _, what := range []plight{crash, fault, stall} {
					for _, after := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s/%s %s %d after=%t", name, what, kind, n, after), func(t *testing.T) {
							t.Parallel()
							l, key := begin(t)
							l.disturb(kind, n, what, after)
							l.until("closed", state(rotation.Closed))
							l.until("quiet", func(r rotation.Rotation) bool { return !r.Untold() && r.Acting == nil })
							l.healthy()
							if r := l.get(); r.LeakedKey.Key != key || r.LeakedKey.Off.IsZero() {
								t.Errorf("%+v", r.LeakedKey)
							}
						})
					}
				}
			}
		}
	}
}

func TestALeakedKeyThatIsNotAsReported(t *testing.T) {
	t.Run("inactive already", func(t *testing.T) {
		l, key := leaks["the new key"](t)
		l.byHand(key, rotation.Inactive)
		l.until("cut", func(r rotation.Rotation) bool { return !r.LeakedKey.Off.IsZero() })
		l.mustHappen("leak_cut", "inactive already")
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("gone", func(t *testing.T) {
		l, key := leaks["the new key"](t)
		l.removeByHand(key)
		l.untilStuck("reported as leaked, but it is not there any more")
	})
	t.Run("its last use cannot be read", func(t *testing.T) {
		l, key := leaks["the key in the way"](t)
		l.always("GetAccessKeyLastUsed", answer(errFault))
		l.wake()
		if l.status(key) != rotation.Inactive {
			t.Fatalf("still active\n%s", l.tail())
		}
	})
	t.Run("mode audit", func(t *testing.T) {
		l, key := leaks["the key in the way"](t)
		before := l.changes()
		l.rules.policy.Mode = rotation.ModeAudit
		l.untilStuck("mode audit")
		if l.changes() != before || l.status(key) != rotation.Active {
			t.Fatal("AWS was changed")
		}
	})
}
