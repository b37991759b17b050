package stage

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
)

// Calls is how often each operation of AWS was called.
type Calls map[Operation]int

// Operation is one operation of a service: iam, CreateAccessKey.
type Operation struct{ Service, Name string }

// Changes says whether the operation changes something in AWS.
func (o Operation) Changes() bool {
	for _, reads := range []string{"Get", "List", "Describe", "Assume", "Generate", "Batch", "Simulate"} {
		if strings.HasPrefix(o.Name, reads) {
			return false
		}
	}
	return true
}

// Count is an operation and how often it was called.
type Count struct {
	Operation
	N int
}

// Total returns how many calls there were.
func (c Calls) Total() (n int) {
	for _, m := range c {
		n += m
	}
	return n
}

// Counts returns the calls as a list: first what changes AWS, then by service and name.
func (c Calls) Counts() []Count {
	var out []Count
	for o, n := range c {
		out = append(out, Count{o, n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		if a.Changes() != b.Changes() {
			if a.Changes() {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Name, b.Name))
	})
	return out
}

// callsOf is the inverse of Counts.
func callsOf(all []Count) Calls {
	out := Calls{}
	for _, c := range all {
		out[c.Operation] = c.N
	}
	return out
}

func (c Calls) add(o Operation) Calls {
	if c == nil {
		c = Calls{}
	}
	c[o]++
	return c
}

// Step is one entry of a rotation's history, with the calls of AWS that were made for the user since the one before.
type Step struct {
	Entry rotation.Entry
	Calls Calls
}

// who is the user whom a call was for.
type who struct {
	account rotation.AccountID
	user    rotation.UserName
}

// trail is what happened, in the order in which it did. Its zero value is ready.
type trail struct {
	mu      sync.Mutex
	total   Calls                            // of everything, since the world began
	pending map[who]Calls                    // since the user's rotation was saved last with something new
	at      map[rotation.ID]map[string]Calls // by the hash of the entry
	seen    map[rotation.ID]int              // entries of each rotation
}

// called adds a call.
func (t *trail) called(c awsemu.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := Operation{c.Service, c.Operation}
	t.total = t.total.add(o)
	user := c.User
	if user == "" && c.Secret != "" {
		user = userOfSecret(c.Secret)
	}
	if user == "" {
		return
	}
	w := who{rotation.AccountID(c.Account), rotation.UserName(user)}
	if t.pending == nil {
		t.pending = map[who]Calls{}
	}
	t.pending[w] = t.pending[w].add(o)
}

// userOfSecret reads the user out of the name, or the ARN, of a secret that keyturn made: keyturn/ACCOUNT/USER.
func userOfSecret(name string) string {
	arn := strings.HasPrefix(name, "arn:")
	parts := strings.Split(name[strings.LastIndexByte(name, ':')+1:], "/")
	user := parts[len(parts)-1]
	if i := strings.LastIndexByte(user, '-'); arn && i > 0 && len(user)-i == 7 {
		user = user[:i]
	}
	return user
}

// saved adds what is new in a rotation's history.
func (t *trail) saved(r rotation.Rotation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen, t.at = map[rotation.ID]int{}, map[rotation.ID]map[string]Calls{}
	}
	if len(r.History) == 0 || r.History[len(r.History)-1].Seq <= t.seen[r.ID] {
		return
	}
	w := who{r.Account, r.UserName}
	for _, e := range r.History {
		if e.Seq <= t.seen[r.ID] {
			continue
		}
		if c := t.pending[w]; c != nil {
			if t.at[r.ID] == nil {
				t.at[r.ID] = map[string]Calls{}
			}
			t.at[r.ID][e.Hash] = c
			delete(t.pending, w)
		}
	}
	t.seen[r.ID] = r.History[len(r.History)-1].Seq
}

// Steps returns the history of a rotation with the calls of each step, oldest first, and the calls that were made since.
func (s *Stage) Steps(r rotation.Rotation) (steps []Step, since Calls) {
	t := &s.trail
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range r.History {
		steps = append(steps, Step{e, maps.Clone(t.at[r.ID][e.Hash])})
	}
	return steps, maps.Clone(t.pending[who{r.Account, r.UserName}])
}

// Called returns all calls of AWS since the world began.
func (s *Stage) Called() Calls {
	s.trail.mu.Lock()
	defer s.trail.mu.Unlock()
	return maps.Clone(s.trail.total)
}
