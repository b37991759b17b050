package rotator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// These tests are named after the list "What goes wrong in it" of the pattern that keyturn replaces.

// TestWrong02AnErrorWhileReadingLastUseNeverDeactivates: neither the old key, nor one to evict, nor one to delete.
func TestWrong02AnErrorWhileReadingLastUseNeverDeactivates(t *testing.T) {
	each(t, map[string]rotation.State{"deactivate": rotation.Installing, "delete": rotation.Recovering, "evict": rotation.Evicting}, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		l.always("GetAccessKeyLastUsed", answer(errors.New("Throttling: rate exceeded")))
		before := l.changes()
		l.untilStuck("Throttling")
		if l.changes() != before {
			t.Fatal("a key was changed although its last use is not known")
		}
		l.unhook()
		l.retry()
	})
}

// TestWrong02AKeyWhoseLastUseIsNotKnownIsNotIdle: older than AWS's tracking, without a use.
func TestWrong02AKeyWhoseLastUseIsNotKnownIsNotIdle(t *testing.T) {
	l := newLife(t)
	k := l.key(oldKey, 95, -1)
	k.Created = rotation.TrackingSince.Add(-time.Hour)
	l.aws.users[userName].Keys = []rotation.Key{k}
	l.open()
	l.approve()
	l.until("refused", func(r rotation.Rotation) bool { return r.GateRefusals == 1 })
	if l.status(oldKey) != rotation.Active || l.get().GateSeen[0].Why != rotation.BlockUnknown {
		t.Fatalf("%s: %+v", l.status(oldKey), l.get().GateSeen)
	}
}

// TestWrong04ANewKeyThatCannotBeStoredIsTakenAway, the old one keeps working, and a later attempt succeeds.
func TestWrong04ANewKeyThatCannotBeStoredIsTakenAway(t *testing.T) {
	each(t, map[string]struct {
		answer error
		tries  int
	}{"refused": {errDenied, 1}, "without an answer": {errFault, storeTries}}, func(t *testing.T, c struct {
		answer error
		tries  int
	}) {
		l := to(t, rotation.Approved)
		l.always("PutSecretValue", answer(c.answer))
		l.wake()
		if n := l.count("PutSecretValue"); n != c.tries {
			t.Fatalf("%d tries, want %d", n, c.tries)
		}
		ks := l.keys()
		if len(ks) != 2 || ks[0].Status != rotation.Active || ks[1].Status != rotation.Inactive {
			t.Fatalf("keys: %+v", ks)
		}
		lost := ks[1].ID
		l.unhook()
		l.pass(rotation.LostWait - time.Second)
		l.wake()
		if l.status(lost) != rotation.Inactive {
			t.Fatal("the lost key was deleted before its time")
		}
		l.pass(time.Second)
		l.wake()
		if l.status(lost) != "" || l.status(oldKey) != rotation.Active || l.get().State != rotation.Installing {
			t.Fatalf("lost %q, old %q, %s", l.status(lost), l.status(oldKey), l.get().State)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestWrong05TwoExpiredKeysOneUsedToday: nothing is deleted at once. The idle one passes the gate and waits for the whole
// recovery grace; where both were used a person picks.
func TestWrong05TwoExpiredKeysOneUsedToday(t *testing.T) {
	const idle = rotation.KeyID("AKIAIDLEIDLEIDLEIDLE")
	l := newLife(t)
	l.aws.users[userName].Keys = []rotation.Key{l.key(idle, 300, 60), l.key(oldKey, 95, 0)}
	l.open()
	l.approve()
	l.wake()
	off := l.Now()
	if l.status(idle) != rotation.Inactive || l.status(oldKey) != rotation.Active || l.count("Delete") != 0 {
		t.Fatalf("%s, %s", l.status(idle), l.status(oldKey))
	}
	l.pass(l.get().Policy.RecoveryGrace - time.Second)
	l.wake()
	if l.count("Delete") != 0 || l.count("Create") != 0 {
		t.Fatal("the grace was cut short")
	}
	l.pass(time.Second)
	l.wake()
	if l.status(idle) != "" || l.Now().Sub(off) != l.get().Policy.RecoveryGrace {
		t.Fatalf("idle key %q", l.status(idle))
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// TestWrong05AnEvictedKeyThatIsUsedAgainIsLeftAlone: used after the approval, the gate stays shut.
func TestWrong05AnEvictedKeyThatIsUsedAgainIsLeftAlone(t *testing.T) {
	const idle = rotation.KeyID("AKIAIDLEIDLEIDLEIDLE")
	l := newLife(t)
	l.aws.users[userName].Keys = []rotation.Key{l.key(idle, 300, 60), l.key(oldKey, 95, 0)}
	l.open()
	l.approve()
	l.use(idle, "dynamodb")
	l.wake()
	if b := l.get().GateSeen; l.status(idle) != rotation.Active || len(b) != 1 || b[0].Service != "dynamodb" || b[0].Why != rotation.BlockInUse {
		t.Fatalf("%s: %+v", l.status(idle), b)
	}
}

// TestWrong06ADeactivationLooksAtUse: of the old key and of the new one.
func TestWrong06ADeactivationLooksAtUse(t *testing.T) {
	type uses struct {
		oldIdle time.Duration // since its last use
		newBy   string        // the service that the new key was used with, "" if it was not
		off     bool
	}
	each(t, map[string]uses{
		"the old key is in use":                       {time.Hour, "s3", false},
		"a weekly job may still use the old key":      {7 * rotation.Day, "", false},
		"the old key was idle for the quiet period":   {8 * rotation.Day, "", true},
		"the new key is in use, the old one a day no": {25 * time.Hour, "s3", true},
		"only keyturn used the new key":               {25 * time.Hour, "sts", false},
	}, func(t *testing.T, c uses) {
		l := to(t, rotation.Installing)
		r := l.get()
		if c.newBy == "s3" {
			l.pass(time.Hour)
			l.use(r.New.ID, c.newBy)
		}
		l.pass(r.DeactivateAt.Sub(l.Now()))
		l.key1(oldKey).LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: l.Now().Add(-c.oldIdle), Service: "ec2", Region: "eu-west-3"}
		at := l.key1(oldKey).LastUse.At
		l.wake()
		if off := l.status(oldKey) == rotation.Inactive; off != c.off {
			t.Fatalf("deactivated %t, want %t: %+v", off, c.off, l.get().GateSeen)
		}
		if c.off {
			return
		}
		r = l.get()
		b := r.GateSeen[0]
		if b.Why != rotation.BlockInUse || b.Service != "ec2" || b.Region != "eu-west-3" || !b.At.Equal(at) {
			t.Fatalf("%+v", b)
		}
		for _, say := range []string{"ec2", "eu-west-3", at.UTC().Format("2006-01-02 15:04")} {
			if !strings.Contains(b.Sentence, say) {
				t.Errorf("%q does not say %s", b.Sentence, say)
			}
		}
		if !r.DeactivateAt.Equal(l.Now().Add(rotation.Day)) || r.Untold() {
			t.Fatalf("next try %s, untold %t", r.DeactivateAt, r.Untold())
		}
	})
}

// TestWrong07TheRecoveryClockStartsWhenTheKeyIsSeenInactive, not when it was made.
func TestWrong07TheRecoveryClockStartsWhenTheKeyIsSeenInactive(t *testing.T) {
	l := to(t, rotation.Installing)
	l.pass(l.get().DeactivateAt.Sub(l.Now()))
	l.byHand(oldKey, rotation.Inactive)
	l.wake()
	seen := l.Now()
	r := l.get()
	if r.State != rotation.Recovering || !r.Old.ByHand || !r.Old.InactiveSince.Equal(seen) || !r.DeleteAt.Equal(seen.Add(r.Policy.RecoveryGrace)) {
		t.Fatalf("%s: %+v, delete at %s", r.State, r.Old, r.DeleteAt)
	}
	l.mustHappen("observed_deactivated", "by hand")
	l.until("closed", state(rotation.Closed))
	l.healthy()
	if l.Now().Before(seen.Add(r.Policy.RecoveryGrace)) {
		t.Fatal("deleted too early")
	}
}

// TestWrong08AnInactiveKeyIsNeverReplaced, and a key that was never used goes before the used one is replaced.
func TestWrong08AnInactiveKeyIsNeverReplaced(t *testing.T) {
	l := newLife(t)
	k := l.key(oldKey, 300, -1)
	k.Status = rotation.Inactive
	l.aws.users[userName].Keys = []rotation.Key{k}
	l.aws.off[oldKey] = l.now
	r := l.open()
	if r.Kind != rotation.Retire {
		t.Fatalf("kind %s", r.Kind)
	}
	l.approve()
	r = l.until("closed", state(rotation.Closed))
	if l.count("CreateAccessKey") != 0 || r.Outcome != rotation.OutcomeRetired || len(l.keys()) != 0 {
		t.Fatalf("%s, keys %+v", r.Outcome, l.keys())
	}
}

func TestWrong08ANeverUsedKeyMakesRoomFirst(t *testing.T) {
	const unused = rotation.KeyID("AKIAUNUSEDUNUSEDUNUS")
	l := newLife(t)
	l.aws.users[userName].Keys = []rotation.Key{l.key(oldKey, 120, 0), l.key(unused, 100, -1)}
	r := l.open()
	if r.Kind != rotation.Retire || r.Old.ID != unused || r.LastActive {
		t.Fatalf("%+v", r)
	}
	l.approve()
	r = l.until("closed", state(rotation.Closed))
	if r.Outcome != rotation.OutcomeRetired || l.status(oldKey) != rotation.Active || l.status(unused) != "" || l.count("CreateAccessKey") != 0 {
		t.Fatalf("%s, keys %+v", r.Outcome, l.keys())
	}
}

// TestWrong15ASecretThatCannotBeNamedIsFoundBeforeAKeyExists.
func TestWrong15ASecretThatCannotBeNamedIsFoundBeforeAKeyExists(t *testing.T) {
	l := to(t, rotation.Approved)
	name := l.rot.o.SecretName
	l.rot.o.SecretName = func(rotation.AccountID, rotation.UserName) (string, error) {
		return "", errors.New("a comma cannot be in it")
	}
	l.untilStuck("a comma cannot be in it")
	if l.changes() != 0 {
		t.Fatalf("AWS was changed: %v", l.aws.calls)
	}
	l.rot.o.SecretName = name
	l.retry()
}

// TestPeopleAreToldTheLastUseThatCounted: a notice about a key shows the use that was read just before the step, not the one
// that a scan saw weeks ago.
func TestPeopleAreToldTheLastUseThatCounted(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	l.until("installing", state(rotation.Installing))
	used := rotation.LastUse{Kind: rotation.UseSeen, At: l.Now().Add(time.Hour), Service: "sqs", Region: "eu-west-1"}
	l.keys()[0].LastUse = used
	r := l.until("recovering", state(rotation.Recovering))
	if r.Old.LastUse != used || l.told[len(l.told)-1].Old.LastUse != used {
		t.Errorf("people are told of %+v, the key was last used %+v", r.Old.LastUse, used)
	}
}
