package dynamo

import (
	"context"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// What keys are made of.
var (
	Part         = part
	SortableTime = sortableTime
	Sortable     = sortable[int]
	EncodeCursor = func(list string, part int, after string) string { return encodeCursor(list, position{part, after}) }
	DecodeCursor = func(s, list string, parts int) (int, string, error) {
		p, err := decodeCursor(s, list, parts)
		return p.part, p.after, err
	}
)

// RotationPK is the partition of a rotation.
func RotationPK(id rotation.ID) string { return rotationPK(id) }

// Known says how many rotations a store remembers, and their size.
func Known(s *Store) (n, size int) {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	return len(s.known.byID), s.known.size
}

// MostKnown and MostKnownSize bound them.
const (
	MostKnown     = mostKnown
	MostKnownSize = mostKnownSize
	MostItem      = mostItem
	LeftAfter     = leftAfter
	RunTTL        = runTTL
)

// SetPause sets how a store waits.
func SetPause(s *Store, f func(context.Context, time.Duration) error) { s.pause = f }

// Remember puts a rotation into the cache of a store.
func Remember(s *Store, r rotation.Rotation, size int) {
	s.known.put(&stored{rotation: r, size: size})
}

// Remembers says whether a version of a rotation is in the cache.
func Remembers(s *Store, id rotation.ID, version int64) bool { return s.known.get(id, version) != nil }

// ErrTooLarge and ErrNoPart are errors without a decision of a caller.
var (
	ErrTooLarge = errTooLarge
	ErrNoPart   = errNoPart
)

// ParsePieces reads the list of pieces of an item and writes it again.
func ParsePieces(list []string) (again []string, err error) {
	pieces, err := parsePieces(list)
	for _, p := range pieces {
		again = append(again, p.String())
	}
	return again, err
}
