package store

import (
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
)

// KeysOf lists every key by which a rotation can be found.
func KeysOf(r rotation.Rotation) []rotation.KeyID {
	out := []rotation.KeyID{r.Old.ID}
	if r.New != nil {
		out = append(out, r.New.ID)
	}
	for _, k := range []*rotation.KeyRef{r.Evict, r.Other} {
		if k != nil {
			out = append(out, k.ID)
		}
	}
	if r.Journal != nil {
		out = append(out, r.Journal.NewKey, r.Journal.LostKey)
	}
	return slices.DeleteFunc(out, func(k rotation.KeyID) bool { return k == "" })
}

// Follows checks that r continues what is stored: its history, or its episode. ErrHistory, ErrEpisode.
func Follows(stored, r rotation.Rotation) error {
	switch {
	case r.Episode == stored.Episode:
		if len(r.History) < len(stored.History) || !slices.EqualFunc(r.History[:len(stored.History)], stored.History, sameEntry) {
			return ErrHistory
		}
		return nil
	case r.Episode == stored.Episode+1 && !stored.Open():
		return nil
	default:
		return fmt.Errorf("%w: %d cannot come after %d, which is %s", ErrEpisode, r.Episode, stored.Episode, stored.State)
	}
}

// sameEntry compares two lines of history; times are equal whatever zone they are written in.
func sameEntry(a, b rotation.Entry) bool {
	if !a.At.Equal(b.At) {
		return false
	}
	a.At = b.At
	return a == b
}
