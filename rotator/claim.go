package rotator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// work is one claimed operation on one rotation, from the claim to its end. It belongs to one goroutine.
type work struct {
	*Rotator
	log     *slog.Logger
	r       rotation.Rotation // as it was saved last
	op      rotation.Op
	token   string
	took    bool      // an attempt before may have done it: a claim ran out, or an answer was lost
	unsure  bool      // a key was switched or deleted, or may have been, and that is not noted yet
	account Account   // mutated only while the claim lasts
	direct  Account   // the same without that condition, to take back what only we know of
	ends    time.Time // of the function's time, on the protocol clock; zero: it has all the time
}

// errLost says that the claim is somebody else's now: whoever holds it goes on, and we must not.
var errLost = errors.New("the claim was taken over")

// mostConflicts bounds how often a save is tried again because somebody else saved in between.
const mostConflicts = 20

// savingTime bounds a save. It does not depend on the caller's time: what was done on AWS has to be noted.
const savingTime = 15 * time.Second

// mutate claims op and carries it out. Whatever goes wrong is noted on the rotation.
func (w *Rotator) mutate(ctx context.Context, r rotation.Rotation, op rotation.Op) (bool, error) {
	if w.tooEarly(r, op) {
		return false, nil
	}
	if now := w.o.Now(); !unfinished(r, op) && !r.Urgent() {
		if at, why := w.o.When(r, needsHours(r, op), now); at.After(now) {
			return w.change(ctx, r, rotation.Postpone{Op: op, Until: at, Why: why})
		}
	}
	k, err := w.claim(ctx, r, op)
	if k == nil || err != nil {
		return false, err
	}
	// The step ends before its lease does: nobody else can have begun while we still act.
	stepCtx, cancel := context.WithTimeout(ctx, w.o.Lease*4/5)
	defer cancel()
	err = k.run(stepCtx)
	switch {
	case errors.Is(err, errLost):
		k.log.Warn("claim lost; somebody else goes on", "op", op)
		return false, nil
	case err == nil:
		return true, nil
	}
	return k.failed(ctx, err)
}

// unfinished reports whether an attempt may have changed something on AWS: it is finished, or cleaned up, whatever the calendar
// says.
func unfinished(r rotation.Rotation, op rotation.Op) bool {
	return r.Acting != nil || op == rotation.OpIssue && r.Journal != nil && r.Journal.Token != ""
}

// needsHours: what takes a key away happens while people are at work, unless one of them said to do it anyway. A new key
// harms nobody, so that only a freeze puts it off.
func needsHours(r rotation.Rotation, op rotation.Op) bool {
	return op != rotation.OpIssue && r.Anyway == nil
}

// tooEarly: an attempt to issue that may have made a key, and whose answer is not known, is looked at only when listings
// have caught up with everything that its holder can have done.
func (w *Rotator) tooEarly(r rotation.Rotation, op rotation.Op) bool {
	j := r.Journal
	if op != rotation.OpIssue || j == nil || j.Token == "" || j.NewKey != "" || j.LostKey != "" || j.Creates == 0 {
		return false
	}
	return w.o.Real().Before(j.LastLease.Add(w.o.Settle))
}

// claim saves the claim of op. It returns nil if it is not to be had now.
func (w *Rotator) claim(ctx context.Context, r rotation.Rotation, op rotation.Op) (*work, error) {
	real := w.o.Real()
	k := &work{
		Rotator: w, op: op, token: w.o.NewToken(), took: attempted(r, op),
		log: w.o.Log.With("rotation", r.ID, "account", r.Account, "op", op),
	}
	if end, limited := ctx.Deadline(); limited {
		k.ends = end
	}
	next, err := rotation.Apply(r, rotation.Claim{Op: op, Token: k.token, Real: real, LeaseUntil: real.Add(w.o.Lease)}, w.o.Now())
	if err != nil {
		k.log.Debug("not claimed", "why", err.Error())
		return nil, nil
	}
	k.r, err = w.o.Store.SaveRotation(ctx, next)
	if errors.Is(err, store.ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("save the claim: %w", err)
	}
	k.log.Info("claimed", "took_over", k.took)
	return k, nil
}

func (k *work) run(ctx context.Context) (err error) {
	if k.direct, err = k.o.AWS.Account(ctx, k.r.Account); err != nil {
		return err
	}
	k.account = leased{k.direct, k}
	s, ok, err := k.see(ctx)
	if !ok || err != nil {
		return err
	}
	if why, stop, err := k.notToday(ctx); err != nil {
		return err
	} else if stop != nil {
		return k.giveBack(ctx, why, stop)
	}
	if _, there := rotation.Find(s.keys, k.r.Old.ID); !there && k.r.State == rotation.Evicting && k.op != rotation.OpRestore && k.op != rotation.OpLeakOff {
		return k.missing(ctx, k.r.Old.ID) // no key goes for the sake of one that is gone
	}
	switch k.op {
	case rotation.OpIssue:
		return k.issue(ctx, s)
	case rotation.OpDeactivate:
		return k.deactivate(ctx, s, k.r.Old.ID)
	case rotation.OpDelete:
		return k.delete(ctx, s)
	case rotation.OpEvictDeactivate:
		return k.deactivate(ctx, s, k.r.Evict.ID)
	case rotation.OpEvictDelete:
		return k.evictDelete(ctx, s)
	case rotation.OpRestore:
		return k.restore(ctx, s)
	case rotation.OpLeakOff:
		return k.cutLeaked(ctx, s)
	default:
		return fmt.Errorf("this version does not know the operation %q", k.op)
	}
}

// note applies events under the claim and saves once. Others may have saved in between (a refusal that was recorded,
// people who were told): then it reads again and applies anew, as long as the claim is ours.
func (k *work) note(ctx context.Context, events ...rotation.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), savingTime)
	defer cancel()
	for try := range mostConflicts {
		next := k.r
		for _, e := range events {
			var err error
			if next, err = rotation.Apply(next, e, k.o.Now()); err != nil {
				if rotation.Refused(err) == rotation.NotHolder {
					return errLost
				}
				return fmt.Errorf("note %s: %w", e.Name(), err)
			}
		}
		saved, err := k.o.Store.SaveRotation(ctx, next)
		switch {
		case err == nil:
			k.r = saved
			for _, e := range events {
				k.log.Info("rotation moved", "event", e.Name(), "state", saved.State)
			}
			return nil
		case errors.Is(err, store.ErrBusy):
			if k.o.Wait(ctx, time.Duration(try+1)*100*time.Millisecond) != nil {
				return fmt.Errorf("save: %w", err)
			}
		case !errors.Is(err, store.ErrConflict):
			return fmt.Errorf("save: %w", err)
		}
		if err := k.reread(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("save: %w", store.ErrConflict)
}

// reread reads the rotation again. errLost if the claim is not ours any more.
func (k *work) reread(ctx context.Context) error {
	r, err := k.o.Store.GetRotation(ctx, k.r.ID)
	if err != nil {
		return fmt.Errorf("read again: %w", err)
	}
	if r.Acting == nil || r.Acting.Token != k.token {
		return errLost
	}
	k.r = r
	return nil
}

// renew makes the lease begin anew, and returns a context that ends before it does, and no later than the function's time: it
// is killed then. Neither the end of ctx nor that it is cancelled ends it.
func (k *work) renew(ctx context.Context) (context.Context, context.CancelFunc, error) {
	real := k.o.Real()
	err := k.note(ctx, rotation.Claim{Op: k.op, Token: k.token, Real: real, LeaseUntil: real.Add(k.o.Lease)})
	if err != nil {
		return nil, nil, err
	}
	left := k.o.Lease * 4 / 5
	if !k.ends.IsZero() {
		left = min(left, k.ends.Sub(real))
	}
	next, cancel := context.WithTimeout(context.WithoutCancel(ctx), left)
	return next, cancel, nil
}

// giveBack ends the claim without having changed AWS, and applies what was seen.
func (k *work) giveBack(ctx context.Context, why string, seen ...rotation.Event) error {
	return k.note(ctx, append([]rotation.Event{rotation.Unclaim{Token: k.token, Op: k.op, Why: why}}, seen...)...)
}

// stuck ends the claim because a person is needed.
func (k *work) stuck(ctx context.Context, format string, args ...any) error {
	seen := fmt.Sprintf(format, args...)
	k.log.Error("stuck", "seen", seen)
	return k.note(ctx, rotation.GotStuck{Token: k.token, Op: k.op, Seen: seen})
}

// failed notes an error on the rotation: its account is out of reach, or the step is tried again later.
func (k *work) failed(ctx context.Context, err error) (bool, error) {
	k.log.Warn("step failed", "error", err.Error())
	why, what := "interrupted", clip(err.Error())
	if k.unsure && k.op != rotation.OpIssue {
		why, what = mayBeDone, mayBeDone+": "+what
	}
	// We are told to stop: that is nobody's failure. A deadline is one: a step that never fits into it must not go on for ever.
	if errors.Is(ctx.Err(), context.Canceled) {
		if nerr := k.giveBack(ctx, why); nerr == nil || errors.Is(nerr, errLost) {
			return false, nil
		}
	}
	if errors.Is(err, ErrUnreachable) {
		if nerr := k.giveBack(ctx, "the account cannot be reached", rotation.Freeze{Why: clip(err.Error())}); nerr == nil || errors.Is(nerr, errLost) {
			return nerr == nil, nil
		}
	}
	nerr := k.note(ctx, rotation.Failed{Token: k.token, Op: k.op, Error: what})
	if errors.Is(nerr, errLost) {
		return false, nil
	}
	return nerr == nil, nerr
}

// mayBeDone begins what the history says of a claim that ended without its holder knowing whether the key was changed.
const mayBeDone = "whether it was done is not known"

// attempted reports whether a claim of op before, whose end is not in the history, may have changed its key: so the key was
// not changed by hand. What was noted since then, and a gate that saw the key as it was, end the doubt.
func attempted(r rotation.Rotation, op rotation.Op) bool {
	ended := false
	for i := len(r.History) - 1; i >= 0; i-- {
		h := r.History[i]
		what, why, _ := strings.Cut(h.Note, ": ")
		switch h.Event {
		case rotation.Failed{}.Name(), rotation.Unclaim{}.Name():
			if what != string(op) {
				continue
			}
			if strings.HasPrefix(why, mayBeDone) {
				return true
			}
			ended = true
		case rotation.Claim{}.Name():
			if what != string(op) {
				continue
			}
			if !ended {
				return true
			}
			ended = false
		case rotation.Deactivated{}.Name(), rotation.ObservedDeactivated{}.Name(), rotation.GateRefused{}.Name(), rotation.LeakCut{}.Name():
			return false
		}
	}
	return false
}

// clip bounds an error that is kept with the rotation.
func clip(s string) string {
	const most = 600
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
