package rotator

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// issue replaces the old key: prepare, journal, create, store, verify, promote (DESIGN, "Issuing a key without losing
// one"). What can fail goes before the create; what was begun before is resumed, whoever began it.
func (k *work) issue(ctx context.Context, s sight) error {
	if j := k.r.Journal; j != nil && j.Token != "" {
		return k.resume(ctx, s)
	}
	return k.begin(ctx, s)
}

// begin prepares an attempt, writes its journal and creates the key.
func (k *work) begin(ctx context.Context, s sight) error {
	if j := k.r.Journal; j != nil && j.Lost >= mostLost {
		return k.stuck(ctx, "%d new keys for %s were lost, one after the other, and removed again. See why in the history, then retry", j.Lost, k.r.UserName)
	}
	if ready, err := k.slot(ctx, s); !ready || err != nil {
		return err
	}
	sec, ready, err := k.prepare(ctx, s)
	if !ready || err != nil {
		return err
	}
	j := rotation.Journal{
		Token: k.o.NewToken(), StartedReal: k.o.Real(), Current: sec.current(), SecretARN: sec.ARN, SecretName: sec.Name,
	}
	for _, key := range s.keys {
		j.KeyIDs = append(j.KeyIDs, key.ID)
	}
	if err := k.note(ctx, rotation.Begin{Token: k.token, Journal: j}); err != nil {
		return err
	}
	return k.create(ctx)
}

// mostLost is how many new keys may be lost in a row before a person is asked.
const mostLost = 3

// mostKeys is how many access keys an IAM user can have (IAM and STS quotas; not adjustable).
const mostKeys = 2

// slot checks that the old key is as it was approved and that there is room for a new one. Where not, it gives the claim
// back with what was seen, and ready is false.
func (k *work) slot(ctx context.Context, s sight) (ready bool, err error) {
	old, there := rotation.Find(s.keys, k.r.Old.ID)
	switch {
	case !there:
		return false, k.missing(ctx, k.r.Old.ID)
	case old.Status == rotation.Inactive && k.r.Old.InactiveSince.IsZero():
		return false, k.giveBack(ctx, "", rotation.ObservedDeactivated{Key: old.ID})
	case old.Status == rotation.Active && !k.r.Old.InactiveSince.IsZero():
		return false, k.giveBack(ctx, "", rotation.ObservedReactivated{Key: old.ID})
	case len(s.keys) < mostKeys:
		return true, nil
	}
	why := fmt.Sprintf("user %s has %d access keys now, so there is no room for a new one: %s appeared after the approval", k.r.UserName, len(s.keys), others(s.keys, old.ID))
	if k.r.State == rotation.Approved && k.r.Leaked == nil {
		return false, k.giveBack(ctx, "no room for a new key", rotation.Cancel{Actor: rotation.System, Why: why})
	}
	return false, k.stuck(ctx, "%s. Remove a key that nobody needs, then retry", why)
}

func others(keys []rotation.Key, but rotation.KeyID) rotation.KeyID {
	for _, k := range keys {
		if k.ID != but {
			return k.ID
		}
	}
	return but
}

// prepare makes the secret's container ready. A secret that is not ours, that AWS rotates itself, or that is scheduled for
// deletion is refused, before there is a key.
func (k *work) prepare(ctx context.Context, s sight) (sec SecretState, ready bool, err error) {
	name, sec, err := k.container(ctx)
	if errors.Is(err, errNoName) {
		return sec, false, k.stuck(ctx, "%v", err)
	}
	if err != nil {
		return sec, false, err
	}
	switch {
	case !sec.Exists:
	case sec.PendingDeletion:
		return sec, false, k.stuck(ctx, "the secret %s is scheduled for deletion. Restore it (or delete it without recovery), then retry", name)
	case !ours(sec, k.r):
		return sec, false, k.stuck(ctx, "the secret %s exists, but keyturn did not make it for this user. Rename or remove it, or change secrets.name, then retry", name)
	case sec.RotationEnabled:
		return sec, false, k.stuck(ctx, "AWS's own rotation is switched on for the secret %s. Switch it off, then retry", name)
	}
	spec := SecretSpec{
		Name: name, Description: fmt.Sprintf("Access key of the IAM user %s, kept by keyturn", k.r.UserName),
		KMSKeyID: k.o.KMSKey(k.r), UserARN: s.user.ARN,
		Tags: map[string]string{TagManaged: "true", TagUserID: string(k.r.UserID), TagRotation: string(k.r.ID)},
	}
	if sec, err = k.account.PrepareSecret(ctx, spec); err != nil {
		return sec, false, fmt.Errorf("prepare secret %s: %w", name, err)
	}
	return sec, true, nil
}

// errNoName says that the configuration gives no valid name for a user's secret.
var errNoName = errors.New("there is no name for the secret")

// container finds the secret for the new key: the one that an earlier rotation made, if it is still there, or else the one
// that the configuration names.
func (k *work) container(ctx context.Context) (name string, sec SecretState, err error) {
	if name = k.r.Secret; name != "" {
		if sec, err = k.account.Secret(ctx, name); err != nil {
			return name, sec, fmt.Errorf("describe secret %s: %w", name, err)
		}
		if sec.Exists {
			return name, sec, nil
		}
	}
	if name, err = k.o.SecretName(k.r.Account, k.r.UserName); err != nil {
		return "", sec, fmt.Errorf("%w: %w", errNoName, err)
	}
	if sec, err = k.account.Secret(ctx, name); err != nil {
		return name, sec, fmt.Errorf("describe secret %s: %w", name, err)
	}
	return name, sec, nil
}
