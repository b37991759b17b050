package rotator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
)

// walk is a life in which faults, people and hands come at random.
type walk struct {
	*life
	rt       *rapid.T
	leaked   bool // somebody said so: the gate does not count, and the user may be left without a key
	hands    bool // keys are switched and deleted in the console
	touched  bool // they were
	removed  bool // a key was deleted in the console
	rejected bool
	faults   int
}

// TestRandomLivesKeepTheirPromises: whatever fails, whoever acts, whenever a process dies, no key in use is cut off,
// nobody is left without a key, nothing is deleted early, one new key stays, and the rotation ends or waits for a person.
// Most of this is checked by the cloud, at every mutation.
func TestRandomLivesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	names := []string{"one key", "an inactive key in the way", "an idle active key in the way"}
	rapid.Check(t, func(rt *rapid.T) {
		w := &walk{life: newLife(rt), rt: rt, hands: rapid.IntRange(0, 2).Draw(rt, "hands") == 0}
		w.aws.users[userName].Keys = situations[rapid.SampledFrom(names).Draw(rt, "situation")](w.life)
		for _, k := range w.keys() {
			if k.Status == rotation.Inactive {
				w.aws.off[k.ID] = w.now
			}
		}
		w.aws.cut = w.cut
		w.open()
		w.approve()
		for range rapid.IntRange(5, 60).Draw(rt, "length") {
			w.move()
		}
		ends[w.end()]++
	})
	for _, end := range []string{"rotated", "rotated by hand"} {
		if ends[end] == 0 {
			t.Errorf("no walk ended %s: %v", end, ends)
		}
	}
	t.Log(ends)
}

// cut looks at every key that keyturn deactivates.
func (w *walk) cut(k rotation.Key) {
	r := w.get()
	w.aws.mayBare = w.leaked
	if w.aws.made[k.ID] != "" {
		if k.LastUse.Kind != rotation.UseNever || r.New != nil && r.New.ID == k.ID {
			w.t.Errorf("new key %s was deactivated, last used %v", k.ID, k.LastUse)
		}
		return
	}
	quiet := r.Policy.QuietPeriod
	if r.State == rotation.Installing && (r.Confirmed != nil || r.New.InUse.Kind == rotation.UseSeen) {
		quiet = r.Policy.ConfirmedQuiet
	}
	since, known := k.LastUse.IdleSince(k.Created)
	if r.Anyway == nil && r.Leaked == nil && (!known || w.Now().Sub(since) < quiet) {
		w.t.Errorf("key %s was deactivated, last used %v, now %s", k.ID, k.LastUse, w.Now())
	}
}

// try applies what the state allows.
func (w *walk) try(e rotation.Event) {
	next, err := rotation.Apply(w.get(), e, w.Now())
	if err != nil {
		return
	}
	w.save(next)
	switch e.(type) {
	case rotation.Leaked:
		w.leaked = true
	case rotation.Reject:
		w.rejected = true
	}
}

func (w *walk) person() rotation.Event {
	r := w.get()
	d := time.Duration(rapid.IntRange(1, 8).Draw(w.rt, "days")) * rotation.Day
	all := []rotation.Event{
		rotation.HoldOn{Actor: owner, For: d}, rotation.Release{Actor: owner}, rotation.Restore{Actor: owner}, rotation.Confirm{Actor: owner},
		rotation.DeactivateAnyway{Actor: owner}, rotation.Snooze{Actor: owner, For: d}, rotation.Retry{Actor: owner},
		rotation.Extend{Actor: owner, For: d}, rotation.Cancel{Actor: owner}, rotation.Denied{Actor: owner, What: "x"},
		rotation.Approve{Actor: owner, Digest: r.Digest(), Required: 1},
	}
	switch rapid.IntRange(0, 29).Draw(w.rt, "drastic") {
	case 11, 12:
		return rotation.Leaked{Actor: owner}
	case 13:
		return rotation.Reject{Actor: owner}
	}
	return rapid.SampledFrom(all).Draw(w.rt, "event")
}

// hand changes a key in the console, and the scan sees it. AWS does not say since when a key is inactive: to and fro between
// two looks cannot be seen.
func (w *walk) hand() {
	r := w.get()
	ks := w.keys()
	if len(ks) == 0 || r.Acting != nil {
		return
	}
	w.touched = true
	k := rapid.SampledFrom(ks).Draw(w.rt, "key").ID
	switch rapid.IntRange(0, 6).Draw(w.rt, "hand") {
	case 0, 1, 2:
		w.byHand(k, rotation.Inactive)
		w.try(rotation.ObservedDeactivated{Key: k})
	case 3, 4, 5:
		w.byHand(k, rotation.Active)
		w.try(rotation.ObservedReactivated{Key: k})
	default:
		w.removeByHand(k)
		w.removed = true
	}
}

// trouble arms one thing that goes wrong, or one person who acts, at a coming call to AWS or save.
func (w *walk) trouble() {
	at, after := rapid.IntRange(1, 14).Draw(w.rt, "call"), rapid.Bool().Draw(w.rt, "after")
	kind := rapid.IntRange(0, 4).Draw(w.rt, "trouble")
	e := w.person()
	w.faults++
	hit := func(n int, isAfter bool) error {
		if n != at || isAfter != after {
			return nil
		}
		switch kind {
		case 0:
			panic(errCrash)
		case 1, 2:
			return errFault
		case 3:
			w.clocks(0, DefaultLease+time.Second)
		default:
			w.try(e)
		}
		return nil
	}
	if rapid.IntRange(0, 2).Draw(w.rt, "where") == 0 {
		at += w.store.saves
		w.store.around = hit
		return
	}
	at += len(w.aws.calls)
	w.aws.around = func(n int, _ string, after bool) error { return hit(n, after) }
}

func (w *walk) move() {
	if r := w.get(); !r.Open() {
		return
	}
	switch rapid.IntRange(0, 13).Draw(w.rt, "what") {
	case 0, 1:
		w.try(w.person())
	case 2:
		if w.faults < 5 {
			w.trouble()
		}
	case 3:
		if w.status(oldKey) == rotation.Active && rapid.IntRange(0, 2).Draw(w.rt, "often") == 0 {
			w.use(oldKey, "s3")
		}
	case 4:
		if r := w.get(); r.New != nil && w.status(r.New.ID) == rotation.Active {
			w.use(r.New.ID, "s3")
		}
	case 5:
		if w.hands {
			w.hand()
		}
	case 6:
		w.pass(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, rotation.Day, 9 * rotation.Day}).Draw(w.rt, "pass"))
	case 7, 8, 9:
		w.pass(max(w.get().NextAt.Sub(w.Now()), 0))
	default:
		w.quietWake()
	}
}

// quietWake takes every error that was ordered.
func (w *walk) quietWake() {
	defer func() {
		if p := recover(); p != nil && p != errCrash {
			panic(p)
		}
	}()
	if err := w.rot.Wake(context.Background(), w.id); err != nil && !errors.Is(err, errFault) {
		w.t.Fatalf("wake: %v", err)
	}
}

// end lets the life go on undisturbed, and says how it ended.
func (w *walk) end() string {
	w.aws.around, w.store.around = nil, nil
	w.pass(0)
	for range 300 {
		w.quietWake()
		r := w.get()
		quiet := r.Acting == nil && !r.Untold()
		switch {
		case quiet && r.State == rotation.Closed:
			return w.closed(r)
		case quiet && r.Stuck != nil:
			late := strings.Contains(r.Stuck.Seen, "was to be restored") // after a deletion whose answer was lost
			if !w.touched && !w.leaked && !late && !strings.Contains(r.Stuck.Seen, "were lost, one after the other") {
				w.t.Fatalf("stuck without a reason: %s\n%s", r.Stuck.Seen, w.tail())
			}
			w.check(r)
			return "stuck"
		case quiet && (r.State == rotation.Awaiting || r.State == rotation.Upcoming):
			w.check(r)
			return "waiting for a decision"
		case quiet && r.Escalated && (w.touched || w.leaked):
			w.check(r)
			return "escalated"
		case r.Open() && r.NextAt.IsZero():
			w.t.Fatalf("nothing looks at it again in %s\n%s", r.State, w.tail())
		}
		w.pass(max(r.NextAt.Sub(w.Now()), 0))
	}
	w.t.Fatalf("it never ends: %s\n%s", w.get().State, w.tail())
	return ""
}

// check is what holds for every rotation that rests.
func (w *walk) check(r rotation.Rotation) {
	if err := rotation.VerifyHistory(r.History); err != nil {
		w.t.Fatal(err)
	}
	w.noSecrets()
	known := []rotation.KeyID{oldKey}
	if r.New != nil {
		known = append(known, r.New.ID)
	}
	mayBeMade := false
	if j := r.Journal; j != nil {
		known = append(known, j.NewKey, j.LostKey)
		mayBeMade = j.NewKey == "" && j.Creates > 0
	}
	stray := 0
	for _, k := range w.keys() {
		if w.aws.made[k.ID] != "" && !slices.Contains(known, k.ID) {
			stray++
		}
	}
	if stray > 1 || stray == 1 && !mayBeMade {
		w.t.Fatalf("a new key that nobody knows: %+v, rotation %s %s\n%s", w.keys(), r.State, r.Outcome, w.tail())
	}
}

func (w *walk) closed(r rotation.Rotation) string {
	w.check(r)
	switch {
	case r.Outcome == rotation.OutcomeRejected && w.rejected, r.Outcome == rotation.OutcomeGone && w.removed:
		return string(r.Outcome)
	case r.Outcome != rotation.OutcomeRotated:
		w.t.Fatalf("ended %s\n%s", r.Outcome, w.tail())
	case w.touched:
		return "rotated by hand"
	}
	w.healthy()
	return "rotated"
}
