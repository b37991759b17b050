package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// telling is how long one process has to tell people; then another one may.
const telling = time.Minute

// tell tells people where the rotation stands, if they do not know it. It is claimed like a mutation, so that two processes
// do not both post. Whoever lost that claim meanwhile may have shown something old over something new, and tells again.
func (w *Rotator) tell(ctx context.Context, id rotation.ID) error {
	var last error
	for range mostConflicts {
		r, err := w.o.Store.GetRotation(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read rotation %s: %w", id, err)
		}
		now := w.o.Now()
		if !r.Untold() || now.Before(r.TellAfter) {
			return last
		}
		if err := w.enough(ctx, id, "telling people"); err != nil {
			return errors.Join(last, err)
		}
		real := w.o.Real()
		token := w.o.NewToken()
		claimed, err := r.WithTelling(token, real, real.Add(min(telling, w.o.Lease)), now)
		if err != nil {
			return nil // somebody else is at it
		}
		claimed, err = w.o.Store.SaveRotation(ctx, claimed)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("save the claim to tell: %w", err)
		}
		refs, err := w.send(ctx, claimed)
		if err != nil {
			last = fmt.Errorf("tell people of %s: %w", id, err)
			w.o.Log.Warn("people not told; tried again later", "rotation", id, "error", err.Error())
		}
		if again, serr := w.told(ctx, claimed, token, refs, err); serr != nil || !again {
			return errors.Join(last, serr)
		}
	}
	return last
}

// send tells people, in less time than the claim lasts.
func (w *Rotator) send(ctx context.Context, r rotation.Rotation) ([]rotation.MessageRef, error) {
	ctx, cancel := context.WithTimeout(ctx, min(telling, w.o.Lease)*4/5)
	defer cancel()
	return w.o.Teller.Tell(ctx, r)
}

// told saves that people were told what claimed showed. again: there is something newer to tell.
func (w *Rotator) told(ctx context.Context, claimed rotation.Rotation, token string, refs []rotation.MessageRef, tellErr error) (again bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), savingTime)
	defer cancel()
	cur := claimed
	for range mostConflicts {
		now := w.o.Now()
		next := cur.WithTold(claimed.PeopleSeq, refs, now)
		switch {
		case cur.Telling == nil || cur.Telling.Token != token:
			next = cur.WithStale(claimed.PeopleSeq, refs, now)
		case tellErr != nil:
			next = cur.WithTellFailed(refs, now)
			if at := now.Add(pause.Asked(tellErr)); at.After(next.TellAfter) { // Slack asked for more time
				next = next.WithTellAfter(at, now)
			}
		}
		_, err := w.o.Store.SaveRotation(ctx, next)
		switch {
		case err == nil:
			return tellErr == nil && next.Untold(), nil
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrBusy):
			return false, fmt.Errorf("save what people were told: %w", err)
		}
		if cur, err = w.o.Store.GetRotation(ctx, claimed.ID); err != nil {
			return false, fmt.Errorf("read rotation %s: %w", claimed.ID, err)
		}
		if cur.Episode != claimed.Episode {
			return false, nil // what was told is over, and its messages are none of the next one's
		}
	}
	return false, fmt.Errorf("save what people were told: %w", store.ErrConflict)
}
