package bot

import (
	"context"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// due lists what waits for a decision, and keys that reach their age within a time and about which somebody will be asked
// then, soonest first. Who is exempt, was rejected for now, or is only reported on, is not among them.
func (b *Bot) due(ctx context.Context, within time.Duration, in scope) ([]templates.Row, error) {
	now := b.o.Now()
	until := now.Add(within)
	var all []found
	settled := map[rotation.ID]bool{} // users about whom nobody is asked otherwise
	err := b.each(ctx, store.Filter{Account: in.in.Account, OU: in.OU}, func(r rotation.Rotation) {
		undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting
		if undecided && !r.DueAt.After(until) && in.has(r) {
			all = append(all, foundOf(r, now))
		}
		settled[r.ID] = r.Open() || now.Before(r.ReopenAt)
	})
	if err != nil {
		return nil, err
	}
	exempt, err := b.exemptIn(ctx, in.in.Account, now)
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
				if k.Status == rotation.Active && !at.IsZero() && !at.After(until) && in.hasKey(s, b.ownerOf(s, u), k) {
					all = append(all, found{at, k.ID, templates.RowOfKey(s, u, k, at, now)})
				}
			}
		}
		return true
	})
	return rowsOf(all), err
}
