package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// tellWait is Options.TellWait where nothing else is said. If the run dies, the tick tells people.
const tellWait = 15 * time.Minute

// change applies an event to a rotation and saves the result. A refusal changes nothing and is no error: somebody is
// working on the rotation, or it has moved on. store.ErrConflict comes back as an error.
func (r *run) change(ctx context.Context, before rotation.Rotation, e rotation.Event) (after rotation.Rotation, changed bool, err error) {
	log := r.o.Log.With("account", before.Account, "rotation", before.ID, "event", e.Name())
	after, err = rotation.Apply(before, e, r.o.Now())
	if code := rotation.Refused(err); code != "" {
		log.Info("not changed", "code", string(code), "why", err.Error())
		return before, false, nil
	}
	if err != nil {
		return before, false, fmt.Errorf("%s of %s: %w", e.Name(), before.ID, err)
	}
	if after, err = r.keep(ctx, before, after); err != nil {
		return before, false, err
	}
	log.Info("rotation changed", "user", after.UserName, "key", after.Old.ID, "from", before.State, "to", after.State, "outcome", after.Outcome)
	return after, true, nil
}

// keep saves what became of a rotation. Where people should hear of it, the run tells them at its end. A dry run saves
// nothing.
func (r *run) keep(ctx context.Context, before, after rotation.Rotation) (rotation.Rotation, error) {
	if r.dry {
		return after, nil
	}
	if after.PeopleSeq > before.PeopleSeq {
		now := r.o.Now()
		after = after.WithTellAfter(now.Add(r.o.TellWait), now)
	}
	saved, err := r.o.Store.SaveRotation(ctx, after)
	if err != nil {
		return before, fmt.Errorf("save rotation %s: %w", after.ID, err)
	}
	return saved, nil
}

// apply is change for the rotation of a user.
func (c *scan) apply(ctx context.Context, v *sight, e rotation.Event) (changed bool, err error) {
	after, changed, err := c.change(ctx, *v.last, e)
	if err != nil || !changed {
		return false, err
	}
	if after.PeopleSeq > v.last.PeopleSeq {
		v.changed = append(v.changed, after.ID)
	}
	if !after.Open() {
		v.closed++
	}
	v.last = &after
	return true, nil
}

// exemptNow asks the store whether the user is exempt by now.
func (c *scan) exemptNow(ctx context.Context, id rotation.UserID) (bool, error) {
	e, err := c.o.Store.GetExemption(ctx, c.account.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the exemption: %w", err)
	}
	return e.InForce(c.now), nil
}
