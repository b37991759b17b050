package audit

import (
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
	Err     error // why it cannot be read; it is reported and not walked
}

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
				if err := do(Chain{Name: "rotation/" + string(id), Err: unread.Err}); err != nil {
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
			if err := do(Chain{Name: name, Entries: entries, Err: err}); err != nil {
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
	episodes := []rotation.Rotation{}
	if r.Episode > 1 {
		var err error
		if episodes, err = s.ListEpisodes(ctx, r.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(Chain{Name: nameOf(r) + " and before", Err: err}); err != nil {
				return err
			}
		}
	}
	episodes = slices.DeleteFunc(episodes, func(e rotation.Rotation) bool { return e.Episode >= r.Episode })
	slices.SortFunc(episodes, func(a, b rotation.Rotation) int { return a.Episode - b.Episode })
	for i, e := range append(episodes, r) {
		c := Chain{Name: nameOf(e), About: &e, Entries: e.History}
		if i+1 != e.Episode && i < len(episodes) {
			c.Err = fmt.Errorf("episode %d stands where %d is expected: a rotation is missing", e.Episode, i+1)
		}
		if err := do(c); err != nil {
			return err
		}
	}
	if len(episodes) < r.Episode-1 {
		return do(Chain{Name: nameOf(r) + " and before", Err: fmt.Errorf("%d of %d rotations before it are missing", r.Episode-1-len(episodes), r.Episode-1)})
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

// Sound checks a chain by itself. Histories that begin later than with the first entry are cut at their begin.
func (c Chain) Sound() error {
	if c.Err != nil {
		return c.Err
	}
	if len(c.Entries) > 0 && c.Entries[0].Seq != 1 {
		return fmt.Errorf("it begins with line %d: what stood before is missing", c.Entries[0].Seq)
	}
	return rotation.VerifyHistory(c.Entries)
}
