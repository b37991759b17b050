package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// eachSnapshot calls do for every account's snapshot until it returns false.
func (b *Bot) eachSnapshot(ctx context.Context, do func(rotation.Snapshot) bool) error {
	page := store.Page{}
	for {
		all, next, err := b.o.Store.ListSnapshots(ctx, page)
		if err != nil {
			return fmt.Errorf("list snapshots: %w", err)
		}
		for _, s := range all {
			if !do(s) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}

// accounts finds accounts by ID or name; several may have one name.
func (b *Bot) accounts(ctx context.Context, name string) ([]rotation.Snapshot, error) {
	if id, err := rotation.ParseAccountID(name); err == nil {
		s, err := b.o.Store.GetSnapshot(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read snapshot: %w", err)
		}
		return []rotation.Snapshot{s}, nil
	}
	var found []rotation.Snapshot
	err := b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		if strings.EqualFold(s.Name, name) {
			found = append(found, s)
		}
		return true
	})
	return found, err
}

// user is a user with the snapshot that knows it.
type user struct {
	snapshot rotation.Snapshot
	user     rotation.User
}

// users finds users of any account by name. IAM names are unique without regard to case.
func (b *Bot) users(ctx context.Context, name string) ([]user, error) {
	var found []user
	err := b.eachSnapshot(ctx, func(s rotation.Snapshot) bool {
		for _, u := range s.Users {
			if strings.EqualFold(string(u.Name), name) {
				u.Account = s.Account
				found = append(found, user{s, u})
			}
		}
		return true
	})
	return found, err
}

// findKey finds a key in the snapshots. Without one the key's ID is empty.
func (b *Bot) findKey(ctx context.Context, id rotation.KeyID) (rotation.Snapshot, rotation.User, rotation.Key, error) {
	var s rotation.Snapshot
	var u rotation.User
	var k rotation.Key
	err := b.eachSnapshot(ctx, func(in rotation.Snapshot) bool {
		for _, x := range in.Users {
			if key, ok := rotation.Find(x.Keys, id); ok {
				x.Account = in.Account
				s, u, k = in, x, key
				return false
			}
		}
		return true
	})
	return s, u, k, err
}

// userAt resolves USER@ACCOUNT; a user name may have an @ of its own, so the last one counts.
func (b *Bot) userAt(ctx context.Context, what string) (rotation.Snapshot, rotation.User, *templates.Message) {
	no := func(m templates.Message) (rotation.Snapshot, rotation.User, *templates.Message) {
		return rotation.Snapshot{}, rotation.User{}, &m
	}
	at := strings.LastIndexByte(what, '@')
	if at < 1 {
		return no(templates.AnswerSentence("write USER@ACCOUNT, the account by ID or name"))
	}
	name, account := what[:at], what[at+1:]
	found, err := b.accounts(ctx, account)
	switch {
	case err != nil:
		return no(b.troubled("account not found", err))
	case len(found) == 0:
		return no(templates.AnswerSentence(fmt.Sprintf("keyturn knows no account %q. %s status lists what it knows; an account is known after its first scan", clip(account), b.o.Prefix)))
	case len(found) > 1:
		return no(templates.AnswerSentence(fmt.Sprintf("several accounts are called %s: %s. Use the ID", clip(account), strings.Join(ids(found), ", "))))
	}
	s := found[0]
	i := slices.IndexFunc(s.Users, func(u rotation.User) bool { return strings.EqualFold(string(u.Name), name) })
	if i < 0 {
		say := fmt.Sprintf("as of the last scan there is no user %q in %s", clip(name), s.Account)
		if len(s.Users) > 0 {
			var all []string
			for _, u := range s.Users {
				all = append(all, string(u.Name))
			}
			if near := nearest(name, all); distance(name, near) <= 3 {
				say += ". Did you mean " + near + "?"
			}
		}
		return no(templates.AnswerSentence(say))
	}
	u := s.Users[i]
	u.Account = s.Account
	return s, u, nil
}

func ids(all []rotation.Snapshot) []string {
	var out []string
	for _, s := range all[:min(len(all), 10)] {
		out = append(out, string(s.Account))
	}
	return out
}
