package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// resume goes on with an attempt that a crash, a lost answer or a failed call left, by what AWS shows now. The claim was
// not to be had before listings had caught up with everything that the attempt can have done.
func (k *work) resume(ctx context.Context, s sight) error {
	j := k.r.Journal
	k.log.Info("attempt resumed", "new_key", j.NewKey, "creates", j.Creates, "stored", j.Stored, "lost_key", j.LostKey)
	if j.LostKey != "" {
		return k.removeLost(ctx, s)
	}
	fresh := newSince(s.keys, j.KeyIDs)
	if j.NewKey == "" {
		switch {
		case len(fresh) == 0:
			if ready, err := k.slot(ctx, s); !ready || err != nil {
				return err
			}
			return k.create(ctx)
		case len(fresh) > 1 || j.Creates == 0 || !k.inWindow(fresh[0]):
			return k.stuck(ctx, "while a new key was issued, %s appeared for %s, and it cannot be told whether keyturn made it. If nobody needs it, delete it by hand, then retry", ids(fresh), k.r.UserName)
		}
		return k.appeared(ctx, &s, fresh[0].ID)
	}
	n, there := rotation.Find(s.keys, j.NewKey)
	if !there {
		if k.o.Real().Before(j.LastLease.Add(k.o.Settle)) {
			return fmt.Errorf("the new key %s is not listed yet", j.NewKey)
		}
		return k.note(ctx, rotation.KeyLost{Token: k.token, Key: j.NewKey, Gone: true})
	}
	secret, found, err := k.stored(ctx, j.NewKey)
	switch {
	case err != nil:
		return k.secretFailed(ctx, err)
	case !found && j.Stored:
		return k.stuck(ctx, "version %s of the secret %s does not hold the new key %s any more, so nobody has its secret. Delete that key by hand, then retry", j.Token, j.SecretName, j.NewKey)
	case !found:
		return k.lost(ctx, j.NewKey, errors.New("its value was never stored"))
	case n.Status != rotation.Active:
		return k.stuck(ctx, "the new key %s was deactivated before it was ready. Activate it, then retry", j.NewKey)
	case !j.Stored:
		if err := k.note(ctx, rotation.Stored{Token: k.token}); err != nil {
			return err
		}
	}
	return k.finish(ctx, secret)
}

// appeared deals with the one key that is new since the journal and whose ID nobody saved.
func (k *work) appeared(ctx context.Context, s *sight, id rotation.KeyID) error {
	secret, found, err := k.stored(ctx, id)
	if err != nil {
		return err
	}
	key, there, err := s.key(ctx, k.account, id)
	switch {
	case err != nil:
		return err
	case !there:
		return fmt.Errorf("key %s was listed and is gone again", id)
	case found:
		if err := k.note(ctx, rotation.KeyCreated{Token: k.token, Key: id, Created: key.Created}, rotation.Stored{Token: k.token}); err != nil {
			return err
		}
		return k.finish(ctx, secret)
	case key.LastUse.Kind != rotation.UseNever:
		return k.stuck(ctx, "key %s of %s appeared while a new key was issued, and somebody uses it, so keyturn did not make it", id, k.r.UserName)
	}
	return k.lost(ctx, id, errors.New("the answer that held its secret never arrived"))
}

// stored reads the attempt's version. found says that it holds the key.
func (k *work) stored(ctx context.Context, id rotation.KeyID) (secret Material, found bool, err error) {
	v, err := k.account.Version(ctx, k.r.Journal.SecretARN, k.r.Journal.Token)
	if errors.Is(err, ErrSecretNotFound) {
		return Material{}, false, nil
	}
	if err != nil {
		return Material{}, false, fmt.Errorf("read version %s of %s: %w", k.r.Journal.Token, k.r.Journal.SecretName, err)
	}
	got, secret, ok := readValue(v)
	return secret, ok && got == id, nil
}

// skew is how far IAM's clock may be from ours.
const skew = 2 * time.Minute

// inWindow reports whether a key can have been made by the attempt: created between its start and the end of its last
// lease. The end is counted on the protocol clock and applied to the domain clock, on which IAM's dates are.
func (k *work) inWindow(key rotation.Key) bool {
	j := k.r.Journal
	length := max(0, j.LastLease.Sub(j.StartedReal)) + k.o.Settle
	return !key.Created.Before(j.Started.Add(-skew)) && !key.Created.After(j.Started.Add(length+skew))
}

// newSince returns the keys that are not among before.
func newSince(keys []rotation.Key, before []rotation.KeyID) (fresh []rotation.Key) {
	known := map[rotation.KeyID]bool{}
	for _, id := range before {
		known[id] = true
	}
	for _, key := range keys {
		if !known[key.ID] {
			fresh = append(fresh, key)
		}
	}
	return fresh
}

func ids(keys []rotation.Key) string {
	out := ""
	for i, key := range keys {
		if i > 0 {
			out += " and "
		}
		out += string(key.ID)
	}
	return "key " + out
}
