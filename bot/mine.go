package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// mine is what belongs to a person or waits for one.
type mine struct {
	waiting []templates.Row // the person's own first
	rest    []templates.Row // the person's own
	looked  int             // of so many rotations of others it was found out whether they wait for this person; 0: of all
}

// mine collects what belongs to a person and is in the scope: what waits first, then the other rotations, then keys that no
// rotation is about. Rotations of others are among them if they wait for this person's decision.
func (b *Bot) mine(ctx context.Context, who approval.Person, in scope) (mine, error) {
	var m mine
	in.in.OpenOnly = false
	now := b.o.Now()
	var open, closed []rotation.Rotation
	seen := map[rotation.KeyID]bool{}
	known := map[rotation.ID]bool{}
	for _, name := range names(who) {
		page := store.Page{Limit: store.MaxPage}
		for {
			rs, next, err := b.o.Store.RotationsByOwner(ctx, name, page)
			if err = b.leaveOut(ctx, err); err != nil {
				return m, fmt.Errorf("list the rotations of %s: %w", name, err)
			}
			for _, r := range rs {
				if known[r.ID] {
					continue
				}
				known[r.ID] = true
				for _, k := range keysOf(r) {
					seen[k] = true
				}
				switch {
				case !in.has(r):
				case r.Open():
					open = append(open, r)
				default:
					closed = append(closed, r)
				}
			}
			if next == "" {
				break
			}
			page.After = next
		}
	}
	slices.SortStableFunc(open, func(a, c rotation.Rotation) int { return a.DueAt.Compare(c.DueAt) })
	for _, r := range open {
		if waits(r) {
			m.waiting = append(m.waiting, templates.RowOf(r, now))
		} else {
			m.rest = append(m.rest, templates.RowOf(r, now))
		}
	}
	others, err := b.others(ctx, who, in, known)
	if err != nil {
		return m, err
	}
	m.waiting, m.looked = append(m.waiting, others.rows...), others.looked
	live := map[rotation.KeyID]bool{}
	var keys []templates.Row
	err = b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		for _, u := range s.Users {
			if !owns(who, b.ownerOf(s, u)) {
				continue
			}
			for _, k := range u.Keys {
				live[k.ID] = true
				if !seen[k.ID] && in.hasKey(s, b.ownerOf(s, u), k) {
					keys = append(keys, templates.RowOfKey(s, u, k, b.dueAt(s, u, k), now))
				}
			}
		}
		return true
	})
	for _, r := range closed {
		if live[r.Old.ID] { // rejected or exempted: the key is still there
			m.rest = append(m.rest, templates.RowOf(r, now))
		}
	}
	m.rest = append(m.rest, keys...)
	return m, err
}

// waits reports whether a rotation needs a person now.
func waits(r rotation.Rotation) bool {
	return r.Stuck != nil || r.Escalated || (r.State == rotation.Upcoming || r.State == rotation.Awaiting) && r.SnoozedUntil.IsZero() && r.Held == nil
}

func owns(p approval.Person, owner string) bool {
	return owner != "" && (owner == p.SlackID || p.Email != "" && (rotation.Actor{Email: p.Email}).Same(rotation.Actor{Email: lower(owner)}))
}

func keysOf(r rotation.Rotation) []rotation.KeyID {
	out := []rotation.KeyID{r.Old.ID}
	if r.New != nil {
		out = append(out, r.New.ID)
	}
	if r.Evict != nil {
		out = append(out, r.Evict.ID)
	}
	if r.Other != nil {
		out = append(out, r.Other.ID)
	}
	return out
}
