package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

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
	listMine      = "mine"
	listRotations = "list"
	listDue       = "due"
	listAccount   = "account"
	listHistory   = "history"
	listHome      = "home" // in App Home, which is published anew
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
	case listMine, listRotations, listDue, listAccount, listHistory, listHome:
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
	if c.List == listHome {
		b.home(ctx, p.user, c)
		return
	}
	who := b.person(ctx, p.user)
	if why := b.mayRead(who); why != "" {
		b.say(ctx, p, b.turnedAway(ctx, who, "read", why))
		return
	}
	var m templates.Message
	ctx, left := counting(ctx)
	if c.List == listHistory {
		m, err = b.historyOf(ctx, rotation.KeyID(c.Arg), c.Page, who)
	} else {
		m, err = b.list(ctx, c, who)
	}
	if err != nil {
		b.say(ctx, p, b.troubled("page not read", err))
		return
	}
	m = left.say(m)
	if p.modal != "" || p.ephemeral {
		b.replace(ctx, p, m)
		return
	}
	b.say(ctx, p, m)
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
