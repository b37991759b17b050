package awsemu

import (
	"errors"
	"time"
)

// AddKey adds an access key and returns its ID and secret. A user has two slots.
func (s *Server) AddKey(acct, name string, k Key) (id, secret string) {
	s.with(acct, func(a *account) {
		u := must(a.user(name), "user", name)
		n := s.newKey(a, k)
		n.user = u
		place(&u.slots, n)
		id, secret = n.ID, n.Secret
	})
	return id, secret
}

// AddRootKey adds an access key of the account's root user.
func (s *Server) AddRootKey(acct string, k Key) (id, secret string) {
	s.with(acct, func(a *account) {
		n := s.newKey(a, k)
		n.root = true
		place(&a.root, n)
		id, secret = n.ID, n.Secret
	})
	return id, secret
}

// Bootstrap returns the access key of a principal that may do everything in the account and assume every role.
func (s *Server) Bootstrap(acct string) (id, secret string) {
	s.with(acct, func(a *account) { n := s.newKey(a, Key{}); id, secret = n.ID, n.Secret })
	return id, secret
}

func (s *Server) newKey(a *account, k Key) *key {
	if k.ID == "" {
		k.ID = "AKIA" + s.random(idAlphabet, 16)
	}
	if k.Secret == "" {
		k.Secret = s.newSecret()
	} else {
		s.handed = append(s.handed, k.Secret)
	}
	if k.Created.IsZero() {
		k.Created = s.opts.Now()
	}
	k.Created = k.Created.UTC().Truncate(time.Second)
	n := &key{Key: k, account: a.ID, order: len(s.handed), changed: k.Created}
	s.keys[k.ID] = n
	return n
}

func place(slots *[2]*key, k *key) {
	for i := range slots {
		if slots[i] == nil {
			slots[i] = k
			return
		}
	}
	panic("awsemu: both slots are taken")
}

// RemoveKey deletes a key, as somebody in the console would.
func (s *Server) RemoveKey(acct, id string) {
	s.with(acct, func(*account) { s.deleteKey(must(s.keys[id], "key", id)) })
}

func (s *Server) deleteKey(k *key) {
	delete(s.keys, k.ID)
	slots := &s.accounts[k.account].root
	if k.user != nil {
		slots = &k.user.slots
	}
	for i := range slots {
		if slots[i] == k {
			slots[i] = nil
		}
	}
}

// SetKeyStatus activates or deactivates a key, as somebody in the console would.
func (s *Server) SetKeyStatus(acct, id string, active bool) {
	s.with(acct, func(*account) { s.setStatus(must(s.keys[id], "key", id), !active) })
}

func (s *Server) setStatus(k *key, inactive bool) {
	if k.Inactive != inactive {
		k.Inactive, k.changed = inactive, s.opts.Now()
	}
}

// Use is a workload that uses a key now. It gets the error that AWS would give.
func (s *Server) Use(id, service, region string) error {
	return s.UseAt(id, service, region, s.opts.Now())
}

// UseAt is Use at another time of the domain clock.
func (s *Server) UseAt(id, service, region string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[id]
	if k == nil || k.Inactive {
		return errors.New("InvalidClientTokenId: The security token included in the request is invalid")
	}
	k.use(at, service, region)
	return nil
}

// KeySecret is the secret of a key, for a program of the world that was given it. A key that is no more has one that is wrong.
func (s *Server) KeySecret(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[id]; k != nil {
		return k.Secret
	}
	return "forgotten"
}

// Keys returns a user's keys, oldest first, without their secrets.
func (s *Server) Keys(acct, name string) (out []Key) {
	s.with(acct, func(a *account) {
		u := a.user(name)
		if u == nil {
			return
		}
		for _, k := range u.keys() {
			c := k.Key
			c.Secret = ""
			out = append(out, c)
		}
	})
	return out
}

// Key finds a user's key by its ID.
func (s *Server) Key(id string) (k Key, acct, name string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.keys[id]
	if n == nil || n.user == nil {
		return Key{}, "", "", false
	}
	k = n.Key
	k.Secret = ""
	return k, n.account, n.user.Name, true
}
