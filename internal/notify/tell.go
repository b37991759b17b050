package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
)

var errLease = errors.New("the claim to tell people ran out before anything was sent")

// Tell brings every place that should show r to show it. It returns all references of r as they are to be saved, beside an
// error too: those of places that could not be brought up to date keep the people_seq that they show, and a second call
// with the saved rotation tries only these again. It keeps within the lease of r's claim to tell, if r has one.
func (n *Notifier) Tell(ctx context.Context, r rotation.Rotation) ([]rotation.MessageRef, error) {
	t, err := n.tell(ctx, newCall(), r)
	return t.refs, err
}

// tell is Tell within a call. Places of which the call knows that they fail are no errors here.
func (n *Notifier) tell(ctx context.Context, c *call, r rotation.Rotation) (*telling, error) {
	t := &telling{n: n, c: c, r: r, refs: slices.Clone(r.Messages)}
	if r.Telling != nil {
		left := r.Telling.LeaseUntil.Sub(n.o.Real())
		if left <= 0 {
			t.errs = append(t.errs, errLease)
			return t, errLease
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	t.everywhere(ctx)
	t.refs = t.refs.bounded()
	return t, errors.Join(t.errs...)
}

// telling is the work on one rotation.
type telling struct {
	n    *Notifier
	c    *call
	r    rotation.Rotation
	refs refs

	errs   []error
	missed []error // why places were left out of which the call knows that they fail
}

// done reports whether every place shows the rotation.
func (t *telling) done() bool { return len(t.errs) == 0 && len(t.missed) == 0 }

func (t *telling) everywhere(ctx context.Context) {
	done := map[string]bool{}
	bring := func(p place) error {
		done[p.id] = true
		return t.bring(ctx, p)
	}
	o, err := t.n.ownerOf(ctx, t.c, t.r)
	if err != nil {
		// Who has to see it cannot be told, but what is urgent need not wait for that. Other places stay as they are.
		t.errs = append(t.errs, err)
		if urgent(t.r) {
			t.calls(ctx, bring, done)
			if t.n.o.Channel(t.r) != "" {
				bring(t.n.channel(owner{}, t.r))
			}
		}
		return
	}
	if o.reached() {
		if err := bring(o.direct()); errors.Is(err, ErrNoUser) {
			t.errs = t.errs[:len(t.errs)-1] // not a failure: there are other ways
			o = o.lost()
			t.c.owners[t.r.Owner] = o
		}
	}
	t.calls(ctx, bring, done)
	if t.n.inChannel(ctx, t.r, o) {
		bring(t.n.channel(o, t.r))
	}
	if !o.reached() && o.mail != "" && t.n.o.Mail != nil {
		bring(o.byMail())
	}
	if p, ok := t.n.accountOwner(t.r); ok && !done[p.id] {
		bring(p)
	}
	t.elsewhere(ctx, done)
	if t.done() && t.r.Open() && !t.anywhere() {
		t.errs = append(t.errs, fmt.Errorf("nobody can be told of key %s: %s And there is no channel to tell others: %w", t.r.Old.ID, o.why, ErrNoChannel))
	}
}

// calls brings the people beside the owner who have to hear of the rotation to show it. Whom Slack does not let us write to
// is left out: there are others, and the channel.
func (t *telling) calls(ctx context.Context, bring func(place) error, done map[string]bool) {
	others, err := t.n.others(ctx, t.c, t.r)
	if err != nil {
		t.errs = append(t.errs, err)
	}
	for _, p := range others {
		if done[p.id] {
			continue
		}
		if err := bring(p); errors.Is(err, ErrNoUser) {
			t.errs = t.errs[:len(t.errs)-1]
			t.c.lost[p.id] = true
		}
	}
}

// anywhere reports whether some place shows what r is now.
func (t *telling) anywhere() bool {
	return slices.ContainsFunc(t.refs, func(m rotation.MessageRef) bool { return m.Seq >= t.r.PeopleSeq })
}

// bring brings one place to show the rotation. Its error is in t.errs too.
func (t *telling) bring(ctx context.Context, p place) error {
	if err := t.c.failed[p.id]; err != nil {
		t.missed = append(t.missed, err)
		return nil
	}
	err := t.serve(ctx, p)
	if err != nil {
		err = fmt.Errorf("tell %s of key %s: %w", p.id, t.r.Old.ID, err)
		t.errs = append(t.errs, err)
	}
	return err
}

// serve updates what stands in the place, adds a line where that alone would be missed, or posts the notice.
func (t *telling) serve(ctx context.Context, p place) error {
	if p.kind == byMail {
		return t.send(ctx, p)
	}
	before, was := t.refs.shown(p.id)
	stood, known := t.refs.standing(p.id), t.refs
	if err := t.update(ctx, p, false); err != nil {
		t.refs.notYet(p.id, before)
		return err
	}
	switch {
	case was && before >= t.r.PeopleSeq:
		return nil
	case t.refs.standing(p.id):
		return t.follow(ctx, p, before)
	case stood: // it was there, and is gone
		err := t.post(ctx, p)
		if err != nil {
			t.refs = known
		}
		return err
	case t.n.quiet(t.r, t.refs, p):
		if was {
			t.refs = t.refs.only(ref(refDigest, "", p.id, t.r, t.n.o.Now()))
		}
		return nil
	default:
		return t.post(ctx, p)
	}
}

// quiet reports whether a place in which no message stands needs none: it knows what r is now, or nothing has happened that
// its reader must know, or r was over before it ever heard of it.
func (n *Notifier) quiet(r rotation.Rotation, s refs, p place) bool {
	before, was := s.shown(p.id)
	if !was {
		return !r.Open()
	}
	return !news(r, before, p.reader)
}
