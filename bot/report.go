package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// report answers with a report. One that takes longer than the command may wait is announced, and follows when it is made.
func (b *Bot) report(ctx context.Context, c Command, who approval.Person) templates.Message {
	var first atomic.Bool // whoever is first decides where the report goes
	made := make(chan templates.Message, 1)
	b.afterAck(ctx, func(ctx context.Context) {
		m := b.makeReport(ctx, c)
		if first.CompareAndSwap(false, true) {
			made <- m
			return
		}
		b.say(ctx, place{user: who.SlackID, response: c.Respond}, m)
	})
	ctx, cancel := context.WithTimeout(ctx, b.ack*2/5)
	defer cancel()
	select {
	case m := <-made:
		return m
	case <-ctx.Done():
	}
	if first.CompareAndSwap(false, true) {
		return templates.AnswerReportLater()
	}
	return <-made
}

// makeReport counts, for two thirds of the time that an answer has. What takes longer is told with what was counted.
func (b *Bot) makeReport(ctx context.Context, c Command) templates.Message {
	ctx, cancel := context.WithTimeout(ctx, answerWithin*2/3)
	defer cancel()
	ctx, left := counting(ctx)
	s, no, err := b.scope(ctx, c.Filter)
	switch {
	case err != nil:
		return b.troubled("report not made", err)
	case no != nil:
		return *no
	}
	now := b.o.Now()
	v := templates.ReportView{Filter: c.Filter.String(), Plain: c.Plain}
	count := report.NewBuilder(b.o.Rules, now.Add(-c.For), now)
	err = b.counted(ctx, count, s, now.Add(-c.For))
	if v.Cut = errors.Is(err, context.DeadlineExceeded); err != nil && !v.Cut {
		return b.troubled("report not made", err)
	}
	var points []report.Point
	if c.Filter.empty() { // the burn-down is of the whole organization
		since := now.Add(-c.For).UTC().Format(time.DateOnly)
		points = slices.DeleteFunc(b.points(ctx), func(p report.Point) bool { return p.Day < since })
	}
	v.Report = count.Report(points)
	return left.say(templates.AnswerReport(v))
}

// counted hands everything that is in the scope to the builder.
func (b *Bot) counted(ctx context.Context, count *report.Builder, in scope, since time.Time) error {
	in.in.OpenOnly = false
	users := map[rotation.ID]bool{}
	err := b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		if !in.empty() {
			s.Users = slices.DeleteFunc(slices.Clone(s.Users), func(u rotation.User) bool { return !in.hasUser(s, b.ownerOf(s, u)) })
			if len(s.Users) == 0 && !in.hasAccount(s) {
				return true
			}
			if in.Owner != "" {
				s.RootKeys = 0 // nobody's
			}
			for _, u := range s.Users {
				users[rotation.MakeID(s.Account, u.ID)] = true
			}
		}
		count.Snapshot(s)
		return true
	})
	if err != nil {
		return err
	}
	before := map[rotation.ID]int{} // users who may have had another rotation in the period, and which one was counted
	if err := b.each(ctx, in.in, func(r rotation.Rotation) {
		if !in.has(r) {
			return
		}
		count.Rotation(r)
		if r.Episode > 1 && r.Opened.After(since) {
			before[r.ID] = r.Episode
		}
	}); err != nil {
		return err
	}
	for id, episode := range before {
		if err := b.countBefore(ctx, count, id, episode); err != nil {
			return err
		}
	}
	exempt, err := b.exemptIn(ctx, in.in.Account, b.o.Now())
	for _, e := range exempt {
		if in.empty() || users[rotation.MakeID(e.Account, e.UserID)] {
			count.Exemption(e)
		}
	}
	return err
}

// countBefore counts the rotations of a user before an episode.
func (b *Bot) countBefore(ctx context.Context, count *report.Builder, id rotation.ID, episode int) error {
	all, err := b.o.Store.ListEpisodes(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("list episodes of %s: %w", id, err)
	}
	for _, r := range all {
		if r.Episode < episode {
			count.Rotation(r)
		}
	}
	return nil
}
