package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

type rules struct{}

func (rules) For(t approval.Target) (rotation.Policy, approval.Rule, bool) {
	return rotation.DefaultPolicy(), approval.Rule{}, t.UserPath != "/uncovered/"
}

func key(id string, age int, status rotation.KeyStatus, use rotation.UseKind) rotation.Key {
	return rotation.Key{ID: rotation.KeyID(id), Status: status, Created: now.Add(-time.Duration(age) * rotation.Day), LastUse: rotation.LastUse{Kind: use, At: now}}
}

func days(n int) time.Time { return now.Add(time.Duration(n) * rotation.Day) }

func TestReport(t *testing.T) {
	b := NewBuilder(rules{}, days(-30), now)
	b.Snapshot(rotation.Snapshot{Account: "111122223333", Name: "prod", OUPath: "r-1/ou-1", Taken: days(-1), RootKeys: 1, Users: []rotation.User{
		{Keys: []rotation.Key{key("A", 95, rotation.Active, rotation.UseSeen), key("B", 10, rotation.Active, rotation.UseNever)}},
		{Keys: []rotation.Key{key("C", 300, rotation.Inactive, rotation.UseSeen), key("D", 120, rotation.Active, rotation.UseSeen)}},
		{Path: "/uncovered/", Keys: []rotation.Key{key("E", 500, rotation.Active, rotation.UseSeen)}},
	}})
	b.Snapshot(rotation.Snapshot{Account: "444455556666", OUPath: "r-1/ou-1", Taken: days(-3), Error: "no role", Users: []rotation.User{{Keys: []rotation.Key{key("F", 91, rotation.Active, rotation.UseSeen)}}}})
	b.Snapshot(rotation.Snapshot{Account: "777788889999", OUPath: "r-1/ou-2", Taken: now})
	open := func(change func(*rotation.Rotation)) {
		r := rotation.Rotation{State: rotation.Awaiting, Since: days(-5), Account: "111122223333", UserName: "github-deploy"}
		change(&r)
		b.Rotation(r)
	}
	open(func(*rotation.Rotation) {})
	open(func(r *rotation.Rotation) { r.Since, r.Escalation = days(-12), &rotation.Escalation{} })
	open(func(r *rotation.Rotation) { r.SnoozedUntil, r.UserName = days(1), "lambda-x" })
	open(func(r *rotation.Rotation) {
		r.State, r.Held, r.Stuck, r.UserName = rotation.Installing, &rotation.Hold{}, &rotation.Stuck{}, "x"
	})
	open(func(r *rotation.Rotation) {
		r.State, r.Leaked, r.UserName = rotation.Approved, &rotation.Intent{}, "x"
		r.History = []rotation.Entry{{Event: "leaked", At: days(-1)}, {Event: "leaked", At: days(-31)}}
		r.Approvals = []rotation.Approval{{BreakGlass: true, At: days(-2)}, {At: days(-2)}, {BreakGlass: true, At: days(-40)}}
		r.Passed = &rotation.Passed{At: days(-3)}
	})
	closed := func(o rotation.Outcome, at int, evicted bool) {
		r := rotation.Rotation{State: rotation.Closed, Outcome: o, ClosedAt: days(at)}
		if evicted {
			r.Evict = &rotation.KeyRef{Deleted: days(at)}
		}
		b.Rotation(r)
	}
	closed(rotation.OutcomeRotated, -1, false)
	closed(rotation.OutcomeRotated, -2, true)
	closed(rotation.OutcomeRotated, -31, false)
	closed(rotation.OutcomeRetired, -3, false)
	closed(rotation.OutcomeExpired, -4, false)
	for _, until := range []int{-1, 5, 90} {
		b.Exemption(rotation.Exemption{From: days(-100), Until: days(until)})
	}
	points := []Point{{Day: "2026-11-24", Active: 5, OverAge: 4}}
	want := Report{
		Now: now, Since: days(-30), Seen: days(-3),
		Keys:     Keys{Active: 5, Inactive: 1, OverAge: 3, NeverUsed: 1, Oldest: 500 * rotation.Day},
		Accounts: []Place{{"111122223333", "prod", 4, 2}, {"444455556666", "", 1, 1}},
		OUs:      []Place{{"r-1/ou-1", "", 5, 3}}, Failed: 1, RootKeys: 1,
		Open: Open{All: 5, States: map[rotation.State]int{rotation.Awaiting: 3, rotation.Installing: 1, rotation.Approved: 1}, Stuck: 1, Held: 1, Snoozed: 1, Escalated: 1, Leaked: 1, Waiting: 3, Longest: 12 * rotation.Day},
		Closed: Closed{Outcomes: map[rotation.Outcome]int{rotation.OutcomeRotated: 2, rotation.OutcomeRetired: 1, rotation.OutcomeExpired: 1},
			Rotated: 2, Removed: 2, Leaks: 1, BreakGlass: 1, Automatic: 1},
		Exempt:  Exempt{InForce: 2, Ending: 1},
		WaysOut: []WayOut{{rotation.InsteadOIDC, 2, []string{"github-deploy@111122223333", "github-deploy@111122223333"}}, {rotation.InsteadLambda, 1, []string{"lambda-x@111122223333"}}},
		Points:  points,
	}
	if diff := cmp.Diff(want, b.Report(points)); diff != "" {
		t.Fatal(diff)
	}
}

// Whatever is counted, the parts make up the whole.
func TestSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBuilder(rules{}, days(-30), now)
		active, over := 0, 0
		for i := range rapid.IntRange(0, 20).Draw(t, "accounts") {
			s := rotation.Snapshot{Account: rotation.AccountID(fmt.Sprintf("%012d", i)), OUPath: rapid.SampledFrom([]string{"r-1", "r-1/ou-1", "r-1/ou-2"}).Draw(t, "ou")}
			for range rapid.IntRange(0, 5).Draw(t, "users") {
				age := rapid.IntRange(0, 200).Draw(t, "age")
				s.Users = append(s.Users, rotation.User{Keys: []rotation.Key{key("A", age, rotation.Active, rotation.UseSeen)}})
				if active++; age >= 90 {
					over++
				}
			}
			b.Snapshot(s)
		}
		rep := b.Report(nil)
		for _, places := range [][]Place{rep.Accounts, rep.OUs} {
			top, _, rest := Top(places, rapid.IntRange(0, 5).Draw(t, "top"))
			sum := rest
			for _, p := range top {
				sum += p.OverAge
			}
			if sum != over || rep.Keys.OverAge != over || rep.Keys.Active != active {
				t.Fatalf("%d past their age of %d: %+v", over, active, rep)
			}
		}
	})
}
