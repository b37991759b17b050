package scheduler

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// unaccounted proposes that a person looks at the keys of a user who has a secret of ours but no rotation in the store: the
// store was lost, or this is another region's. Nothing is evicted, and neither key of the pair is planned for. Once the old
// key is gone there is nothing left to do.
func (c *scan) unaccounted(v *sight) (rotation.Proposal, bool) {
	pair, ok := c.pairs[v.user.ID]
	if !ok || v.last != nil || v.user.ID == "" || c.left(v.user) != "" {
		return rotation.Proposal{}, false
	}
	old, ok := rotation.Find(v.user.Keys, pair.Old)
	if !ok {
		return rotation.Proposal{}, false
	}
	last := old.Status == rotation.Active
	for _, k := range v.user.Keys {
		last = last && (k.ID == pair.Old || k.Status != rotation.Active)
	}
	return rotation.Proposal{
		Reason: rotation.UnaccountedPair, Act: rotation.ActOpen, Kind: rotation.Retire, State: rotation.Awaiting,
		Old: pair.Old, LastActive: last, At: old.Created,
	}, true
}

// pairSeen says what was seen of a pair, for the person who adopts it.
func (c *scan) pairSeen(v *sight) string {
	pair := c.pairs[v.user.ID]
	fresh := fmt.Sprintf("its replacement %s is not there", pair.New)
	switch k, ok := rotation.Find(v.user.Keys, pair.New); {
	case pair.New == "":
		fresh = "no replacement is noted"
	case ok && k.Status == rotation.Active:
		fresh = fmt.Sprintf("its replacement %s is active", pair.New)
	case ok:
		fresh = fmt.Sprintf("its replacement %s is inactive", pair.New)
	}
	old, _ := rotation.Find(v.user.Keys, pair.Old)
	status := "active"
	if old.Status != rotation.Active {
		status = "inactive"
	}
	return fmt.Sprintf("the secret %s says that keyturn rotated key %s, but there is no record of it; the old key is %s, and %s", pair.SecretARN, pair.Old, status, fresh)
}
