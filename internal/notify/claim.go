package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

const (
	lease     = time.Minute      // Options.Lease where nothing else is said
	saving    = 10 * time.Second // how long it may take to save what was sent, even if the caller has gone
	mostSaves = 8                // how often a save is tried while others save too
)

// sending is how long what is sent under a claim may take.
func (n *Notifier) sending() time.Duration { return n.o.Lease * 4 / 5 }

// claim claims the telling of r. ok is false if nobody has to be told any more, somebody else is at it, or r has changed
// since it was read: whoever changed it tells.
func (n *Notifier) claim(ctx context.Context, r rotation.Rotation) (claimed rotation.Rotation, ok bool, err error) {
	real := n.o.Real()
	claimed, err = r.WithTelling(n.o.NewToken(), real, real.Add(n.o.Lease), n.o.Now())
	if err != nil {
		return r, false, nil
	}
	claimed, err = n.o.Store.SaveRotation(ctx, claimed)
	if errors.Is(err, store.ErrConflict) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("save the claim to tell people of %s: %w", r.ID, err)
	}
	return claimed, true, nil
}

// save saves what was sent under r's claim. sent makes it of the rotation as it is stored now, which others may have changed
// meanwhile. If the claim was lost, what s refers to is told once more: it may show something older than what was told since.
func (n *Notifier) save(ctx context.Context, r rotation.Rotation, sent func(rotation.Rotation) rotation.Rotation, s refs) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saving)
	defer cancel()
	cur := r
	for range mostSaves {
		next := sent(cur)
		if cur.Telling == nil || cur.Telling.Token != r.Telling.Token {
			next = cur.WithStale(r.PeopleSeq, s, n.o.Now())
		}
		_, err := n.o.Store.SaveRotation(ctx, next)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrBusy):
			return fmt.Errorf("save what people were told of %s: %w", r.ID, err)
		}
		if cur, err = n.o.Store.GetRotation(ctx, r.ID); err != nil {
			return fmt.Errorf("read rotation %s to save what people were told: %w", r.ID, err)
		}
		if cur.Episode != r.Episode {
			return nil // its next episode has messages of its own
		}
	}
	return fmt.Errorf("save what people were told of %s: %w", r.ID, store.ErrConflict)
}

// failed is cur after telling failed: it is tried again after a growing pause, and not before Slack is ready for it.
func failed(cur rotation.Rotation, s refs, err error, now time.Time) rotation.Rotation {
	next := cur.WithTellFailed(s, now)
	if at := now.Add(pause.Asked(err)); at.After(next.TellAfter) {
		next = next.WithTellAfter(at, now)
	}
	return next
}

// one tells people of one rotation: claim, tell, save. Nobody to be told is no error.
func (n *Notifier) one(ctx context.Context, c *call, id rotation.ID) error {
	r, err := n.o.Store.GetRotation(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read rotation %s to tell people: %w", id, err)
	}
	r, ok, err := n.claim(ctx, r)
	if !ok {
		return err
	}
	within, cancel := context.WithTimeout(ctx, n.sending())
	defer cancel()
	t, err := n.tell(within, c, r)
	if err != nil {
		n.log.LogAttrs(ctx, slog.LevelWarn, "people not told; tried again later", slog.String("rotation", string(r.ID)),
			slog.String("account", string(r.Account)), slog.String("error", err.Error()))
	}
	return errors.Join(err, n.save(ctx, r, func(cur rotation.Rotation) rotation.Rotation {
		if !t.done() {
			return failed(cur, t.refs, errors.Join(append(t.missed, err)...), n.o.Now())
		}
		return cur.WithTold(r.PeopleSeq, t.refs, n.o.Now())
	}, t.refs))
}
