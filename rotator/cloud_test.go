package rotator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

const (
	acct     = rotation.AccountID("111122223333")
	userName = rotation.UserName("billing")
	userID   = rotation.UserID("AIDABILLING")
	oldKey   = rotation.KeyID("AKIAOLDOLDOLDOLDOLD1")
)

// cloud is a stateful AWS account with the rules that the rotator relies on. It checks the worst promises at every
// mutation: nobody is left without a working key, nothing is deleted that was not inactive long enough.
type cloud struct {
	t  tb
	mu sync.Mutex

	now     func() time.Time
	users   map[rotation.UserName]*rotation.User
	secrets map[string]*vault // by name
	group   map[rotation.UserName]bool
	made    map[rotation.KeyID]string    // secret of each key
	off     map[rotation.KeyID]time.Time // inactive since
	foreign map[rotation.KeyID]bool      // made by somebody else after the approval: not to be touched
	cut     func(rotation.Key)           // looks at every key that is deactivated; nil: nobody does
	grace   time.Duration
	serial  int
	calls   []string

	unreachable bool
	lagVerify   int            // so many verifications are refused
	lagList     int            // so many listings do not show the newest key
	mayBare     bool           // the last active key may go (a retire that said so)
	mayLose     rotation.KeyID // a leaked key may be deleted although its secret names it

	// around is called with the number of a call (from 1), before it is performed and after it. An error of before means
	// that it is not performed; an error of after is what the caller gets instead of the answer.
	around func(n int, name string, after bool) error
}

func newCloud(t tb, now func() time.Time) *cloud {
	return &cloud{
		t: t, now: now, grace: 10 * rotation.Day, users: map[rotation.UserName]*rotation.User{}, secrets: map[string]*vault{},
		group: map[rotation.UserName]bool{}, made: map[rotation.KeyID]string{}, off: map[rotation.KeyID]time.Time{},
		foreign: map[rotation.KeyID]bool{},
	}
}

func (c *cloud) Account(_ context.Context, id rotation.AccountID) (Account, error) {
	if c.unreachable || id != acct {
		return nil, fmt.Errorf("assume the role in %s: %w", id, ErrUnreachable)
	}
	return c, nil
}

// call numbers a call and performs it under the lock.
func (c *cloud) call(ctx context.Context, name string, do func() error) error {
	c.mu.Lock()
	c.calls = append(c.calls, name)
	n, around := len(c.calls), c.around
	c.mu.Unlock()
	if around != nil {
		if err := around(n, name, false); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	err := do()
	c.mu.Unlock()
	if around != nil {
		if lost := around(n, name, true); lost != nil {
			return lost
		}
	}
	return err
}

func (c *cloud) user(name rotation.UserName) (*rotation.User, error) {
	if u := c.users[name]; u != nil {
		return u, nil
	}
	return nil, ErrNoSuchUser
}

func (c *cloud) User(ctx context.Context, name rotation.UserName) (out rotation.User, err error) {
	err = c.call(ctx, "GetUser", func() error {
		u, err := c.user(name)
		if err == nil {
			out = *u
			out.Keys = nil
		}
		return err
	})
	return out, err
}

func (c *cloud) FindUser(ctx context.Context, id rotation.UserID) (name rotation.UserName, err error) {
	err = c.call(ctx, "ListUsers", func() error {
		for _, u := range c.users {
			if u.ID == id {
				name = u.Name
				return nil
			}
		}
		return ErrNoSuchUser
	})
	return name, err
}

func (c *cloud) Keys(ctx context.Context, name rotation.UserName) (out []rotation.Key, err error) {
	err = c.call(ctx, "ListAccessKeys", func() error {
		u, err := c.user(name)
		if err != nil {
			return err
		}
		out = slices.Clone(u.Keys)
		if n := len(out); c.lagList > 0 && (n > 1 || n == 1 && c.made[out[0].ID] != "") {
			c.lagList--
			out = out[:len(out)-1]
		}
		for i := range out {
			out[i].LastUse = rotation.LastUse{}
		}
		return nil
	})
	return out, err
}

func (c *cloud) find(key rotation.KeyID) (*rotation.User, int) {
	for _, u := range c.users {
		for i := range u.Keys {
			if u.Keys[i].ID == key {
				return u, i
			}
		}
	}
	return nil, -1
}

func (c *cloud) LastUse(ctx context.Context, key rotation.KeyID) (use rotation.LastUse, name rotation.UserName, err error) {
	err = c.call(ctx, "GetAccessKeyLastUsed", func() error {
		u, i := c.find(key)
		if u == nil {
			return ErrNoSuchKey
		}
		use, name = u.Keys[i].LastUse, u.Name
		return nil
	})
	return use, name, err
}

func (c *cloud) InGroup(ctx context.Context, name rotation.UserName, _ string) (in bool, err error) {
	err = c.call(ctx, "ListGroupsForUser", func() error {
		_, err := c.user(name)
		in = c.group[name]
		return err
	})
	return in, err
}

func (c *cloud) CreateKey(ctx context.Context, name rotation.UserName) (out Created, err error) {
	err = c.call(ctx, "CreateAccessKey", func() error {
		u, err := c.user(name)
		if err != nil {
			return errors.Join(ErrDefinite, err)
		}
		if len(u.Keys) >= 2 {
			return fmt.Errorf("%w: %w", ErrLimit, ErrDefinite)
		}
		c.serial++
		k := rotation.Key{ID: rotation.KeyID(fmt.Sprintf("AKIANEWNEWNEWNEW%04d", c.serial)), Status: rotation.Active, Created: c.now().Truncate(time.Second), LastUse: rotation.LastUse{Kind: rotation.UseNever}}
		c.made[k.ID] = fmt.Sprintf("%s-%d", marker, c.serial)
		u.Keys = append(u.Keys, k)
		out = Created{ID: k.ID, User: name, Created: k.Created, Status: k.Status, Secret: NewMaterial(c.made[k.ID])}
		return nil
	})
	return out, err
}

// marker is in every secret of these tests, so that a search finds it.
const marker = "MARKER-OF-A-SECRET"

func (c *cloud) SetKeyStatus(ctx context.Context, name rotation.UserName, key rotation.KeyID, status rotation.KeyStatus) error {
	return c.call(ctx, "UpdateAccessKey:"+string(status), func() error {
		u, i := c.find(key)
		if u == nil || u.Name != name {
			return ErrNoSuchKey
		}
		if c.foreign[key] {
			c.t.Errorf("key %s was made %s, and nobody approved that", key, status)
		}
		if status == rotation.Inactive && u.Keys[i].Status == rotation.Active {
			if c.cut != nil {
				c.cut(u.Keys[i])
			}
			c.off[key] = c.now()
			active := 0
			for _, k := range u.Keys {
				if k.Status == rotation.Active && k.ID != key {
					active++
				}
			}
			if lost := c.made[key] != ""; active == 0 && !c.mayBare && !lost { // nobody works with a key whose secret is lost
				c.t.Errorf("key %s was deactivated, and %s has no other active key", key, name)
			}
		}
		u.Keys[i].Status = status
		return nil
	})
}

func (c *cloud) DeleteKey(ctx context.Context, name rotation.UserName, key rotation.KeyID) error {
	return c.call(ctx, "DeleteAccessKey", func() error {
		u, i := c.find(key)
		if u == nil || u.Name != name {
			return ErrNoSuchKey
		}
		ours := c.made[key] != ""
		switch {
		case c.foreign[key]:
			c.t.Errorf("key %s was deleted, and nobody approved that", key)
		case !ours && (u.Keys[i].Status != rotation.Inactive || c.now().Sub(c.off[key]) < c.grace):
			c.t.Errorf("key %s was deleted: %s since %s, and it is %s", key, u.Keys[i].Status, c.off[key], c.now())
		case ours && c.current(name) == key && key != c.mayLose:
			c.t.Errorf("key %s was deleted, and the secret names it", key)
		}
		u.Keys = slices.Delete(u.Keys, i, i+1)
		return nil
	})
}

// current is the key that a reader of the user's secret gets.
func (c *cloud) current(name rotation.UserName) rotation.KeyID {
	v := c.secrets["keyturn/"+string(acct)+"/"+string(name)]
	if v == nil {
		return ""
	}
	id, _, _ := readValue(NewMaterial(v.values[v.current()]))
	return id
}

func (c *cloud) Verify(ctx context.Context, key rotation.KeyID, secret Material) (arn string, id rotation.UserID, err error) {
	err = c.call(ctx, "GetCallerIdentity", func() error {
		u, i := c.find(key)
		if c.lagVerify > 0 {
			c.lagVerify--
			return ErrNotAccepted
		}
		if u == nil || u.Keys[i].Status != rotation.Active || c.made[key] != secret.Reveal() {
			return ErrNotAccepted
		}
		u.Keys[i].LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: c.now().Truncate(time.Second), Service: "sts", Region: "us-east-1"}
		arn, id = u.ARN, u.ID
		return nil
	})
	return arn, id, err
}

var (
	_ AWS     = (*cloud)(nil)
	_ Account = (*cloud)(nil)
)
