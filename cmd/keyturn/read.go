package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// reader is what the commands that only show something ask of a store.
type reader interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error)
	ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error)
	ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error)
	GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error)
	ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error)
	GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error)
	ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error)
	GetState(ctx context.Context, key string) (string, error)
}

// rules is today's configuration, as far as these commands need it.
type rules interface {
	approval.Rules
	When(r rotation.Rotation, hours bool, t time.Time) (at time.Time, why string)
}

var _ rules = config.Config{}

// view is what a command that only shows something looks at.
type view struct {
	*environment
	store    reader
	rules    rules
	teams    []string // Slack teams whose members may decide
	ownerTag string
}

// look opens the store for a command that only shows something. It asks neither AWS's IAM nor Slack, and writes nothing.
func (e *environment) look(show func(*view) error) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	v := &view{environment: e, store: a.Store, rules: a.Config, teams: a.Config.Slack.Teams, ownerTag: a.Config.OwnerTag}
	return errors.Join(show(v), a.Close())
}

// note says something beside the result, where it disturbs no machine that reads the result.
func (v *view) note(format string, args ...any) { fmt.Fprintf(v.err, "keyturn: "+format+"\n", args...) }

// errEnough ends a walk that has seen what it was made for.
var errEnough = errors.New("enough")

// eachRotation calls do for every rotation that the filter finds, and done after each page. What cannot be read does not
// hide the rest: it is the error when everything else is through.
func (v *view) eachRotation(f store.Filter, do func(rotation.Rotation) error, done func() error) error {
	page := store.Page{Limit: store.DefaultPage}
	var unread *store.Unread
	for {
		rs, next, err := v.store.ListRotations(v.ctx, f, page)
		var some *store.Unread
		if errors.As(err, &some) {
			for _, id := range some.IDs {
				unread = unread.Add(id, some.Err)
			}
		} else if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for _, r := range rs {
			if err := do(r); err != nil {
				return err
			}
		}
		if err := done(); err != nil {
			return err
		}
		if next == "" {
			break
		}
		page.After = next
	}
	switch {
	case unread == nil:
		return nil
	case errors.Is(unread, store.ErrNewer):
		return fmt.Errorf("not everything is shown: %w. Use the version that writes them", unread)
	default:
		return fmt.Errorf("not everything is shown: %w. Tell whoever runs keyturn; the store's backup has them as they were", unread)
	}
}

// eachSnapshot calls do for the snapshot of every account that was scanned, until it returns an error.
func (v *view) eachSnapshot(do func(rotation.Snapshot) error) error {
	page := store.Page{}
	for {
		all, next, err := v.store.ListSnapshots(v.ctx, page)
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for _, s := range all {
			if err := do(s); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

// eachExemption calls do for every exemption that is in force; of one account, or of all where account is empty.
func (v *view) eachExemption(account rotation.AccountID, do func(rotation.Exemption)) error {
	page := store.Page{}
	for {
		all, next, err := v.store.ListExemptions(v.ctx, account, page)
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for _, e := range all {
			if e.InForce(v.now()) {
				do(e)
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

// findKey finds a key that no rotation is about in the snapshots. ok is false if no scan has seen it.
func (v *view) findKey(id rotation.KeyID) (s rotation.Snapshot, u rotation.User, k rotation.Key, ok bool, err error) {
	err = v.eachSnapshot(func(in rotation.Snapshot) error {
		for _, x := range in.Users {
			if k, ok = rotation.Find(x.Keys, id); ok {
				s, u = in, x
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return s, u, k, ok, err
}

// byKey finds the rotation of a key, present or past. Of a key without one, found is false.
func (v *view) byKey(key rotation.KeyID) (r rotation.Rotation, found bool, err error) {
	r, err = v.store.RotationByKey(v.ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read the store: %w", err)
	}
	return r, true, nil
}

// before lists the rotations of a user before an episode, the newest first.
func (v *view) before(id rotation.ID, episode int) ([]rotation.Rotation, error) {
	all, err := v.store.ListEpisodes(v.ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	return slices.DeleteFunc(all, func(r rotation.Rotation) bool { return r.Episode >= episode }), nil
}

func errNoKey(key rotation.KeyID) error {
	return fmt.Errorf("keyturn knows no key %s. Check the ID; a key made since the last scan is not known yet", key)
}

func targetOf(s rotation.Snapshot, u rotation.User) approval.Target {
	return approval.Target{Account: s.Account, OUPath: s.OUPath, UserName: u.Name, UserPath: u.Path, Tags: u.Tags}
}

// ownerOf is whom the user's owner tag names, else the account's e-mail address.
func (v *view) ownerOf(s rotation.Snapshot, u rotation.User) string {
	return rotation.OwnerOf(u.Tags, v.ownerTag, s.Email).Address
}
