package e2e

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// temper is how the owner of a user answers.
type temper int

const (
	prompt temper = iota
	late          // long after the reminders
	never         // somebody else has to, or the time is up
	twice         // presses everything two times, and changes their mind
	wrong         // without a right to, with words that are none, and no after all
	absent        // the rule goes on by itself
	pair          // the rule asks for two others
)

// installs is after how many days a workload takes the new key up. Now and then one does not until somebody goes after it.
func (y *year) installs(r rotation.Rotation) int {
	switch n := hash(string(r.UserName), r.Episode); {
	case n%17 == 0:
		return 45
	default:
		return n % 7
	}
}

// answer lets people answer to what they see of a rotation, as their temper is.
func (y *year) answer(r rotation.Rotation) {
	if r.State == rotation.Awaiting || r.State == rotation.Upcoming {
		y.decide(r)
		return
	}
	key, waited := string(r.Old.ID), y.days(r)
	switch {
	case r.Stuck != nil, r.Escalated:
		if waited%5 == 4 { // on-call looks after it now and then
			y.types(world.OnCall, []string{"extend " + key + " 3d they are slow", "retry " + key, "hold " + key + " 5d asking the team"}[hash(key, waited)%3])
		}
	case r.State == rotation.Installing && r.New != nil && r.New.InUse.Kind == rotation.UseSeen && hash(key, 1)%4 == 0:
		y.types(y.owner(r), "confirm "+key)
	case r.State == rotation.Recovering && hash(key, 2)%25 == 0 && waited == 2 && y.wantsOld[r.Old.ID] == 0:
		y.types(world.OnCall, "restore "+key+" something nobody knew of needs it")
		y.wantsOld[r.Old.ID] = 4
	}
}

// decide answers the question whether a key may be turned over.
func (y *year) decide(r rotation.Rotation) {
	key, waited, owner := string(r.Old.ID), y.days(r), y.owner(r)
	if r.State == rotation.Upcoming {
		if waited == 1 && y.temper(r) == twice {
			y.types(owner, "snooze "+key+" 2d not now")
		}
		return
	}
	switch y.temper(r) {
	case prompt:
		y.types(owner, "approve "+key)
	case late:
		if waited >= 12 {
			y.types(owner, "approve "+key+" sorry for the wait")
		}
	case never:
		if hash(key, 3)%2 == 0 && r.Escalation != nil && waited >= 14 {
			y.types(world.Second, "approve "+key+" the owner does not answer")
		}
	case twice:
		y.types(owner, "snooze "+key+" 1d")
		y.types(owner, "approve "+key)
		y.types(owner, "approve "+key)
		y.types(owner, "snooze "+key+" 3d after all")
	case wrong:
		y.types(world.Guest, "approve "+key)
		y.types(world.Outsider, "approve "+key)
		y.types(world.Newcomer, "approve "+key)
		y.types(owner, "aprove "+key)
		y.types(owner, "snooze "+key+" until the cows come home")
		y.types(owner, "approve AKIANOBODYNOBODYNOB7")
		switch {
		case hash(key, 4)%3 == 0 && waited == 2:
			y.types(owner, "reject "+key+" this one we still need")
		case waited == 4:
			y.types(owner, "snooze "+key+" 7d")
		case waited > 8:
			y.types(owner, "approve "+key)
		}
	case pair:
		if waited == 1 {
			y.types(world.OnCall, "approve "+key+" first")
			y.types(world.OnCall, "approve "+key+" once more")
		}
		if waited >= 3 {
			y.types(world.Second, "approve "+key+" second")
		}
	}
}

// types types a command of Slack, and holds that it is answered.
func (y *year) types(who, text string) {
	y.said++
	r := y.Slack.As(who).Command(text)
	if r.Err != nil {
		y.t.Errorf("%s: /keys %s: %v", who, text, r.Err)
		return
	}
	if who == world.Outsider {
		return // Slack lets nobody of another workspace see an answer of an app that is not theirs
	}
	if r.Ephemeral == nil || strings.TrimSpace(r.Ephemeral.Text) == "" {
		y.t.Errorf("%s: /keys %s: no answer", who, text)
	}
}

func (y *year) temper(r rotation.Rotation) temper {
	if strings.HasPrefix(r.UserPath, "/auto/") {
		return absent
	}
	if strings.HasPrefix(r.UserPath, "/gold/") {
		return pair
	}
	return temper(hash(string(r.UserName), 0) % int(absent))
}

func (y *year) owner(r rotation.Rotation) string {
	var n int
	fmt.Sscanf(r.Owner, "owner-%02d@", &n)
	return morningOwner(n)
}

// days is since when a rotation is in its state.
func (y *year) days(r rotation.Rotation) int { return int(y.Clock.Now().Sub(r.Since) / rotation.Day) }

// hash is a number that is the same in every run.
func hash(s string, n int) int {
	h := uint32(2166136261)
	for _, b := range []byte(fmt.Sprint(s, n)) {
		h = (h ^ uint32(b)) * 16777619
	}
	return int(h % 1_000_003)
}
