package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

func TestRunOpensWhatTheKeysNeed(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	tests := []struct {
		user   *user
		change func(*user)
		state  rotation.State // "" no rotation
		kind   rotation.Kind
		reason rotation.Reason
	}{
		{user: a.user("young", 10)},
		{user: a.user("nokey")},
		{user: a.user("due", 95), state: rotation.Awaiting, kind: rotation.Rotate, reason: rotation.ExpiredActiveKey},
		{user: a.user("soon", 85), state: rotation.Upcoming, kind: rotation.Rotate, reason: rotation.KeyPendingRotation},
		{user: a.user("unused", 95), change: func(u *user) { u.keys[0].use = never }, state: rotation.Awaiting, kind: rotation.Retire, reason: rotation.ExpiredUnusedKey},
		{user: a.user("unknown", 95), change: func(u *user) { u.keys[0].use = rotation.LastUse{} }, state: rotation.Awaiting, kind: rotation.Rotate, reason: rotation.ExpiredActiveKey},
		{user: a.user("leftover", 50), change: func(u *user) { u.keys[0].off = true }, state: rotation.Awaiting, kind: rotation.Retire, reason: rotation.LeftoverInactiveKey},
		{user: a.user("both", 95, 20), state: rotation.Awaiting, kind: rotation.Rotate, reason: rotation.SlotConflictLRU},
		{user: a.user("slot", 95, 20), change: func(u *user) { u.keys[1].off = true }, state: rotation.Awaiting, kind: rotation.Rotate, reason: rotation.SlotConflictInactive},
	}
	for _, tt := range tests {
		if tt.change != nil {
			tt.change(tt.user)
		}
	}
	sum := w.run(t, RunOptions{})
	var ids []rotation.ID
	for _, tt := range tests {
		t.Run(tt.user.name, func(t *testing.T) {
			if tt.state == "" {
				if w.has(acct, tt.user) {
					t.Fatal("a rotation was opened")
				}
				return
			}
			r := w.rotation(t, acct, tt.user)
			ids = append(ids, r.ID)
			if r.State != tt.state || r.Kind != tt.kind || r.Reason != tt.reason || r.Old.ID != tt.user.keys[0].kid() {
				t.Errorf("%s %s %s %s", r.State, r.Kind, r.Reason, r.Old.ID)
			}
			if r.Owner != "root-111122223333@acme.example" || r.OwnerTagged || r.OUPath != a.OUPath || r.AccountName != a.Name {
				t.Errorf("subject: %q %v %q %q", r.Owner, r.OwnerTagged, r.OUPath, r.AccountName)
			}
			if !r.TellAfter.Equal(start.Add(tellWait)) || !r.Untold() {
				t.Errorf("telling: after %s, untold %v", r.TellAfter, r.Untold())
			}
		})
	}
	slices.Sort(ids)
	if diff := cmp.Diff([][]rotation.ID{ids}, w.opened); diff != "" {
		t.Errorf("told: %s", diff)
	}
	if sum.Opened != 7 || sum.Accounts != 1 || sum.Users != 9 || sum.Keys != 10 || sum.OverAge != 5 {
		t.Errorf("summary: %+v", sum)
	}
	if len(w.reports) != 1 || len(w.reports[0].Open) != 7 || len(w.done) != 1 {
		t.Errorf("reports: %+v", w.reports)
	}
	s := w.store.snapshots[acct]
	if len(s.Users) != 8 || !s.Taken.Equal(start) || !s.Tried.Equal(start) || s.Error != "" {
		t.Errorf("snapshot: %+v", s)
	}
	if !slices.IsSortedFunc(s.Users, func(a, b rotation.User) int { return strings.Compare(string(a.Name), string(b.Name)) }) {
		t.Error("the users of the snapshot are not in order")
	}
	saves := w.store.saves
	w.later(day)
	if sum := w.run(t, RunOptions{}); sum.Opened+sum.Refreshed+sum.Closed != 0 || w.store.saves != saves {
		t.Errorf("the second run: %+v", sum)
	}
	if got := w.reports[1].Since; !got.Equal(start) {
		t.Errorf("since %s", got)
	}
}

func TestRunCallsPerAccount(t *testing.T) {
	for _, n := range []int{10, 100, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld()
			a := w.accounts[acct]
			due := 0
			for i := range n {
				age := 10
				if i%10 == 0 {
					age, due = 95, due+1
				}
				a.user(fmt.Sprintf("u%04d", i), age)
			}
			for range 50 {
				a.user("nokeys")
			}
			w.run(t, RunOptions{})
			if got, want := w.calls["aws"], 5+2*n+2*due; got != want {
				t.Errorf("first scan: %d calls, want %d", got, want)
			}
			for range 3 {
				w.later(day)
				w.run(t, RunOptions{})
				if got := w.calls["aws"]; got != 5 {
					t.Errorf("steady state: %d calls: %v", got, w.calls)
				}
			}
			for _, u := range a.users[1:4] {
				u.keys = append(u.keys, &key{id: "AKIANEW" + u.name, created: w.now, use: never})
			}
			w.later(day)
			w.run(t, RunOptions{})
			if got := w.calls["aws"]; got != 5+3 {
				t.Errorf("three rows changed: %d calls: %v", got, w.calls)
			}
			a.users[5].keys[0].created = w.now.Add(-200 * day) // a changed row with something to decide
			w.run(t, RunOptions{})
			if got := w.calls["aws"]; got != 5+4 {
				t.Errorf("one to decide: %d calls: %v", got, w.calls)
			}
		})
	}
}

func TestAuditStaysCheap(t *testing.T) {
	w := newWorld()
	w.rules[0].policy.Mode = rotation.ModeAudit
	for i := range 20 {
		w.accounts[acct].user(fmt.Sprintf("u%02d", i), 95)
	}
	for range 3 {
		sum := w.run(t, RunOptions{})
		if sum.Findings != 20 || sum.Opened != 0 || len(w.store.rotations) != 0 {
			t.Fatalf("summary: %+v", sum)
		}
		w.later(day)
	}
	if got := w.calls["aws"]; got != 5 {
		t.Errorf("steady state: %d calls: %v", got, w.calls)
	}
	if f := w.reports[2].Findings[0]; f.Proposal.Reason != rotation.ExpiredActiveKey || f.Owner == "" || f.User.Keys[0].LastUse.Kind != rotation.UseSeen {
		t.Errorf("finding: %+v", f)
	}
}

func TestInventory(t *testing.T) {
	w := newWorld()
	w.accounts[acct].user("due", 95)
	for id, state := range map[rotation.AccountID]string{"200000000001": "SUSPENDED", "200000000002": "PENDING_CLOSURE", "200000000003": "PENDING_ACTIVATION", "200000000004": "CLOSED", "200000000005": "", "200000000006": "ACTIVE", "200000000007": "ACTIVE"} {
		w.add(id).State = state
	}
	w.accounts["200000000007"].Management = true
	o := w.options()
	o.Exclude = []rotation.AccountID{"200000000006"}
	sum, err := New(o).Run(context.Background(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range sum.Skipped {
		got = append(got, string(k.Account.ID)+": "+k.Why)
	}
	want := []string{"200000000001: its state is SUSPENDED", "200000000002: its state is PENDING_CLOSURE", "200000000003: its state is PENDING_ACTIVATION", "200000000004: its state is CLOSED",
		"200000000005: Organizations does not say its state", "200000000006: excluded by the configuration", "200000000007: the management account; organization.include_management brings it in"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if sum.Accounts != 1 || w.calls["aws AssumeRole"] != 1 {
		t.Errorf("scanned %d, opened %d accounts", sum.Accounts, w.calls["aws AssumeRole"])
	}
	o.ManagementDirect = true
	if sum, _ := New(o).Run(context.Background(), RunOptions{}); sum.Accounts != 2 {
		t.Errorf("with the management account: %d", sum.Accounts)
	}
}

func TestOnly(t *testing.T) {
	w := newWorld()
	w.add("200000000001").State = "SUSPENDED"
	w.add("200000000002")
	s := New(w.options())
	sum, err := s.Run(context.Background(), RunOptions{Only: []rotation.AccountID{acct, "200000000001"}})
	if err != nil || sum.Accounts != 1 || len(sum.Skipped) != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if _, err := s.Run(context.Background(), RunOptions{Only: []rotation.AccountID{acct, "999999999999"}}); err == nil || !strings.Contains(err.Error(), "999999999999") {
		t.Errorf("an unknown account: %v", err)
	}
	w.accounts = nil
	if _, err := s.Run(context.Background(), RunOptions{}); err == nil {
		t.Error("an empty organization is no error")
	}
}

func TestDryRun(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	due := a.user("due", 95)
	young := a.user("young", 10)
	a.user("both", 95, 20)
	w.store.requests["AIDAYOUNG1111"] = rotation.Request{Account: acct, UserID: rotation.UserID(young.id), UserName: "young", By: person}
	w.store.requests["AIDADUE1111"] = rotation.Request{Account: acct, UserID: rotation.UserID(due.id), UserName: "due", By: person}
	sum := w.run(t, RunOptions{DryRun: true})
	if sum.Findings != 3 || sum.Opened != 0 || !sum.DryRun || len(sum.Reports) != 1 || len(sum.Reports[0].Findings) != 3 {
		t.Errorf("summary: %+v", sum)
	}
	if len(w.store.rotations)+len(w.store.snapshots) != 0 || len(w.store.requests) != 2 || w.calls["teller"] != 0 {
		t.Error("a dry run left something behind")
	}
	if sum := w.run(t, RunOptions{}); sum.Opened != 3 || sum.Findings != 0 || sum.Reports != nil {
		t.Errorf("the run after it: %+v", sum)
	}
	due.keys[0].created = w.now
	if sum := w.run(t, RunOptions{DryRun: true}); sum.Closed != 0 || sum.Failed != nil {
		t.Errorf("dry run over open rotations: %+v", sum)
	}
	w.accounts[acct].unreachable = true
	saves := w.store.saves
	w.run(t, RunOptions{DryRun: true})
	if w.store.saves != saves || w.store.snapshots[acct].Error != "" {
		t.Error("a dry run noted a failure")
	}
}

var person = rotation.Actor{ID: "U0123", Name: "Ada", Email: "ada@acme.example", Via: rotation.ViaSlack}

func TestNobodyMayDecide(t *testing.T) {
	for name, rs := range map[string]rules{
		"no rule":           {{match: func(approval.Target) bool { return false }}},
		"a rule of nobody":  {{policy: rotation.DefaultPolicy()}},
		"nobody is counted": {{policy: rotation.DefaultPolicy(), rule: approval.Rule{AnyOf: anybody.AnyOf}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.rules = rs
			w.accounts[acct].user("due", 95)
			w.accounts[acct].user("nokey")
			w.run(t, RunOptions{})
			if len(w.store.rotations) != 0 {
				t.Error("a rotation was opened")
			}
			if f := w.reports[0].Failures; len(f) != 1 || !strings.Contains(f[0], "who may decide on the keys of due,") {
				t.Errorf("failures: %q", f)
			}
		})
	}
}
