package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// read serves the commands that only show something.
func (b *Bot) read(ctx context.Context, c Command, who approval.Person) templates.Message {
	if why := b.mayRead(who); why != "" {
		return b.turnedAway(ctx, who, c.Name, why)
	}
	var m templates.Message
	var err error
	ctx, left := counting(ctx)
	switch c.Name {
	case "status":
		if c.Filter.empty() {
			m, err = b.status(ctx, c.Target, who)
		} else {
			m, err = b.list(ctx, cursor{List: listRotations, Arg: c.Filter.code(), Page: c.Page}, who)
		}
	case "mine", "list":
		m, err = b.list(ctx, cursor{List: c.Name, Arg: c.Filter.code(), Page: c.Page}, who)
	case "due":
		m, err = b.list(ctx, cursor{List: listDue, Arg: strings.TrimSuffix(rotation.FormatDuration(c.For)+" "+c.Filter.code(), " "), Page: c.Page}, who)
	case "history":
		m, err = b.historyOf(ctx, c.Key, c.Page, who)
	case "why":
		m, err = b.why(ctx, c.Key, who)
	case "report":
		m = b.report(ctx, c, who)
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
	return left.say(m)
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

// dueAt is when a key reaches its age under today's rules; zero if none covers it.
func (b *Bot) dueAt(s rotation.Snapshot, u rotation.User, k rotation.Key) time.Time {
	p, _, ok := b.o.Rules.For(targetOf(s, u))
	if !ok || k.Created.IsZero() {
		return time.Time{}
	}
	return k.Created.Add(p.RotateAfter)
}
