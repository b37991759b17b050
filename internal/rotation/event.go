package rotation

import (
	"errors"
	"fmt"
	"time"
)

// Event is something that happened to a rotation. The events of this package are all there are.
type Event interface {
	// Name is the event's name in the history.
	Name() string
	// By is who caused it.
	By() Actor
	// note is what the history says beside the name.
	note() string
	// apply changes r, which is a copy, or refuses.
	apply(r *Rotation, now time.Time) error
}

// Code classifies a Refusal for callers that decide on it.
type Code string

// The codes of a refusal.
const (
	NotNow     Code = "not_now"     // the state does not allow it
	Already    Code = "already"     // it has been done
	Busy       Code = "busy"        // a mutation of AWS is claimed
	Stale      Code = "stale"       // what was decided on has changed since it was shown
	OverBudget Code = "over_budget" // the policy does not allow so much
	Invalid    Code = "invalid"     // the event itself makes no sense
	NotHolder  Code = "not_holder"  // the claim belongs to somebody else
)

// Refusal is why Apply changed nothing. Sentence is for a person.
type Refusal struct {
	Code     Code
	Sentence string
}

func (e *Refusal) Error() string { return e.Sentence }

// Refused returns the refusal's code, or "" if err is not one.
func Refused(err error) Code {
	if e, ok := errors.AsType[*Refusal](err); ok {
		return e.Code
	}
	return ""
}

func refuse(code Code, format string, args ...any) error {
	return &Refusal{Code: code, Sentence: fmt.Sprintf(format, args...)}
}

// Apply returns what r becomes by e at now. It is total: what the state does not allow comes back as a *Refusal and r
// unchanged. It never changes its input. Every event that took effect is in the history of the result.
func Apply(r Rotation, e Event, now time.Time) (Rotation, error) {
	if e == nil {
		return r, refuse(Invalid, "there is no event to apply")
	}
	c := r.Clone()
	if err := e.apply(&c, now); err != nil {
		return r, err
	}
	if c.State != r.State {
		c.Since = now
		c.GateRefusals, c.GateSeen, c.Escalated, c.Postponed = 0, nil, false, nil
		if c.State == Awaiting {
			c.asked(now)
			c.Escalation = nil
		}
	}
	if quiet, ok := e.(interface{ unrecorded(Rotation) bool }); !ok || !quiet.unrecorded(r) {
		c.record(e.Name(), e.By(), r.State, e.note(), now)
	}
	c.NextAt = c.nextAt(now)
	return c, nil
}

// tell marks that people should hear of this.
func (r *Rotation) tell() {
	r.PeopleSeq++
	r.TellAfter, r.TellTries = time.Time{}, 0
}

// idle refuses while a mutation of AWS is claimed.
func (r *Rotation) idle() error {
	if r.Acting == nil {
		return nil
	}
	return refuse(Busy, "key %s is %s right now. Look again in a minute", r.acted(), r.Acting.Op.Doing())
}

func (r *Rotation) acted() KeyID {
	if r.Evict != nil && (r.Acting.Op == OpEvictDeactivate || r.Acting.Op == OpEvictDelete) {
		return r.Evict.ID
	}
	return r.Old.ID
}

// open refuses when the rotation is closed.
func (r *Rotation) open() error {
	if r.State != Closed {
		return nil
	}
	return refuse(NotNow, "this rotation is closed (%s) since %s. /keys history %s shows it", r.Outcome, day(r.ClosedAt), r.Old.ID)
}

// in refuses unless the rotation is in one of the states; doing completes "cannot ...".
func (r *Rotation) in(doing string, states ...State) error {
	if err := r.open(); err != nil {
		return err
	}
	for _, s := range states {
		if r.State == s {
			return nil
		}
	}
	return refuse(NotNow, "cannot %s now: key %s is %s", doing, r.Old.ID, r.State.Sentence())
}

// Sentence completes "key X is ...".
func (s State) Sentence() string {
	switch s {
	case Upcoming:
		return "only announced, its rotation is not due yet"
	case Awaiting:
		return "waiting for a decision"
	case Approved:
		return "approved and about to be worked on"
	case Evicting:
		return "waiting until another key has made room"
	case Issuing:
		return "being replaced right now"
	case Installing:
		return "being replaced: the new key is issued and both work"
	case Recovering:
		return "deactivated and can still be restored"
	case Closed:
		return "done"
	default:
		return "in a state that this version does not know"
	}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Ago says how long before now t was, for a sentence: "2 minutes ago".
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	n, unit := 0, ""
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		n, unit = int(d/time.Minute), "minute"
	case d < Day:
		n, unit = int(d/time.Hour), "hour"
	default:
		n, unit = int(d/Day), "day"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s ago", n, unit)
}
