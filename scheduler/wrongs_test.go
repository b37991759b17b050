package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// The tests of this file name what goes wrong in the pattern that keyturn starts from (key-rotation-pattern.md).

func TestWrong01EveryUserAndEveryMemberIsSeen(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	for i := range 250 {
		u := a.user(fmt.Sprintf("u%03d", i), 95)
		if i%2 == 0 {
			a.group = append(a.group, u.name)
		}
	}
	sum := w.run(t, RunOptions{})
	if sum.Users != 250 || sum.Opened != 125 || w.reports[0].Exempt != 125 {
		t.Errorf("users %d, opened %d, exempt %d", sum.Users, sum.Opened, w.reports[0].Exempt)
	}
}

func TestWrong02AnErrorIsNotNeverUsed(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	u, other := a.user("due", 95), a.user("other", 10)
	w.fail = func(_ int, _, what string) error {
		if what == "GetAccessKeyLastUsed" {
			return errors.New("Throttling")
		}
		return nil
	}
	sum := w.run(t, RunOptions{})
	if sum.Opened != 0 || len(sum.Failed) != 0 {
		t.Errorf("summary: %+v", sum)
	}
	if f := w.reports[0].Failures; len(f) != 1 || !strings.Contains(f[0], "user due") || strings.Contains(f[0], "Throttling") {
		t.Errorf("failures: %q", f)
	}
	for _, su := range w.store.snapshots[acct].Users {
		if su.Keys[0].LastUse.Kind == rotation.UseNever || (su.Row == "") != (su.ID == rotation.UserID(u.id)) {
			t.Errorf("snapshot: %+v", su)
		}
	}
	w.fail = nil
	w.run(t, RunOptions{})
	if r := w.rotation(t, acct, u); r.Kind != rotation.Rotate || w.has(acct, other) {
		t.Errorf("afterwards: %s", r.Kind)
	}
}

func TestWrong03ExemptionsNeverFailOpen(t *testing.T) {
	for _, what := range []string{"GetGroup", "ListExemptions", "GetExemption"} {
		t.Run(what, func(t *testing.T) {
			w := newWorld()
			a := w.accounts[acct]
			a.user("due", 95)
			a.group = []string{"due"}
			if what == "GetExemption" {
				a.group = nil
			}
			w.fail = func(_ int, _, got string) error {
				if got == what {
					return errors.New("AccessDenied")
				}
				return nil
			}
			w.run(t, RunOptions{})
			if len(w.store.rotations) != 0 {
				t.Error("a rotation was opened")
			}
			if w.calls["aws ListAccessKeys"] > 0 && what != "GetExemption" {
				t.Error("the scan of the account went on")
			}
		})
	}
}

func TestWrong07TheDeletionClockStartsWhenTheKeyWentOff(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 30)
	w.run(t, RunOptions{})
	w.later(400 * day) // nothing of this counts
	u.keys[0].created, u.keys[0].off = w.now.Add(-30*day), true
	w.run(t, RunOptions{})
	off := w.now
	r := w.rotation(t, acct, u)
	if r.Kind != rotation.Retire || !r.Old.InactiveSince.Equal(off) {
		t.Fatalf("%s, inactive since %s", r.Kind, r.Old.InactiveSince)
	}
	w.later(3 * day)
	w.run(t, RunOptions{})
	if k := w.store.snapshots[acct].Users[0].Keys[0]; !k.InactiveSince.Equal(off) {
		t.Errorf("the snapshot forgot since when: %s", k.InactiveSince)
	}
	r = w.change(t, u, approve(w, u))
	if r.State != rotation.Recovering || !r.DeleteAt.Equal(off.Add(r.Policy.RecoveryGrace)) {
		t.Errorf("%s, deleted at %s", r.State, r.DeleteAt)
	}
}

func TestWrong10TheStateOfAnAccountCounts(t *testing.T) {
	w := newWorld()
	w.accounts[acct].OUPath = "r-acme/ou-a/ou-b/ou-c"
	w.accounts[acct].user("due", 95)
	gone := w.add("200000000001")
	gone.State = "SUSPENDED"
	gone.user("due", 95)
	o := w.options()
	o.Include = []string{"ou-a"}
	sum, err := New(o).Run(t.Context(), RunOptions{})
	if err != nil || sum.Accounts != 1 || sum.Opened != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestWrong11OwnerTagReachesTheRotation(t *testing.T) {
	tests := []struct {
		name, key, value, owner string
		tagged, useless         bool
	}{
		{"e-mail", "owner", " Ada@Acme.example ", "ada@acme.example", true, false},
		{"Slack", "owner", "U0123ABCD", "U0123ABCD", true, false},
		{"Slack, enterprise", "owner", "W0123ABCD", "W0123ABCD", true, false},
		{"another spelling of the key", "Owner", "ada@acme.example", "ada@acme.example", true, false},
		{"another key", "team", "ada@acme.example", "root-111122223333@acme.example", false, false},
		{"a team", "owner", "platform", "root-111122223333@acme.example", false, true},
		{"a word in capitals", "owner", "WEBTEAM", "root-111122223333@acme.example", false, true},
		{"two addresses", "owner", "a@acme.example b@acme.example", "root-111122223333@acme.example", false, true},
		{"a name and an address", "owner", "Ada <ada@acme.example>", "root-111122223333@acme.example", false, true},
		{"empty", "owner", "  ", "root-111122223333@acme.example", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			u := w.accounts[acct].user("due", 95)
			u.tags = map[string]string{tt.key: tt.value}
			w.run(t, RunOptions{})
			if r := w.rotation(t, acct, u); r.Owner != tt.owner || r.OwnerTagged != tt.tagged {
				t.Errorf("owner %q, tagged %v", r.Owner, r.OwnerTagged)
			}
			if f := w.reports[0].Failures; (len(f) == 1) != tt.useless || tt.useless && !strings.Contains(f[0], "owner tag of user due") {
				t.Errorf("failures: %q", f)
			}
		})
	}
}

func TestRootKeysAreReportedAndNothingElse(t *testing.T) {
	w := newWorld()
	w.accounts[acct].rootActive = 2
	sum := w.run(t, RunOptions{})
	if len(sum.RootKeys) != 1 || sum.RootKeys[0] != acct || w.reports[0].RootKeys != 2 || w.store.snapshots[acct].RootKeys != 2 {
		t.Errorf("%+v", sum)
	}
	if len(w.store.rotations) != 0 || w.calls["aws"] != 5 {
		t.Error("the root user was touched")
	}
}
