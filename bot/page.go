package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// cursor is which page of which list a button shows. Lists are made anew for each page.
type cursor struct {
	List string
	Arg  string
	Page int
}

// The lists.
const (
	listMine    = "mine"
	listDue     = "due"
	listAccount = "account"
	listHistory = "history"
)

// listPage is how many rows one page has.
const listPage = 10

var errCursor = errors.New("the page's button is not one of ours")

func (c cursor) encode() string { return templates.PageValue(c.List, c.Arg, c.Page) }

func parseCursor(s string) (cursor, error) {
	list, arg, page, err := templates.ParsePage(s)
	if err != nil {
		return cursor{}, err
	}
	switch list {
	case listMine, listDue, listAccount, listHistory:
		return cursor{List: list, Arg: arg, Page: page}, nil
	default:
		return cursor{}, errCursor
	}
}

// around returns the values of the buttons to the pages beside one; "" where there is none.
func (c cursor) around(page, all int) (prev, next string) {
	if page > 1 {
		c.Page = page - 1
		prev = c.encode()
	}
	if page < all {
		c.Page = page + 1
		next = c.encode()
	}
	return prev, next
}

func pages(n, size int) int { return max(1, (n+size-1)/size) }

// cut returns the bounds of a page, and which one that is: the last one if there are not so many.
func cut(n, size, page int) (from, to, at int) {
	at = min(max(page, 1), pages(n, size))
	from = (at - 1) * size
	return from, min(from+size, n), at
}

// turn serves a click on Next or Previous: the list takes the place of the page that was clicked.
func (b *Bot) turn(ctx context.Context, p place, value string) {
	c, err := parseCursor(value)
	if err != nil {
		b.say(ctx, p, templates.AnswerTrouble(templates.TroubleOldValue))
		return
	}
	who := b.person(ctx, p.user)
	if why := b.mayRead(who); why != "" {
		b.say(ctx, p, b.turnedAway(who, "read", why))
		return
	}
	var m templates.Message
	if c.List == listHistory {
		m, err = b.historyOf(ctx, rotation.KeyID(c.Arg), c.Page, who)
	} else {
		m, err = b.list(ctx, c, who)
	}
	if err != nil {
		b.say(ctx, p, b.troubled("page not read", err))
		return
	}
	if p.modal != "" || p.ephemeral {
		b.replace(ctx, p, m)
		return
	}
	b.say(ctx, p, m)
}

// list makes one page of a list.
func (b *Bot) list(ctx context.Context, c cursor, who approval.Person) (templates.Message, error) {
	var l templates.List
	var rows []templates.Row
	var err error
	page := func() {
		from, to, at := cut(len(rows), listPage, c.Page)
		l.Rows, l.Page, l.Pages, l.Total = rows[from:to], at, pages(len(rows), listPage), len(rows)
		l.Prev, l.Next = c.around(l.Page, l.Pages)
	}
	switch c.List {
	case listMine:
		l.Title, l.Empty = "Your keys", "No key belongs to you, as far as keyturn knows. Owners come from the "+b.o.OwnerTag+" tag of the IAM user, else from the account's e-mail address."
		var waiting, rest []templates.Row
		if waiting, rest, err = b.mine(ctx, who); err != nil {
			return templates.Message{}, err
		}
		if rows = append(waiting, rest...); len(waiting) > 0 {
			l.Note = fmt.Sprintf("%d of them wait for a decision; they come first.", len(waiting))
		}
		page()
		return templates.AnswerList(l), nil
	case listDue:
		within, err := rotation.ParseDuration(c.Arg)
		if err != nil {
			return templates.Message{}, errCursor
		}
		l.Title, l.Empty = "Keys that are due", "No key is due."
		if within > 0 {
			in := rotation.FormatDuration(within)
			l.Title, l.Empty = "Keys that are due within "+in, "No key is due within "+in+"."
		}
		if rows, err = b.due(ctx, within); err != nil {
			return templates.Message{}, err
		}
		page()
		return templates.AnswerList(l), nil
	case listAccount:
		account := rotation.AccountID(c.Arg)
		s, err := b.o.Store.GetSnapshot(ctx, account)
		if err != nil {
			return templates.Message{}, err
		}
		now := b.o.Now()
		l.Title, l.Empty = "Open rotations", "None is open."
		if err := b.each(ctx, store.Filter{OpenOnly: true, Account: account}, func(r rotation.Rotation) {
			rows = append(rows, templates.RowOf(r, now))
		}); err != nil {
			return templates.Message{}, err
		}
		page()
		exempt, err := b.exemptIn(ctx, account, now)
		if err != nil {
			return templates.Message{}, err
		}
		return templates.AnswerAccount(templates.AccountStatus{Snapshot: s, OverAge: b.overAge(s, now), Exemptions: exempt, List: l}, now), nil
	default:
		return templates.Message{}, errCursor
	}
}

// exemptIn lists the exemptions of an account that are in force.
func (b *Bot) exemptIn(ctx context.Context, account rotation.AccountID, now time.Time) ([]rotation.Exemption, error) {
	var in []rotation.Exemption
	page := store.Page{}
	for {
		all, next, err := b.o.Store.ListExemptions(ctx, account, page)
		if err != nil {
			return nil, err
		}
		in = append(in, slices.DeleteFunc(all, func(e rotation.Exemption) bool { return !e.InForce(now) })...)
		if next == "" {
			return in, nil
		}
		page.After = next
	}
}

func lower(s string) string { return strings.ToLower(s) }
