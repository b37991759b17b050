package rotator

import (
	"context"
	"errors"

	"github.com/keyturn/keyturn/internal/rotation"
)

// leased is an account that is only mutated while the claim lasts: a process that was stalled past its lease must not act
// on what it read before, because somebody else may have gone on since. Reads are free.
type leased struct {
	Account
	k *work
}

// check refuses when the lease has run out by the protocol clock.
func (a leased) check() error {
	if acting := a.k.r.Acting; acting == nil || !a.k.o.Real().Before(acting.LeaseUntil) {
		return errLost
	}
	return nil
}

func (a leased) CreateKey(ctx context.Context, name rotation.UserName) (Created, error) {
	if err := a.check(); err != nil {
		return Created{}, err
	}
	return a.Account.CreateKey(ctx, name)
}

func (a leased) SetKeyStatus(ctx context.Context, name rotation.UserName, key rotation.KeyID, status rotation.KeyStatus) error {
	if err := a.check(); err != nil {
		return err
	}
	err := a.Account.SetKeyStatus(ctx, name, key, status)
	a.k.unsure = unknownEffect(err)
	return err
}

func (a leased) DeleteKey(ctx context.Context, name rotation.UserName, key rotation.KeyID) error {
	if err := a.check(); err != nil {
		return err
	}
	err := a.Account.DeleteKey(ctx, name, key)
	a.k.unsure = unknownEffect(err)
	return err
}

// unknownEffect: the call was performed, or may have been. What is performed stays in doubt until it is noted.
func unknownEffect(err error) bool {
	return !errors.Is(err, ErrDefinite) && !errors.Is(err, ErrNoSuchKey) && !errors.Is(err, ErrNoSuchUser)
}

func (a leased) PrepareSecret(ctx context.Context, spec SecretSpec) (SecretState, error) {
	if err := a.check(); err != nil {
		return SecretState{}, err
	}
	return a.Account.PrepareSecret(ctx, spec)
}

func (a leased) PutVersion(ctx context.Context, arn, token string, value Material) error {
	if err := a.check(); err != nil {
		return err
	}
	return a.Account.PutVersion(ctx, arn, token, value)
}

func (a leased) Promote(ctx context.Context, arn, version, from string) error {
	if err := a.check(); err != nil {
		return err
	}
	return a.Account.Promote(ctx, arn, version, from)
}

func (a leased) TagSecret(ctx context.Context, arn string, tags map[string]string) error {
	if err := a.check(); err != nil {
		return err
	}
	return a.Account.TagSecret(ctx, arn, tags)
}
