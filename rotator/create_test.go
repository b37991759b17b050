package rotator

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

var errLimit = fmt.Errorf("LimitExceeded: %w: %w", ErrLimit, ErrDefinite)

// TestARefusedCreateMadeNoKey: a key that appears afterwards is somebody else's and is not touched.
func TestARefusedCreateMadeNoKey(t *testing.T) {
	each(t, map[string]error{"denied": errDenied, "limit exceeded": errLimit}, func(t *testing.T, refusal error) {
		l := to(t, rotation.Approved)
		l.once("CreateAccessKey", false, answer(refusal))
		l.wake()
		l.mustHappen("not_created", "")
		r := l.get()
		if r.Journal != nil || r.State != rotation.Issuing || r.Trouble == nil || r.Trouble.Attempts != 1 {
			t.Fatalf("%s, journal %+v, trouble %+v", r.State, r.Journal, r.Trouble)
		}
		l.makeByHand()
		l.pass(r.NextAt.Sub(l.Now()))
		l.untilStuck(string(foreignKey))
		if l.status(foreignKey) != rotation.Active || l.status(oldKey) != rotation.Active {
			t.Fatal("keys were touched")
		}
		l.removeByHand(foreignKey)
		l.retry()
	})
}

// TestARefusedCreateIsTriedAgain with a fresh token, and goes to a person in the end.
func TestARefusedCreateIsTriedAgain(t *testing.T) {
	l := to(t, rotation.Approved)
	l.always("CreateAccessKey", answer(errDenied))
	l.untilStuck("AccessDenied")
	if n := l.count("CreateAccessKey"); n != rotation.MaxAttempts || len(l.keys()) != 1 {
		t.Fatalf("%d creates, keys %+v", n, l.keys())
	}
	l.unhook()
	l.retry()
}

// TestARefusalAfterAnUnansweredCreateProvesNothing: the first create may have made the key that the limit now counts.
func TestARefusalAfterAnUnansweredCreateProvesNothing(t *testing.T) {
	l := to(t, rotation.Approved)
	l.once("CreateAccessKey", true, answer(errFault))
	l.wake()
	l.aws.lagList = 1 // even after the settling: the second create meets the limit
	l.pass(l.get().NextAt.Sub(l.Now()))
	l.wake()
	if _, ok := l.happened("not_created"); ok || l.count("CreateAccessKey") != 2 {
		t.Fatalf("%d creates; a refusal was taken for certainty", l.count("CreateAccessKey"))
	}
	l.until("lost", func(r rotation.Rotation) bool { return r.Journal != nil && r.Journal.LostKey != "" })
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestAnUnansweredCreate in all the ways in which it can have gone.
func TestAnUnansweredCreate(t *testing.T) {
	type outcome struct {
		performed bool
		then      func(*life)
		stuck     string // "": it ends by itself
		creates   int
	}
	first := func(l *life) rotation.KeyID {
		for id := range l.aws.made {
			return id
		}
		return ""
	}
	each(t, map[string]outcome{
		"not performed":                       {false, func(*life) {}, "", 2},
		"performed":                           {true, func(*life) {}, "", 2},
		"performed and listed late":           {true, func(l *life) { l.pass(time.Minute); l.aws.lagList = 1 }, "", 3},
		"performed and somebody uses the key": {true, func(l *life) { l.use(first(l), "s3") }, "somebody uses it", 2},
		"two new keys":                        {true, func(l *life) { l.removeByHand(oldKey); l.makeByHand() }, "cannot be told whether keyturn made it", 2},
		"made by somebody before the attempt, by its date": {false, func(l *life) {
			l.makeByHand()
			l.key1(foreignKey).Created = l.get().Journal.Started.Add(-skew - time.Second)
		}, "cannot be told whether keyturn made it", 2},
		"made by somebody after the attempt": {false, func(l *life) {
			l.pass(DefaultLease + DefaultSettle + 2*skew)
			l.makeByHand()
		}, "cannot be told whether keyturn made it", 2},
		"the user is gone": {false, func(l *life) { delete(l.aws.users, userName) }, "", 1},
	}, func(t *testing.T, c outcome) {
		l := to(t, rotation.Approved)
		l.once("CreateAccessKey", c.performed, answer(errFault))
		l.wake()
		if r := l.get(); r.Journal == nil || r.Journal.NewKey != "" || r.Journal.Creates != 1 {
			t.Fatalf("%+v", r.Journal)
		}
		c.then(l)
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
		if c.stuck != "" {
			l.untilStuck(c.stuck)
			if l.aws.foreign[foreignKey] {
				l.removeByHand(foreignKey)
			} else {
				l.removeByHand(first(l))
			}
			if l.status(oldKey) == "" { // nothing is left to replace
				l.do(rotation.Retry{Actor: owner})
				l.removeByHand(first(l))
				if r := l.until("closed", state(rotation.Closed)); r.Outcome != rotation.OutcomeGone {
					t.Fatalf("%s", r.Outcome)
				}
				return
			}
			l.retry()
		} else {
			l.until("closed", state(rotation.Closed))
		}
		if l.aws.users[userName] != nil {
			l.healthy()
		} else if r := l.get(); r.Outcome != rotation.OutcomeGone {
			t.Fatalf("%s", r.Outcome)
		}
		if n := l.count("CreateAccessKey"); n != c.creates {
			t.Fatalf("%d creates, want %d", n, c.creates)
		}
	})
}

// TestAKeyThatIsListedAfterTheOldOneIsGoneIsTakenAwayFirst: the rotation is not closed over a key that it has made.
func TestAKeyThatIsListedAfterTheOldOneIsGoneIsTakenAwayFirst(t *testing.T) {
	l := to(t, rotation.Approved)
	l.once("CreateAccessKey", true, answer(errFault))
	l.wake()
	l.removeByHand(oldKey)
	l.aws.lagList = 1
	l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
	l.wake()
	if l.get().AbsentSince.IsZero() {
		t.Fatal("this test does not come where it means to")
	}
	if r := l.until("closed", state(rotation.Closed)); r.Outcome != rotation.OutcomeGone || len(l.keys()) != 0 {
		t.Fatalf("%s, keys %+v", r.Outcome, l.keys())
	}
}

// TestAnIDThatCannotBeSavedIsNotLeftBehind: the key is deleted again at once, and the next attempt makes another one.
func TestAnIDThatCannotBeSavedIsNotLeftBehind(t *testing.T) {
	each(t, map[string]func(*life){
		"nothing else fails":      func(*life) {},
		"the deletion fails too":  func(l *life) { l.once("DeleteAccessKey", false, answer(errFault)) },
		"the deletion is unknown": func(l *life) { l.once("DeleteAccessKey", true, answer(errFault)) },
	}, func(t *testing.T, also func(*life)) {
		l := to(t, rotation.Approved)
		also(l)
		l.once("CreateAccessKey", true, func() error {
			l.store.around = func(int, bool) error { return errors.New("the table is gone") }
			return nil
		})
		if err := l.wakeErr(t.Context()); err == nil {
			t.Fatal("a store that cannot be used is no error")
		}
		l.store.around = nil
		l.pass(0)
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}
