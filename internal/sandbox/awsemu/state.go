package awsemu

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

type account struct {
	Account
	users    map[string]*user // by name in lower case: IAM does not tell names apart by case
	byID     map[string]*user
	names    []string            // of the users, sorted
	groups   map[string]string   // name in lower case → name
	policies map[string][]string // ARNs attached to groups, by name in lower case
	paths    map[string]string   // of groups, by name in lower case; "/" where there is none
	roles    map[string]*role
	root     [2]*key
	secrets  map[string]*secret
	kms      map[string]*KMSKey // by ID
	aliases  map[string]*KMSKey
	report   *report
	mail     mailAccount
	queues   map[string]*queue
}

type role struct {
	id         string
	externalID string
	longest    time.Duration
	deny       []string
	tags       map[string]string
	trust      *iampolicy.Policy            // nil: whoever is in the organization, with externalID
	trustText  string                       // the trust policy as it was set
	policies   map[string]*iampolicy.Policy // by name; nil: everything that deny does not name
	written    map[string]string            // the policies as they were set
}

type user struct {
	User
	slots [2]*key // as the credential report numbers them: a freed slot stays free until the next key
}

// keys returns the user's keys, oldest first.
func (u *user) keys() []*key {
	var out []*key
	for _, k := range u.slots {
		if k != nil {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *key) int { return cmp.Compare(a.order, b.order) })
	return out
}

type key struct {
	Key
	account  string
	user     *user // nil: of the root user or the bootstrap principal
	root     bool
	order    int // of creation
	changed  time.Time
	hidden   int // authentications that are refused yet
	unlisted int // listings that do not show it yet
}

type unit struct{ id, parent, name string }

// use records a use. Of several within 15 minutes the first one's time stays, and only the latest service is shown.
func (k *key) use(at time.Time, service, region string) {
	if at.Before(k.LastUsed) || !k.LastUsed.IsZero() && at.Sub(k.LastUsed) < 15*time.Minute && service == k.LastUsedService {
		return
	}
	k.LastUsed, k.LastUsedService, k.LastUsedRegion = at.UTC().Truncate(time.Second), service, region
}

const (
	idAlphabet     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// random returns n characters that depend on nothing but how many were made before.
func (s *Server) random(alphabet string, n int) string {
	s.serial++
	return draw(uint64(s.serial), alphabet, n)
}

// stableID returns the unique ID of what has that name: the same one at every call.
func stableID(prefix, name string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return prefix + draw(h.Sum64(), idAlphabet, 17)
}

func draw(seed uint64, alphabet string, n int) string {
	rng := rand.New(rand.NewPCG(seed, 20260601))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

// Marker is in every secret that the emulator makes up, so that a search finds it wherever it may have slipped to.
const Marker = "SANDBOXSECRET"

func (s *Server) newSecret() string {
	v := s.random(secretAlphabet, 13) + Marker + s.random(secretAlphabet, 14)
	s.handed = append(s.handed, v)
	return v
}

// SecretStrings returns every secret that was ever made, for searches.
func (s *Server) SecretStrings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.handed)
}

// with runs f on an account under the lock. An unknown account is a mistake of the caller.
func (s *Server) with(id string, f func(*account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		panic("awsemu: no account " + id)
	}
	f(a)
}

func (a *account) user(name string) *user { return a.users[strings.ToLower(name)] }

// must is for what a test or the demo names: what is not there is a mistake of the caller.
func must[T any](v *T, what, name string) *T {
	if v == nil {
		panic("awsemu: no " + what + " " + name)
	}
	return v
}

// arn puts an ARN together.
func (s *Server) arn(service, account, resource string) string {
	region := s.opts.Region
	if service == "iam" || service == "sts" || service == "organizations" {
		region = ""
	}
	return strings.Join([]string{"arn", s.opts.Partition, service, region, account, resource}, ":")
}

func (s *Server) userARN(account string, u *user) string {
	return s.arn("iam", account, "user"+u.Path+u.Name)
}

// global is the region that IAM and Organizations count as.
func (s *Server) global() string {
	switch s.opts.Partition {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	default:
		return "us-east-1"
	}
}
