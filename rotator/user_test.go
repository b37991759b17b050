package rotator

import (
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// rename is an administrator giving the user another name.
func (l *life) rename(to rotation.UserName) {
	u := l.aws.users[userName]
	delete(l.aws.users, userName)
	u.Name, u.ARN = to, "arn:aws:iam::111122223333:user/"+string(to)
	l.aws.users[to] = u
}

// again is somebody making another user under the name.
func (l *life) again() {
	l.aws.users[userName] = &rotation.User{Account: acct, ID: "AIDAANOTHER", Name: userName, ARN: "arn:aws:iam::111122223333:user/billing",
		Keys: []rotation.Key{{ID: foreignKey, Status: rotation.Active, Created: l.Now()}}}
	l.aws.foreign[foreignKey] = true
}

var underWay = map[string]rotation.State{
	"approved": rotation.Approved, "evicting": rotation.Evicting, "issuing": rotation.Issuing, "installing": rotation.Installing, "recovering": rotation.Recovering,
}

// TestARenameIsNotGone: the user is found by its key, and the rotation goes on under the new name.
func TestARenameIsNotGone(t *testing.T) {
	for what, reused := range map[string]bool{"renamed": false, "renamed, and the name given to another": true} {
		for name, from := range underWay {
			t.Run(what+" while "+name, func(t *testing.T) {
				t.Parallel()
				l := to(t, from)
				l.rename("billing-2")
				if reused {
					l.again()
				}
				r := l.until("closed", state(rotation.Closed))
				u := l.aws.users["billing-2"]
				if r.Outcome != rotation.OutcomeRotated || r.UserName != "billing-2" || len(u.Keys) != 1 || u.Keys[0].ID != r.New.ID {
					t.Fatalf("%s as %s, keys %+v", r.Outcome, r.UserName, u.Keys)
				}
			})
		}
	}
}

// TestARenamedUserIsFoundByTheNewKeyToo, where the old one was deleted.
func TestARenamedUserIsFoundByTheNewKeyToo(t *testing.T) {
	for _, from := range []rotation.State{rotation.Issuing, rotation.Installing} {
		l := to(t, from)
		l.removeByHand(oldKey)
		l.rename("billing-2")
		r := l.until("closed", state(rotation.Closed))
		if r.Outcome != rotation.OutcomeRotated || r.UserName != "billing-2" || l.status(r.New.ID) != rotation.Active {
			t.Fatalf("%s: %s as %s", from, r.Outcome, r.UserName)
		}
	}
}

// TestAUserWhoIsGoneClosesTheRotation after two looks, at every stage; nothing is done to another user of that name.
func TestAUserWhoIsGoneClosesTheRotation(t *testing.T) {
	for what, reused := range map[string]bool{"deleted": false, "deleted and made again": true} {
		for name, from := range underWay {
			t.Run(what+" while "+name, func(t *testing.T) {
				t.Parallel()
				l := to(t, from)
				delete(l.aws.users, userName)
				if reused {
					l.again()
				}
				before := l.changes()
				l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
				l.wake()
				missed := l.Now()
				if r := l.get(); r.State != from || !r.AbsentSince.Equal(missed) {
					t.Fatalf("%s, absent since %s", r.State, r.AbsentSince)
				}
				l.pass(rotation.GoneWait - time.Second)
				l.wake()
				if r := l.get(); r.State != from {
					t.Fatalf("%s after one look", r.State)
				}
				l.pass(time.Second)
				l.wake()
				want := rotation.OutcomeGone
				if from == rotation.Installing || from == rotation.Recovering {
					want = rotation.OutcomeRotated
				}
				if r := l.get(); r.State != rotation.Closed || r.Outcome != want || r.Untold() || l.changes() != before {
					t.Fatalf("%s %s, changed %t", r.State, r.Outcome, l.changes() != before)
				}
			})
		}
	}
}

// TestAUserWhoIsThereAgainGoesOn: one failed look is not enough.
func TestAUserWhoIsThereAgainGoesOn(t *testing.T) {
	each(t, underWay, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		u := l.aws.users[userName]
		delete(l.aws.users, userName)
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
		l.wake()
		l.aws.users[userName] = u
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestAnOldKeyThatIsGoneClosesTheRotation: a new key is kept, and none is made for a key that nobody has.
func TestAnOldKeyThatIsGoneClosesTheRotation(t *testing.T) {
	each(t, underWay, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		l.removeByHand(oldKey)
		r := l.until("closed", state(rotation.Closed))
		made := l.count("CreateAccessKey")
		switch from {
		case rotation.Approved, rotation.Evicting:
			if r.Outcome != rotation.OutcomeGone || made != 0 {
				t.Fatalf("%s, %d made", r.Outcome, made)
			}
		default:
			if r.Outcome != rotation.OutcomeRotated || made != 1 || l.status(r.New.ID) != rotation.Active {
				t.Fatalf("%s, %d made", r.Outcome, made)
			}
		}
	})
}

// TestAnOldKeyThatIsGoneBeforeTheCreateIsNotReplaced: issuing has begun, and has made nothing.
func TestAnOldKeyThatIsGoneBeforeTheCreateIsNotReplaced(t *testing.T) {
	l := to(t, rotation.Approved)
	l.once("CreateAccessKey", false, answer(errDenied))
	l.wake()
	l.removeByHand(oldKey)
	if r := l.until("closed", state(rotation.Closed)); r.Outcome != rotation.OutcomeGone || l.count("CreateAccessKey") != 1 {
		t.Fatalf("%s, %d creates", r.Outcome, l.count("CreateAccessKey"))
	}
}

// TestAKeyThatIsSwitchedByHand at every stage.
func TestAKeyThatIsSwitchedByHand(t *testing.T) {
	t.Run("off, before a new one is issued", func(t *testing.T) {
		l := to(t, rotation.Approved)
		l.byHand(oldKey, rotation.Inactive)
		l.wake()
		since := l.Now()
		r := l.get()
		if r.State != rotation.Recovering || !r.Old.ByHand || !r.DeleteAt.Equal(since.Add(r.Policy.RecoveryGrace)) {
			t.Fatalf("%s %+v", r.State, r.Old)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("off and on again before a new one is issued", func(t *testing.T) {
		l := to(t, rotation.Approved)
		l.byHand(oldKey, rotation.Inactive)
		l.do(rotation.ObservedDeactivated{Key: oldKey})
		l.byHand(oldKey, rotation.Active)
		l.wake()
		if r := l.get(); r.State != rotation.Installing || !r.Old.InactiveSince.IsZero() {
			t.Fatalf("%s %+v", r.State, r.Old)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("on, while it could be restored", func(t *testing.T) {
		l := to(t, rotation.Recovering)
		l.byHand(oldKey, rotation.Active)
		l.pass(l.get().DeleteAt.Sub(l.Now()))
		l.wake()
		if r := l.get(); r.State != rotation.Installing || r.Held == nil || r.Untold() || l.count("DeleteAccessKey") != 0 {
			t.Fatalf("%s, held %+v", r.State, r.Held)
		}
		l.mustHappen("observed_reactivated", "by hand")
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("off, the one that has to make room", func(t *testing.T) {
		l := begun(t, situations["an idle active key in the way"])
		l.byHand("AKIAIDLEIDLEIDLEIDLE", rotation.Inactive)
		l.wake()
		if r := l.get(); !r.Evict.ByHand || !r.EvictAt.Equal(l.Now().Add(r.Policy.RecoveryGrace)) {
			t.Fatalf("%+v", r.Evict)
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
	t.Run("on, the one that has to make room", func(t *testing.T) {
		l := to(t, rotation.Evicting)
		l.byHand("AKIAIDLEIDLEIDLEIDLE", rotation.Active)
		l.pass(l.get().EvictAt.Sub(l.Now()))
		l.wake()
		if r := l.get(); r.Held == nil || l.count("DeleteAccessKey") != 0 {
			t.Fatalf("%+v", r.Evict)
		}
	})
	t.Run("deleted, the one that has to make room, while it was active", func(t *testing.T) {
		l := begun(t, situations["an idle active key in the way"])
		l.removeByHand("AKIAIDLEIDLEIDLEIDLE")
		l.wake()
		if r := l.get(); r.State != rotation.Installing {
			t.Fatalf("%s", r.State)
		}
		l.mustHappen("evicted", "somebody else removed")
	})
	t.Run("deleted, the one that has to make room", func(t *testing.T) {
		l := to(t, rotation.Evicting)
		l.removeByHand("AKIAIDLEIDLEIDLEIDLE")
		l.until("closed", state(rotation.Closed))
		l.healthy()
		l.mustHappen("evicted", "somebody else removed")
	})
}

// TestAnAccountThatCannotBeReachedStandsStill: nothing is closed, dates move by the time that was lost, and it is looked
// at every six hours and no more often.
func TestAnAccountThatCannotBeReachedStandsStill(t *testing.T) {
	each(t, map[string]rotation.State{"evicting": rotation.Evicting, "installing": rotation.Installing, "recovering": rotation.Recovering}, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		date := func(r rotation.Rotation) time.Time {
			return map[rotation.State]time.Time{rotation.Evicting: r.EvictAt, rotation.Installing: r.DeactivateAt, rotation.Recovering: r.DeleteAt}[from]
		}
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0) - 3*rotation.Day)
		was := date(l.get())
		l.aws.unreachable = true
		l.do(rotation.Freeze{Why: "no role"}) // the scan looks every day
		l.wake()
		since := l.Now()
		r := l.get()
		if r.Frozen == nil || r.State != from || r.Untold() || r.Acting != nil || r.Trouble != nil || !r.NextAt.Equal(since.Add(rotation.LookEvery)) {
			t.Fatalf("frozen %+v, next %s", r.Frozen, r.NextAt)
		}
		tells, lines := l.tells, len(r.History)
		for range 20 {
			l.pass(rotation.LookEvery)
			l.wake()
			if r = l.get(); r.Frozen == nil || !r.NextAt.Equal(l.Now().Add(rotation.LookEvery)) || len(r.History) != lines {
				t.Fatalf("frozen %+v, next %s, now %s", r.Frozen, r.NextAt, l.Now())
			}
		}
		if l.tells != tells {
			t.Error("people are told of every look")
		}
		l.aws.unreachable = false
		l.pass(rotation.LookEvery)
		l.wake()
		if r = l.get(); r.Frozen != nil || r.State != from || !date(r).Equal(was.Add(l.Now().Sub(since))) {
			t.Fatalf("%s, date %s, want %s later", r.State, date(r), l.Now().Sub(since))
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestAStepThatCannotReachTheAccountFreezesTheRotation, and counts no attempt.
func TestAStepThatCannotReachTheAccountFreezesTheRotation(t *testing.T) {
	each(t, underWay, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		tried := l.get().Trouble
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
		l.aws.unreachable = true
		before := l.changes()
		l.wake()
		r := l.get()
		if r.Frozen == nil || r.State != from || r.Untold() || r.Acting != nil || (r.Trouble == nil) != (tried == nil) || l.changes() != before {
			t.Fatalf("frozen %+v, acting %v, trouble %+v", r.Frozen, r.Acting, r.Trouble)
		}
		for range 5 {
			l.pass(rotation.LookEvery)
			l.wake()
		}
		l.aws.unreachable = false
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}
