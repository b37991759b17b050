package rotator

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// found is how a step ends that meets its key already changed: by an attempt before, whose answer was lost, or by a person.
const found = "it was so already, after an attempt that was interrupted"

// deactivate switches the old key off, or the one to evict, if the gate lets it pass.
func (k *work) deactivate(ctx context.Context, s sight, id rotation.KeyID) error {
	facts := rotation.Facts{Keys: s.keys, KeysKnown: true}
	if k.r.Leaked == nil || id != k.r.Old.ID { // a leaked key passes the gate, so nothing that only the gate asks may hold it up
		var err error
		if facts, err = s.facts(ctx, k.account, k.r, id); err != nil {
			return err
		}
	}
	key, there := rotation.Find(facts.Keys, id)
	switch {
	case !there && k.op == rotation.OpEvictDeactivate:
		return k.note(ctx, rotation.Evicted{Token: k.token, Gone: true})
	case !there:
		return k.missing(ctx, id)
	case key.Status == rotation.Inactive && k.took:
		return k.note(ctx, rotation.Deactivated{Token: k.token, Key: id, Note: found})
	case key.Status == rotation.Inactive:
		return k.giveBack(ctx, "", rotation.ObservedDeactivated{Key: id})
	}
	if err := k.adopted(ctx, facts); err != nil {
		return err
	}
	if blocks := rotation.MayDeactivate(k.r, id, facts, k.o.Now()); len(blocks) > 0 {
		return k.refused(ctx, key, blocks)
	}
	err := k.account.SetKeyStatus(ctx, k.r.UserName, id, rotation.Inactive)
	if errors.Is(err, ErrNoSuchKey) {
		return k.missing(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("deactivate %s: %w", id, err)
	}
	k.log.Info("key deactivated", "key", id, "last_use", key.LastUse)
	return k.note(ctx, rotation.LastUsed{Key: id, Use: key.LastUse}, rotation.Deactivated{Token: k.token, Key: id, Note: lastUsed(key)})
}

// cutLeaked switches off a leaked key that is not the old one: past the gate, at once.
func (k *work) cutLeaked(ctx context.Context, s sight) error {
	id := k.r.LeakedKey.Key
	key, there, err := s.key(ctx, k.account, id)
	if err != nil { // its last use is good to know, and nothing to wait for
		k.log.Warn("last use of a leaked key not read", "key", id, "error", err.Error())
		key, there = rotation.Find(s.keys, id)
	}
	switch {
	case !there:
		return k.stuck(ctx, "key %s was reported as leaked, but it is not there any more", id)
	case key.Status == rotation.Inactive:
		return k.note(ctx, rotation.LeakCut{Token: k.token, Key: id, Note: "it was inactive already"})
	}
	err = k.account.SetKeyStatus(ctx, k.r.UserName, id, rotation.Inactive)
	if errors.Is(err, ErrNoSuchKey) {
		return k.stuck(ctx, "key %s was reported as leaked, but it is not there any more", id)
	}
	if err != nil {
		return fmt.Errorf("deactivate %s: %w", id, err)
	}
	k.log.Info("leaked key deactivated", "key", id, "last_use", key.LastUse)
	return k.note(ctx, rotation.LeakCut{Token: k.token, Key: id, Note: lastUsed(key)})
}

// delete removes the old key for good, if the gate lets it pass.
func (k *work) delete(ctx context.Context, s sight) error {
	id := k.r.Old.ID
	facts, err := s.facts(ctx, k.account, k.r, id)
	if err != nil {
		return err
	}
	key, there := rotation.Find(facts.Keys, id)
	switch {
	case !there && k.took:
		return k.note(ctx, rotation.Deleted{Token: k.token, Key: id, Note: found})
	case !there:
		return k.missing(ctx, id)
	case key.Status == rotation.Active:
		return k.giveBack(ctx, "", rotation.ObservedReactivated{Key: id})
	}
	if blocks := rotation.MayDelete(k.r, id, facts, k.o.Now()); len(blocks) > 0 {
		return k.refused(ctx, key, blocks)
	}
	if err := k.account.DeleteKey(ctx, k.r.UserName, id); err != nil && !errors.Is(err, ErrNoSuchKey) {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	k.log.Info("key deleted", "key", id)
	return k.note(ctx, rotation.Deleted{Token: k.token, Key: id, Note: lastUsed(key)})
}

// evictDelete removes the key that has to make room, if the gate lets it pass.
func (k *work) evictDelete(ctx context.Context, s sight) error {
	id := k.r.Evict.ID
	facts, err := s.facts(ctx, k.account, k.r, id)
	if err != nil {
		return err
	}
	key, there := rotation.Find(facts.Keys, id)
	switch {
	case !there:
		return k.note(ctx, rotation.Evicted{Token: k.token, Gone: true})
	case key.Status == rotation.Active:
		return k.giveBack(ctx, "", rotation.ObservedReactivated{Key: id})
	}
	if blocks := rotation.MayDelete(k.r, id, facts, k.o.Now()); len(blocks) > 0 {
		return k.refused(ctx, key, blocks)
	}
	if err := k.account.DeleteKey(ctx, k.r.UserName, id); err != nil && !errors.Is(err, ErrNoSuchKey) {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	k.log.Info("key deleted", "key", id)
	return k.note(ctx, rotation.Evicted{Token: k.token})
}

// restore makes a deactivated key active again.
func (k *work) restore(ctx context.Context, s sight) error {
	id := k.r.Old.ID
	if k.r.State == rotation.Evicting && k.r.Evict != nil {
		id = k.r.Evict.ID
	}
	key, there := rotation.Find(s.keys, id)
	switch {
	case !there:
		seen := fmt.Sprintf("key %s was to be restored, but it is not there any more", id)
		k.log.Error("stuck", "seen", seen)
		return k.note(ctx, rotation.GotStuck{Token: k.token, Op: k.op, Seen: seen, Moot: true})
	case k.r.Overtaken() && key.Status == rotation.Inactive:
		return k.note(ctx, rotation.Unclaim{Token: k.token, Op: k.op, Why: "the key was reported as leaked meanwhile", Moot: true})
	case k.r.Overtaken(): // an attempt before has activated it: noted as that, it is cut off next
		return k.note(ctx, rotation.Restored{Token: k.token, Key: id})
	}
	if err := k.account.SetKeyStatus(ctx, k.r.UserName, id, rotation.Active); err != nil {
		return fmt.Errorf("activate %s: %w", id, err)
	}
	k.log.Info("key restored", "key", id)
	return k.note(ctx, rotation.Restored{Token: k.token, Key: id})
}

// adopted notes that somebody uses the new key, as soon as a live read shows it.
func (k *work) adopted(ctx context.Context, f rotation.Facts) error {
	if k.r.New == nil || k.r.New.InUse.Kind == rotation.UseSeen || k.r.State != rotation.Installing {
		return nil
	}
	if n, ok := rotation.Find(f.Keys, k.r.New.ID); ok && rotation.Adopted(k.r, n.LastUse) {
		return k.note(ctx, rotation.Used{Use: n.LastUse})
	}
	return nil
}

// refused gives the claim back because the gate stays shut. What is lost stops the rotation at once.
func (k *work) refused(ctx context.Context, key rotation.Key, blocks []rotation.Block) error {
	k.log.Info("gate refused", "why", blocks[0].Why, "blocks", len(blocks))
	if lost := rotation.Lost(blocks); lost != "" {
		return k.giveBack(ctx, "", rotation.ReplacementLost{What: lost})
	}
	return k.note(ctx, rotation.LastUsed{Key: key.ID, Use: key.LastUse}, rotation.GateRefused{Token: k.token, Blocks: blocks})
}

func lastUsed(k rotation.Key) string {
	switch k.LastUse.Kind {
	case rotation.UseSeen:
		return fmt.Sprintf("last used with %s in %s, %s", k.LastUse.Service, k.LastUse.Region, k.LastUse.At.UTC().Format("2006-01-02 15:04 UTC"))
	case rotation.UseNever:
		return "never used"
	default:
		return "not known when last used"
	}
}
