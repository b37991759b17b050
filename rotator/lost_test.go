package rotator

import (
	"context"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// losing is a life whose next new keys cannot be stored.
func losing(t tb) *life {
	l := to(t, rotation.Approved)
	l.always("PutSecretValue", answer(errDenied))
	l.wake()
	l.unhook()
	l.mustHappen("key_lost", "")
	return l
}

func (l *life) lost() rotation.KeyID { return l.get().Journal.LostKey }

// TestALostKeyIsDeletedOnlyUnused: any use, however late AWS reports it, and any doubt, goes to a person.
func TestALostKeyIsDeletedOnlyUnused(t *testing.T) {
	each(t, map[string]struct {
		then  func(*life)
		stuck string
	}{
		"used before it was deactivated, reported late": {func(l *life) {
			l.key1(l.lost()).LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: l.get().Journal.LostAt.Add(-time.Second), Service: "s3", Region: "eu-west-1"}
		}, "used by somebody"},
		"used after it was deactivated": {func(l *life) { l.use(l.lost(), "s3") }, "used by somebody"},
		"not known whether it was used": {func(l *life) { l.key1(l.lost()).LastUse = rotation.LastUse{} }, "used by somebody"},
		"activated by hand":             {func(l *life) { l.byHand(l.lost(), rotation.Active) }, "activated by somebody"},
	}, func(t *testing.T, c struct {
		then  func(*life)
		stuck string
	}) {
		l := losing(t)
		id := l.lost()
		c.then(l)
		l.untilStuck(c.stuck)
		if l.status(id) == "" {
			t.Fatal("the key was deleted")
		}
		l.do(rotation.Retry{Actor: owner})
		l.untilStuck(c.stuck)
		l.removeByHand(id)
		l.retry()
	})
}

// TestALostKeyThatSomebodyDeletedIsDoneWith.
func TestALostKeyThatSomebodyDeletedIsDoneWith(t *testing.T) {
	l := losing(t)
	l.removeByHand(l.lost())
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestRetryDoesNotShortenTheWaitOfALostKey: a person's impatience is no reason to delete a key after a second.
func TestRetryDoesNotShortenTheWaitOfALostKey(t *testing.T) {
	l := to(t, rotation.Approved)
	l.once("DescribeSecret", false, answer(errFault)) // an attempt that failed, so that a retry is allowed later
	l.wake()
	l.pass(l.get().NextAt.Sub(l.Now()))
	l.always("PutSecretValue", answer(errDenied))
	l.wake()
	l.unhook()
	at := l.Now()
	l.do(rotation.Retry{Actor: owner})
	if next := l.get().NextAt; next.After(at) && next.Before(at.Add(rotation.LostWait)) {
		t.Fatalf("next step at %s", next)
	}
	l.pass(time.Second)
	l.wake()
	if l.count("DeleteAccessKey") != 0 || l.get().Trouble != nil {
		t.Fatalf("a lost key was deleted after a second: %+v", l.get().Trouble)
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestACrashWhileALostKeyIsTakenAwayNeedsNobody: the key is inactive and its loss is not noted yet. Nobody has its secret,
// so nobody is asked to activate it.
func TestACrashWhileALostKeyIsTakenAwayNeedsNobody(t *testing.T) {
	each(t, map[string]struct{ after bool }{"before": {false}, "after": {true}}, func(t *testing.T, c struct{ after bool }) {
		for _, what := range []func() error{answer(errFault), func() error { panic(errCrash) }} {
			l := to(t, rotation.Approved)
			l.always("PutSecretValue", answer(errDenied))
			l.once("UpdateAccessKey:Inactive", c.after, what)
			l.wake()
			l.unhook()
			l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
			l.until("lost", func(r rotation.Rotation) bool { return r.Journal != nil && r.Journal.LostKey != "" })
			l.until("closed", state(rotation.Closed))
			l.healthy()
		}
	})
}

// TestEveryPointOfALoss: crash and fault at each call while a lost key is removed and another one made.
func TestEveryPointOfALoss(t *testing.T) {
	t.Parallel()
	begin := func(t tb) *life {
		l := to(t, rotation.Approved)
		l.aws.calls, l.store.saves = nil, 0
		return l
	}
	refuse := func(l *life) func(int, string, bool) error {
		n := 0
		return func(_ int, name string, after bool) error {
			if name == "PutSecretValue" && !after && n == 0 {
				n++
				return errDenied
			}
			return nil
		}
	}
	whole := begin(t)
	whole.aws.around = refuse(whole)
	whole.until("installing", state(rotation.Installing))
	for _, p := range []plight{crash, fault} {
		for _, after := range []bool{false, true} {
			for n := 1; n <= len(whole.aws.calls); n++ {
				l := begin(t)
				l.disturb("aws", n, p, after)
				first, second := refuse(l), l.aws.around
				l.aws.around = func(n int, name string, after bool) error {
					if err := second(n, name, after); err != nil {
						return err
					}
					return first(n, name, after)
				}
				l.until("closed", state(rotation.Closed))
				l.healthy()
			}
			for n := 1; n <= whole.store.saves; n++ {
				l := begin(t)
				l.disturb("store", n, p, after)
				l.aws.around = refuse(l)
				l.until("closed", state(rotation.Closed))
				l.healthy()
			}
		}
	}
}

// TestThreeLostKeysInARowGoToAPerson, whose retry goes on.
func TestThreeLostKeysInARowGoToAPerson(t *testing.T) {
	l := to(t, rotation.Approved)
	l.always("PutSecretValue", answer(errDenied))
	r := l.untilStuck("3 new keys for billing were lost")
	if n := l.count("CreateAccessKey"); n != mostLost || len(l.keys()) != 1 || r.State != rotation.Issuing {
		t.Fatalf("%d creates, keys %+v, %s", n, l.keys(), r.State)
	}
	l.unhook()
	l.retry()
}

// TestAVersionThatWasStoredAfterAllIsUsed: the answers were lost, the value is there. A key is not given up on doubt.
func TestAVersionThatWasStoredAfterAllIsUsed(t *testing.T) {
	each(t, map[string]func(*life){
		"the connection broke": func(l *life) { l.once("PutSecretValue", true, answer(errDenied)); l.wake() },
		"and it could not be read": func(l *life) {
			l.once("PutSecretValue", true, answer(errDenied))
			l.once("GetSecretValue", false, answer(errFault))
			l.wake()
		},
		"the process was stopped": func(l *life) {
			ctx, stop := context.WithCancel(context.Background())
			l.once("PutSecretValue", true, func() error { stop(); return errFault })
			_ = l.wakeErr(ctx)
		},
	}, func(t *testing.T, lose func(*life)) {
		l := to(t, rotation.Approved)
		lose(l)
		l.until("closed", state(rotation.Closed))
		l.healthy()
		if n := l.count("CreateAccessKey"); n != 1 {
			t.Fatalf("%d creates", n)
		}
	})
}
