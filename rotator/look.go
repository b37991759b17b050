package rotator

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// sight is what one live read says of the rotation's user.
type sight struct {
	user   rotation.User
	keys   []rotation.Key // with last use where it was asked for
	absent string         // the user is not there (any more), as a sentence; "" if it is
	as     rotation.UserName
}

// lookAt reads the user and its keys as they are now. A user who was renamed is found by its ID; one who was made again
// under the same name is another user. Errors are failures to read: they say nothing about the user.
func lookAt(ctx context.Context, a Account, r rotation.Rotation) (sight, error) {
	gone := sight{absent: fmt.Sprintf("user %s is gone", r.UserName)}
	u, err := a.User(ctx, r.UserName)
	if err != nil && !errors.Is(err, ErrNoSuchUser) {
		return sight{}, fmt.Errorf("read user %s: %w", r.UserName, err)
	}
	if err != nil || u.ID != r.UserID {
		name, err := a.FindUser(ctx, r.UserID)
		if errors.Is(err, ErrNoSuchUser) {
			return gone, nil
		}
		if err != nil {
			return sight{}, fmt.Errorf("look for user %s: %w", r.UserName, err)
		}
		if u, err = a.User(ctx, name); err != nil {
			return sight{}, fmt.Errorf("read user %s: %w", name, err)
		}
	}
	keys, err := a.Keys(ctx, u.Name)
	if errors.Is(err, ErrNoSuchUser) {
		return gone, nil
	}
	if err != nil {
		return sight{}, fmt.Errorf("list the keys of %s: %w", u.Name, err)
	}
	return sight{user: u, keys: keys, as: u.Name}, nil
}

// key returns a key of the user, with its last use.
func (s *sight) key(ctx context.Context, a Account, id rotation.KeyID) (rotation.Key, bool, error) {
	for i, k := range s.keys {
		if k.ID != id {
			continue
		}
		use, _, err := a.LastUse(ctx, id)
		if errors.Is(err, ErrNoSuchKey) {
			return rotation.Key{}, false, nil
		}
		if err != nil {
			return rotation.Key{}, false, fmt.Errorf("read the last use of %s: %w", id, err)
		}
		s.keys[i].LastUse = use
		return s.keys[i], true, nil
	}
	return rotation.Key{}, false, nil
}

// facts reads what the gate asks for a key: the keys with the last uses that count, and the secret of the new one.
func (s *sight) facts(ctx context.Context, a Account, r rotation.Rotation, id rotation.KeyID) (rotation.Facts, error) {
	if _, _, err := s.key(ctx, a, id); err != nil {
		return rotation.Facts{}, err
	}
	f := rotation.Facts{KeysKnown: true}
	if r.New != nil {
		if _, _, err := s.key(ctx, a, r.New.ID); err != nil {
			return rotation.Facts{}, err
		}
		sec, err := a.Secret(ctx, r.New.SecretARN)
		if err != nil {
			return rotation.Facts{}, fmt.Errorf("describe secret %s: %w", r.New.SecretName, err)
		}
		f.Secret = rotation.Secret{
			Known: true, Exists: sec.Exists, Ours: ours(sec, r), Current: sec.current(),
			PendingDeletion: sec.PendingDeletion, ReplicasInSync: sec.ReplicasInSync,
		}
	}
	f.Keys = s.keys
	return f, nil
}

// ours reports whether keyturn made the secret, for this user.
func ours(s SecretState, r rotation.Rotation) bool {
	return s.Exists && s.Tags[TagManaged] == "true" && s.Tags[TagUserID] == string(r.UserID)
}

// The staging labels of Secrets Manager.
const (
	labelCurrent = "AWSCURRENT"
	labelPending = "AWSPENDING"
)

// current returns the version that is AWSCURRENT, or "".
func (s SecretState) current() string {
	for v, labels := range s.Labels {
		for _, l := range labels {
			if l == labelCurrent {
				return v
			}
		}
	}
	return ""
}

// lookAgain serves StepLook: the account could not be reached, or a key or its user was missing.
func (w *Rotator) lookAgain(ctx context.Context, r rotation.Rotation) (bool, error) {
	look, cancel := context.WithTimeout(ctx, w.o.Lease*4/5)
	defer cancel()
	a, err := w.o.AWS.Account(look, r.Account)
	var s sight
	if err == nil {
		s, err = lookAt(look, a, r)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return false, nil // we are told to stop: nothing was seen, and nothing failed
	case errors.Is(err, ErrUnreachable) && r.Frozen != nil:
		return w.change(ctx, r, rotation.LookedInVain{})
	case errors.Is(err, ErrUnreachable):
		return w.change(ctx, r, rotation.Freeze{Why: clip(err.Error())})
	case err != nil:
		w.o.Log.Warn("look failed", "rotation", r.ID, "error", err.Error())
		return w.change(context.WithoutCancel(ctx), r, rotation.Failed{Error: clip(err.Error())})
	case r.Frozen != nil:
		return w.change(ctx, r, rotation.Thaw{})
	case s.absent != "":
		return w.change(ctx, r, rotation.Absent{What: s.absent, User: true})
	}
	made := r.Journal != nil && len(newSince(s.keys, r.Journal.KeyIDs)) > 0 // issuing finishes or cleans up first
	if _, there := rotation.Find(s.keys, r.Old.ID); !there && !made {
		return w.change(ctx, r, rotation.Absent{What: fmt.Sprintf("key %s is gone", r.Old.ID)})
	}
	return w.change(ctx, r, rotation.Present{As: s.as})
}

// see reads the user under a claim. Where the user or the old key is missing, or has another name, it gives the claim back
// with what was seen, and ok is false.
func (k *work) see(ctx context.Context) (s sight, ok bool, err error) {
	if s, err = lookAt(ctx, k.account, k.r); err != nil {
		return s, false, err
	}
	switch {
	case s.absent != "":
		return s, false, k.giveBack(ctx, s.absent, rotation.Absent{What: s.absent, User: true})
	case s.as != k.r.UserName:
		return s, true, k.note(ctx, rotation.Present{As: s.as})
	}
	return s, true, nil
}

// missing gives the claim back because a key is not there.
func (k *work) missing(ctx context.Context, id rotation.KeyID) error {
	what := fmt.Sprintf("key %s is gone", id)
	return k.giveBack(ctx, what, rotation.Absent{What: what})
}
