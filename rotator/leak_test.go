package rotator

import (
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestALeakedKeyIsCutOffAtOnce whatever stands in the way: the gate, an exemption, a hold, a question to a person, a pause
// after a failure, an attempt that does not come to its end. Then it is replaced.
func TestALeakedKeyIsCutOffAtOnce(t *testing.T) {
	cases := map[string]func(t *testing.T) *life{
		"waiting for a decision": func(t *testing.T) *life { return to(t, rotation.Awaiting) },
		"approved":               func(t *testing.T) *life { return to(t, rotation.Approved) },
		"both live, in use": func(t *testing.T) *life {
			l := to(t, rotation.Installing)
			l.use(oldKey, "s3")
			return l
		},
		"on hold": func(t *testing.T) *life {
			l := to(t, rotation.Installing)
			l.do(rotation.HoldOn{Actor: owner, For: rotation.Day})
			return l
		},
		"exempt": func(t *testing.T) *life {
			l := to(t, rotation.Installing)
			exempt(l)
			l.aws.group[userName] = true
			return l
		},
		"the new key does not work": func(t *testing.T) *life { return to(t, rotation.Issuing) },
		"stuck while issuing": func(t *testing.T) *life {
			l := to(t, rotation.Approved)
			l.always("CreateSecret", answer(errDenied))
			l.untilStuck("AccessDenied")
			l.unhook()
			return l
		},
		"stuck without its secret": func(t *testing.T) *life {
			l := to(t, rotation.Installing)
			l.vault().PendingDeletion = true
			l.untilStuck("scheduled for deletion")
			l.vault().PendingDeletion = false
			return l
		},
		"after failures": func(t *testing.T) *life {
			l := to(t, rotation.Installing)
			l.always("GetAccessKeyLastUsed", answer(errFault))
			l.until("failed", func(r rotation.Rotation) bool { return r.Trouble != nil && r.Trouble.Attempts == 5 })
			l.unhook()
			return l
		},
		"while the secret of a new key is lost": func(t *testing.T) *life { return losing(t) },
	}
	each(t, cases, func(t *testing.T, begin func(*testing.T) *life) {
		l := begin(t)
		l.aws.mayBare = true // there is no new key yet
		at := l.Now()
		l.do(rotation.Leaked{Actor: owner, Why: "on GitHub"})
		l.wake()
		if l.status(oldKey) != rotation.Inactive {
			t.Fatalf("still active\n%s", l.tail())
		}
		if r := l.get(); r.Old.ByHand || !r.Old.InactiveSince.Equal(at) {
			t.Fatalf("%+v", r.Old)
		}
		clear(l.aws.group)
		clear(l.store.exempt)
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestALeakedKeyInAnAuditedAccountIsAQuestion: with mode audit nothing is changed, whatever happens.
func TestALeakedKeyInAnAuditedAccountIsAQuestion(t *testing.T) {
	l := to(t, rotation.Installing)
	before := l.changes()
	l.rules.policy.Mode = rotation.ModeAudit
	l.do(rotation.Leaked{Actor: owner})
	l.untilStuck("mode audit")
	if l.changes() != before {
		t.Fatal("AWS was changed")
	}
}

// TestALeakThatIsReportedWhileTheKeyIsRestoredIsNotForgotten.
func TestALeakThatIsReportedWhileTheKeyIsRestoredIsNotForgotten(t *testing.T) {
	l := to(t, rotation.Recovering)
	l.do(rotation.Restore{Actor: owner})
	l.once("UpdateAccessKey:Active", false, func() error {
		l.clocks(time.Second, time.Second)
		l.do(rotation.Leaked{Actor: owner})
		return nil
	})
	l.wake()
	if l.status(oldKey) != rotation.Inactive || l.get().State != rotation.Recovering {
		t.Fatalf("%s in %s\n%s", l.status(oldKey), l.get().State, l.tail())
	}
}

// TestALeakAfterAnUnansweredRestore: the key may be active or not; nobody activates it any more, and if it is active it is
// cut off as soon as the lease is over.
func TestALeakAfterAnUnansweredRestore(t *testing.T) {
	for _, performed := range []bool{false, true} {
		for name, lose := range map[string]func() error{"died": func() error { panic(errCrash) }, "failed": answer(errFault)} {
			l := to(t, rotation.Recovering)
			l.do(rotation.Restore{Actor: owner})
			l.once("UpdateAccessKey:Active", performed, lose)
			l.wake()
			l.clocks(time.Second, time.Second)
			l.do(rotation.Leaked{Actor: owner})
			l.pass(time.Minute)
			l.wake()
			if l.status(oldKey) != rotation.Inactive || l.count("UpdateAccessKey:Active") != 1 || l.get().Restore != nil || l.get().Acting != nil {
				t.Errorf("%s, performed %t: %s\n%s", name, performed, l.status(oldKey), l.tail())
			}
			if _, noted := l.happened("restored"); noted != performed {
				t.Errorf("%s, performed %t: noted as restored %t", name, performed, noted)
			}
			l.until("closed", state(rotation.Closed))
			l.healthy()
		}
	}
}

// TestALeakedKeyThatIsInactiveAlreadyNeedsNoClaim: a leftover is only deleted at its time.
func TestALeakedKeyThatIsInactiveAlreadyNeedsNoClaim(t *testing.T) {
	l := newLife(t)
	k := l.key(oldKey, 300, 200)
	k.Status = rotation.Inactive
	l.aws.users[userName].Keys = []rotation.Key{k}
	l.aws.off[oldKey] = l.now
	l.open()
	since := l.Now()
	l.pass(time.Hour)
	l.do(rotation.Leaked{Actor: owner})
	l.wake()
	if r := l.get(); r.State != rotation.Recovering || !r.Old.InactiveSince.Equal(since) || r.Trouble != nil {
		t.Fatalf("%s %+v %+v", r.State, r.Old, r.Trouble)
	}
	l.until("closed", state(rotation.Closed))
}

// TestALeakedKeyNeedsNoReadOfItsUse: the gate is bypassed, so what only the gate asks for, and cannot be read, holds nothing up.
func TestALeakedKeyNeedsNoReadOfItsUse(t *testing.T) {
	l := to(t, rotation.Installing)
	l.do(rotation.Leaked{Actor: owner})
	l.aws.around = func(_ int, name string, after bool) error {
		if !after && (name == "GetAccessKeyLastUsed" || name == "DescribeSecret") {
			return errFault
		}
		return nil
	}
	l.wake()
	if k, _ := rotation.Find(l.keys(), oldKey); k.Status != rotation.Inactive {
		t.Errorf("the leaked key is %s, because its last use could not be read", k.Status)
	}
}
