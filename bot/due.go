package bot

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// due lists what waits for a decision, and keys that reach their age within a time and about which somebody will be asked
// then, soonest first. Who is exempt, was rejected for now, or is only reported on, is not among them.
func (b *Bot) due(ctx context.Context, within time.Duration) ([]templates.Row, error) {
	type entry struct {
		at  time.Time
		key rotation.KeyID
		row templates.Row
	}
	now := b.o.Now()
	until := now.Add(within)
	var found []entry
	settled := map[rotation.ID]bool{} // users about whom nobody is asked otherwise
	err := b.each(ctx, store.Filter{}, func(r rotation.Rotation) {
		undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting
		if undecided && !r.DueAt.After(until) {
			found = append(found, entry{r.DueAt, r.Old.ID, templates.RowOf(r, now)})
		}
		settled[r.ID] = r.Open() || now.Before(r.ReopenAt)
	})
	if err != nil {
		return nil, err
	}
	exempt, err := b.exemptIn(ctx, "", now)
	if err != nil {
		return nil, err
	}
	for _, e := range exempt {
		settled[rotation.MakeID(e.Account, e.UserID)] = true
	}
	err = b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		for _, u := range s.Users {
			p, _, ok := b.o.Rules.For(targetOf(s, u))
			if settled[rotation.MakeID(s.Account, u.ID)] || u.Exempt || !ok || p.Mode == rotation.ModeAudit {
				continue
			}
			for _, k := range u.Keys {
				at := b.dueAt(s, u, k)
				if k.Status == rotation.Active && !at.IsZero() && !at.After(until) {
					found = append(found, entry{at, k.ID, templates.RowOfKey(s, u, k, at, now)})
				}
			}
		}
		return true
	})
	slices.SortFunc(found, func(a, c entry) int { return cmp.Or(a.at.Compare(c.at), cmp.Compare(a.key, c.key)) })
	rows := make([]templates.Row, len(found))
	for i, e := range found {
		rows[i] = e.row
	}
	return rows, err
}
