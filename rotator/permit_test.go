package rotator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// stops are the ways in which today's configuration stops what was approved yesterday, and their end.
var stops = map[string]struct {
	begin, end func(*life)
	why        string
	approvers  bool // a question of who approved: it is none once there is a new key
}{
	"no rule any more":    {func(l *life) { l.rules.none = true }, func(l *life) { l.rules.none = false }, "no rule of the policy", false},
	"mode audit":          {func(l *life) { l.rules.policy.Mode = rotation.ModeAudit }, func(l *life) { l.rules.policy.Mode = rotation.ModeApprove }, "mode audit", false},
	"an exemption":        {exempt, func(l *life) { clear(l.store.exempt) }, "the user is exempt until", false},
	"the exemption group": {func(l *life) { l.aws.group[userName] = true }, func(l *life) { clear(l.aws.group) }, "in the exemption group exempt", false},
	"other approvers":     {func(l *life) { l.rules.rule.AnyOf[0] = approval.Circle{Kind: approval.SlackUser, ID: "U0BOSS"} }, func(l *life) { l.rules.rule.AnyOf[0] = approval.Circle{Kind: approval.Owner} }, "0 of 1 approvals count now", true},
	"more approvers":      {func(l *life) { l.rules.rule.Required = 2 }, func(l *life) { l.rules.rule.Required = 1 }, "1 of 2 approvals count now", true},
	"nobody may decide": {func(l *life) { l.rules.rule = approval.Rule{} }, func(l *life) {
		l.rules.rule = approval.Rule{AnyOf: []approval.Circle{{Kind: approval.Owner}}, Required: 1}
	}, "no approval rule covers", true},
}

func exempt(l *life) {
	l.store.exempt[rotation.MakeID(acct, userID)] = rotation.Exemption{Account: acct, UserID: userID, By: owner, Why: "migration", From: l.Now(), Until: l.Now().Add(60 * rotation.Day)}
}

// TestWhatTodaysConfigurationForbidsIsNotDone: an approval is taken back, what has begun is held, and AWS is not changed.
func TestWhatTodaysConfigurationForbidsIsNotDone(t *testing.T) {
	for name, stop := range stops {
		for _, from := range []rotation.State{rotation.Approved, rotation.Evicting, rotation.Installing, rotation.Recovering} {
			t.Run(name+" in "+string(from), func(t *testing.T) {
				t.Parallel()
				l := to(t, from)
				l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
				stop.begin(l)
				before := l.changes()
				if stop.approvers && (from == rotation.Installing || from == rotation.Recovering) {
					l.until("closed", state(rotation.Closed))
					l.healthy()
					return
				}
				l.wake()
				r := l.get()
				if l.changes() != before || r.Acting != nil || r.Untold() || r.Trouble != nil {
					t.Fatalf("changed %t, acting %v, untold %t, %+v", l.changes() != before, r.Acting, r.Untold(), r.Trouble)
				}
				if from == rotation.Approved {
					if r.State != rotation.Awaiting || len(r.Approvals) != 0 {
						t.Fatalf("%s with %d approvals", r.State, len(r.Approvals))
					}
					l.mustHappen("cancel", stop.why)
				} else if r.State != from || r.Held == nil || !strings.Contains(r.Held.Why, stop.why) || !r.Held.Until.Equal(l.Now().Add(holdFor)) {
					t.Fatalf("%s, held %+v", r.State, r.Held)
				} else { // it is asked again when the hold is over, and goes on when nothing forbids it any more
					l.pass(holdFor)
					l.wake()
					if l.changes() != before || l.get().Held == nil {
						t.Fatalf("changed %t, held %+v", l.changes() != before, l.get().Held)
					}
				}
				stop.end(l)
				if from == rotation.Approved {
					l.approve()
				}
				l.until("closed", state(rotation.Closed))
				l.healthy()
			})
		}
	}
}

// TestAnAttemptThatMayHaveMadeAKeyFinishesWhateverTheConfigurationSays: half a new key is worse than a whole one.
func TestAnAttemptThatMayHaveMadeAKeyFinishesWhateverTheConfigurationSays(t *testing.T) {
	each(t, stops, func(t *testing.T, stop struct {
		begin, end func(*life)
		why        string
		approvers  bool
	}) {
		l := to(t, rotation.Issuing)
		stop.begin(l)
		l.pass(l.get().NextAt.Sub(l.Now()))
		l.wake()
		if r := l.get(); r.State != rotation.Installing {
			t.Fatalf("%s %+v", r.State, r.Held)
		}
	})
}

// TestARestoreIsNeverStopped by the configuration.
func TestARestoreIsNeverStopped(t *testing.T) {
	each(t, stops, func(t *testing.T, stop struct {
		begin, end func(*life)
		why        string
		approvers  bool
	}) {
		l := to(t, rotation.Recovering)
		stop.begin(l)
		l.do(rotation.Restore{Actor: owner})
		l.wake()
		if l.status(oldKey) != rotation.Active {
			t.Fatal("not restored")
		}
	})
}

// TestAReadThatFailsForbids: exemptions never fail open.
func TestAReadThatFailsForbids(t *testing.T) {
	l := to(t, rotation.Approved)
	l.always("ListGroupsForUser", answer(errors.New("AccessDenied")))
	l.untilStuck("exemption group")
	if l.changes() != 0 {
		t.Fatalf("%v", l.aws.calls)
	}
	l.unhook()
	l.retry()
}

// TestTheExemptionGroupIsAskedByTheNameThatTheUserHasNow: a rename opens no way around it.
func TestTheExemptionGroupIsAskedByTheNameThatTheUserHasNow(t *testing.T) {
	each(t, map[string]rotation.State{"approved": rotation.Approved, "installing": rotation.Installing, "recovering": rotation.Recovering}, func(t *testing.T, from rotation.State) {
		l := to(t, from)
		l.rename("billing-2")
		l.aws.group["billing-2"] = true
		before := l.changes()
		l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
		l.wake()
		if r := l.get(); l.changes() != before || r.UserName != "billing-2" || r.Held == nil && r.State != rotation.Awaiting {
			t.Fatalf("changed %t, %s is %s", l.changes() != before, r.UserName, r.State)
		}
	})
}

// TestAnExemptionThatIsOverForbidsNothing, and one that has not begun neither.
func TestAnExemptionThatIsOverForbidsNothing(t *testing.T) {
	l := to(t, rotation.Approved)
	exempt(l)
	e := l.store.exempt[rotation.MakeID(acct, userID)]
	e.From, e.Until = l.Now().Add(-time.Hour), l.Now()
	l.store.exempt[rotation.MakeID(acct, userID)] = e
	l.until("installing", state(rotation.Installing))
}

// TestModeAutoIsTodaysMode: a notice that passed under yesterday's mode decides nothing once people have to approve.
func TestModeAutoIsTodaysMode(t *testing.T) {
	auto := func(t *testing.T) *life {
		l := newLife(t)
		l.rules.policy.Mode = rotation.ModeAuto
		l.open()
		l.wake() // people are told
		l.pass(8 * rotation.Day)
		l.do(rotation.NoticePassed{})
		return l
	}
	l := auto(t)
	l.until("installing", state(rotation.Installing))
	l = auto(t)
	l.rules.policy.Mode = rotation.ModeApprove
	l.wake()
	if r := l.get(); r.State != rotation.Awaiting || l.changes() != 0 {
		t.Fatalf("%s", r.State)
	}
}

// TestApprovalsForAnotherChoiceDoNotCount: two people wanted this key removed, the third wanted the other one.
func TestApprovalsForAnotherChoiceDoNotCount(t *testing.T) {
	const second = rotation.KeyID("AKIASECONDSECONDSECO")
	person := func(id string) rotation.Actor { return rotation.Actor{ID: id, Via: rotation.ViaSlack} }
	circle := func(ids ...string) (out []approval.Circle) {
		for _, id := range ids {
			out = append(out, approval.Circle{Kind: approval.SlackUser, ID: id})
		}
		return out
	}
	l := newLife(t)
	l.aws.users[userName].Keys = []rotation.Key{l.key(oldKey, 120, 0), l.key(second, 100, 0)}
	l.rules.rule = approval.Rule{AnyOf: circle("UA", "UB", "UC"), Required: 2}
	l.open()
	for _, a := range []struct {
		who  string
		pick rotation.KeyID
	}{{"UA", second}, {"UB", oldKey}, {"UC", second}} {
		r := l.get()
		l.do(rotation.Approve{Actor: person(a.who), Digest: r.Digest(), Required: 2, Pick: a.pick})
	}
	if r := l.get(); r.State != rotation.Approved || r.Evict.ID != second {
		t.Fatalf("%s %+v", r.State, r.Evict)
	}
	l.rules.rule.AnyOf = circle("UB", "UC")
	l.wake()
	if r := l.get(); l.changes() != 0 || r.Held == nil {
		t.Fatalf("carried out with one approval that counts: %s %+v", r.State, r.Held)
	}
}
