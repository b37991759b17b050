package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// where narrows what is shown to a part of the organization. What is set has to hold altogether.
type where struct {
	Account string `help:"Only this account: its 12 digits, or its name." placeholder:"ACCOUNT"`
	OU      ouFlag `name:"ou" help:"Only accounts in this organizational unit or below it: its path from the root, or its ID." placeholder:"OU"`
	Owner   string `help:"Only keys of this owner: an e-mail address, or a Slack user ID." placeholder:"OWNER"`
}

func (w where) empty() bool { return w == where{} }

// String writes the filter as flags.
func (w where) String() string {
	var out []string
	for _, f := range []struct{ name, value string }{{"account", w.Account}, {"ou", string(w.OU)}, {"owner", w.Owner}} {
		if f.value != "" {
			out = append(out, fmt.Sprintf("--%s %s", f.name, f.value))
		}
	}
	return strings.Join(out, " ")
}

// scope is a filter whose account was found.
type scope struct {
	where
	in    store.Filter // the owner is not among it: people write addresses as they like
	kind  rotation.Kind
	stuck bool
}

// scope finds out which account a filter names.
func (v *view) scope(w where, in store.Filter) (scope, error) {
	s := scope{where: w, in: in}
	s.in.OU, s.in.Now = string(w.OU), v.now()
	if w.Account == "" {
		return s, nil
	}
	if id, err := rotation.ParseAccountID(w.Account); err == nil {
		s.in.Account = id
		return s, nil
	}
	var found []string
	if err := v.eachSnapshot(func(o rotation.Snapshot) error {
		if strings.EqualFold(o.Name, w.Account) {
			s.in.Account = o.Account
			found = append(found, string(o.Account))
		}
		return nil
	}); err != nil {
		return s, err
	}
	switch len(found) {
	case 0:
		return s, fmt.Errorf("--account: no account called %q was scanned. Write its 12 digits, or look for its name with keyturn report --json", w.Account)
	case 1:
		return s, nil
	default:
		return s, fmt.Errorf("--account: several accounts are called %q: %s. Write the 12 digits of one", w.Account, strings.Join(found, ", "))
	}
}

// has reports whether a rotation is in the scope.
func (s scope) has(r rotation.Rotation) bool {
	return s.in.Match(r) && s.ownedBy(r.Owner) && (s.kind == "" || r.Kind == s.kind) && (!s.stuck || r.Stuck != nil)
}

// hasKey reports whether a key that no rotation is about is in the scope.
func (s scope) hasKey(in rotation.Snapshot, owner string, k rotation.Key) bool {
	return s.ownedBy(owner) && s.in.Match(rotation.Rotation{Account: in.Account, OUPath: in.OUPath, Old: rotation.KeyRef{ID: k.ID, Created: k.Created}})
}

// hasPlace reports whether an account is in the scope, whoever owns its keys.
func (s scope) hasPlace(in rotation.Snapshot) bool {
	return store.Filter{Account: s.in.Account, OU: s.in.OU}.Match(rotation.Rotation{Account: in.Account, OUPath: in.OUPath})
}

func (s scope) ownedBy(owner string) bool {
	return s.Owner == "" || owner == s.Owner || strings.Contains(owner, "@") && strings.EqualFold(owner, s.Owner)
}

// known says, of a scope in which nothing was found, whether anything could be there: a name that is misspelt must not read
// as if all were well.
func (v *view) known(s scope) error {
	scanned, inPlace := false, false
	err := v.eachSnapshot(func(o rotation.Snapshot) error {
		scanned = true
		if inPlace = s.hasPlace(o); inPlace {
			return errEnough
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return err
	case inPlace:
		return nil
	case !scanned:
		return errNotScanned
	case s.OU != "" && s.Account != "":
		return fmt.Errorf("no account that was scanned is both %s and in %s. Leave one of --account and --ou out", s.Account, s.OU)
	case s.OU != "":
		return fmt.Errorf("--ou: no account that was scanned is in %s. keyturn report --json lists the units with old keys", s.OU)
	default:
		return fmt.Errorf("--account: %s was never scanned. keyturn scan --account %s does it, if the account is in the organization and not excluded", s.Account, s.in.Account)
	}
}

// nothing says that a scope has nothing: none, and say about it. Machines get nothing on standard output.
func (v *view) nothing(s scope, machine bool, none, say string) error {
	switch err := v.known(s); {
	case errors.Is(err, errNotScanned):
		say = ": " + err.Error()
		if machine {
			v.note("%s%s", none, say)
		}
	case err != nil:
		return err
	}
	if machine {
		return nil
	}
	_, err := fmt.Fprintln(v.out, none+say)
	return err
}

// errNotScanned: nothing is known yet.
var errNotScanned = errors.New("no account was scanned yet. keyturn scan does it; keyturn serve does it daily")
