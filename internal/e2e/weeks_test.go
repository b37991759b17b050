package e2e

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/templates"
)

// TestManyWeeks lets the seeded organization live for months: workloads use their keys, the scan runs daily and the tick every
// six hours, and people press whatever button they find. Whatever they do, nobody's working key is taken while it is in use,
// and nobody is left without one unless an approval said so. make test runs all of it without the race detector, and one
// organization with it.
func TestManyWeeks(t *testing.T) {
	seeds := []uint64{2, 1}
	if raced {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run("", func(t *testing.T) {
			s := newStage(t)
			s.Seed()
			w := &weeks{stage: s, t: t, rng: rand.New(rand.NewPCG(seed, 20260601)), used: map[string]time.Time{}, off: map[string]bool{}}
			// What people come to press depends a little on the order of messages. Weeks in which too little happened to prove
			// anything are followed by others.
			var issued, off, on, deleted int
			enough := func() bool {
				issued, off, on, deleted = w.count("issued"), w.count("deactivated"), w.count("restored"), w.count("deleted")
				return w.pressed >= 100 && issued >= 2 && off >= 4 && deleted >= 2
			}
			for days := 0; days < 100 || days < 400 && !enough(); days++ {
				w.day()
			}
			w.noSecrets()
			t.Logf("%d buttons pressed, %d of them refused; %d keys issued, %d deactivated, %d restored, %d deleted", w.pressed, w.refused, issued, off, on, deleted)
			if !enough() {
				t.Error("too little happened for this to prove anything")
			}
		})
	}
}

type weeks struct {
	*stage
	t       *testing.T
	rng     *rand.Rand
	used    map[string]time.Time // by key: when a workload used it last
	off     map[string]bool      // keys seen inactive
	pressed int
	refused int
}

// names are the users of the production account.
func (w *weeks) names() []string {
	out := []string{world.Billing, world.Unused, world.TwoActive, world.Conflict, world.Leftover, world.Exempt, world.NoSlack, world.Soon}
	return append(out, "service-01", "service-02", "service-18")
}

func (w *weeks) day() {
	for range 4 {
		w.work()
		w.people()
		before := w.active()
		w.pass(6 * time.Hour)
		w.check(before)
	}
	before := w.active()
	w.scan()
	w.check(before)
}

// work lets workloads use keys: each prefers the newest that works, and now and then an old one is used by something forgotten.
func (w *weeks) work() {
	for _, name := range w.names() {
		if name == world.Unused || name == world.Leftover {
			continue
		}
		ks := w.AWS.Keys(world.Prod, name)
		if len(ks) == 0 || w.rng.IntN(3) == 0 {
			continue
		}
		k := ks[len(ks)-1]
		if w.rng.IntN(12) == 0 {
			k = ks[0]
		}
		if w.AWS.Use(k.ID, "s3", world.Region) == nil {
			w.used[k.ID] = w.Clock.Now()
		}
	}
}

// people press buttons: of their own messages, and of the channel's.
func (w *weeks) people() {
	who := []string{world.Owner, world.AccountOwner, world.OnCall, world.Guest, world.Outsider}[w.rng.IntN(5)]
	place := []string{who, world.Channel, world.Owner, world.AccountOwner}[w.rng.IntN(4)]
	ms := slices.DeleteFunc(w.Slack.Messages(place), func(m slackemu.Message) bool { return !strings.Contains(string(m.RawBlocks), `"actions"`) })
	if len(ms) == 0 {
		return
	}
	m := ms[len(ms)-1-w.rng.IntN(min(len(ms), 8))]
	p := w.Slack.As(who)
	if !w.press(p, m) {
		return
	}
	w.app.Drain()
	for range 3 { // a window may lead to another one
		if p.Modal() == nil {
			break
		}
		r := p.Submit(map[string]any{templates.FieldWhy: "because of the weeks"})
		if r.Err != nil {
			r = p.Submit(map[string]any{})
		}
		if r.Err != nil || len(r.Errors) > 0 {
			p.CloseModal()
			break
		}
		w.app.Drain()
	}
	if last := w.Slack.As(who).WaitEphemeral(0, 0); len(last) > 0 && strings.Contains(slackText(last[len(last)-1]), "Nothing was changed") {
		w.refused++
	}
}

// press presses one of the buttons that the message has. What is rare or ends a story comes last.
func (w *weeks) press(p *slackemu.Person, m slackemu.Message) bool {
	texts := []string{"Approve", "Approve…", "Review", "Show", "Snooze", "New key is in use", "Restore", "Release", "More time", "Retry", "Deactivate anyway…", "Deactivate anyway", "History"}
	w.rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	switch w.rng.IntN(20) {
	case 0:
		texts = append([]string{"Reject…"}, texts...)
	case 1:
		texts = append([]string{"Hold…"}, texts...)
	}
	for _, text := range texts {
		if p.ClickButton(m, text).Err == nil {
			w.pressed++
			return true
		}
	}
	return false
}

func slackText(m slackemu.Message) string { return m.Text + string(m.RawBlocks) }

// active counts each user's active keys.
func (w *weeks) active() map[string]int {
	out := map[string]int{}
	for _, name := range w.names() {
		for _, k := range w.AWS.Keys(world.Prod, name) {
			if !k.Inactive {
				out[name]++
			}
		}
	}
	return out
}

// check holds what keyturn did since before against the promise.
func (w *weeks) check(before map[string]int) {
	w.t.Helper()
	now := w.active()
	for _, name := range w.names() {
		ks := w.AWS.Keys(world.Prod, name)
		if len(ks) > 2 {
			w.t.Errorf("%s has %d keys", name, len(ks))
		}
		if before[name] > 0 && now[name] == 0 && !w.agreed(ks, func(r rotation.Rotation) bool { return r.Kind == rotation.Retire && r.LastActive }) {
			w.t.Errorf("%s has no active key any more, and nobody agreed to that:\n%s", name, tailOf(w.logs.String()))
		}
		for _, k := range ks {
			if !k.Inactive || w.off[k.ID] {
				w.off[k.ID] = k.Inactive
				continue
			}
			w.off[k.ID] = true
			if at, was := w.used[k.ID]; was && w.Clock.Now().Sub(at) < 18*time.Hour && !w.agreed([]awsemu.Key{k}, overruled) {
				w.t.Errorf("key %s of %s was cut off, %s after its last use", k.ID, name, w.Clock.Now().Sub(at))
			}
		}
	}
}

// overruled: a person said that the key may be cut off although it is in use.
func overruled(r rotation.Rotation) bool {
	for _, h := range r.History {
		if h.Event == (rotation.DeactivateAnyway{}).Name() {
			return true
		}
	}
	return false
}

// agreed reports whether the rotation of one of the keys says so.
func (w *weeks) agreed(ks []awsemu.Key, ok func(rotation.Rotation) bool) bool {
	for _, k := range ks {
		if ok(w.rotationOf(k.ID)) {
			return true
		}
	}
	return false
}

// count counts what the rotator did.
func (w *weeks) count(event string) int { return strings.Count(w.logs.String(), "event="+event+" ") }

func (w *weeks) noSecrets() {
	for _, secret := range w.AWS.SecretStrings() {
		if strings.Contains(w.logs.String(), secret) {
			w.t.Error("secret material in the log")
		}
		for _, b := range w.Slack.AllTraffic() {
			if strings.Contains(string(b), secret) {
				w.t.Error("secret material in Slack")
			}
		}
	}
}

func tailOf(s string) string { return s[max(0, len(s)-4000):] }
