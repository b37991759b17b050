package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store/record"
)

// A rotation's history grows without bound, an item may not. What would make the present rotation too large goes, oldest
// first, into pieces: items of their own that are written before the head that names them, and never changed. A piece
// carries the hash of what it holds in its key. One that no head names is of a save that was refused or never finished, and
// nobody reads it.

const (
	mostHead  = 48 << 10 // bytes of a record at which older lines of its history leave it
	mostPiece = 48 << 10 // bytes of a piece, unless a single line is larger
	mostExtra = 6 << 10  // bytes of an item beside the record: keys, names of indexes, the list of pieces
)

// piece is a part of a history: its lines from the first (counted from 1) on.
type piece struct {
	first, count int
	hash         string
}

func (p piece) String() string { return fmt.Sprintf("%d-%d-%s", p.first, p.count, p.hash) }

func parsePieces(list []string) (out []piece, err error) {
	for _, s := range list {
		f := strings.Split(s, "-")
		if len(f) != 3 {
			return nil, fmt.Errorf("%w: a piece of history %q", record.ErrCorrupt, s)
		}
		first, err1 := strconv.Atoi(f[0])
		count, err2 := strconv.Atoi(f[1])
		if err1 != nil || err2 != nil || count < 1 || first != linesOf(out)+1 {
			return nil, fmt.Errorf("%w: a piece of history %q", record.ErrCorrupt, s)
		}
		out = append(out, piece{first, count, f[2]})
	}
	return out, nil
}

func linesOf(pieces []piece) int {
	n := 0
	for _, p := range pieces {
		n += p.count
	}
	return n
}

// packed is a rotation as it is written: a record with the newest lines of its history, and pieces with the others.
type packed struct {
	body   []byte
	pieces []piece
	fresh  []piece // those of the pieces that were not written before
}

// pack cuts a rotation, whose whole record is body and whose older lines lie in some pieces already. Where the record would
// be too large, it keeps lines of half of what is left beside the rest of it, so that the next saves need not cut again.
func pack(r rotation.Rotation, body []byte, pieces []piece) (p packed, err error) {
	p = packed{body, pieces, nil}
	tail := r
	tail.History = r.History[linesOf(pieces):]
	if len(pieces) > 0 {
		p.body, err = record.EncodeRotation(tail)
	}
	if err != nil || len(p.body) <= mostHead {
		return p, err
	}
	sizes, sum := make([]int, len(tail.History)), 0
	for i, e := range tail.History {
		b, err := json.Marshal(e)
		if err != nil {
			return p, fmt.Errorf("encode a line of history: %w", err)
		}
		sizes[i] = len(b) + 1
		sum += sizes[i]
	}
	other, most := len(p.body)-sum, mostHead
	if other > mostHead/2 {
		most = mostItem - mostExtra // the history is not what makes it large
	}
	if len(p.body) <= most {
		return p, nil
	}
	keep := len(sizes)
	for room := (most - other) / 2; keep > 0 && sizes[keep-1] <= room; keep-- {
		room -= sizes[keep-1]
	}
	for i := 0; i < keep; {
		n, size := 1, sizes[i]
		for i+n < keep && size+sizes[i+n] <= mostPiece {
			size += sizes[i+n]
			n++
		}
		fresh := piece{first: linesOf(p.pieces) + 1, count: n}
		if fresh.hash, err = hashOf(r, fresh); err != nil {
			return p, err
		}
		p.pieces, p.fresh = append(slices.Clip(p.pieces), fresh), append(p.fresh, fresh)
		i += n
	}
	tail.History = tail.History[keep:]
	p.body, err = record.EncodeRotation(tail)
	return p, err
}

// encodePiece writes a piece as a rotation that has nothing but history.
func encodePiece(r rotation.Rotation, p piece) ([]byte, error) {
	return record.EncodeRotation(rotation.Rotation{ID: r.ID, Episode: r.Episode, History: r.History[p.first-1:][:p.count]})
}

func hashOf(r rotation.Rotation, p piece) (string, error) {
	b, err := encodePiece(r, p)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), err
}

// pieceItem is the item of a piece beside the present rotation or beside the earlier ones.
func pieceItem(r rotation.Rotation, beside string, p piece) (item, error) {
	body, err := encodePiece(r, p)
	if err != nil {
		return nil, err
	}
	it := newItem(historyKey(r.ID, beside, r.Episode, p), kindHistory)
	it[AttrBody] = text(string(body))
	return it, nil
}

// putPieces writes pieces of a history. What is there already is the same.
func (s *Store) putPieces(ctx context.Context, r rotation.Rotation, beside string, pieces []piece) error {
	for _, p := range pieces {
		it, err := pieceItem(r, beside, p)
		if err == nil {
			err = s.put(ctx, it, condition{})
		}
		if errors.Is(err, errTooLarge) {
			return fmt.Errorf("line %d of the history: %w", p.first, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropPieces removes the pieces of an episode that has moved to the earlier ones. What it cannot remove nobody reads.
func (s *Store) dropPieces(ctx context.Context, old *stored) {
	for _, p := range old.pieces {
		if s.remove(ctx, historyKey(old.rotation.ID, skHead, old.rotation.Episode, p), condition{}) != nil {
			return
		}
	}
}

// unpack puts a rotation together from its record and the items of its pieces. ok is false if one is not there: it was
// moved while the rest was read.
func unpack(head item, beside string, pieceOf func(key) item) (v *stored, ok bool, err error) {
	v = &stored{size: len(head.text(AttrBody))}
	if v.rotation, err = record.DecodeRotation([]byte(head.text(AttrBody))); err != nil {
		return nil, false, err
	}
	if v.pieces, err = parsePieces(head.texts(attrPieces)); err != nil || len(v.pieces) == 0 {
		return v, err == nil, err
	}
	var all []rotation.Entry
	for _, p := range v.pieces {
		it := pieceOf(historyKey(v.rotation.ID, beside, v.rotation.Episode, p))
		if it == nil {
			return nil, false, nil
		}
		part, err := record.DecodeRotation([]byte(it.text(AttrBody)))
		switch {
		case err != nil:
			return nil, false, err
		case len(part.History) != p.count:
			return nil, false, fmt.Errorf("%w: piece %s of the history has %d lines", record.ErrCorrupt, p, len(part.History))
		}
		v.size += len(it.text(AttrBody))
		all = append(all, part.History...)
	}
	v.rotation.History = append(all, v.rotation.History...)
	return v, true, nil
}
