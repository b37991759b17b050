package scheduler

import (
	"context"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// observe notes what a person did by hand to the keys of an open rotation: a key deactivated, activated again or deleted,
// a user renamed. It goes by keys that were listed live, and leaves a rotation alone on which somebody is working.
func (c *scan) observe(ctx context.Context, v *sight) error {
	if v.last == nil || !v.last.Open() || !v.live.keys && v.last.UserName == v.user.Name {
		return nil
	}
	if v.last.Acting != nil {
		v.again = true
		return nil
	}
	if !v.live.keys {
		if err := c.readKeys(ctx, v); err != nil {
			return err
		}
	}
	events, wait := differences(*v.last, v.user, c.now)
	v.again = v.again || wait
	for _, e := range events {
		if changed, err := c.apply(ctx, v, e); err != nil {
			return err
		} else if !changed {
			v.again = true
		}
	}
	return nil
}

// differences says what the live keys of a user show that the rotation does not know. wait is set if a key was switched
// so lately that a listing may still lag: it is looked at next time. The second look at a missing key is the tick's.
func differences(r rotation.Rotation, u rotation.User, now time.Time) (events []rotation.Event, wait bool) {
	if _, there := rotation.Find(u.Keys, r.Old.ID); !there {
		if r.AbsentSince.IsZero() && r.State != rotation.Issuing {
			events = append(events, rotation.Absent{What: "key " + string(r.Old.ID) + " is gone"})
		}
		return events, false
	}
	if !r.AbsentSince.IsZero() || r.UserName != u.Name {
		events = append(events, rotation.Present{As: u.Name})
	}
	refs := []rotation.KeyRef{r.Old}
	if r.Evict != nil && r.Evict.Deleted.IsZero() {
		refs = append(refs, *r.Evict)
	}
	for _, ref := range refs {
		k, there := rotation.Find(u.Keys, ref.ID)
		off := !ref.InactiveSince.IsZero()
		var e rotation.Event
		switch {
		case there && k.Status == rotation.Inactive && !off:
			e = rotation.ObservedDeactivated{Key: ref.ID}
		case there && k.Status == rotation.Active && off:
			e = rotation.ObservedReactivated{Key: ref.ID}
		default:
			continue
		}
		if switchedLately(r, now) {
			wait = true
			continue
		}
		events = append(events, e)
	}
	return events, wait
}

// lag is far longer than IAM's listings take to show a change of status.
const lag = 10 * time.Minute

// switchedLately reports whether a key of the rotation changed its status so lately that a listing may still lag.
func switchedLately(r rotation.Rotation, now time.Time) bool {
	for i := len(r.History) - 1; i >= 0 && now.Sub(r.History[i].At) < lag; i-- {
		switch r.History[i].Event {
		case rotation.Deactivated{}.Name(), rotation.Restored{}.Name(), rotation.LeakCut{}.Name(),
			rotation.ObservedDeactivated{}.Name(), rotation.ObservedReactivated{}.Name():
			return true
		}
	}
	return false
}
