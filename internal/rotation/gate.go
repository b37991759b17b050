package rotation

import (
	"fmt"
	"strings"
	"time"
)

// Facts is what was read live, just before a key is deactivated or deleted.
type Facts struct {
	Keys      []Key  `json:"keys"`
	KeysKnown bool   `json:"keys_known"` // the user's keys were listed; otherwise Keys says nothing
	Secret    Secret `json:"secret"`
}

// Secret is what was read of the secret that holds the new key. The zero value is: not known.
type Secret struct {
	Known           bool   `json:"known"`
	Exists          bool   `json:"exists"`
	Ours            bool   `json:"ours"`
	Current         string `json:"current"` // the version that is AWSCURRENT
	PendingDeletion bool   `json:"pending_deletion"`
	ReplicasInSync  bool   `json:"replicas_in_sync"`
}

// Block is one reason why the gate stays shut.
type Block struct {
	Why      BlockWhy  `json:"why"`
	Sentence string    `json:"sentence"`
	Service  string    `json:"service,omitempty"`
	Region   string    `json:"region,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// BlockWhy classifies a Block.
type BlockWhy string

// The reasons of the gate.
const (
	BlockUnknown BlockWhy = "unknown"  // something could not be read; unknown never counts as safe
	BlockInUse   BlockWhy = "in_use"   // used within the quiet period
	BlockLost    BlockWhy = "lost"     // the new key or its secret is gone
	BlockNew     BlockWhy = "new_key"  // the new key is there, but not in order
	BlockLast    BlockWhy = "last_key" // the user would be left without a working key
	BlockState   BlockWhy = "state"    // the key is not in the status that the step needs
	BlockGrace   BlockWhy = "grace"    // the recovery grace has not passed
)

// Lost returns what the blocks say is lost, or "".
func Lost(blocks []Block) string {
	for _, b := range blocks {
		if b.Why == BlockLost {
			return b.Sentence
		}
	}
	return ""
}

// Quiet returns how long a key has to be idle before it is deactivated. Once a key had to be restored, seeing the new one
// in use is not enough for the short period any more: something else still needs the old one. A person's word is.
func (r Rotation) Quiet() time.Duration {
	seen := r.New != nil && r.New.InUse.Kind == UseSeen && r.RestoredAt.IsZero()
	if r.State == Installing && (r.Confirmed != nil || seen) {
		return min(r.Policy.ConfirmedQuiet, r.Policy.QuietPeriod)
	}
	return r.Policy.QuietPeriod
}

// MayDeactivate is the gate in front of a deactivation of key (the old key or the one to evict). No blocks: it may be
// deactivated now. A reported leak passes; a person's "anyway" lifts the question of use and nothing else.
func MayDeactivate(r Rotation, key KeyID, f Facts, now time.Time) []Block {
	k, blocks := target(r, key, f)
	if blocks != nil {
		return blocks
	}
	if k.Status != Active {
		return []Block{{Why: BlockState, Sentence: fmt.Sprintf("Key %s is not active.", key)}}
	}
	if r.Leaked != nil && key == r.Old.ID {
		return nil
	}
	if r.Kind == Rotate && key == r.Old.ID {
		blocks = append(blocks, healthy(r, f)...)
	} else if !otherActive(f.Keys, key) && !(r.Kind == Retire && r.LastActive) {
		blocks = append(blocks, Block{Why: BlockLast, Sentence: fmt.Sprintf("Key %s is the last active key of %s, and nobody approved to leave the user without one.", key, r.UserName)})
	}
	if r.Anyway == nil {
		blocks = append(blocks, idle(k, r.Quiet(), now)...)
	}
	return blocks
}

// idle blocks unless the key is known to have been idle for the quiet period.
func idle(k Key, quiet time.Duration, now time.Time) []Block {
	since, known := k.LastUse.IdleSince(k.Created)
	switch {
	case !known:
		return []Block{{Why: BlockUnknown, Sentence: fmt.Sprintf("It is not known when key %s was used last, and unknown does not count as idle.", k.ID)}}
	case now.Sub(since) >= quiet:
		return nil
	case k.LastUse.Kind == UseNever:
		return []Block{{Why: BlockInUse, At: since, Sentence: fmt.Sprintf("Key %s was created %s; it has to be idle for %s.", k.ID, minute(since), FormatDuration(quiet))}}
	}
	return []Block{{
		Why: BlockInUse, Service: k.LastUse.Service, Region: k.LastUse.Region, At: since,
		Sentence: fmt.Sprintf("Key %s is still in use: %s in %s, %s. It has to be idle for %s.", k.ID, k.LastUse.Service, k.LastUse.Region, minute(since), FormatDuration(quiet)),
	}}
}

// MayDelete is the gate in front of a deletion of key (the old key or the one to evict).
func MayDelete(r Rotation, key KeyID, f Facts, now time.Time) []Block {
	k, blocks := target(r, key, f)
	if blocks != nil {
		return blocks
	}
	mem := r.refOf(key)
	if k.Status != Inactive || mem.InactiveSince.IsZero() {
		return []Block{{Why: BlockState, Sentence: fmt.Sprintf("Key %s is not inactive.", key)}}
	}
	if until := mem.InactiveSince.Add(r.Policy.RecoveryGrace); now.Before(until) {
		blocks = append(blocks, Block{Why: BlockGrace, At: until, Sentence: fmt.Sprintf("Key %s can be restored until %s.", key, minute(until))})
	}
	switch k.LastUse.Kind {
	case UseNever:
	case UseSeen:
		if k.LastUse.At.After(mem.InactiveSince) {
			blocks = append(blocks, Block{Why: BlockInUse, At: k.LastUse.At, Service: k.LastUse.Service, Region: k.LastUse.Region,
				Sentence: fmt.Sprintf("Key %s was used after its deactivation: %s in %s, %s.", key, k.LastUse.Service, k.LastUse.Region, minute(k.LastUse.At))})
		}
	default:
		blocks = append(blocks, Block{Why: BlockUnknown, Sentence: fmt.Sprintf("It is not known when key %s was used last.", key)})
	}
	if r.Kind == Rotate && key == r.Old.ID {
		blocks = append(blocks, healthy(r, f)...)
	} else if !otherActive(f.Keys, key) && !(r.Kind == Retire) {
		blocks = append(blocks, Block{Why: BlockLast, Sentence: fmt.Sprintf("%s has no other active key; restore %s if it is needed.", r.UserName, key)})
	}
	return blocks
}

// target finds the key of the rotation in the live listing.
func target(r Rotation, key KeyID, f Facts) (Key, []Block) {
	if r.refOf(key) == nil || r.New != nil && r.New.ID == key {
		return Key{}, []Block{{Why: BlockState, Sentence: fmt.Sprintf("Key %s is not one that this rotation may touch.", key)}}
	}
	if !f.KeysKnown {
		return Key{}, []Block{{Why: BlockUnknown, Sentence: fmt.Sprintf("The keys of %s could not be read.", r.UserName)}}
	}
	k, ok := Find(f.Keys, key)
	if !ok {
		return Key{}, []Block{{Why: BlockState, Sentence: fmt.Sprintf("Key %s is not there any more.", key)}}
	}
	return k, nil
}

// healthy blocks unless the new key works and its secret can be read.
func healthy(r Rotation, f Facts) []Block {
	if r.New == nil {
		return []Block{{Why: BlockNew, Sentence: fmt.Sprintf("There is no new key for %s yet.", r.UserName)}}
	}
	var blocks []Block
	k, ok := Find(f.Keys, r.New.ID)
	switch {
	case !ok:
		blocks = append(blocks, Block{Why: BlockLost, Sentence: fmt.Sprintf("The new key %s is gone.", r.New.ID)})
	case k.Status != Active:
		blocks = append(blocks, Block{Why: BlockNew, Sentence: fmt.Sprintf("The new key %s is not active.", r.New.ID)})
	}
	s := f.Secret
	switch {
	case !s.Known:
		blocks = append(blocks, Block{Why: BlockUnknown, Sentence: fmt.Sprintf("The secret %s could not be read.", r.New.SecretName)})
	case !s.Exists:
		blocks = append(blocks, Block{Why: BlockLost, Sentence: fmt.Sprintf("The secret %s is gone.", r.New.SecretName)})
	case s.PendingDeletion:
		blocks = append(blocks, Block{Why: BlockLost, Sentence: fmt.Sprintf("The secret %s is scheduled for deletion.", r.New.SecretName)})
	case s.Current != r.New.VersionID:
		blocks = append(blocks, Block{Why: BlockLost, Sentence: fmt.Sprintf("The secret %s does not hold the new key as AWSCURRENT any more.", r.New.SecretName)})
	case !s.Ours:
		blocks = append(blocks, Block{Why: BlockNew, Sentence: fmt.Sprintf("The secret %s does not carry keyturn's tag.", r.New.SecretName)})
	case !s.ReplicasInSync:
		blocks = append(blocks, Block{Why: BlockNew, Sentence: fmt.Sprintf("Replicas of the secret %s are not in sync.", r.New.SecretName)})
	}
	return blocks
}

func otherActive(keys []Key, but KeyID) bool {
	for _, k := range keys {
		if k.ID != but && k.Status == Active {
			return true
		}
	}
	return false
}

func sentences(blocks []Block) string {
	var out []string
	for _, b := range blocks {
		out = append(out, b.Sentence)
	}
	return strings.Join(out, " ")
}
