package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Store is what is walked.
type Store interface {
	ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error)
	// ListEpisodes returns the closed rotations of a user before the present one.
	ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error)
	ListChains(ctx context.Context, page store.Page) ([]string, string, error)
	ListEntries(ctx context.Context, chain string, page store.Page) ([]rotation.Entry, string, error)
	GetState(ctx context.Context, key string) (string, error)
	SetState(ctx context.Context, key, value string) error
}

// Chain is one chain of entries, whole.
type Chain struct {
	Name    string             // rotation/ACCOUNT/USER/EPISODE, or the name that it has in the store
	About   *rotation.Rotation // whose history it is; nil for other chains
	Entries []rotation.Entry
	Missing error // what should stand before it and does not
	Err     error // why it, or a part of it, cannot be read; Entries are then those that could

	of string // what it belongs to: a user's rotation of any episode, or the chain itself
}

// ofUser is what all rotations of a user belong to.
func ofUser(id rotation.ID) string { return "rotation/" + string(id) }

// nameOf is how the history of a rotation is called.
func nameOf(r rotation.Rotation) string { return fmt.Sprintf("rotation/%s/%d", r.ID, r.Episode) }

// Walk hands every chain to do, one at a time and whole. An error of do ends it. What cannot be read is handed over with
// its error, and the walk goes on.
func Walk(ctx context.Context, s Store, do func(Chain) error) error {
	page := store.Page{Limit: store.DefaultPage}
	for {
		rs, next, err := s.ListRotations(ctx, store.Filter{}, page)
		unread, partly := errors.AsType[*store.Unread](err)
		if err != nil && !partly {
			return fmt.Errorf("list rotations: %w", err)
		}
		for _, r := range rs {
			if err := history(ctx, s, r, do); err != nil {
				return err
			}
		}
		if partly {
			for _, id := range unread.IDs {
				if err := do(Chain{Name: ofUser(id), Err: unread.Err, of: ofUser(id)}); err != nil {
					return err
				}
			}
		}
		if next == "" {
			break
		}
		page.After = next
	}
	page = store.Page{Limit: store.MaxPage}
	for {
		names, next, err := s.ListChains(ctx, page)
		if err != nil {
			return fmt.Errorf("list chains: %w", err)
		}
		for _, name := range names {
			entries, err := all(ctx, s, name)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(Chain{Name: name, Entries: entries, Err: err, of: name}); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

// history hands over the history of a rotation and of the user's rotations before it.
func history(ctx context.Context, s Store, r rotation.Rotation, do func(Chain) error) error {
	episodes, expected := []rotation.Rotation{}, 1
	if r.Episode > 1 {
		var err error
		if episodes, err = s.ListEpisodes(ctx, r.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(Chain{Name: nameOf(r) + ", before it", Err: err, of: ofUser(r.ID)}); err != nil {
				return err
			}
			episodes, expected = nil, r.Episode
		}
	}
	episodes = slices.DeleteFunc(slices.Clone(episodes), func(e rotation.Rotation) bool { return e.Episode >= r.Episode })
	slices.SortFunc(episodes, func(a, b rotation.Rotation) int { return cmp.Compare(a.Episode, b.Episode) })
	for _, e := range append(episodes, r) {
		c := Chain{Name: nameOf(e), About: &e, Entries: e.History, of: ofUser(r.ID)}
		switch e.Episode - expected {
		case 0:
		case 1:
			c.Missing = fmt.Errorf("rotation %d of this user, before it, is missing", expected)
		default:
			c.Missing = fmt.Errorf("rotations %d to %d of this user, before it, are missing", expected, e.Episode-1)
		}
		expected = e.Episode + 1
		if err := do(c); err != nil {
			return err
		}
	}
	return nil
}

func all(ctx context.Context, s Store, chain string) (entries []rotation.Entry, err error) {
	page := store.Page{Limit: store.MaxPage}
	for {
		some, next, err := s.ListEntries(ctx, chain, page)
		if err != nil {
			return entries, fmt.Errorf("list entries: %w", err)
		}
		entries = append(entries, some...)
		if next == "" {
			return entries, nil
		}
		page.After = next
	}
}

// Faults says what is wrong with a chain by itself, the first of each kind.
func (c Chain) Faults() (all []error) {
	if c.Missing != nil {
		all = append(all, c.Missing)
	}
	if c.Err != nil {
		all = append(all, fmt.Errorf("it cannot be read: %w", c.Err))
	}
	if len(c.Entries) == 0 {
		if c.About != nil {
			all = append(all, errors.New("it has no history: all lines are missing"))
		}
		return all
	}
	if first := c.Entries[0].Seq; first != 1 {
		return append(all, fmt.Errorf("it begins with line %d: what stood before is missing", first))
	}
	if err := rotation.VerifyHistory(c.Entries); err != nil {
		all = append(all, err)
	}
	return all
}
