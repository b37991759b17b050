package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// finish verifies the stored key, makes its version AWSCURRENT and ends the attempt.
func (k *work) finish(ctx context.Context, secret Material) error {
	j := k.r.Journal
	err := k.account.TagSecret(ctx, j.SecretARN, map[string]string{
		TagRotation: string(k.r.ID), TagOldKey: string(k.r.Old.ID), TagNewKey: string(j.NewKey),
	})
	if err != nil {
		return k.secretFailed(ctx, fmt.Errorf("tag secret %s: %w", j.SecretName, err))
	}
	if j.VerifiedAt.IsZero() {
		if done, err := k.verify(ctx, secret); done || err != nil {
			return err
		}
		// Verification may have used up most of the lease; promoting gets one of its own.
		next, cancel, err := k.renew(ctx)
		if err != nil {
			return err
		}
		defer cancel()
		ctx = next
	}
	if err := k.account.Promote(ctx, j.SecretARN, j.Token, j.Current); err != nil {
		return k.secretFailed(ctx, fmt.Errorf("make the new key's version AWSCURRENT: %w", err))
	}
	keys, err := k.account.Keys(ctx, k.r.UserName)
	if err != nil {
		return fmt.Errorf("list the keys of %s once more: %w", k.r.UserName, err)
	}
	for _, key := range newSince(keys, k.r.Journal.KeyIDs) {
		if key.ID != j.NewKey {
			return k.stuck(ctx, "besides the new key %s, key %s appeared for %s", j.NewKey, key.ID, k.r.UserName)
		}
	}
	return k.note(ctx, rotation.Issued{Token: k.token})
}

// verifyTries is how often a new key is tried: IAM takes some seconds to know it (3 to 5, typically).
const verifyTries = 8

// verify signs with the new key until AWS answers as its user. ended says that a person was asked instead.
func (k *work) verify(ctx context.Context, secret Material) (ended bool, err error) {
	j := k.r.Journal
	for try := range verifyTries {
		arn, id, verr := k.account.Verify(ctx, j.NewKey, secret)
		switch {
		case verr == nil && id == k.r.UserID:
			return false, k.note(ctx, rotation.Verified{Token: k.token, At: k.o.Now()})
		case verr == nil:
			return true, k.stuck(ctx, "the new key %s answers as %s, which is not the user %s", j.NewKey, arn, k.r.UserName)
		}
		err = fmt.Errorf("verify the new key %s: %w", j.NewKey, verr)
		if k.o.Wait(ctx, time.Second<<min(try, 4)) != nil || ctx.Err() != nil {
			break
		}
	}
	return false, err
}

// secretFailed ends a step whose call on the secret failed. A person is asked where the secret is not what it was when the
// journal was written: AWS refuses to promote if somebody moved AWSCURRENT since. Otherwise it is tried again.
func (k *work) secretFailed(ctx context.Context, err error) error {
	j := k.r.Journal
	sec, serr := k.account.Secret(ctx, j.SecretARN)
	switch {
	case serr != nil:
		return errors.Join(err, serr)
	case !sec.Exists:
		return k.stuck(ctx, "the secret %s is gone, so nobody has the secret of the new key %s. Delete that key by hand, then retry", j.SecretName, j.NewKey)
	case sec.PendingDeletion:
		return k.stuck(ctx, "the secret %s is scheduled for deletion, while its new key was issued. Restore it, then retry", j.SecretName)
	}
	if now := sec.current(); now != j.Current && now != j.Token {
		return k.stuck(ctx, "somebody made version %s of the secret %s AWSCURRENT while a new key was issued. Move AWSCURRENT back to %s, then retry", now, j.SecretName, j.Current)
	}
	return err
}
