package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// create makes the key under the journal. From its answer to the stored value the secret is in memory alone.
func (k *work) create(ctx context.Context) error {
	if err := k.note(ctx, rotation.Creating{Token: k.token}); err != nil {
		return err
	}
	made, err := k.account.CreateKey(ctx, k.r.UserName)
	switch {
	case errors.Is(err, ErrDefinite) && k.r.Journal.Creates == 1:
		// Not performed, and there was no attempt before: a key that appears now is somebody else's.
		return errors.Join(k.note(ctx, rotation.NotCreated{Token: k.token, Error: clip(err.Error())}), fmt.Errorf("create an access key: %w", err))
	case err != nil:
		return fmt.Errorf("create an access key (whether it was made is not known yet): %w", err)
	}
	k.log.Info("key created", "key", made.ID)
	if err := k.note(ctx, rotation.KeyCreated{Token: k.token, Key: made.ID, Created: made.Created}); err != nil {
		return k.discard(made.ID, fmt.Errorf("save the ID of the new key: %w", err))
	}
	if err := k.store(ctx, made); err != nil {
		switch _, found, rerr := k.stored(ctx, made.ID); {
		case rerr != nil:
			return errors.Join(err, rerr) // it may be stored: whoever resumes finds out
		case !found:
			return k.lost(ctx, made.ID, err)
		}
	}
	if err := k.note(ctx, rotation.Stored{Token: k.token}); err != nil {
		return err
	}
	return k.finish(ctx, made.Secret)
}

// storeTries is how often the value is put before the new key is given up.
const storeTries = 4

// store puts the value into the secret. The call is safe to repeat: the token is the version's ID.
func (k *work) store(ctx context.Context, made Created) error {
	j := k.r.Journal
	var err error
	for try := range storeTries {
		if err = k.account.PutVersion(ctx, j.SecretARN, j.Token, value(made)); err == nil {
			return nil
		}
		err = fmt.Errorf("store the new key in %s: %w", j.SecretName, err)
		if errors.Is(err, ErrDefinite) || ctx.Err() != nil || k.o.Wait(ctx, time.Second<<try) != nil {
			break
		}
	}
	return err
}

// cleaning bounds the calls that take back what an attempt made, whatever became of the caller.
const cleaning = 20 * time.Second

// discard deletes a key that this process made a moment ago and whose ID could not be saved. Nobody has its secret: it
// is in no store, and the only copy is in our memory. This holds even where the claim was lost meanwhile.
func (k *work) discard(id rotation.KeyID, why error) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleaning)
	defer cancel()
	if err := k.direct.DeleteKey(ctx, k.r.UserName, id); err != nil && !errors.Is(err, ErrNoSuchKey) {
		k.log.Error("a new key could not be taken back; it is found again when the attempt is resumed", "key", id, "error", err.Error())
		return errors.Join(why, fmt.Errorf("delete the new key %s again: %w", id, err))
	}
	k.log.Warn("new key taken back", "key", id, "why", why.Error())
	return why
}

// lost takes a key out of service whose secret nobody has: it is deactivated now, and deleted when it stayed unused for a
// while. The next attempt begins with a fresh token.
func (k *work) lost(ctx context.Context, id rotation.KeyID, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	if err := k.reread(ctx); err != nil {
		return err // taken over: whoever has the claim now deals with the key
	}
	if err := k.account.SetKeyStatus(ctx, k.r.UserName, id, rotation.Inactive); err != nil && !errors.Is(err, ErrNoSuchKey) {
		return errors.Join(why, fmt.Errorf("deactivate the lost key %s: %w", id, err))
	}
	k.log.Error("the secret of a new key is lost; the key is removed", "key", id, "why", why.Error())
	return k.note(ctx, rotation.KeyLost{Token: k.token, Key: id})
}

// removeLost deletes a lost key after its wait, if nobody touched it.
func (k *work) removeLost(ctx context.Context, s sight) error {
	id := k.r.Journal.LostKey
	key, there, err := s.key(ctx, k.account, id)
	switch {
	case err != nil:
		return err
	case there && key.Status != rotation.Inactive:
		return k.stuck(ctx, "key %s, whose secret was lost while it was issued, was activated by somebody. If it is not needed, delete it by hand, then retry", id)
	case there && key.LastUse.Kind != rotation.UseNever: // also before it was deactivated: AWS reports uses late
		return k.stuck(ctx, "key %s, whose secret was lost while it was issued, may have been used by somebody. If it is not needed, delete it by hand, then retry", id)
	case there:
		if err := k.account.DeleteKey(ctx, k.r.UserName, id); err != nil && !errors.Is(err, ErrNoSuchKey) {
			return fmt.Errorf("delete the lost key %s: %w", id, err)
		}
	}
	if err := k.note(ctx, rotation.LostRemoved{Token: k.token}); err != nil {
		return err
	}
	s, ok, err := k.see(ctx)
	if !ok || err != nil {
		return err
	}
	return k.begin(ctx, s)
}
