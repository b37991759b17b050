package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Renewal is an exemption that ends soon, and whom to ask whether it is to be renewed.
type Renewal struct {
	Exemption    rotation.Exemption
	AccountName  string
	AccountEmail string
	Owner        string // e-mail address or Slack user ID
}

// askWithin is how long before its end an exemption asks for its renewal, at least.
const askWithin = 7 * rotation.Day

// renewals asks for the renewal of exemptions that end soon, each once. What fails is asked again by the next scan.
func (c *scan) renewals(ctx context.Context, seen []*sight) {
	if c.dry {
		return
	}
	var due []Renewal
	for _, v := range seen {
		e, ok := c.exempt[v.user.ID]
		if !ok || !e.Asked.IsZero() || len(v.user.Keys) == 0 || v.user.Exempt {
			continue
		}
		within := askWithin
		if p, _, ok := c.o.Rules.For(targetOf(c.account, v.user)); ok {
			within = max(within, p.WarnBefore)
		}
		if c.now.Before(e.Until.Add(-within)) {
			continue
		}
		due = append(due, Renewal{Exemption: e, AccountName: c.account.Name, AccountEmail: c.account.Email,
			Owner: rotation.OwnerOf(v.user.Tags, c.o.OwnerTag, c.account.Email).Address})
	}
	if len(due) == 0 {
		return
	}
	slices.SortFunc(due, func(a, b Renewal) int { return strings.Compare(string(a.Exemption.UserID), string(b.Exemption.UserID)) })
	var told []Renewal
	err := c.guard(func() (err error) { told, err = c.o.Teller.Renewals(ctx, due); return err })
	if err != nil {
		c.o.Log.Error("not everybody was asked about exemptions that end soon; the next scan asks again", "account", c.account.ID, "error", err)
	}
	for _, t := range told {
		e := t.Exemption
		e.Asked = c.now
		err := c.o.Store.SaveExemption(ctx, t.Exemption, e)
		if errors.Is(err, store.ErrConflict) {
			continue // somebody answered while others were still being asked
		}
		if err != nil {
			c.o.Log.Error("that people were asked about an exemption is not saved; the next scan asks again", "account", e.Account, "user", e.UserName,
				"error", fmt.Errorf("save exemption: %w", err))
		}
	}
}
