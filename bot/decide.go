package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// decision is what a person wants of one rotation, whether by button, window or command.
type decision struct {
	what   string // one of templates.Act...
	id     rotation.ID
	person approval.Person

	episode int    // that was shown; 0: nothing was, it came as a command
	digest  string // of what was shown

	groups memberships // asked for once, however often the decision is made again

	// event makes the event for the rotation as it is now, or says in a sentence why the words do not do.
	event func(r rotation.Rotation, g ruling) (rotation.Event, error)
}

// ending is how a decision ended.
type ending int

const (
	done    ending = iota // saved
	denied                // the person may not
	refused               // the state does not allow it
	stale                 // what was shown has changed
	earlier               // what was shown is over
	failed                // keyturn's own trouble
)

// outcome is the answer to a decision. rotation is the rotation as it is now, its zero value if it could not be read.
type outcome struct {
	ending   ending
	rotation rotation.Rotation
	why      error // of refused: a *rotation.Refusal or a *wordsError
	message  templates.Message
}

// wordsError says what is wrong or missing in what a person typed.
type wordsError struct{ sentence string }

func (e *wordsError) Error() string { return e.sentence }

// mostTries bounds how often a decision is made again because somebody else saved in between. Each time somebody got
// through, so it takes many more people than one key has.
const mostTries = 100

// decide is the one way to a changed rotation. Each decision ends in one answer and one line of log; refusals of a person
// get into the history.
func (b *Bot) decide(ctx context.Context, d decision) outcome {
	out := b.settle(ctx, d)
	b.log(ctx, d, out)
	return out
}

// settle reads, checks that the button fits, asks the rules, applies, saves on condition, and begins again if somebody else
// saved. Exactly one of those who decide at once gets through with each version.
func (b *Bot) settle(ctx context.Context, d decision) outcome {
	d.groups = b.memberships()
	for try := range mostTries {
		r, e, err := b.facts(ctx, d)
		if err != nil {
			return trouble(rotation.Rotation{}, err)
		}
		out, next := b.look(ctx, d, r, e)
		if out.ending != done {
			return out
		}
		saved, err := b.o.Store.SaveRotation(ctx, next)
		switch {
		case err == nil:
			b.o.Wake(saved.ID)
			return outcome{ending: done, rotation: saved, message: confirmed(d.what, saved)}
		case !errors.Is(err, store.ErrConflict):
			return trouble(r, unsure{err})
		case !pause(ctx, try):
			return trouble(r, err)
		}
	}
	return trouble(rotation.Rotation{}, fmt.Errorf("%d tries: %w", mostTries, store.ErrConflict))
}

// confirmed is the answer to a decision that took effect.
func confirmed(what string, r rotation.Rotation) templates.Message {
	if what == templates.ActGlass {
		return templates.AnswerGlass(r)
	}
	return templates.AnswerDone(what, r)
}

// facts reads the rotation, and the exemption of its user where the decision depends on it.
func (b *Bot) facts(ctx context.Context, d decision) (rotation.Rotation, rotation.Exemption, error) {
	if switchesOff(d.what) {
		return b.o.Store.GetForDecision(ctx, d.id)
	}
	r, err := b.o.Store.GetRotation(ctx, d.id)
	return r, rotation.Exemption{}, err
}

// look is weigh for what may have been shown a while ago: a message about an earlier rotation decides nothing. Strangers
// are refused all the same, so that none of them changes a message that others see.
func (b *Bot) look(ctx context.Context, d decision, r rotation.Rotation, e rotation.Exemption) (outcome, rotation.Rotation) {
	if d.episode != 0 && d.episode != r.Episode && b.mayRead(d.person) == "" {
		return outcome{ending: earlier, rotation: r, message: templates.AnswerEarlier(r)}, r
	}
	return b.weigh(ctx, d, r, e)
}

// weigh says what the decision makes of the rotation as it was read, without saving anything.
func (b *Bot) weigh(ctx context.Context, d decision, r rotation.Rotation, e rotation.Exemption) (outcome, rotation.Rotation) {
	if d.groups.bot == nil {
		d.groups = b.memberships()
	}
	g := b.ruleFor(ctx, d.what, r, d.person, d.groups)
	if !g.verdict.Allowed {
		return outcome{ending: denied, rotation: r, why: &wordsError{g.verdict.Why}, message: templates.AnswerRefused(r, g.verdict)}, r
	}
	if switchesOff(d.what) {
		if d.episode != 0 && d.digest != r.Digest() && r.Open() && !decided(d.what, r) {
			return outcome{ending: stale, rotation: r, message: templates.AnswerStale(r)}, r
		}
		if g.policy.Mode == rotation.ModeAudit {
			return notNow(r, &wordsError{"the policy for this key only reports now (mode audit), so nothing can be approved"}), r
		}
		if e.InForce(b.o.Now()) {
			return notNow(r, &wordsError{exemptSentence(e)}), r
		}
	}
	if err := again(d, r, b.o.Now()); err != nil {
		return notNow(r, err), r
	}
	event, err := d.event(r, g)
	if err != nil {
		return notNow(r, err), r
	}
	next, err := rotation.Apply(r, event, b.o.Now())
	if err == nil {
		err = twice(r, next)
	}
	switch {
	case err == nil:
		return outcome{ending: done, rotation: next}, next
	case rotation.Refused(err) == rotation.Stale:
		return outcome{ending: stale, rotation: r, message: templates.AnswerStale(r)}, r
	default:
		return notNow(r, err), r
	}
}

// switchesOff: what takes keys away is bound to what was shown, to today's mode and to exemptions. What holds back is not,
// so that nobody is kept from a hold or a restore by a message that is a minute old.
func switchesOff(what string) bool {
	return what == templates.ActApprove || what == templates.ActGlass || what == templates.ActAnyway
}

// decided: a second approval is told who was first, rather than that the plan has changed by it.
func decided(what string, r rotation.Rotation) bool {
	return (what == templates.ActApprove || what == templates.ActGlass) && r.State != rotation.Upcoming && r.State != rotation.Awaiting
}

// again recognizes a click that arrives twice, or one on a message that has not caught up, where the core would take it as
// another one.
func again(d decision, r rotation.Rotation, now time.Time) error {
	switch {
	case d.what == templates.ActSnooze && d.episode != 0 && r.SnoozedUntil.After(now):
		return &wordsError{"it is snoozed until " + r.SnoozedUntil.UTC().Format("2006-01-02") + " already"}
	case d.what == templates.ActAnyway && r.Anyway != nil:
		return &wordsError{r.Anyway.By.String() + " decided that already, " + rotation.Ago(r.Anyway.At, now)}
	}
	return nil
}

// twice recognizes a snooze or an extension that arrives twice by what the last minute of the history says, so that it
// spends its budget once.
func twice(r, next rotation.Rotation) error {
	e := next.History[len(next.History)-1]
	switch e.Event {
	case (rotation.Snooze{}).Name(), (rotation.Extend{}).Name():
	default:
		return nil
	}
	for _, h := range slices.Backward(r.History) {
		if e.At.Sub(h.At) >= time.Minute {
			return nil
		}
		if h.Event == e.Event && h.Actor == e.Actor && h.Note == e.Note {
			return &wordsError{"you did just that a moment ago, and it counts once. If you want it twice, repeat it in a minute"}
		}
	}
	return nil
}

func notNow(r rotation.Rotation, why error) outcome {
	return outcome{ending: refused, rotation: r, why: why, message: templates.AnswerNotNow(r, why.Error())}
}

// pause lets others through after some conflicts. It reports whether there is time left.
func pause(ctx context.Context, try int) bool {
	if try < 3 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(time.Duration(min(try, 20)) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// trouble turns an error of the store into an answer; the error itself goes to the log.
func trouble(r rotation.Rotation, err error) outcome {
	return outcome{ending: failed, rotation: r, why: err, message: templates.AnswerTrouble(troubleOf(err))}
}

// unsure is an error of a save: if time ran out, it may or may not have happened.
type unsure struct{ error }

func (e unsure) Unwrap() error { return e.error }

func troubleOf(err error) templates.Trouble {
	_, saving := errors.AsType[unsure](err)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return templates.TroubleGone
	case errors.Is(err, store.ErrBusy):
		return templates.TroubleBusy
	case errors.Is(err, store.ErrFull):
		return templates.TroubleFull
	case errors.Is(err, store.ErrNewer):
		return templates.TroubleNewer
	case errors.Is(err, store.ErrConflict):
		return templates.TroubleCrowd
	case (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) && saving:
		return templates.TroubleSlow
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled): // of a read
		return templates.TroubleBusy
	default:
		return templates.TroubleUnknown
	}
}

// log writes one line per decision, and sees to it that a refusal gets into the history.
func (b *Bot) log(ctx context.Context, d decision, out outcome) {
	log := b.o.Log.With("rotation", d.id, "actor", d.person.SlackID, "what", d.what)
	switch out.ending {
	case done:
		log.Info("decided", "state", out.rotation.State, "version", out.rotation.Version)
	case failed:
		msg := "no reason given"
		if out.why != nil {
			msg = out.why.Error()
		}
		log.Error("decision failed", "error", msg)
		b.note(ctx, d.person, noteTrouble, d.what+" of "+string(d.id))
	case denied:
		log.Info("denied", "why", out.why.Error())
		b.afterAck(ctx, func(ctx context.Context) { b.recordDenied(ctx, d, out.why.Error()) })
		b.note(ctx, d.person, noteRefused, d.what+" of "+string(d.id)+": "+out.why.Error())
	case refused:
		log.Info("refused", "why", out.why.Error())
		b.note(ctx, d.person, noteNotNow, d.what+" of "+string(d.id)+": "+out.why.Error())
	case stale, earlier:
		log.Info("stale", "state", out.rotation.State)
		b.note(ctx, d.person, noteStale, d.what+" of "+string(d.id))
	default:
		log.Error("decision ended in an unknown way", "ending", int(out.ending))
	}
}

// recordDenied writes a refusal into the history, if it can be had in a few tries: the answer does not wait for it.
func (b *Bot) recordDenied(ctx context.Context, d decision, why string) {
	for try := range mostTries {
		r, err := b.o.Store.GetRotation(ctx, d.id)
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) { // without a rotation there is no history
				b.o.Log.Warn("refusal not recorded", "rotation", d.id, "error", err.Error())
			}
			return
		}
		next, err := rotation.Apply(r, rotation.Denied{Actor: d.person.Actor(), What: d.what, Why: why}, b.o.Now())
		if err != nil {
			return // the same refusal was recorded within the hour
		}
		_, err = b.o.Store.SaveRotation(ctx, next)
		if err == nil {
			return
		}
		if !errors.Is(err, store.ErrConflict) || !pause(ctx, try) {
			b.o.Log.Warn("refusal not recorded", "rotation", d.id, "error", err.Error())
			return
		}
	}
	b.o.Log.Warn("refusal not recorded", "rotation", d.id, "error", "too many at once")
}
