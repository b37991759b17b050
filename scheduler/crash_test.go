package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
)

// busyWorld has something of everything, a day after its first scan.
func busyWorld(t testing.TB) *world {
	w := newWorld()
	a := w.accounts[acct]
	a.user("due", 95)
	a.user("both", 200, 100)
	gone, renamed, off, late := a.user("gone", 95), a.user("renamed", 95), a.user("off", 95), a.user("late", 89)
	a.user("exempt", 95)
	young := a.user("young", 10)
	frozen := w.add("222233334444").user("frozen", 95)
	w.run(t, RunOptions{})
	w.request(young)
	a.users = append(a.users[:2], a.users[3:]...)
	_ = gone
	renamed.name, off.keys[0].off = "other", true
	a.group = []string{"exempt"}
	a.user("fresh", 95)
	late.keys[0].created = late.keys[0].created.Add(-20 * day)
	pair := a.user("pair", 95, 5)
	a.pairs[rotation.UserID(pair.id)] = Pair{SecretARN: "arn", Rotation: pair.rid(acct), Old: pair.keys[0].kid(), New: pair.keys[1].kid()}
	_ = frozen
	w.accounts["222233334444"].unreachable = true
	w.later(day)
	w.total = 0
	return w
}

// final is what has to come out the same: the rotations and what is known, without what only counts attempts.
func final(w *world) map[string]string {
	out := map[string]string{}
	for id, r := range w.store.rotations {
		evict := rotation.KeyID("")
		if r.Evict != nil {
			evict = r.Evict.ID
		}
		out[string(id)] = fmt.Sprintf("%d %s %s %s %s old %s evict %s choices %v off %s absent %s stuck %v frozen %v name %s by %s events %d", r.Episode, r.State, r.Outcome, r.Kind, r.Reason,
			r.Old.ID, evict, r.Choices, r.Old.InactiveSince, r.AbsentSince, r.Stuck != nil, r.Frozen != nil, r.UserName, r.RequestedBy, len(r.History))
	}
	for id, s := range w.store.snapshots {
		out[string(id)] = s.Error
		for _, u := range s.Users {
			out[string(id)+string(u.Name)] = fmt.Sprintf("%s %v", u.ID, u.Exempt)
			for _, k := range u.Keys {
				out[string(k.ID)] = fmt.Sprint(k.Status, k.Created, k.InactiveSince)
			}
		}
	}
	out["requests"] = fmt.Sprint(len(w.store.requests))
	return out
}

// Whichever call fails, once or as the death of the whole run, the next run comes to what an undisturbed one comes to.
func TestAnyCallMayFail(t *testing.T) {
	clean := busyWorld(t)
	clean.run(t, RunOptions{})
	calls := clean.total
	clean.run(t, RunOptions{})
	want := final(clean)
	if calls < 60 {
		t.Fatalf("the world is not busy: %d calls", calls)
	}
	for _, death := range []bool{false, true} {
		for n := 1; n <= calls; n++ {
			w := busyWorld(t)
			ctx, cancel := context.WithCancel(context.Background())
			hit := ""
			w.fail = func(i int, port, what string) error {
				if i == n {
					hit = port + " " + what
				}
				if death && i >= n {
					cancel()
					return context.Canceled
				}
				if i == n {
					return errors.New("something failed")
				}
				return nil
			}
			_, err := New(w.options()).Run(ctx, RunOptions{})
			if death && n < calls && err == nil && ctx.Err() == nil {
				t.Errorf("call %d (%s): the run did not notice its death", n, hit)
			}
			cancel()
			w.fail = nil
			w.check(t)
			w.run(t, RunOptions{})
			if diff := cmp.Diff(want, final(w)); diff != "" {
				t.Errorf("call %d (%s) failed, death %v: %s", n, hit, death, diff)
			}
		}
	}
}

// Two runs on one store, in step and out of it: every rotation is opened once.
func TestTwoRunsAtOnce(t *testing.T) {
	for range 5 {
		w := newWorld()
		for i := range 40 {
			w.accounts[acct].user(fmt.Sprintf("u%02d", i), 95)
		}
		q := w.request(w.accounts[acct].user("young", 10))
		var runs sync.WaitGroup
		for range 3 {
			runs.Go(func() {
				if _, err := New(w.options()).Run(context.Background(), RunOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		runs.Go(func() {
			if err := New(w.options()).Requested(context.Background(), q); err != nil {
				t.Error(err)
			}
		})
		runs.Wait()
		if len(w.store.rotations) != 41 || w.store.saves != 41 {
			t.Fatalf("%d rotations by %d saves", len(w.store.rotations), w.store.saves)
		}
		for _, r := range w.store.rotations {
			if r.Episode != 1 || len(r.History) != 1 {
				t.Errorf("%s: episode %d, %d events", r.ID, r.Episode, len(r.History))
			}
		}
	}
}

// Somebody else changes the rotation just before it is saved: it is read again once, and then left to the next run.
func TestConflict(t *testing.T) {
	for _, times := range []int{1, 5} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			w := newWorld()
			u := w.accounts[acct].user("due", 95)
			w.run(t, RunOptions{})
			w.later(day)
			u.keys = append(u.keys, &key{id: "AKIANEW", created: w.now, use: used(w.now)})
			left := times
			w.store.onSave = func(r rotation.Rotation) {
				if left--; left >= 0 {
					w.change(t, u, rotation.Denied{Actor: person, What: "approve", Why: fmt.Sprint("no ", left)})
				}
			}
			sum := w.run(t, RunOptions{})
			if done := times == 1; (sum.Refreshed == 1) != done || len(w.reports[1].Failures) != 0 {
				t.Errorf("%+v, failures %v", sum, w.reports[1].Failures)
			}
			w.store.onSave = nil
			w.run(t, RunOptions{})
			if r := w.rotation(t, acct, u); len(r.Choices) != 2 {
				t.Errorf("in the end: %+v", r)
			}
		})
	}
}

// Whatever users and keys there are: no rotation for the exempt, none in mode audit, at most one open for each user, root
// never, and nothing is written where nothing has changed.
func TestRunProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		a := w.accounts[acct]
		mode := rapid.SampledFrom([]rotation.Mode{rotation.ModeAudit, rotation.ModeApprove, rotation.ModeAuto})
		w.rules[0].policy.Mode = mode.Draw(t, "mode")
		w.rules[0].policy.Unused = rapid.SampledFrom([]rotation.Kind{rotation.Rotate, rotation.Retire}).Draw(t, "unused")
		a.rootActive = rapid.IntRange(0, 2).Draw(t, "root")
		for i := range rapid.IntRange(0, 6).Draw(t, "users") {
			u := a.user(fmt.Sprintf("u%d", i), rapid.SliceOfN(rapid.IntRange(0, 400), 0, 2).Draw(t, "ages")...)
			for _, k := range u.keys {
				k.off = rapid.Bool().Draw(t, "off")
				k.use = rapid.SampledFrom([]rotation.LastUse{{}, never, used(start), used(start.Add(-60 * day))}).Draw(t, "use")
			}
			if rapid.IntRange(0, 3).Draw(t, "exempt") == 0 {
				a.group = append(a.group, u.name)
			}
			if rapid.IntRange(0, 3).Draw(t, "asked") == 0 {
				w.request(u)
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			open := 0
			for _, r := range w.store.rotations {
				if r.Open() {
					open++
				}
			}
			sum, err := New(w.options()).Run(context.Background(), RunOptions{})
			if err != nil || len(sum.Failed) > 0 {
				t.Fatalf("%v %+v", err, sum.Failed)
			}
			now := 0
			for _, r := range w.store.rotations {
				if r.Open() {
					now++
				}
				if err := rotation.VerifyHistory(r.History); err != nil {
					t.Fatal(err)
				}
			}
			if now != open+sum.Opened-sum.Closed {
				t.Fatalf("%d open, then %+v, then %d open", open, sum, now)
			}
			if w.rules[0].policy.Mode == rotation.ModeAudit && (sum.Opened > 0 || now > 0) {
				t.Fatal("open in mode audit")
			}
			for _, u := range a.users {
				r, ok := w.store.rotations[u.rid(acct)]
				if ok && r.Open() && contains(a.group, u.name) {
					t.Fatalf("%s is exempt and has an open rotation", u.name)
				}
			}
			saves := w.store.saves
			if sum, err := New(w.options()).Run(context.Background(), RunOptions{}); err != nil || w.store.saves != saves && sum.Opened == 0 {
				t.Fatalf("nothing had changed, and yet: %+v %v", sum, err)
			}
			w.later(rotation.Day * time.Duration(rapid.SampledFrom([]int{1, 9, 40}).Draw(t, "days")))
			if rapid.Bool().Draw(t, "another mode") {
				w.rules[0].policy.Mode = mode.Draw(t, "mode")
			}
			if len(a.users) > 0 && rapid.Bool().Draw(t, "exempt now") {
				a.group = append(a.group, a.users[rapid.IntRange(0, len(a.users)-1).Draw(t, "who")].name)
			}
		}
	})
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}
