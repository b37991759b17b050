package scheduler

import (
	"testing"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// A rotation that is open meets a world that has changed since. Every case starts with one user, "due", whose rotation of
// a 95 days old key waits for a decision.
func TestFollow(t *testing.T) {
	tests := []struct {
		name    string
		change  func(t *testing.T, w *world, a *account, u *user)
		check   func(t *testing.T, r rotation.Rotation, u *user)
		again   bool // people hear of it
		refresh int
		closed  int
	}{
		{
			name:   "nothing",
			change: func(*testing.T, *world, *account, *user) {},
			check:  state(rotation.Awaiting, ""),
		},
		{
			name:   "deactivated by hand",
			change: func(_ *testing.T, _ *world, _ *account, u *user) { u.keys[0].off = true },
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if !r.Old.ByHand || !r.Old.InactiveSince.Equal(start.Add(day)) || r.Kind != rotation.Retire || r.Reason != rotation.LeftoverInactiveKey {
					t.Errorf("%+v", r)
				}
			},
			again: true, refresh: 1,
		},
		{
			name:   "replaced by hand",
			change: func(_ *testing.T, w *world, _ *account, u *user) { u.keys[0].created = w.now },
			check:  state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name: "another key by hand",
			change: func(_ *testing.T, w *world, _ *account, u *user) {
				u.keys = append(u.keys, &key{id: "AKIANEW", created: w.now, use: used(w.now)})
			},
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if len(r.Choices) != 2 || r.Reason != rotation.SlotConflictLRU {
					t.Errorf("%+v", r)
				}
			},
			again: true, refresh: 1,
		},
		{
			name: "an older key comes first",
			change: func(_ *testing.T, w *world, _ *account, u *user) {
				u.keys = append(u.keys, &key{id: "AKIAOLDER", created: start.Add(-300 * day), use: never})
			},
			check: state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name:   "the key is gone",
			change: func(_ *testing.T, _ *world, _ *account, u *user) { u.keys = nil },
			check:  absent,
		},
		{
			name:   "the user is gone",
			change: func(_ *testing.T, _ *world, a *account, _ *user) { a.users = nil },
			check:  absent,
		},
		{
			name: "the user was made again",
			change: func(_ *testing.T, w *world, a *account, u *user) {
				a.users = nil
				n := a.user("due", 96)
				n.id, n.created, n.keys[0].id = "AIDANEWUSER", w.now, "AKIAOTHER"
			},
			check: absent,
		},
		{
			name:   "renamed",
			change: func(_ *testing.T, _ *world, _ *account, u *user) { u.name = "renamed" },
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.State != rotation.Awaiting || r.UserName != "renamed" || !r.AbsentSince.IsZero() {
					t.Errorf("%s %q %s", r.State, r.UserName, r.AbsentSince)
				}
			},
			again: true,
		},
		{
			name: "renamed, and the report does not know yet",
			change: func(_ *testing.T, _ *world, a *account, u *user) {
				u.name = "renamed"
				a.hidden["renamed"] = true
			},
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.State != rotation.Awaiting || r.UserName != "renamed" || !r.AbsentSince.IsZero() {
					t.Errorf("%s %q %s", r.State, r.UserName, r.AbsentSince)
				}
			},
			again: true,
		},
		{
			name:   "younger than the report",
			change: func(_ *testing.T, _ *world, a *account, u *user) { a.hidden[u.name] = true },
			check:  state(rotation.Awaiting, ""),
		},
		{
			name:   "exempt by the group",
			change: func(_ *testing.T, _ *world, a *account, u *user) { a.group = []string{u.name} },
			check:  state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name: "exempt by a record",
			change: func(_ *testing.T, w *world, _ *account, u *user) {
				w.store.exemptions = append(w.store.exemptions, rotation.Exemption{Account: acct, UserID: rotation.UserID(u.id), From: start, Until: start.Add(30 * day)})
			},
			check: state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name:   "mode audit",
			change: func(_ *testing.T, w *world, _ *account, _ *user) { w.rules[0].policy.Mode = rotation.ModeAudit },
			check:  state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name:   "no rule any more",
			change: func(_ *testing.T, w *world, _ *account, _ *user) { w.rules = nil },
			check:  state(rotation.Awaiting, ""),
		},
		{
			name:   "the age was raised",
			change: func(_ *testing.T, w *world, _ *account, _ *user) { w.rules[0].policy.RotateAfter = 180 * day },
			check:  state(rotation.Closed, rotation.OutcomeSuperseded), again: true, closed: 1,
		},
		{
			name:   "the grace was changed",
			change: func(_ *testing.T, w *world, _ *account, _ *user) { w.rules[0].policy.InstallGrace = 5 * day },
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.Policy.InstallGrace != 5*day {
					t.Errorf("%+v", r.Policy)
				}
			},
			again: true, refresh: 1,
		},
		{
			name:   "the account moved to another unit",
			change: func(_ *testing.T, _ *world, a *account, _ *user) { a.OUPath = "r-acme/ou-dev" },
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.OUPath != "r-acme/ou-dev" || r.Old.LastUse.Kind != rotation.UseSeen {
					t.Errorf("%+v", r)
				}
			},
		},
		{
			name: "somebody works on it",
			change: func(t *testing.T, w *world, _ *account, u *user) {
				w.change(t, u, approve(w, u))
				w.change(t, u, rotation.Claim{Op: rotation.OpIssue, Token: "t", Real: start, LeaseUntil: start.Add(day)})
				u.keys[0].off = true
			},
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.Acting == nil || !r.Old.InactiveSince.IsZero() {
					t.Errorf("%+v", r)
				}
			},
			again: true, // the approval itself
		},
		{
			name: "approved, and the age was raised since",
			change: func(t *testing.T, w *world, _ *account, u *user) {
				w.change(t, u, approve(w, u))
				w.rules[0].policy.RotateAfter = 180 * day
			},
			check: state(rotation.Approved, ""), again: true,
		},
		{
			name: "approved, and deactivated by hand since",
			change: func(t *testing.T, w *world, _ *account, u *user) {
				w.change(t, u, approve(w, u))
				u.keys[0].off = true
			},
			check: func(t *testing.T, r rotation.Rotation, u *user) {
				if r.State != rotation.Awaiting || len(r.Approvals) != 0 || r.Kind != rotation.Retire {
					t.Errorf("%s %s %v", r.State, r.Kind, r.Approvals)
				}
			},
			again: true, refresh: 1,
		},
		{
			name: "stuck",
			change: func(t *testing.T, w *world, _ *account, u *user) {
				w.change(t, u, rotation.GotStuck{Seen: "something"})
				w.rules[0].policy.RotateAfter = 180 * day
			},
			check: state(rotation.Awaiting, ""), again: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			a := w.accounts[acct]
			u := a.user("due", 95)
			w.run(t, RunOptions{})
			told := w.rotation(t, acct, u).PeopleSeq
			w.later(day)
			tt.change(t, w, a, u)
			sum := w.run(t, RunOptions{})
			r := w.rotation(t, acct, u)
			tt.check(t, r, u)
			if (r.PeopleSeq > told) != tt.again || sum.Refreshed != tt.refresh || sum.Closed != tt.closed {
				t.Errorf("told %v, refreshed %d, closed %d", r.PeopleSeq > told, sum.Refreshed, sum.Closed)
			}
			saves := w.store.saves
			w.run(t, RunOptions{})
			if tt.closed == 0 && w.store.saves != saves {
				t.Errorf("the run after it saved again: %s", w.rotation(t, acct, u).History[len(r.History):][0].Event)
			}
		})
	}
}

func state(s rotation.State, o rotation.Outcome) func(*testing.T, rotation.Rotation, *user) {
	return func(t *testing.T, r rotation.Rotation, _ *user) {
		if r.State != s || r.Outcome != o {
			t.Errorf("%s %s, want %s %s", r.State, r.Outcome, s, o)
		}
	}
}

// absent: noted once, live; the second look is the tick's.
func absent(t *testing.T, r rotation.Rotation, _ *user) {
	if r.State != rotation.Awaiting || !r.AbsentSince.Equal(start.Add(day)) {
		t.Errorf("%s, absent since %s", r.State, r.AbsentSince)
	}
	if step, at := r.Next(); step != rotation.StepLook || !at.Equal(r.AbsentSince.Add(rotation.GoneWait)) {
		t.Errorf("next: %s at %s", step, at)
	}
}

func approve(w *world, u *user) rotation.Event {
	r := w.store.rotations[u.rid(acct)]
	return rotation.Approve{Actor: person, Digest: r.Digest(), Required: 1}
}

func TestPickedChoiceStands(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("both", 200, 100)
	w.run(t, RunOptions{})
	r := w.rotation(t, acct, u)
	w.change(t, u, rotation.Approve{Actor: person, Digest: r.Digest(), Required: 1, Pick: u.keys[0].kid()})
	u.keys[0].use = used(start.Add(-100 * day)) // idle by now: the plan would ask for something else
	for range 3 {
		w.later(10 * day)
		w.run(t, RunOptions{})
		if r := w.rotation(t, acct, u); r.State != rotation.Approved || r.Evict.ID != u.keys[0].kid() {
			t.Fatalf("%s, evict %v", r.State, r.Evict)
		}
	}
}

// A retirement was shown as "never used". Once the key is used, the row changes and the plan with it.
func TestUsedAfterAllIsNoticed(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("unused", 95)
	u.keys[0].use = never
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.Kind != rotation.Retire {
		t.Fatal(r.Kind)
	}
	w.change(t, u, approve(w, u))
	u.keys[0].use = used(w.now)
	w.later(day)
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.Kind != rotation.Rotate || r.State != rotation.Awaiting {
		t.Errorf("%s %s", r.Kind, r.State)
	}
}

// A new tag on the user may bring another rule: it is taken in as soon as the user is read.
func TestRelabel(t *testing.T) {
	w := newWorld()
	p := rotation.DefaultPolicy()
	p.Rule = "special"
	w.rules = append(rules{{match: func(t approval.Target) bool { return t.Tags["team"] == "x" }, policy: p, rule: anybody}}, w.rules...)
	u := w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	u.tags, u.path = map[string]string{"team": "x"}, "/moved/" // the path shows in the report, the tag does not
	w.later(day)
	w.run(t, RunOptions{})
	r := w.rotation(t, acct, u)
	if r.Tags["team"] != "x" || r.UserPath != "/moved/" || r.Policy.Rule != "special" || len(r.History) != 1 {
		t.Errorf("%v %s %q %d", r.Tags, r.UserPath, r.Policy.Rule, len(r.History))
	}
	// A new owner is another decision.
	u.tags["owner"], u.path = "new@acme.example", "/moved/again/"
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.Owner != "new@acme.example" || len(r.History) != 2 {
		t.Errorf("%q %d", r.Owner, len(r.History))
	}
}

// The last uses of a key that a person asked about may not be known to the snapshot. They are read before today's plan is
// weighed: a key that nobody knows of counts as busy, and the plan would stay at "somebody has to choose".
func TestUsesThatNobodyReadAreReadBeforeWeighing(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("asked", 0, 0)
	for _, k := range u.keys {
		k.use = never
	}
	w.request(u)
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); len(r.Choices) != 2 {
		t.Fatalf("two keys that were made today: %+v", r)
	}
	w.later(9 * day) // longer than the quiet period
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); len(r.Choices) != 0 || r.Evict == nil || r.Evict.ID != u.keys[1].kid() {
		t.Errorf("two keys that nobody used for nine days: choices %v, evict %v", r.Choices, r.Evict)
	}
	saves := w.store.saves
	if sum := w.run(t, RunOptions{}); w.store.saves != saves || sum.Refreshed != 0 {
		t.Errorf("nothing has changed, and yet: %+v", sum)
	}
}
