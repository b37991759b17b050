package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// mostLooked bounds of how many open rotations it is found out whether they wait for a person.
const mostLooked = 1000

// waiting is what waits for a person beside the person's own keys.
type waiting struct {
	rows   []templates.Row
	looked int // how many rotations were looked at, if there were more; else 0
}

// others finds the rotations in the scope on which today's rules let a person decide, and which the person has not approved
// yet. known are left out. It looks at mostLooked rotations, for half of the time there is.
func (b *Bot) others(ctx context.Context, who approval.Person, in scope, known map[rotation.ID]bool) (waiting, error) {
	var out waiting
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	var all []found
	now, groups, looked := b.o.Now(), b.memberships(), 0
	page := store.Page{Limit: store.MaxPage}
	f := in.in
	f.OpenOnly = true
	for {
		rs, next, err := b.o.Store.ListRotations(ctx, f, page)
		if errors.Is(err, context.DeadlineExceeded) && looked > 0 {
			out.looked, out.rows = looked, rowsOf(all)
			return out, nil
		}
		if err = b.leaveOut(ctx, err); err != nil {
			return out, fmt.Errorf("list rotations: %w", err)
		}
		for _, r := range rs {
			if looked == mostLooked || looked > 0 && ctx.Err() != nil {
				out.looked = looked
				break
			}
			looked++
			if !known[r.ID] && waits(r) && in.has(r) && groups.lets(ctx, who, r) {
				all = append(all, foundOf(r, now))
			}
		}
		if next == "" || out.looked > 0 {
			out.rows = rowsOf(all)
			return out, nil
		}
		page.After = next
	}
}

// memberships remembers the members of groups while a list is made, also of groups that cannot be read: Slack is asked once.
type memberships struct {
	bot     *Bot
	circles *circle.Circles
	known   approval.Groups
}

func (b *Bot) memberships() memberships {
	return memberships{b, circle.New(b.o.Slack, b.o.Teams), approval.Groups{}}
}

// of returns the members of every group that the rule names.
func (m memberships) of(ctx context.Context, rule approval.Rule) approval.Groups {
	for _, id := range rule.GroupIDs() {
		if _, ok := m.known[id]; ok {
			continue
		}
		one := approval.Rule{AnyOf: []approval.Circle{{Kind: approval.UserGroup, ID: id}}}
		m.known[id] = m.circles.Groups(ctx, one)[id]
	}
	return m.known
}

// lets reports whether today's rule lets a person decide on a rotation, whom it still waits for.
func (m memberships) lets(ctx context.Context, who approval.Person, r rotation.Rotation) bool {
	_, rule, ok := m.bot.o.Rules.For(approval.TargetOf(r))
	if !ok {
		return false
	}
	if r.State != rotation.Upcoming && r.State != rotation.Awaiting { // stuck, or refused by the gate: one person is enough
		rule = rule.Own()
	} else if slices.ContainsFunc(r.Approvals, func(a rotation.Approval) bool { return a.Actor.Same(who.Actor()) }) {
		return false
	}
	s := approval.SubjectOf(r, m.bot.o.Teams)
	if approval.Decide(rule, s, who, r.Approvals).Allowed {
		return true
	}
	s.Groups = m.of(ctx, rule)
	return len(s.Groups) > 0 && approval.Decide(rule, s, who, r.Approvals).Allowed
}
