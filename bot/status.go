package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// status answers about the organization, oneself, a key, an account or a user, whatever the words name.
func (b *Bot) status(ctx context.Context, about string, who approval.Person) (templates.Message, error) {
	switch {
	case about == "":
		return b.overview(ctx)
	case strings.EqualFold(about, "me"):
		return b.list(ctx, cursor{List: listMine, Page: 1}, who)
	case strings.HasPrefix(strings.ToUpper(about), "AKIA"):
		if key, err := rotation.ParseKeyID(about); err == nil {
			return b.statusKey(ctx, key)
		}
	}
	accounts, err := b.accounts(ctx, about)
	if err != nil {
		return templates.Message{}, err
	}
	switch len(accounts) {
	case 0:
	case 1:
		return b.account(ctx, cursor{List: listAccount, Arg: string(accounts[0].Account), Page: 1})
	default:
		return templates.AnswerSentence(fmt.Sprintf("several accounts are called %s: %s. Use the ID", clip(about), strings.Join(ids(accounts), ", "))), nil
	}
	users, err := b.users(ctx, about)
	if err != nil {
		return templates.Message{}, err
	}
	switch {
	case len(users) == 1:
		return b.statusUser(ctx, users[0].snapshot, users[0].user, "")
	case len(users) > 1:
		var where []string
		for _, u := range users[:min(len(users), 10)] {
			where = append(where, fmt.Sprintf("%s@%s", u.user.Name, u.snapshot.Account))
		}
		return templates.AnswerSentence(fmt.Sprintf("there are %d users called %s: %s. Say which one", len(users), clip(about), strings.Join(where, ", "))), nil
	case strings.LastIndexByte(about, '@') > 0:
		s, u, no := b.userAt(ctx, about)
		if no != nil {
			return *no, nil
		}
		return b.statusUser(ctx, s, u, "")
	}
	return templates.AnswerSentence(fmt.Sprintf("keyturn knows no user, account or key %q. A user is written USER@ACCOUNT, a key by its ID; %s status shows everything", clip(about), b.o.Prefix)), nil
}

func (b *Bot) statusKey(ctx context.Context, key rotation.KeyID) (templates.Message, error) {
	r, err := b.o.Store.RotationByKey(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return templates.Message{}, err
	}
	if err == nil {
		s, u, err := b.userOf(ctx, r)
		if err != nil {
			return templates.Message{}, err
		}
		return b.statusUser(ctx, s, u, key)
	}
	s, u, k, err := b.findKey(ctx, key)
	if err != nil {
		return templates.Message{}, err
	}
	if k.ID == "" {
		return b.unknownKey(key), nil
	}
	return b.statusUser(ctx, s, u, key)
}

func (b *Bot) unknownKey(key rotation.KeyID) templates.Message {
	return templates.AnswerSentence("keyturn knows no key " + string(key) + ". Check the ID, or look with " + b.o.Prefix + " mine; a key made since the last scan is not known yet")
}

// userOf finds the user of a rotation in the snapshots, or says what the rotation itself knows.
func (b *Bot) userOf(ctx context.Context, r rotation.Rotation) (rotation.Snapshot, rotation.User, error) {
	s, err := b.o.Store.GetSnapshot(ctx, r.Account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, rotation.User{}, err
	}
	for _, u := range s.Users {
		if u.ID == r.UserID {
			u.Account = s.Account
			return s, u, nil
		}
	}
	if s.Account == "" {
		s = rotation.Snapshot{Account: r.Account, Name: r.AccountName}
	}
	return s, rotation.User{Account: r.Account, ID: r.UserID, Name: r.UserName}, nil
}

func (b *Bot) statusUser(ctx context.Context, s rotation.Snapshot, u rotation.User, key rotation.KeyID) (templates.Message, error) {
	out, err := b.userStatus(ctx, s, u, key)
	return templates.AnswerUser(out, b.o.Now()), err
}

// userStatus collects what is known of a user.
func (b *Bot) userStatus(ctx context.Context, s rotation.Snapshot, u rotation.User, key rotation.KeyID) (templates.UserStatus, error) {
	now := b.o.Now()
	out := templates.UserStatus{Snapshot: s, User: u, Key: key}
	r, err := b.o.Store.GetRotation(ctx, rotation.MakeID(s.Account, u.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	known := map[rotation.KeyID]bool{}
	if err == nil {
		out.Rotation = &r
		for _, k := range keysOf(r) {
			known[k] = true
		}
	}
	e, err := b.o.Store.GetExemption(ctx, s.Account, u.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	if err == nil && e.InForce(now) {
		out.Exemption = &e
	}
	for _, k := range u.Keys {
		if !known[k.ID] {
			out.Rows = append(out.Rows, templates.RowOfKey(s, u, k, b.dueAt(s, u, k), now))
		}
	}
	return out, nil
}

// overview counts everything. Where that takes too long it says so, with what was counted.
func (b *Bot) overview(ctx context.Context) (templates.Message, error) {
	now := b.o.Now()
	o := templates.Overview{Open: map[rotation.State]int{}}
	ctx, cancel := context.WithTimeout(ctx, b.ack*4/5)
	defer cancel()
	err := b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		o.Accounts++
		o.Users += len(s.Users)
		if s.Error != "" {
			o.Unscanned = append(o.Unscanned, s)
		}
		if s.RootKeys > 0 {
			o.RootKeys = append(o.RootKeys, s)
		}
		if o.Oldest.IsZero() || s.Taken.Before(o.Oldest) {
			o.Oldest = s.Taken
		}
		for _, u := range s.Users {
			o.Keys += len(u.Keys)
			if u.Exempt {
				o.Exempt++
			}
		}
		o.OverAge += b.overAge(s, now)
		return true
	})
	if err == nil {
		err = b.each(ctx, store.Filter{OpenOnly: true}, func(r rotation.Rotation) {
			o.Open[r.State]++
			if r.Stuck != nil {
				o.Stuck++
			}
			if r.Held != nil {
				o.Held++
			}
			if r.Escalated || r.Escalation != nil {
				o.Escalated++
			}
			if r.Leaked != nil || r.LeakedKey != nil {
				o.Leaked++
			}
		})
	}
	if errors.Is(err, context.DeadlineExceeded) {
		o.Cut, err = true, nil
	}
	return templates.AnswerOverview(o, now), err
}

// overAge counts the active keys of an account that are past their age under today's rules.
func (b *Bot) overAge(s rotation.Snapshot, now time.Time) int {
	n := 0
	for _, u := range s.Users {
		for _, k := range u.Keys {
			if at := b.dueAt(s, u, k); k.Status == rotation.Active && !at.IsZero() && !at.After(now) {
				n++
			}
		}
	}
	return n
}

// each calls do for every rotation that the filter finds.
func (b *Bot) each(ctx context.Context, f store.Filter, do func(rotation.Rotation)) error {
	page := store.Page{Limit: store.MaxPage}
	for {
		rs, next, err := b.o.Store.ListRotations(ctx, f, page)
		if err = b.leaveOut(ctx, err); err != nil {
			return fmt.Errorf("list rotations: %w", err)
		}
		for _, r := range rs {
			do(r)
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}
