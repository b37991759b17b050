package rotator

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestPeopleActWhileAKeyIsIssued: the attempt is stored and waits for AWS to accept the new key.
func TestPeopleActWhileAKeyIsIssued(t *testing.T) {
	fresh := func(l *life) rotation.KeyID { return l.get().Journal.NewKey }
	each(t, map[string]struct {
		then  func(*life)
		stuck string // "": it ends by itself
		right func(*life)
	}{
		"the new key is deleted": {func(l *life) { l.removeByHand(fresh(l)) }, "", nil},
		"the new key is deactivated": {
			func(l *life) { l.byHand(fresh(l), rotation.Inactive) }, "was deactivated before it was ready",
			func(l *life) { l.byHand(fresh(l), rotation.Active) },
		},
		"the old key is deactivated": {func(l *life) { l.byHand(oldKey, rotation.Inactive) }, "", nil},
		"the secret is scheduled for deletion": {
			func(l *life) { l.vault().PendingDeletion = true }, "scheduled for deletion",
			func(l *life) { l.vault().PendingDeletion = false },
		},
		"the secret is gone": {
			func(l *life) { delete(l.aws.secrets, l.vault().Name) }, "Delete that key by hand",
			func(l *life) { l.removeByHand(fresh(l)) },
		},
		"the secret is replaced by another": {
			func(l *life) {
				v := l.vault()
				v.ARN += "2"
				v.values, v.Labels = map[string]string{}, map[string][]string{}
			}, "Delete that key by hand",
			func(l *life) { l.removeByHand(fresh(l)) },
		},
		"the version is overwritten": {
			func(l *life) { l.vault().values[l.get().Journal.Token] = "{}" }, "does not hold the new key",
			func(l *life) { l.removeByHand(fresh(l)) },
		},
		"AWSCURRENT is moved": {
			func(l *life) { l.vault().values["theirs"] = "{}"; l.vault().move(labelCurrent, "theirs") }, "AWSCURRENT",
			func(l *life) { l.vault().move(labelCurrent, l.get().Journal.Token) },
		},
		"the old key is deleted": {func(l *life) { l.removeByHand(oldKey) }, "", nil},
		"the old key is deleted and another one made": {
			func(l *life) { l.removeByHand(oldKey); l.makeByHand() }, string(foreignKey),
			func(l *life) { l.removeByHand(foreignKey) },
		},
	}, func(t *testing.T, c struct {
		then  func(*life)
		stuck string
		right func(*life)
	}) {
		l := to(t, rotation.Issuing)
		c.then(l)
		if c.stuck != "" {
			l.untilStuck(c.stuck)
			c.right(l)
			l.do(rotation.Retry{Actor: owner})
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestANewKeyDeletedByHandIsReplacedByAnother.
func TestANewKeyDeletedByHandIsReplacedByAnother(t *testing.T) {
	l := to(t, rotation.Issuing)
	gone := l.get().Journal.NewKey
	l.removeByHand(gone)
	l.pass(l.get().NextAt.Sub(l.Now()))
	l.wake()
	l.mustHappen("key_lost", "deleted by somebody")
	if r := l.until("installing", state(rotation.Installing)); r.New.ID == gone {
		t.Fatal("the same key again")
	}
}

// TestVerification: keys are refused for some seconds, or for good, or are somebody else's.
func TestVerification(t *testing.T) {
	t.Run("refused for some seconds", func(t *testing.T) {
		l := to(t, rotation.Approved)
		l.aws.lagVerify = verifyTries - 1
		l.wake()
		if r := l.get(); r.State != rotation.Installing || l.count("GetCallerIdentity") != verifyTries {
			t.Fatalf("%s after %d tries", r.State, l.count("GetCallerIdentity"))
		}
	})
	t.Run("refused for good", func(t *testing.T) {
		l := to(t, rotation.Approved)
		l.aws.lagVerify = 1 << 30
		l.untilStuck("does not accept the key")
		if v := l.vault(); len(l.keys()) != 2 || l.status(oldKey) != rotation.Active || l.count("UpdateSecretVersionStage") != 0 || l.get().Journal.VerifiedAt != (time.Time{}) {
			t.Fatalf("keys %+v, labels %v", l.keys(), v.Labels)
		}
		l.aws.lagVerify = 0
		l.retry()
	})
	t.Run("answers as another user", func(t *testing.T) {
		l := to(t, rotation.Approved)
		u := l.aws.users[userName]
		l.once("GetCallerIdentity", false, func() error { u.ID = "AIDAOTHER"; return nil })
		l.once("GetCallerIdentity", true, func() error { u.ID = userID; return nil })
		l.untilStuck("which is not the user billing")
		if l.count("UpdateSecretVersionStage") != 0 {
			t.Fatal("promoted")
		}
		l.retry()
	})
}

// TestPromoteIsRefusedWhereSomebodyMovedAWSCURRENT since the journal was written.
func TestPromoteIsRefusedWhereSomebodyMovedAWSCURRENT(t *testing.T) {
	l := to(t, rotation.Approved)
	var was string
	l.once("GetCallerIdentity", true, func() error {
		v := l.vault()
		was = v.current()
		v.values["theirs"] = "{}"
		v.move(labelCurrent, "theirs")
		return nil
	})
	l.untilStuck("somebody made version theirs")
	if l.vault().current() != "theirs" || l.status(oldKey) != rotation.Active {
		t.Fatal("the label was taken away from somebody")
	}
	l.vault().move(labelCurrent, was)
	l.retry()
}

// TestASecretThatIsTakenAwayIsSeenAtOnce, at whatever call: a person is asked, not the call repeated.
func TestASecretThatIsTakenAwayIsSeenAtOnce(t *testing.T) {
	for _, call := range []string{"TagResource", "UpdateSecretVersionStage"} {
		for what, take := range map[string]func(*life){
			"is gone":                func(l *life) { delete(l.aws.secrets, l.vault().Name) },
			"scheduled for deletion": func(l *life) { l.vault().PendingDeletion = true },
		} {
			l := to(t, rotation.Approved)
			l.once(call, false, func() error { take(l); return nil })
			l.wake()
			if s := l.get().Stuck; s == nil || !strings.Contains(s.Seen, what) {
				t.Errorf("%s before %s: %+v", what, call, s)
			}
		}
	}
}

// TestASecretThatIsNotAsItShouldBeIsRefusedBeforeAKeyExists.
func TestASecretThatIsNotAsItShouldBeIsRefusedBeforeAKeyExists(t *testing.T) {
	mine := map[string]string{TagManaged: "true", TagUserID: string(userID)}
	each(t, map[string]struct {
		state SecretState
		seen  string
	}{
		"without our tag":                 {SecretState{Tags: map[string]string{}}, "keyturn did not make it"},
		"of another user":                 {SecretState{Tags: map[string]string{TagManaged: "true", TagUserID: "AIDAOTHER"}}, "keyturn did not make it"},
		"with AWS rotation":               {SecretState{Tags: mine, RotationEnabled: true}, "AWS's own rotation"},
		"scheduled for deletion":          {SecretState{Tags: mine, PendingDeletion: true}, "scheduled for deletion"},
		"not ours, and about to be gone":  {SecretState{PendingDeletion: true}, "scheduled for deletion"},
		"somebody else's, AWS rotates it": {SecretState{RotationEnabled: true}, "keyturn did not make it"},
	}, func(t *testing.T, c struct {
		state SecretState
		seen  string
	}) {
		l := to(t, rotation.Approved)
		name, _ := l.rot.o.SecretName(acct, userName)
		c.state.Exists, c.state.Name, c.state.ARN, c.state.Labels, c.state.ReplicasInSync = true, name, "arn:x:"+name, map[string][]string{}, true
		l.aws.secrets[name] = &vault{SecretState: c.state, values: map[string]string{}}
		l.untilStuck(c.seen)
		if l.changes() != 0 {
			t.Fatalf("AWS was changed: %v", l.aws.calls)
		}
		delete(l.aws.secrets, name)
		l.retry()
	})
}

// TestASecondKeyThatAppearsAfterTheApproval voids it: what was approved is not what is there.
func TestASecondKeyThatAppearsAfterTheApproval(t *testing.T) {
	l := to(t, rotation.Approved)
	l.makeByHand()
	l.wake()
	r := l.get()
	if r.State != rotation.Awaiting || len(r.Approvals) != 0 || r.Untold() || l.count("CreateSecret") != 0 {
		t.Fatalf("%s, %d approvals, untold %t: %v", r.State, len(r.Approvals), r.Untold(), l.aws.calls)
	}
	l.mustHappen("cancel", string(foreignKey)+" appeared after the approval")
}

// TestASecondKeyThatAppearsAfterTheEviction goes to a person: a slot was freed for nothing.
func TestASecondKeyThatAppearsAfterTheEviction(t *testing.T) {
	l := to(t, rotation.Evicting)
	l.once("DeleteAccessKey", true, func() error {
		l.aws.foreign[foreignKey] = true
		u := l.aws.users[userName]
		u.Keys = append(u.Keys, rotation.Key{ID: foreignKey, Status: rotation.Active, Created: l.Now(), LastUse: rotation.LastUse{Kind: rotation.UseNever}})
		return nil
	})
	l.untilStuck("no room for a new one: " + string(foreignKey))
	l.removeByHand(foreignKey)
	l.retry()
}
