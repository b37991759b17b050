package bot

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// wish is what a person asks for in their own words or by a button: the arguments of a decision.
type wish struct {
	why   string
	in    time.Duration // snooze, hold, extend
	until time.Time     // exempt
	pick  rotation.KeyID
	shown string         // the digest that an approval is bound to; a command has none
	named rotation.KeyID // the key that a command named; empty for a button
}

// about refuses a command that names another key of the rotation than the one that the action would touch.
func (w wish) about(what string, r rotation.Rotation) error {
	key := r.Old.ID
	switch what {
	case templates.ActRestore, templates.ActAnyway:
		if r.State == rotation.Evicting && r.Evict != nil {
			key = r.Evict.ID
		}
	case templates.ActApprove, templates.ActGlass:
	default:
		return nil
	}
	if w.named == "" || w.named == key {
		return nil
	}
	return &wordsError{fmt.Sprintf("%s belongs to this rotation, but %s is about %s now. Name that one", w.named, what, key)}
}

// decisionOn makes the decision for an action, or ok is false if there is no such action.
func decisionOn(what string, id rotation.ID, p approval.Person, w wish) (decision, bool) {
	d := decision{what: what, id: id, person: p, digest: w.shown}
	by := p.Actor()
	plain := func(e rotation.Event) func(rotation.Rotation, ruling) (rotation.Event, error) {
		return func(rotation.Rotation, ruling) (rotation.Event, error) { return e, nil }
	}
	needs := func(e rotation.Event) func(rotation.Rotation, ruling) (rotation.Event, error) {
		return func(rotation.Rotation, ruling) (rotation.Event, error) {
			if w.why == "" {
				return nil, errNoWhy
			}
			return e, nil
		}
	}
	switch what {
	case templates.ActApprove:
		d.event = w.approve(by)
	case templates.ActGlass:
		d.event = w.glass(by)
	case templates.ActSnooze:
		d.event = plain(rotation.Snooze{Actor: by, For: w.in, Why: w.why})
	case templates.ActReject:
		d.event = needs(rotation.Reject{Actor: by, Why: w.why})
	case templates.ActExempt:
		d.event = needs(rotation.Exempt{Actor: by, Until: w.until, Why: w.why})
	case templates.ActHold:
		d.event = needs(rotation.HoldOn{Actor: by, For: w.in, Why: w.why})
	case templates.ActRelease:
		d.event = plain(rotation.Release{Actor: by, Why: w.why})
	case templates.ActConfirm:
		d.event = plain(rotation.Confirm{Actor: by})
	case templates.ActExtend:
		d.event = plain(rotation.Extend{Actor: by, For: w.in, Why: w.why})
	case templates.ActRestore:
		d.event = plain(rotation.Restore{Actor: by, Why: w.why})
	case templates.ActRetry:
		d.event = plain(rotation.Retry{Actor: by, Why: w.why})
	case templates.ActAnyway:
		d.event = needs(rotation.DeactivateAnyway{Actor: by, Why: w.why})
	case templates.ActCancel:
		d.event = plain(rotation.Cancel{Actor: by, Why: w.why})
	default:
		return decision{}, false
	}
	event := d.event
	d.event = func(r rotation.Rotation, g ruling) (rotation.Event, error) {
		if err := w.about(what, r); err != nil {
			return nil, err
		}
		return event(r, g)
	}
	return d, true
}

var (
	errNoWhy    = &wordsError{"this needs a reason, which others will read in the history"}
	errNamePick = &wordsError{"this approval also removes another key, so it has to name it. Use the buttons below, which show the whole plan"}
	errLastKey  = &wordsError{"this approval leaves the user without a working key. Use the button below, which shows the whole plan"}
)

// approve binds the yes to what was shown. A command was shown nothing: it stands for the plan as it is read, and only
// where it names every key that goes.
func (w wish) approve(by rotation.Actor) func(rotation.Rotation, ruling) (rotation.Event, error) {
	return func(r rotation.Rotation, g ruling) (rotation.Event, error) {
		undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting
		if undecided && g.rule.Justification && w.why == "" {
			return nil, errNoWhy
		}
		if undecided && w.pick != "" && len(r.Choices) == 0 && (r.Evict == nil || r.Evict.ID != w.pick) {
			return nil, &wordsError{fmt.Sprintf("this plan does not remove key %s first, so leave it out", w.pick)}
		}
		e := rotation.Approve{Actor: by, Digest: w.shown, Required: g.verdict.Required, Pick: w.pick, Why: w.why}
		if w.named == "" { // a button stands for what it was drawn under, even if that was nothing
			return e, nil
		}
		e.Digest = r.Digest()
		switch {
		case !undecided:
		case r.LastActive:
			return nil, errLastKey
		case w.pick == "" && (r.Evict != nil || len(r.Choices) > 0):
			return nil, errNamePick
		}
		return e, nil
	}
}

// glass is approve by one person whom a rule names for that, alone and with a reason.
func (w wish) glass(by rotation.Actor) func(rotation.Rotation, ruling) (rotation.Event, error) {
	approve := w.approve(by)
	return func(r rotation.Rotation, g ruling) (rotation.Event, error) {
		if w.why == "" {
			return nil, errNoWhy
		}
		made, err := approve(r, g)
		if err != nil {
			return nil, err
		}
		e, ok := made.(rotation.Approve)
		if !ok {
			return nil, fmt.Errorf("an approval became a %s", made.Name())
		}
		e.BreakGlass, e.Required = true, 1
		return e, nil
	}
}
