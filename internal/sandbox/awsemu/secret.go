package awsemu

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

type secret struct {
	arn, name, description, kmsKey string
	policy                         *policy // nil: none
	tags                           map[string]string
	created, changed, accessed     time.Time
	deleted                        time.Time // scheduled for deletion since; zero: not
	window                         time.Duration
	rotation                       bool
	versions                       []*version // oldest first
	replicas                       []Replica
}

type version struct {
	id, value string
	binary    bool // value is base64
	labels    []string
	created   time.Time
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

const (
	current         = "AWSCURRENT"
	previous        = "AWSPREVIOUS"
	recoveryWindow  = 30 * 24 * time.Hour
	versionsKept    = 100
	labelsPerRecord = 20
)

// secret finds a secret by its name, its ARN, or its ARN without the random suffix. When the recovery window has passed, the
// secret is no more.
func (a *account) secret(id string, now time.Time) *secret {
	x := a.secrets[id]
	if parts := strings.SplitN(id, ":", 7); x == nil && len(parts) == 7 && parts[0] == "arn" {
		name := parts[6]
		if x = a.secrets[name]; x == nil && len(name) > 7 {
			x = a.secrets[name[:len(name)-7]]
		}
		if x != nil && x.arn != id && x.arn[:len(x.arn)-7] != id {
			x = nil
		}
	}
	if x != nil && x.expired(now) {
		delete(a.secrets, x.name)
		return nil
	}
	return x
}

func (x *secret) expired(now time.Time) bool {
	return !x.deleted.IsZero() && !now.Before(x.deleted.Add(x.window))
}

// labelled returns the version with a label.
func (x *secret) labelled(label string) *version {
	for _, v := range x.versions {
		if slices.Contains(v.labels, label) {
			return v
		}
	}
	return nil
}

func (x *secret) version(id string) *version {
	for _, v := range x.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

// move puts a label on v and takes it from every other version. Moving AWSCURRENT sets AWSPREVIOUS.
func (x *secret) move(label string, v *version) {
	from := x.labelled(label)
	if from == v {
		return
	}
	if from != nil {
		from.drop(label)
		if label == current {
			if p := x.labelled(previous); p != nil {
				p.drop(previous)
			}
			from.labels = append(from.labels, previous)
		}
	}
	v.labels = append(v.labels, label)
	if label == current {
		v.drop(previous)
	}
	x.forget()
}

func (v *version) drop(label string) {
	v.labels = slices.DeleteFunc(v.labels, func(l string) bool { return l == label })
}

// forget drops the oldest versions without a label beyond the newest hundred, as AWS does some time.
func (x *secret) forget() {
	for i := 0; len(x.versions) > versionsKept && i < len(x.versions); {
		if len(x.versions[i].labels) > 0 {
			i++
			continue
		}
		x.versions = slices.Delete(x.versions, i, i+1)
	}
}

func (s *Server) info(x *secret) SecretInfo {
	i := SecretInfo{ARN: x.arn, Name: x.name, KMSKeyID: x.kmsKey, Tags: maps.Clone(x.tags), Deleted: !x.deleted.IsZero(), RotationEnabled: x.rotation, Replicas: slices.Clone(x.replicas)}
	if i.Tags == nil {
		i.Tags = map[string]string{}
	}
	if x.policy != nil {
		i.Policy = s.shown(x.policy)
	}
	for _, v := range x.versions {
		i.Versions = append(i.Versions, SecretVersion{ID: v.id, Labels: slices.Clone(v.labels), Value: v.value})
	}
	return i
}

// Secret returns a secret by name or ARN.
func (s *Server) Secret(acct, name string) (i SecretInfo, ok bool) {
	s.with(acct, func(a *account) {
		if x := a.secret(name, s.opts.Now()); x != nil {
			i, ok = s.info(x), true
		}
	})
	return i, ok
}

// Secrets returns all secrets of an account, ordered by name.
func (s *Server) Secrets(acct string) (out []SecretInfo) {
	s.with(acct, func(a *account) {
		for _, x := range a.sortedSecrets(s.opts.Now()) {
			out = append(out, s.info(x))
		}
	})
	return out
}

func (a *account) sortedSecrets(now time.Time) []*secret {
	var out []*secret
	for _, name := range slices.Sorted(maps.Keys(a.secrets)) {
		if x := a.secret(name, now); x != nil {
			out = append(out, x)
		}
	}
	return out
}

// newContainer makes a secret, which is in no account yet.
func (s *Server) newContainer(name, acct string, tags map[string]string) *secret {
	now := s.opts.Now()
	x := &secret{name: name, arn: s.arn("secretsmanager", acct, "secret:"+name+"-"+s.random(secretAlphabet, 6)), tags: maps.Clone(tags), created: now, changed: now}
	if x.tags == nil {
		x.tags = map[string]string{}
	}
	return x
}

// hand works on a secret by hand, as somebody in the console would.
func (s *Server) hand(acct, name string, f func(*secret)) {
	s.with(acct, func(a *account) { f(must(a.secret(name, s.opts.Now()), "secret", name)) })
}

// PutForeignSecret makes a secret that is not keyturn's.
func (s *Server) PutForeignSecret(acct, name, value string, tags map[string]string) {
	s.with(acct, func(a *account) {
		x := s.newContainer(name, acct, tags)
		a.secrets[name] = x
		x.versions = []*version{{id: s.random("0123456789abcdef", 32), value: value, labels: []string{current}, created: x.created}}
	})
}

// SetSecretRotation switches AWS's own rotation of a secret.
func (s *Server) SetSecretRotation(acct, name string, on bool) {
	s.hand(acct, name, func(x *secret) { x.rotation = on })
}

// SetReplicas sets the copies of a secret in other regions, and how they are.
func (s *Server) SetReplicas(acct, name string, replicas ...Replica) {
	s.hand(acct, name, func(x *secret) {
		x.replicas = slices.Clone(replicas)
		for i := range x.replicas {
			if x.replicas[i].Status == "" {
				x.replicas[i].Status = "InSync"
			}
		}
	})
}

// DeleteSecret schedules a secret for deletion in 30 days.
func (s *Server) DeleteSecret(acct, name string) {
	s.hand(acct, name, func(x *secret) { x.deleted, x.window = s.opts.Now(), recoveryWindow })
}

// RestoreSecret takes a deletion back.
func (s *Server) RestoreSecret(acct, name string) {
	s.hand(acct, name, func(x *secret) { x.deleted = time.Time{} })
}
