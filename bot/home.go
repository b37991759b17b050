package bot

import (
	"context"

	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/templates"
)

// How many rows a part of App Home shows: beside the other part, and alone. A view takes 100 blocks.
const (
	homeRows  = 10
	homeAlone = 25
)

// home publishes a person's App Home: everything, or one page of a part.
func (b *Bot) home(ctx context.Context, user string, c cursor) {
	who := b.person(ctx, user)
	ctx, left := counting(ctx)
	h := templates.HomeView{Prefix: b.o.Prefix, Now: b.o.Now()}
	if h.Refused = b.mayRead(who); h.Refused != "" {
		b.turnedAway(ctx, who, "home", h.Refused)
	} else if m, err := b.mine(ctx, who, scope{}); err != nil {
		b.o.Log.Error("home not read", "actor", user, "error", err.Error())
		h.Refused = "keyturn cannot read its store just now. Open this page again in a minute."
	} else {
		b.fill(&h, m, c)
		h.Unread = left.n()
		if h.Alone == "" {
			h.Points = b.points(ctx)
		}
	}
	if err := b.o.Slack.PublishHome(ctx, user, templates.Home(h)); err != nil {
		b.o.Log.Warn("home not published", "actor", user, "error", err.Error())
	}
}

// fill cuts the rows of App Home to what the cursor shows.
func (b *Bot) fill(h *templates.HomeView, m mine, c cursor) {
	first := func(part templates.HomePart) string {
		if c.Arg == string(part) {
			return ""
		}
		return cursor{List: listHome, Arg: string(part), Page: 1}.encode()
	}
	h.Everything, h.OnlyWaiting, h.OnlyMine = first(""), first(templates.HomeWaiting), first(templates.HomeMine)
	h.Looked = m.looked
	alone := func(rows []templates.Row) []templates.Row {
		from, to, at := cut(len(rows), homeAlone, c.Page)
		h.Alone, h.Page, h.Pages = templates.HomePart(c.Arg), at, pages(len(rows), homeAlone)
		h.Prev, h.Next = c.around(h.Page, h.Pages)
		return rows[from:to]
	}
	switch templates.HomePart(c.Arg) {
	case templates.HomeWaiting:
		h.Waiting = alone(m.waiting)
	case templates.HomeMine:
		h.Mine = alone(m.rest)
	default:
		n, k := min(len(m.waiting), homeRows), min(len(m.rest), homeRows)
		h.Waiting, h.More, h.Mine, h.MoreOf = m.waiting[:n], len(m.waiting)-n, m.rest[:k], len(m.rest)-k
	}
}

// points reads the burn-down. Without it everything else is shown all the same.
func (b *Bot) points(ctx context.Context) []report.Point {
	state, err := b.o.Store.GetState(ctx, report.StateKey)
	if err != nil {
		b.o.Log.Warn("burn-down not read", "error", err.Error())
		return nil
	}
	all, err := report.ParsePoints(state)
	if err != nil {
		b.o.Log.Error("burn-down not understood", "error", err.Error())
	}
	return all
}
