package scheduler

import (
	"context"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// The rotator's own work shows up in the rows; a listing that lags behind it is not taken for a person's hand.
func TestObservationsWhileKeyturnWorks(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	issued(t, w, u)
	w.later(day)
	sum := w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.State != rotation.Installing || sum.Refreshed+sum.Closed+sum.Opened != 0 {
		t.Fatalf("%s %+v", r.State, sum)
	}
	w.later(10 * day)
	w.change(t, u, rotation.Claim{Op: rotation.OpDeactivate, Token: "d", Real: start, LeaseUntil: start.Add(1)})
	w.change(t, u, rotation.Deactivated{Token: "d", Key: u.keys[0].kid()})
	u.keys[0].use = never                      // the row changes, while the listing still says active
	w.store.snapshots[acct].Users[0].Row = "x" // whatever it says: read again
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.State != rotation.Recovering {
		t.Fatalf("a lagging listing was taken for a person's hand: %s", r.State)
	}
	w.later(day)
	w.run(t, RunOptions{})
	r := w.rotation(t, acct, u)
	if r.State != rotation.Installing || r.Held == nil {
		t.Fatalf("activated by hand, and now %s", r.State)
	}
	u.keys[0].off = true
	w.later(day)
	w.run(t, RunOptions{})
	r = w.rotation(t, acct, u)
	if r.State != rotation.Recovering || !r.Old.ByHand || !r.Old.InactiveSince.Equal(w.now) {
		t.Errorf("deactivated by hand, and now %s since %s", r.State, r.Old.InactiveSince)
	}
	if k := w.store.snapshots[acct].Users[0].Keys[0]; !k.InactiveSince.Equal(w.now) {
		t.Errorf("the snapshot says %s", k.InactiveSince)
	}
	w.later(5 * day)
	w.run(t, RunOptions{})
	if rem := w.reports[len(w.reports)-1].Reminders; len(rem) != 1 || rem[0].Proposal.Reason != rotation.PendingDeletion {
		t.Errorf("reminders: %+v", rem)
	}
}

// issued brings a rotation to installing, and gives the user its new key.
func issued(t *testing.T, w *world, u *user) {
	t.Helper()
	w.change(t, u, approve(w, u))
	w.change(t, u, rotation.Claim{Op: rotation.OpIssue, Token: "c", Real: start, LeaseUntil: start.Add(1)})
	w.change(t, u, rotation.Begin{Token: "c", Journal: rotation.Journal{Token: "v1", SecretARN: "arn", SecretName: "s"}})
	w.change(t, u, rotation.Creating{Token: "c"})
	w.change(t, u, rotation.KeyCreated{Token: "c", Key: "AKIANEW", Created: w.now})
	w.change(t, u, rotation.Stored{Token: "c"})
	w.change(t, u, rotation.Verified{Token: "c", At: w.now})
	w.change(t, u, rotation.Issued{Token: "c"})
	u.keys = append(u.keys, &key{id: "AKIANEW", created: w.now, use: used(w.now)})
}

func TestUnreachableFreezesAndThaws(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	issued(t, w, u)
	at := w.rotation(t, acct, u).DeactivateAt
	w.accounts[acct].unreachable = true
	w.later(day)
	for range 2 {
		w.run(t, RunOptions{})
		if r := w.rotation(t, acct, u); r.Frozen == nil || !r.Frozen.At.Equal(start.Add(day)) || r.State != rotation.Installing {
			t.Fatalf("%s %v", r.State, r.Frozen)
		}
		w.later(day)
	}
	w.accounts[acct].unreachable = false
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.Frozen != nil || !r.DeactivateAt.Equal(at.Add(2*day)) {
		t.Errorf("frozen %v, deactivate at %s, was %s", r.Frozen, r.DeactivateAt, at)
	}
	if last := w.opened[len(w.opened)-1]; len(last) != 1 || last[0] != u.rid(acct) {
		t.Errorf("told: %v", w.opened)
	}
}

func TestLostAccountsFreeze(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lose   func(w *world)
		why    string // "" not frozen
		exempt bool
	}{
		{name: "suspended", lose: func(w *world) { w.accounts[acct].State = "SUSPENDED" }, why: "SUSPENDED"},
		{name: "left", lose: func(w *world) { delete(w.accounts, acct) }, why: "has left"},
		{name: "moved out of the units", lose: func(w *world) { w.accounts[acct].OUPath = "r-acme/ou-other" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.add("222233334444")
			u := w.accounts[acct].user("due", 95)
			o := w.options()
			o.Include = []string{"ou-prod"}
			s := New(o)
			for i := range 3 {
				if _, err := s.Run(context.Background(), RunOptions{}); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					tt.lose(w)
				}
				w.later(day)
			}
			r := w.rotation(t, acct, u)
			if !r.Open() || (r.Frozen != nil) != (tt.why != "") {
				t.Fatalf("%s, frozen %v", r.State, r.Frozen)
			}
			if r.Frozen != nil && (!strings.Contains(r.Frozen.Why, tt.why) || !r.Frozen.At.Equal(start.Add(day))) {
				t.Errorf("frozen: %+v", r.Frozen)
			}
			if len(w.store.snapshots[acct].Users) != 1 {
				t.Error("what was known of the account is lost")
			}
		})
	}
}
