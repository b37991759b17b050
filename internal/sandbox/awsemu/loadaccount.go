package awsemu

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

func (s *Server) loadAccount(in *savedAccount) error {
	if in.ID == "" || s.accounts[in.ID] != nil {
		return errors.New("it is there twice, or has no ID")
	}
	s.AddAccount(Account{ID: in.ID, Name: in.Name, Email: in.Email, ParentID: in.Parent, State: in.State, Management: in.Management, Delegated: in.Delegated})
	a := s.accounts[in.ID]
	a.mail.sandbox, a.mail.paused = in.MailSandbox, in.MailPaused
	maps.Copy(a.mail.ids, in.Identities)
	if r := in.Report; r != nil {
		a.report = &report{made: r.Made.Time, polls: r.Polls, csv: r.CSV}
	}
	for i := range in.Bootstrap {
		if _, err := s.loadKey(a, &in.Bootstrap[i]); err != nil {
			return err
		}
	}
	if err := s.loadSlots(a, &a.root, in.Root, func(k *key) { k.root = true }); err != nil {
		return err
	}
	for _, load := range []func(*account, *savedAccount) error{s.loadUsers, loadGroups, loadRoles, loadSecrets, loadKMS} {
		if err := load(a, in); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) loadUsers(a *account, in *savedAccount) error {
	for _, x := range in.Users {
		if !userName.MatchString(x.Name) || x.ID == "" || a.user(x.Name) != nil || a.byID[x.ID] != nil {
			return fmt.Errorf("user %q is there twice, or no user can be called so", x.Name)
		}
		u := &user{User: User{Name: x.Name, Path: x.Path, UserID: x.ID, Tags: x.Tags, Groups: x.Groups, Console: x.Console, PolicyARNs: x.PolicyARNs, CreatedAt: x.Created.Time}}
		a.put(u)
		if err := s.loadSlots(a, &u.slots, x.Keys, func(k *key) { k.user = u }); err != nil {
			return fmt.Errorf("user %q: %w", x.Name, err)
		}
	}
	return nil
}

func (s *Server) loadSlots(a *account, slots *[2]*key, in []*savedKey, own func(*key)) error {
	if len(in) != 0 && len(in) != len(slots) {
		return fmt.Errorf("there are %d slots for keys, and not %d", len(slots), len(in))
	}
	for i, x := range in {
		if x == nil {
			continue
		}
		k, err := s.loadKey(a, x)
		if err != nil {
			return err
		}
		own(k)
		slots[i] = k
	}
	return nil
}

func (s *Server) loadKey(a *account, in *savedKey) (*key, error) {
	if in.ID == "" || in.Secret == "" || s.keys[in.ID] != nil {
		return nil, fmt.Errorf("access key %q is there twice, or is none", in.ID)
	}
	k := &key{
		Key: Key{ID: in.ID, Secret: in.Secret, Inactive: in.Inactive, Created: in.Created.Time, LastUsed: in.LastUsed.Time,
			LastUsedService: in.LastService, LastUsedRegion: in.LastRegion},
		account: a.ID, order: in.Order, changed: in.Changed.Time, hidden: in.Hidden, unlisted: in.Unlisted,
	}
	s.keys[k.ID] = k
	return k, nil
}

func loadGroups(a *account, in *savedAccount) error {
	for _, g := range in.Groups {
		low := strings.ToLower(g.Name)
		if low == "" || a.groups[low] != "" {
			return fmt.Errorf("group %q is there twice, or has no name", g.Name)
		}
		a.groups[low] = g.Name
		if g.Policies != nil {
			if a.policies == nil {
				a.policies = map[string][]string{}
			}
			a.policies[low] = g.Policies
		}
		if g.Path != "" {
			if a.paths == nil {
				a.paths = map[string]string{}
			}
			a.paths[low] = g.Path
		}
	}
	return nil
}

func loadRoles(a *account, in *savedAccount) error {
	for _, x := range in.Roles {
		if x.Name == "" || a.roles[x.Name] != nil {
			return fmt.Errorf("role %q is there twice, or has no name", x.Name)
		}
		ro, err := loadRole(x)
		if err != nil {
			return fmt.Errorf("role %q: %w", x.Name, err)
		}
		a.roles[x.Name] = ro
	}
	return nil
}

// loadRole reads the policies again. Whether the principals of the trust policy are still there does not matter: AWS asks for
// that when it is set.
func loadRole(in savedRole) (ro *role, err error) {
	ro = &role{id: in.ID, externalID: in.ExternalID, deny: in.Deny, tags: in.Tags, trustText: in.Trust}
	if ro.longest, err = time.ParseDuration(in.Longest); err != nil {
		return nil, err
	}
	if in.Trust != "" {
		if ro.trust, err = iampolicy.ParseTrust([]byte(in.Trust), conditionKey); err != nil {
			return nil, fmt.Errorf("its trust policy: %w", err)
		}
	}
	if in.Policies == nil {
		return ro, nil
	}
	ro.policies, ro.written = map[string]*iampolicy.Policy{}, in.Policies
	for _, name := range slices.Sorted(maps.Keys(in.Policies)) {
		if ro.policies[name], err = iampolicy.ParsePermissions([]byte(in.Policies[name]), conditionKey); err != nil {
			return nil, fmt.Errorf("policy %q: %w", name, err)
		}
	}
	return ro, nil
}
