package scheduler

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

func (w *world) request(u *user) rotation.Request {
	q := rotation.Request{Account: acct, UserID: rotation.UserID(u.id), UserName: rotation.UserName(u.name), By: person, Why: "leaver", At: w.now}
	w.store.requests[u.id] = q
	return q
}

// A request is served by the scan and, the same way, at once.
func TestRequests(t *testing.T) {
	tests := []struct {
		name   string
		change func(w *world, a *account, u *user)
		opens  bool
		says   string // why it does not
		stays  bool   // the request stays for the next scan
	}{
		{name: "young key", change: func(*world, *account, *user) {}, opens: true},
		{name: "two keys", change: func(_ *world, _ *account, u *user) {
			u.keys = append(u.keys, &key{id: "AKIASECOND", created: start.Add(-5 * day), use: used(start)})
		}, opens: true},
		{name: "renamed", change: func(_ *world, _ *account, u *user) { u.name = "renamed" }, opens: true},
		{name: "user gone", change: func(_ *world, a *account, _ *user) { a.users = nil }, says: "the user is gone"},
		{name: "made again", change: func(_ *world, _ *account, u *user) { u.id = "AIDAOTHER" }, says: "the user is gone"},
		{name: "no key left", change: func(_ *world, _ *account, u *user) { u.keys = nil }, says: "no active key"},
		{name: "only an inactive key", change: func(_ *world, _ *account, u *user) { u.keys[0].off = true }, says: "no active key"},
		{name: "exempt", change: func(_ *world, a *account, u *user) { a.group = []string{u.name} }, says: "exemption group"},
		{name: "audit", change: func(w *world, _ *account, _ *user) { w.rules[0].policy.Mode = rotation.ModeAudit }, says: "mode audit"},
		{name: "no rule", change: func(w *world, _ *account, _ *user) { w.rules = nil }, says: "who may decide"},
		{name: "unreadable", change: func(w *world, _ *account, _ *user) {
			w.fail = func(_ int, _, what string) error {
				if what == "GetUser" {
					return errors.New("AccessDenied")
				}
				return nil
			}
		}, says: "next scan tries again", stays: true},
	}
	for _, tt := range tests {
		setup := func(t *testing.T) (*world, *user, rotation.Request) {
			w := newWorld()
			u := w.accounts[acct].user("young", 10)
			w.run(t, RunOptions{})
			q := w.request(u)
			id := u.id
			tt.change(w, w.accounts[acct], u)
			u.id, id = id, u.id
			w.later(day)
			if len(w.accounts[acct].users) > 0 {
				u.id = id
			}
			return w, u, q
		}
		check := func(t *testing.T, w *world, q rotation.Request) {
			r, ok := w.store.rotations[rotation.MakeID(acct, q.UserID)]
			if ok && r.Reason == rotation.LeftoverInactiveKey {
				ok = false // the scan's own proposal
			}
			if ok != tt.opens {
				t.Fatalf("opened: %v", ok)
			}
			if ok && (r.RequestedBy != person || r.RequestedWhy != "leaver" || r.State != rotation.Awaiting || r.Kind != rotation.Rotate) {
				t.Errorf("%+v", r)
			}
		}
		t.Run(tt.name+", by the scan", func(t *testing.T) {
			w, _, q := setup(t)
			w.run(t, RunOptions{})
			check(t, w, q)
			if (len(w.store.requests) > 0) != tt.stays {
				t.Errorf("requests: %v", w.store.requests)
			}
			if f := strings.Join(w.reports[1].Failures, "\n"); tt.says != "" && (!strings.Contains(f, tt.says) || !strings.Contains(f, "Ada asked for")) {
				t.Errorf("failures: %q", f)
			}
			w.fail = nil
			w.run(t, RunOptions{}) // a rotation that was asked for stays open although nothing is due
			if !tt.stays {
				check(t, w, q)
			}
		})
		t.Run(tt.name+", at once", func(t *testing.T) {
			w, _, q := setup(t)
			told := len(w.opened)
			err := New(w.options()).Requested(context.Background(), q)
			check(t, w, q)
			if (err == nil) != tt.opens || !tt.opens && !tt.stays && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error: %v", err)
			}
			if (len(w.store.requests) == 0) != tt.opens || (len(w.opened) > told) != tt.opens {
				t.Errorf("requests %v, told %v", w.store.requests, w.opened)
			}
			if err := New(w.options()).Requested(context.Background(), q); tt.opens && err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

func TestRequestWhileARotationIsOpen(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("due", 95)
	w.run(t, RunOptions{})
	w.request(u)
	sum := w.run(t, RunOptions{})
	if sum.Opened != 0 || len(w.store.requests) != 0 || len(w.reports[1].Failures) != 0 || w.calls["aws"] != 5 {
		t.Errorf("%+v, requests %v, %v", sum, w.store.requests, w.calls)
	}
}

func TestRequestedWhereNothingIsScanned(t *testing.T) {
	w := newWorld()
	u := w.accounts[acct].user("young", 10)
	q := w.request(u)
	w.accounts[acct].State = "SUSPENDED"
	if err := New(w.options()).Requested(context.Background(), q); err == nil || !strings.Contains(err.Error(), "SUSPENDED") {
		t.Errorf("suspended: %v", err)
	}
	q.Account = "999999999999"
	if err := New(w.options()).Requested(context.Background(), q); err == nil {
		t.Error("an unknown account is no error")
	}
}

func TestUnaccountedPair(t *testing.T) {
	setup := func() (*world, *account, *user) {
		w := newWorld()
		a := w.accounts[acct]
		u := a.user("due", 200, 5)
		a.pairs[rotation.UserID(u.id)] = Pair{SecretARN: "arn:secret", Rotation: u.rid(acct), Old: u.keys[0].kid(), New: u.keys[1].kid()}
		return w, a, u
	}
	t.Run("is left to a person", func(t *testing.T) {
		w, _, u := setup()
		for range 3 {
			w.run(t, RunOptions{})
			w.later(40 * day)
		}
		r := w.rotation(t, acct, u)
		if r.Stuck == nil || r.Reason != rotation.UnaccountedPair || r.Evict != nil || r.Old.ID != u.keys[0].kid() || r.LastActive || r.Episode != 1 {
			t.Fatalf("%+v", r)
		}
		for _, want := range []string{"arn:secret", u.keys[0].id, u.keys[1].id, "is active"} {
			if !strings.Contains(r.Stuck.Seen, want) {
				t.Errorf("%q does not say %s", r.Stuck.Seen, want)
			}
		}
		// Adopted, it is a retirement that the gate still watches, and no scan replaces it.
		w.change(t, u, rotation.Retry{Actor: person})
		w.run(t, RunOptions{})
		if r := w.rotation(t, acct, u); r.Stuck != nil || r.State != rotation.Awaiting || r.Kind != rotation.Retire {
			t.Errorf("adopted: %s %s", r.State, r.Kind)
		}
		if r := w.change(t, u, approve(w, u)); r.State != rotation.Approved {
			t.Errorf("approved: %s", r.State)
		}
	})
	t.Run("old key gone", func(t *testing.T) {
		w, _, u := setup()
		u.keys = u.keys[1:]
		w.run(t, RunOptions{})
		if w.has(acct, u) {
			t.Error("there is nothing to do")
		}
	})
	t.Run("accounted for", func(t *testing.T) {
		w, a, u := setup()
		delete(a.pairs, rotation.UserID(u.id))
		w.run(t, RunOptions{})
		a.pairs[rotation.UserID(u.id)] = Pair{Rotation: u.rid(acct), Old: u.keys[0].kid(), New: u.keys[1].kid()}
		w.run(t, RunOptions{})
		if r := w.rotation(t, acct, u); r.Stuck != nil || r.Reason == rotation.UnaccountedPair {
			t.Errorf("%+v", r)
		}
	})
	t.Run("audit", func(t *testing.T) {
		w, _, _ := setup()
		w.rules[0].policy.Mode = rotation.ModeAudit
		w.run(t, RunOptions{})
		if f := w.reports[0].Findings; len(f) != 1 || f[0].Proposal.Reason != rotation.UnaccountedPair {
			t.Errorf("findings: %+v", f)
		}
	})
	t.Run("exempt", func(t *testing.T) {
		w, a, u := setup()
		a.group = []string{u.name}
		w.run(t, RunOptions{})
		if w.has(acct, u) {
			t.Error("an exempt user was touched")
		}
	})
	t.Run("asked for", func(t *testing.T) {
		w, _, u := setup()
		w.request(u)
		w.run(t, RunOptions{})
		if r := w.rotation(t, acct, u); r.Stuck == nil || r.Evict != nil {
			t.Errorf("%+v", r)
		}
	})
}
