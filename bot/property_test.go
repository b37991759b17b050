package bot

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// walk is a random life of one rotation, as people on screens of any age and the rotator make it.
type walk struct {
	*bench
	rt    *rapid.T
	id    rotation.ID
	shown []templates.Value // what messages, old and new, carry
	fails bool              // the store fails just now
}

func (w *walk) now() rotation.Rotation { return w.store.get(w.t, w.id) }

// allowed is what the rules say, asked without the bot.
func (w *walk) allowed(user, action string, r rotation.Rotation) bool {
	rule := w.rules.rule
	if action != templates.ActApprove {
		rule.SelfApproval = true
	}
	return !w.rules.nothing && approval.Decide(rule, approval.SubjectOf(r, []string{team}), w.slack.people[user], r.Approvals).Allowed
}

// decides lets a random person do a random thing in a random way, and checks what became of it.
func (w *walk) decides(*rapid.T) {
	user := rapid.SampledFrom([]string{owner, accountOwner, named, other, guest, outsider, former, robot, nobody}).Draw(w.rt, "user")
	action := rapid.SampledFrom([]string{"approve", "snooze", "reject", "exempt", "hold", "release", "confirm", "extend", "restore", "retry", "anyway", "cancel"}).Draw(w.rt, "action")
	v := rapid.SampledFrom(w.shown).Draw(w.rt, "screen")
	way := rapid.SampledFrom([]string{"click", "click", "form", "command", "ephemeral", "window"}).Draw(w.rt, "way")
	if rapid.IntRange(0, 9).Draw(w.rt, "without digest") == 0 {
		v.Digest = ""
	}
	before := w.now()
	w.slack.heard()
	answers := 1
	switch way {
	case "form":
		w.submit(filledIn{user: user, action: action, value: v, why: rapid.SampledFrom([]string{"", "because"}).Draw(w.rt, "why"),
			in: rapid.SampledFrom([]string{"1d", "3d", "30d"}).Draw(w.rt, "in"), until: rapid.SampledFrom([]string{"2026-05-01", "2026-08-01", "2036-01-01"}).Draw(w.rt, "until")})
		answers = 0 // it stands in the body
	case "command":
		text := map[string]string{"snooze": " 2d", "reject": " no", "hold": " 2d wait", "extend": " 2d", "anyway": " off"}[action]
		if action == "exempt" {
			w.says(user, "exempt billing-export@payments 2026-08-01 x")
		} else {
			w.says(user, action+" "+string(before.Old.ID)+text)
		}
		answers = 0
	default:
		said := w.press(click{user: user, action: action, value: v.Encode(), ephemeral: way == "ephemeral", modal: way == "window"})
		for _, s := range said {
			if s.Method != "Update" && s.Method != "Respond, replacing" {
				answers--
			}
		}
		if answers == 1 && len(said) == 1 && said[0].Method == "Respond, replacing" {
			answers = 0
		}
	}
	if answers != 0 {
		w.rt.Fatalf("%s by %s (%s): not one answer but %d more or fewer", action, user, way, answers)
	}
	w.judge(user, action, way, v, before)
}

func (w *walk) judge(user, action, way string, v templates.Value, before rotation.Rotation) {
	after := w.now()
	fresh := after.History[len(before.History):]
	what := changed(before, after)
	may := w.allowed(user, action, before)
	switch {
	case after.Version == before.Version:
		if len(fresh) > 0 || what != "" {
			w.rt.Fatalf("%s by %s: changed without a version", action, user)
		}
		return
	case after.Version != before.Version+1 || len(fresh) != 1 || fresh[0].Actor.ID != user || w.fails:
		w.rt.Fatalf("%s by %s: %d versions, %+v", action, user, after.Version-before.Version, fresh)
	case !may && (what != "" || fresh[0].Event != (rotation.Denied{}).Name()):
		w.rt.Fatalf("%s by %s, who may not: %s", action, user, what)
	case may && what == "":
		w.rt.Fatalf("%s by %s, who may, was noted as refused: %+v", action, user, fresh[0])
	}
	if what == "" {
		return
	}
	if way != "command" && v.Episode != before.Episode {
		w.rt.Fatalf("%s decided on another episode than was shown", action)
	}
	if (action == "approve" || action == "anyway") && way != "command" && v.Digest != before.Digest() {
		w.rt.Fatalf("%s of a plan that was not shown", action)
	}
	if way == "command" && action == "approve" && (before.Evict != nil || len(before.Choices) > 0) {
		w.rt.Fatalf("a command approved more than it named")
	}
	if err := rotation.VerifyHistory(after.History); err != nil {
		w.rt.Fatal(err)
	}
}

// moves is what happens without people.
func (w *walk) moves(*rapid.T) {
	r := w.now()
	switch rapid.SampledFrom([]string{"time", "replan", "state", "claim", "unclaim", "stuck", "gate", "episode", "mode", "rules", "request", "disk"}).Draw(w.rt, "moves") {
	case "time":
		w.advance(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, days(1), days(8)}).Draw(w.rt, "by"))
		return
	case "replan":
		if r.Evict == nil {
			r.Evict = &rotation.KeyRef{ID: twoKey, Created: start}
		} else if r.State != rotation.Evicting {
			r.Evict = nil
		}
	case "state":
		next := at(rapid.SampledFrom(rotation.States).Draw(w.rt, "state"))
		next.ID, next.Episode, next.History, next.Snoozed, next.HeldUsed, next.Extended = r.ID, r.Episode, r.History, r.Snoozed, r.HeldUsed, r.Extended
		r = next
	case "claim":
		claimed(rotation.OpDelete)(&r)
	case "unclaim":
		r.Acting = nil
	case "stuck":
		stuck(&r)
	case "gate":
		gated(&r)
	case "episode":
		r = with(openedAt(rotation.Awaiting, w.clock()), func(n *rotation.Rotation) { n.Episode = r.Episode + 1 })
	case "mode":
		w.rules.policy.Mode = rapid.SampledFrom([]rotation.Mode{rotation.ModeAudit, rotation.ModeApprove, rotation.ModeAuto}).Draw(w.rt, "mode")
		return
	case "rules":
		w.rules.rule.Required = rapid.IntRange(0, 3).Draw(w.rt, "required")
		w.rules.rule.SelfApproval = rapid.Bool().Draw(w.rt, "self")
		w.rules.rule.Justification = rapid.Bool().Draw(w.rt, "justification")
		w.rules.nothing = rapid.IntRange(0, 9).Draw(w.rt, "nothing") == 0
		return
	case "request":
		r.RequestedBy = w.slack.people[owner].Actor()
	case "disk":
		w.fails = !w.fails
		if w.fails {
			w.store.fail("SaveRotation", rapid.SampledFrom([]error{store.ErrFull, store.ErrBusy, errTest}).Draw(w.rt, "error"))
		} else {
			w.store.fail("SaveRotation", nil)
		}
		return
	}
	w.store.put(r)
	if rapid.Bool().Draw(w.rt, "a message is sent") {
		w.shown = append(w.shown, templates.ValueOf(r))
	}
}

func TestNobodyDecidesWhoMayNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := newBench(t)
		r := e.kept(opened(rotation.Awaiting))
		w := &walk{bench: e, rt: rt, id: r.ID, shown: []templates.Value{templates.ValueOf(r)}}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if rapid.IntRange(0, 2).Draw(rt, "who") == 0 {
				w.moves(rt)
			} else {
				w.decides(rt)
			}
		}
		for _, x := range e.store.exemptions {
			if !slices.Contains(may, x.By.ID) {
				rt.Fatalf("exempted by %s", x.By.ID)
			}
		}
	})
}
