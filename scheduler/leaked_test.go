package scheduler

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// leak saves the report of a leaked key of a user that no rotation names.
func (w *world) leak(u *user, n int) rotation.Request {
	q := w.request(u)
	q.Leaked, q.Why, q.Evidence = u.keys[n].kid(), "on GitHub", "last used with s3"
	w.store.requests[u.id] = q
	return q
}

// TestLeakedRequests: a rotation is opened in which the leak is reported already, whatever exemptions say, and the rotator
// has it at once.
func TestLeakedRequests(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, u *user)
		kind   rotation.Kind // of the rotation that is opened; empty: none
		says   string
	}{
		"the only key": {func(*world, *user) {}, rotation.Rotate, ""},
		"of two keys": {func(_ *world, u *user) {
			u.keys = append(u.keys, &key{id: "AKIASECOND", created: start, use: used(start)})
		}, rotation.Retire, ""},
		"exempt": {func(w *world, u *user) {
			w.store.exemptions = []rotation.Exemption{{Account: acct, UserID: rotation.UserID(u.id), From: start, Until: start.Add(90 * day)}}
		}, rotation.Rotate, ""},
		"in the group":  {func(w *world, u *user) { w.accounts[acct].group = []string{u.name} }, rotation.Rotate, ""},
		"off by hand":   {func(_ *world, u *user) { u.keys[0].off = true }, "", "no such active key"},
		"gone by hand":  {func(_ *world, u *user) { u.keys = nil }, "", "no such active key"},
		"mode audit":    {func(w *world, _ *user) { w.rules[0].policy.Mode = rotation.ModeAudit }, "", "Deactivate the key in IAM"},
		"the user left": {func(w *world, _ *user) { w.accounts[acct].users = nil }, "", "the user is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			u := w.accounts[acct].user("young", 10)
			w.run(t, RunOptions{})
			q := w.leak(u, 0)
			c.change(w, u)
			w.later(day)
			err := New(w.options()).Requested(context.Background(), q)
			if c.kind == "" {
				if !errors.Is(err, ErrNothingToOpen) || !strings.Contains(err.Error(), c.says) || w.has(acct, u) || len(w.woken) > 0 {
					t.Fatalf("%v", err)
				}
				return
			}
			r := w.rotation(t, acct, u)
			if err != nil || r.Leaked == nil || r.Kind != c.kind || r.Old.ID != q.Leaked || r.Version != 1 || len(w.woken) != 1 || len(w.store.requests) != 0 {
				t.Fatalf("%v: %s %s, version %d, woken %v", err, r.Kind, r.Old.ID, r.Version, w.woken)
			}
			if step, at := r.Next(); step != rotation.StepDeactivate || at.After(w.now) {
				t.Errorf("next is %s at %s", step, at)
			}
			if last := r.History[len(r.History)-1]; !strings.Contains(last.Note, "on GitHub: last used with s3") || last.Actor != person {
				t.Errorf("%+v", last)
			}
		})
	}
}

// A rotation was opened meanwhile: the leak is reported in it. Reported twice it is reported once.
func TestLeakedRequestOfAnOpenRotation(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	for range 2 {
		q := w.leak(u, 0)
		if err := New(w.options()).Requested(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.rotation(t, acct, u); r.Leaked == nil || r.State != rotation.Approved || r.Version != 2 {
		t.Fatalf("%s version %d", r.State, r.Version)
	}
}

// TestLeaksComeFirst among the requests of a scan.
func TestLeaksComeFirst(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	first, leaked := a.user("first", 10), a.user("leaked", 10)
	w.run(t, RunOptions{})
	w.request(first)
	w.later(day)
	w.leak(leaked, 0)
	all, err := New(w.options()).readRequests(context.Background())
	if err != nil || len(all[acct]) != 2 || all[acct][0].Leaked == "" {
		t.Fatalf("%+v %v", all[acct], err)
	}
}

func TestExemptionsAskForTheirRenewal(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	u := a.user("vendor", 300)
	u.tags = map[string]string{"owner": "Vendor@Acme.example"}
	gone := a.user("nokeys")
	for _, x := range []*user{u, gone} {
		w.store.exemptions = append(w.store.exemptions, rotation.Exemption{Account: acct, UserID: rotation.UserID(x.id), UserName: rotation.UserName(x.name), From: start, Until: start.Add(20 * day), By: person, Why: "x"})
	}
	w.run(t, RunOptions{})
	w.later(12 * day)
	w.run(t, RunOptions{})
	if len(w.renewals) != 0 {
		t.Fatalf("asked 8 days before: %+v", w.renewals)
	}
	w.later(day)
	w.run(t, RunOptions{DryRun: true})
	w.fail = func(_ int, _, what string) error {
		if what == "Renewals" {
			return errors.New("Slack is down")
		}
		return nil
	}
	w.run(t, RunOptions{})
	w.fail = nil
	if len(w.renewals) != 0 {
		t.Fatal("a dry run asked")
	}
	w.run(t, RunOptions{})
	w.later(day)
	w.run(t, RunOptions{})
	if len(w.renewals) != 1 || w.renewals[0].Owner != "vendor@acme.example" || w.renewals[0].Exemption.UserID != rotation.UserID(u.id) {
		t.Fatalf("%+v", w.renewals)
	}
	w.later(8 * day)
	w.run(t, RunOptions{})
	if !w.has(acct, u) {
		t.Error("it ended, and nothing was opened")
	}
}

func TestBurndown(t *testing.T) {
	w := newWorld()
	a := w.accounts[acct]
	for i := range 5 {
		a.user("due"+string(rune('a'+i)), 95)
	}
	a.user("young", 10)
	w.run(t, RunOptions{})
	w.later(day)
	w.run(t, RunOptions{Only: []rotation.AccountID{acct}})
	w.run(t, RunOptions{DryRun: true})
	if got, want := w.store.state["burndown"], `[{"d":"2026-06-01","a":6,"o":5,"r":5}]`; got != want {
		t.Fatalf("%s", got)
	}
	s := New(w.options())
	sp, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.ScanAccount(context.Background(), sp.Accounts[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(context.Background(), sp, []Part{p}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.store.state["burndown"], `[{"d":"2026-06-01","a":6,"o":5,"r":5},{"d":"2026-06-02","a":6,"o":5,"r":5}]`; got != want {
		t.Fatalf("%s", got)
	}
}

// An exemption that a person ended while others were asked about its renewal stays ended.
func TestRenewalsOverwriteNobody(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("vendor", 300)
	w.store.exemptions = []rotation.Exemption{{Account: acct, UserID: rotation.UserID(u.id), UserName: "vendor", From: start, Until: start.Add(5 * day), By: person, Why: "x"}}
	w.fail = func(_ int, _, what string) error {
		if what == "Renewals" {
			w.store.exemptions[0].Until, w.store.exemptions[0].Why = start.Add(time.Hour), "ended"
		}
		return nil
	}
	w.run(t, RunOptions{})
	if e := w.store.exemptions[0]; len(w.renewals) != 1 || e.Why != "ended" || !e.Asked.IsZero() || !e.Until.Equal(start.Add(time.Hour)) {
		t.Errorf("asked %d times: %+v", len(w.renewals), e)
	}
}

// TestAdministratorPolicies are read where somebody is asked, and hold nothing up.
func TestAdministratorPolicies(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 95)
	u.admin = []string{"AdministratorAccess"}
	other := w.accounts[acct].user("other", 95)
	var asked atomic.Int64
	w.fail = func(_ int, _, what string) error {
		if what == "AdminPolicies" && asked.Add(1) == 2 {
			return errors.New("throttled")
		}
		return nil
	}
	w.run(t, RunOptions{})
	a, b := w.rotation(t, acct, u).Admin, w.rotation(t, acct, other).Admin
	if a == nil || b == nil || len(a.Names)+len(b.Names) > 1 || a.Problem+b.Problem == "" {
		t.Fatalf("%+v %+v", a, b)
	}
}
