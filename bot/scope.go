package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// scope is a Filter whose account was found.
type scope struct {
	Filter
	in store.Filter // what the store looks for; the owner is not among it, because people write addresses as they like
}

// scope finds out which account a filter names. Where it names none, or several, the message says so.
func (b *Bot) scope(ctx context.Context, f Filter) (scope, *templates.Message, error) {
	s := scope{f, store.Filter{OpenOnly: !slices.Contains(f.States, rotation.Closed), States: f.States, OU: f.OU, OlderThan: f.OlderThan, Now: b.o.Now()}}
	if f.Account == "" {
		return s, nil, nil
	}
	found, err := b.accounts(ctx, f.Account)
	if err != nil {
		return s, nil, err
	}
	say := ""
	switch len(found) {
	case 0:
		say = fmt.Sprintf("keyturn knows no account %q. An account is known after its first scan; %s status says how many there are", clip(f.Account), b.o.Prefix)
	case 1:
		s.in.Account = found[0].Account
		return s, nil, nil
	default:
		say = fmt.Sprintf("several accounts are called %s: %s. Use the ID, like account:%s", clip(f.Account), strings.Join(ids(found), ", "), found[0].Account)
	}
	m := templates.AnswerSentence(say)
	return s, &m, nil
}

// has reports whether a rotation is in the scope.
func (s scope) has(r rotation.Rotation) bool {
	return s.in.Match(r) && s.ownedBy(r.Owner) && (s.Kind == "" || r.Kind == s.Kind) && (!s.Stuck || r.Stuck != nil)
}

// hasKey reports whether a key that no rotation is about is in the scope. What only rotations have keeps it out.
func (s scope) hasKey(in rotation.Snapshot, owner string, k rotation.Key) bool {
	if s.States != nil || s.Kind != "" || s.Stuck {
		return false
	}
	f := s.in
	f.OpenOnly = false
	return s.ownedBy(owner) && f.Match(rotation.Rotation{Account: in.Account, OUPath: in.OUPath, Old: rotation.KeyRef{ID: k.ID, Created: k.Created}})
}

// hasAccount reports whether a whole account is in the scope.
func (s scope) hasAccount(in rotation.Snapshot) bool {
	return s.Owner == "" && s.hasUser(in, "")
}

// hasUser reports whether a user is in the scope, whatever keys it has.
func (s scope) hasUser(in rotation.Snapshot, owner string) bool {
	return s.ownedBy(owner) && store.Filter{Account: s.in.Account, OU: s.OU}.Match(rotation.Rotation{Account: in.Account, OUPath: in.OUPath})
}

func (s scope) ownedBy(owner string) bool {
	return s.Owner == "" || owner == s.Owner || strings.Contains(owner, "@") && strings.EqualFold(owner, s.Owner)
}

// called completes a title: "Open rotations" becomes "Open rotations, account:payments".
func (f Filter) called(title string) string {
	if f.empty() {
		return title
	}
	return title + ", " + f.String()
}
