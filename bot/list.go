package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// listing is a list before it is cut into pages.
type listing struct {
	title, note, empty string
	rows               []templates.Row
}

func (l listing) page(c cursor) templates.List {
	from, to, at := cut(len(l.rows), listPage, c.Page)
	out := templates.List{Title: l.title, Note: l.note, Empty: l.empty, Rows: l.rows[from:to], Page: at, Pages: pages(len(l.rows), listPage), Total: len(l.rows)}
	out.Prev, out.Next = c.around(out.Page, out.Pages)
	return out
}

// list makes one page of a list.
func (b *Bot) list(ctx context.Context, c cursor, who approval.Person) (templates.Message, error) {
	switch c.List {
	case listMine, listRotations, listDue:
		within, code := "", c.Arg
		if c.List == listDue {
			within, code, _ = strings.Cut(c.Arg, " ")
		}
		f, err := parseCode(code)
		if err != nil {
			return templates.Message{}, err
		}
		s, no, err := b.scope(ctx, f)
		if err != nil {
			return templates.Message{}, err
		}
		if no != nil {
			return *no, nil
		}
		var l listing
		switch c.List {
		case listMine:
			l, err = b.mineList(ctx, who, s)
		case listDue:
			l, err = b.dueList(ctx, within, s)
		default:
			l, err = b.rotations(ctx, s)
		}
		return templates.AnswerList(l.page(c)), err
	case listAccount:
		return b.account(ctx, c)
	default:
		return templates.Message{}, errCursor
	}
}

func (b *Bot) mineList(ctx context.Context, who approval.Person, s scope) (listing, error) {
	l := listing{title: s.called("Your keys"), empty: "No key belongs to you, as far as keyturn knows. Owners come from the " + b.o.OwnerTag + " tag of the IAM user, else from the account's e-mail address."}
	if !s.empty() {
		l.empty = "None of your keys is like that."
	}
	m, err := b.mine(ctx, who, s)
	if err != nil {
		return l, err
	}
	if len(m.waiting) > 0 {
		l.note = fmt.Sprintf("%d of them wait for a decision; they come first.", len(m.waiting))
	}
	if m.looked > 0 {
		l.note += fmt.Sprintf(" keyturn looked at %d rotations of others to find what waits for you, and there are more: narrow the list, or see %s list state:awaiting.", m.looked, b.o.Prefix)
	}
	l.rows = append(m.waiting, m.rest...)
	return l, nil
}

func (b *Bot) dueList(ctx context.Context, within string, s scope) (listing, error) {
	in, err := rotation.ParseDuration(within)
	if err != nil {
		return listing{}, errCursor
	}
	l := listing{title: s.called("Keys that are due"), empty: "No key is due."}
	if in > 0 {
		within = rotation.FormatDuration(in)
		l.title, l.empty = s.called("Keys that are due within "+within), "No key is due within "+within+"."
	}
	l.rows, err = b.due(ctx, in, s)
	return l, err
}

// rotations lists rotations: the open ones, unless closed ones are asked for. What is due first comes first.
func (b *Bot) rotations(ctx context.Context, s scope) (listing, error) {
	l := listing{title: "Open rotations", empty: "None is open."}
	if !s.in.OpenOnly {
		l.title = "Rotations"
	}
	if l.title = s.called(l.title); !s.empty() {
		l.empty = "No rotation is like that."
	}
	now := b.o.Now()
	var found []found
	err := b.each(ctx, s.in, func(r rotation.Rotation) {
		if s.has(r) {
			found = append(found, foundOf(r, now))
		}
	})
	l.rows = rowsOf(found)
	return l, err
}

// account shows an account with its open rotations.
func (b *Bot) account(ctx context.Context, c cursor) (templates.Message, error) {
	id, now := rotation.AccountID(c.Arg), b.o.Now()
	s, err := b.o.Store.GetSnapshot(ctx, id)
	if err != nil {
		return templates.Message{}, err
	}
	l, err := b.rotations(ctx, scope{in: store.Filter{OpenOnly: true, Account: id}})
	if err != nil {
		return templates.Message{}, err
	}
	exempt, err := b.exemptIn(ctx, id, now)
	if err != nil {
		return templates.Message{}, err
	}
	return templates.AnswerAccount(templates.AccountStatus{Snapshot: s, OverAge: b.overAge(s, now), Exemptions: exempt, List: l.page(c)}, now), nil
}

// found is a row with what it is sorted by.
type found struct {
	at  time.Time
	key rotation.KeyID
	row templates.Row
}

func foundOf(r rotation.Rotation, now time.Time) found {
	return found{r.DueAt, r.Old.ID, templates.RowOf(r, now)}
}

// rowsOf sorts what was found, and returns its rows. Keys decide a tie, so that no page depends on the store's order.
func rowsOf(all []found) []templates.Row {
	slices.SortFunc(all, func(a, c found) int { return cmp.Or(a.at.Compare(c.at), cmp.Compare(a.key, c.key)) })
	rows := make([]templates.Row, len(all))
	for i, f := range all {
		rows[i] = f.row
	}
	return rows
}
