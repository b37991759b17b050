package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// read serves the commands that only show something.
func (b *Bot) read(ctx context.Context, c Command, who approval.Person) templates.Message {
	if why := b.mayRead(who); why != "" {
		return b.turnedAway(who, c.Name, why)
	}
	var m templates.Message
	var err error
	switch c.Name {
	case "status":
		m, err = b.status(ctx, c.Target, who)
	case "mine":
		m, err = b.list(ctx, cursor{List: listMine, Page: c.Page}, who)
	case "due":
		m, err = b.list(ctx, cursor{List: listDue, Arg: rotation.FormatDuration(c.For), Page: c.Page}, who)
	case "history":
		m, err = b.historyOf(ctx, c.Key, c.Page, who)
	case "why":
		m, err = b.why(ctx, c.Key, who)
	default:
		err = errors.New("no such list: " + c.Name)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		b.o.Log.Error(c.Name+" not read", "error", err.Error())
		return templates.AnswerSentence("keyturn could not read all of that in time. Ask about one account, user or key instead, like " + b.o.Prefix + " status KEY, or try again in a minute")
	case err != nil:
		return b.troubled(c.Name+" not read", err)
	}
	return m
}

func (b *Bot) why(ctx context.Context, key rotation.KeyID, who approval.Person) (templates.Message, error) {
	r, err := b.o.Store.RotationByKey(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return b.statusKey(ctx, key)
	}
	if err != nil {
		return templates.Message{}, err
	}
	g := b.ruleFor(templates.ActApprove, r, who)
	return templates.AnswerWhy(templates.Why{Rotation: r, Covered: g.covered, Policy: g.policy, Rule: g.rule, Verdict: g.verdict}, b.o.Now()), nil
}

func (b *Bot) historyOf(ctx context.Context, key rotation.KeyID, page int, who approval.Person) (templates.Message, error) {
	r, err := b.o.Store.RotationByKey(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return b.noRotation(ctx, key, who, err), nil
	}
	if err != nil {
		return templates.Message{}, err
	}
	h, err := b.history(ctx, r, page)
	if err != nil {
		return templates.Message{}, err
	}
	return templates.AnswerHistory(h), nil
}

// historyPage is how many lines of history one page has: they have to fit into one section of a message.
const historyPage = 8

// history cuts one page out of a rotation's history, newest first, and checks the chain.
func (b *Bot) history(ctx context.Context, r rotation.Rotation, page int) (templates.History, error) {
	episodes, err := b.o.Store.ListEpisodes(ctx, r.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return templates.History{}, err
	}
	h := templates.History{Rotation: r}
	for _, e := range episodes {
		if e.Episode < r.Episode {
			h.Earlier = append(h.Earlier, e)
		}
	}
	slices.SortFunc(h.Earlier, func(a, c rotation.Rotation) int { return c.Episode - a.Episode })
	if err := rotation.VerifyHistory(r.History); err != nil {
		h.Broken = err.Error()
	}
	all := slices.Clone(r.History)
	slices.Reverse(all)
	from, to, at := cut(len(all), historyPage, page)
	h.Entries, h.Page, h.Pages = all[from:to], at, pages(len(all), historyPage)
	h.Prev, h.Next = cursor{List: listHistory, Arg: string(r.Old.ID)}.around(h.Page, h.Pages)
	return h, nil
}

// mine collects what belongs to a person: what waits first, then the other rotations, then keys that no rotation is about.
func (b *Bot) mine(ctx context.Context, who approval.Person) (waiting, rest []templates.Row, err error) {
	now := b.o.Now()
	var open, closed []rotation.Rotation
	seen := map[rotation.KeyID]bool{}
	known := map[rotation.ID]bool{}
	for _, name := range names(who) {
		page := store.Page{Limit: store.MaxPage}
		for {
			rs, next, err := b.o.Store.RotationsByOwner(ctx, name, page)
			if err != nil {
				return nil, nil, err
			}
			for _, r := range rs {
				if known[r.ID] {
					continue
				}
				known[r.ID] = true
				for _, k := range keysOf(r) {
					seen[k] = true
				}
				if r.Open() {
					open = append(open, r)
				} else {
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
			waiting = append(waiting, templates.RowOf(r, now))
		} else {
			rest = append(rest, templates.RowOf(r, now))
		}
	}
	live := map[rotation.KeyID]bool{}
	var keys []templates.Row
	err = b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		for _, u := range s.Users {
			if !owns(who, b.ownerOf(s, u)) {
				continue
			}
			for _, k := range u.Keys {
				live[k.ID] = true
				if !seen[k.ID] {
					keys = append(keys, templates.RowOfKey(s, u, k, b.dueAt(s, u, k), now))
				}
			}
		}
		return true
	})
	for _, r := range closed {
		if live[r.Old.ID] { // rejected or exempted: the key is still there
			rest = append(rest, templates.RowOf(r, now))
		}
	}
	return waiting, append(rest, keys...), err
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

// dueAt is when a key reaches its age under today's rules; zero if none covers it.
func (b *Bot) dueAt(s rotation.Snapshot, u rotation.User, k rotation.Key) time.Time {
	p, _, ok := b.o.Rules.For(targetOf(s, u))
	if !ok || k.Created.IsZero() {
		return time.Time{}
	}
	return k.Created.Add(p.RotateAfter)
}
