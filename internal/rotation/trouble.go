package rotation

import (
	"fmt"
	"time"
)

// MaxAttempts is how often a step is tried before the rotation is stuck.
const MaxAttempts = 8

// Failed says that a step failed. It is tried again later; when the attempts ran out the rotation is stuck.
type Failed struct {
	Token string // of the claim that ends, or "" where none was made
	Op    Op
	Error string // AWS's code and what was tried; never secret material
}

// Name implements Event.
func (Failed) Name() string { return "failed" }

// By implements Event.
func (Failed) By() Actor      { return System }
func (e Failed) note() string { return join(string(e.Op), e.Error) }

func (e Failed) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.giveBack(e.Token, e.Op); err != nil {
		return err
	}
	n := r.attempts(e.Op) + 1
	r.Trouble = &Trouble{Op: e.Op, Attempts: n, Error: e.Error, RetryAt: now.Add(Backoff(n))}
	if n >= MaxAttempts {
		r.stick(e.Op, fmt.Sprintf("after %d attempts: %s", n, e.Error), now)
	}
	return nil
}

// giveBack ends the claim of op where token holds it. Without a token nothing may be claimed.
func (r *Rotation) giveBack(token string, op Op) error {
	if token == "" {
		return r.idle()
	}
	if err := r.holder(token, op); err != nil {
		return err
	}
	r.Acting = nil
	return nil
}

func (r *Rotation) stick(op Op, seen string, now time.Time) {
	r.Stuck = &Stuck{Seen: seen, From: r.State, Op: op, At: now}
	r.Acting = nil // a restore that somebody asked for stays asked for: Retry goes on with it
	r.tell()
}

// GotStuck says that keyturn needs a person, because what it saw fits no rule.
type GotStuck struct {
	Token string
	Op    Op
	Seen  string
	Moot  bool // the restore that was asked for can never be done: Retry does not try it again
}

// Name implements Event.
func (GotStuck) Name() string { return "stuck" }

// By implements Event.
func (GotStuck) By() Actor      { return System }
func (e GotStuck) note() string { return e.Seen }

func (e GotStuck) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.giveBack(e.Token, e.Op); err != nil {
		return err
	}
	if r.Stuck != nil {
		return refuse(Already, "it is stuck already: %s", r.Stuck.Seen)
	}
	r.stick(e.Op, e.Seen, now)
	if e.Moot {
		r.Restore = nil
	}
	return nil
}

// Retry sends a stuck rotation, or one that waits after a failure, back to the state that it failed in.
type Retry struct {
	Actor Actor
	Why   string
}

// Name implements Event.
func (Retry) Name() string { return "retry" }

// By implements Event.
func (e Retry) By() Actor    { return e.Actor }
func (e Retry) note() string { return e.Why }

func (e Retry) apply(r *Rotation, now time.Time) error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Stuck == nil && (r.Trouble == nil || r.Trouble.Attempts == 0) {
		return refuse(NotNow, "nothing has failed for key %s: it is %s", r.Old.ID, r.State.Sentence())
	}
	r.Stuck, r.Trouble = nil, nil
	if r.Journal != nil {
		r.Journal.Lost = 0
	}
	r.tell()
	return nil
}

// ReplacementLost says that the new key, or its secret, is gone.
type ReplacementLost struct{ What string }

// Name implements Event.
func (ReplacementLost) Name() string { return "replacement_lost" }

// By implements Event.
func (ReplacementLost) By() Actor      { return System }
func (e ReplacementLost) note() string { return e.What }

func (e ReplacementLost) apply(r *Rotation, now time.Time) error {
	if err := r.in("go on", Installing, Recovering); err != nil {
		return err
	}
	if err := r.idle(); err != nil {
		return err
	}
	if r.Stuck != nil {
		return refuse(Already, "it is stuck already: %s", r.Stuck.Seen)
	}
	r.stick("", e.What, now)
	return nil
}

// mostDenied bounds the refusals that one history keeps: a record that grows without end could not be saved any more.
const mostDenied = 100

// Denied records that somebody was refused. It changes nothing else. The same refusal within an hour is recorded once, and
// a history keeps mostDenied of them; the log has all.
type Denied struct {
	Actor Actor
	What  string // the command or button
	Why   string
}

// Name implements Event.
func (Denied) Name() string { return "refused" }

// By implements Event.
func (e Denied) By() Actor    { return e.Actor }
func (e Denied) note() string { return join(e.What, e.Why) }

func (e Denied) apply(r *Rotation, now time.Time) error {
	denied := 0
	for _, h := range r.History {
		if h.Event == e.Name() {
			denied++
		}
	}
	if denied >= mostDenied {
		return refuse(Already, "the history holds %d refusals already; this one is in the log", denied)
	}
	for i := len(r.History) - 1; i >= 0 && now.Sub(r.History[i].At) < time.Hour; i-- {
		h := r.History[i]
		if h.Event == e.Name() && h.Actor == e.Actor && h.Note == e.note() {
			return refuse(Already, "this refusal was recorded %s", Ago(h.At, now))
		}
	}
	return nil
}
