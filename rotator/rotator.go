package rotator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Options is what a Rotator needs. Store, AWS, Rules, Teller, SecretName and NewToken are required.
type Options struct {
	Store  Store
	AWS    AWS
	Rules  approval.Rules // today's
	Teller Teller

	// SecretName names the secret of a user. An error stops issuing before anything is made.
	SecretName func(rotation.AccountID, rotation.UserName) (string, error)
	// KMSKey is the key that encrypts the secret of a rotation; empty: the account's AWS-managed one. nil: always empty.
	KMSKey func(rotation.Rotation) string
	// ExemptGroup is the IAM group whose members are left alone; empty: there is none.
	ExemptGroup string

	// When says from when on today's calendar lets an operation be done on a rotation, t at the earliest, and why not
	// before; hours: not only freezes count but also working hours. nil: always.
	When func(r rotation.Rotation, hours bool, t time.Time) (at time.Time, why string)
	// Groups reads the members of the Slack user groups that a rule names. nil: nothing is known of them.
	Groups func(ctx context.Context, rule approval.Rule) approval.Groups
	// Able counts the people who could approve a rotation, with the next circle or without it. nil: that is not checked.
	Able func(ctx context.Context, rule approval.Rule, r rotation.Rotation, escalated bool) (int, error)

	Now      func() time.Time // domain clock; nil: the real one
	Real     func() time.Time // protocol clock; nil: the real one
	NewToken func() string    // 32 to 64 characters, never the same twice

	// Lease is how long a claim lasts; it outlives every step. 0: DefaultLease.
	Lease time.Duration
	// Settle is how long IAM's listings may lag: an attempt that made no key is believed only that long after its lease.
	// 0: DefaultSettle.
	Settle time.Duration
	// Spare is how much of its context's time a Wake wants before it begins a step, or begins to tell people; 0: none.
	Spare time.Duration
	Wait  func(context.Context, time.Duration) error // pauses between tries; nil: real ones
	Log   *slog.Logger                               // nil: slog.Default
}

// Defaults of Options. IAM shows a new key in listings after some seconds; a minute is far beyond what was seen.
const (
	DefaultLease  = 3 * time.Minute
	DefaultSettle = time.Minute
)

// Rotator carries rotations on. It is safe for concurrent use, also by several processes on one store.
type Rotator struct{ o Options }

// New returns a rotator.
func New(o Options) *Rotator {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = time.Now
	}
	if o.KMSKey == nil {
		o.KMSKey = func(rotation.Rotation) string { return "" }
	}
	if o.When == nil {
		o.When = func(_ rotation.Rotation, _ bool, t time.Time) (time.Time, string) { return t, "" }
	}
	if o.Groups == nil {
		o.Groups = func(context.Context, approval.Rule) approval.Groups { return nil }
	}
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Wait == nil {
		o.Wait = pause.For
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Rotator{o: o}
}

// mostSteps bounds how many steps one Wake takes, one after the other. The tick finds what is left.
const mostSteps = 10

// Wake takes every step of a rotation whose time has come, and tells people where it stands then. A step that failed is
// noted on the rotation and is no error of Wake; an error means that the store could not be used, people not be told, or
// that the time was nearly over (ErrOutOfTime).
func (w *Rotator) Wake(ctx context.Context, id rotation.ID) error {
	var stepErr error
	for range mostSteps {
		r, err := w.o.Store.GetRotation(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil // a request that the scheduler has yet to serve
		}
		if err != nil {
			return fmt.Errorf("read rotation %s: %w", id, err)
		}
		moved, err := w.step(ctx, r)
		if err != nil {
			stepErr = fmt.Errorf("rotation %s: %w", id, err)
		}
		if !moved || err != nil {
			break
		}
	}
	return errors.Join(stepErr, w.tell(ctx, id))
}

// step takes the next step of r, if its time has come. moved says that r was changed, so that another step may be due.
func (w *Rotator) step(ctx context.Context, r rotation.Rotation) (moved bool, err error) {
	next, at := r.Next()
	if next == rotation.StepNone || w.o.Now().Before(at) {
		return false, nil
	}
	if err := w.enough(ctx, r.ID, "step "+string(next)); err != nil {
		return false, err
	}
	if op := rotation.OpOf(next); op != "" {
		return w.mutate(ctx, r, op)
	}
	if next == rotation.StepLook {
		return w.lookAgain(ctx, r)
	}
	events, err := w.plain(ctx, r, next)
	if err != nil {
		return false, err
	}
	return w.change(ctx, r, events...)
}

// plain is what a step does that needs nothing of AWS.
func (w *Rotator) plain(ctx context.Context, r rotation.Rotation, s rotation.Step) ([]rotation.Event, error) {
	e, err := w.plainEvent(r, s)
	if err != nil {
		return nil, err
	}
	if s == rotation.StepDue {
		if unmet, is := approval.Unmeetable(ctx, w.o.Rules, w.o.Able, r, w.o.Log); is {
			return []rotation.Event{e, unmet}, nil
		}
	}
	return []rotation.Event{e}, nil
}

func (w *Rotator) plainEvent(r rotation.Rotation, s rotation.Step) (rotation.Event, error) {
	switch s {
	case rotation.StepDue:
		return rotation.Due{}, nil
	case rotation.StepWake:
		return rotation.Wake{}, nil
	case rotation.StepRemind:
		return rotation.Remind{}, nil
	case rotation.StepEscalate:
		return r.Unanswered(w.o.Now()), nil
	case rotation.StepTimeout:
		return rotation.TimeIsUp{}, nil
	case rotation.StepNotice:
		if p, _, ok := w.o.Rules.For(approval.TargetOf(r)); ok && p.Mode != rotation.ModeAuto && p.Mode != "" {
			return rotation.ModeIs{Mode: p.Mode}, nil // people decide now
		}
		return rotation.NoticePassed{}, nil
	case rotation.StepRelease:
		return rotation.Release{Actor: rotation.System, Why: "the time of the hold is over"}, nil
	case rotation.StepBeginEvict:
		return rotation.BeginEvict{}, nil
	default:
		return nil, fmt.Errorf("this version does not know the step %q", s)
	}
}

// change applies events to r as it was read, and saves once. Where somebody else saved in between, or the core refuses,
// nothing is changed and the next Wake looks again.
func (w *Rotator) change(ctx context.Context, r rotation.Rotation, events ...rotation.Event) (bool, error) {
	next := r
	for _, e := range events {
		var err error
		if next, err = rotation.Apply(next, e, w.o.Now()); err != nil {
			w.o.Log.Debug("step not taken", "rotation", r.ID, "event", e.Name(), "why", err.Error())
			return false, nil
		}
	}
	_, err := w.o.Store.SaveRotation(ctx, next)
	if errors.Is(err, store.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("save: %w", err)
	}
	for _, e := range events {
		w.o.Log.Info("rotation moved", "rotation", r.ID, "account", r.Account, "event", e.Name(), "state", next.State)
	}
	return true, nil
}
