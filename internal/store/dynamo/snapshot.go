package dynamo

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// A snapshot is compressed. A small one lies in its head; a large one lies in chunks of a generation of its own, which are
// written first, and the head that names the generation after them. Whoever replaces the head removes the chunks that it
// named, and those that a save left behind which never came to write its head.

const (
	mostChunk = 60 << 10         // bytes of a compressed snapshot in one item
	leftAfter = time.Hour        // a generation that is older and that no head names is left over
	mostSave  = leftAfter / 2    // a save takes less, or its chunks might be taken for left over
	genTime   = "20060102150405" // a generation begins with its time, UTC
)

// SaveSnapshot replaces the snapshot of an account.
func (s *Store) SaveSnapshot(ctx context.Context, snap rotation.Snapshot) error {
	what := "save the snapshot of " + string(snap.Account)
	if snap.Account == "" {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	return s.typed(ctx, what, s.saveSnapshot(ctx, snap))
}

func (s *Store) saveSnapshot(ctx context.Context, snap rotation.Snapshot) error {
	packed, length, err := compress(snap)
	if err != nil {
		return err
	}
	start := s.now()
	head := newItem(snapshotKey(snap.Account), kindSnapshot)
	head[AttrID], head[attrSchema], head[attrLength] = text(string(snap.Account)), schema(), number(int64(length))
	head.index(indexList, listSnapshots, part(string(snap.Account)))
	gen, chunks := "", 0
	if len(packed) <= mostChunk {
		head[AttrBody] = blob(packed)
	} else {
		gen = start.UTC().Format(genTime) + "-" + s.token()
		for chunk := range slices.Chunk(packed, mostChunk) {
			it := newItem(chunkKey(snap.Account, gen, chunks), kindChunk)
			it[AttrBody] = blob(chunk)
			if err := s.put(ctx, it, condition{}); err != nil {
				return err
			}
			chunks++
		}
		head[attrGen], head[attrChunks] = text(gen), number(int64(chunks))
	}
	if took := s.now().Sub(start); took > mostSave {
		return fmt.Errorf("it took %v to write its parts, they may be gone by now", took)
	}
	old, err := s.replace(ctx, head, isKnown, types.ReturnValueAllOld)
	if _, no := errors.AsType[*refused](err); no {
		return store.ErrNewer
	}
	if err != nil {
		return err
	}
	if gen != "" || old.text(attrGen) != "" {
		s.sweep(ctx, snap.Account, gen, old.text(attrGen))
	}
	return nil
}

// sweep removes the chunks of a generation that was replaced, and of those that are left over. What it cannot remove the next
// save's removes.
func (s *Store) sweep(ctx context.Context, account rotation.AccountID, present, replaced string) {
	q := query{pk: snapshotKey(account).pk, expr: "begins_with(#sk, :sk)", values: item{":sk": text(skPart + "#")}, fields: "#pk, #sk"}
	items, err := s.all(ctx, q)
	if err != nil {
		return
	}
	left := s.now().Add(-leftAfter).UTC().Format(genTime)
	for _, it := range items {
		gen := strings.Split(it.text(attrSK), "#")[1]
		if gen != present && (gen == replaced || gen < left) && s.remove(ctx, it.key(), condition{}) != nil {
			return
		}
	}
}

func compress(snap rotation.Snapshot) (packed []byte, length int, err error) {
	body, err := record.EncodeSnapshot(snap)
	if err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, 0, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, 0, err
	}
	if err := w.Close(); err != nil {
		return nil, 0, err
	}
	return b.Bytes(), len(body), nil
}

// GetSnapshot returns what the last scan knew of an account. store.ErrNotFound.
func (s *Store) GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error) {
	snap, err := s.snapshot(ctx, account)
	return snap, s.typed(ctx, "read the snapshot of "+string(account), err)
}

func (s *Store) snapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error) {
	if account == "" {
		return rotation.Snapshot{}, store.ErrNotFound
	}
	for range rereads {
		head, err := s.get(ctx, snapshotKey(account))
		if err != nil {
			return rotation.Snapshot{}, err
		}
		if snap, ok, err := s.open(ctx, account, head); ok || err != nil {
			return snap, err
		}
	}
	return rotation.Snapshot{}, fmt.Errorf("%w: parts of it are missing", record.ErrCorrupt)
}

// open makes a snapshot of its head. ok is false if its chunks are gone: the head was replaced since it was read.
func (s *Store) open(ctx context.Context, account rotation.AccountID, head item) (snap rotation.Snapshot, ok bool, err error) {
	if head.number(attrSchema) > record.Schema {
		return snap, false, store.ErrNewer
	}
	packed := []io.Reader{bytes.NewReader(head.blob(AttrBody))}
	if gen := head.text(attrGen); gen != "" {
		var keys []key
		for i := range int(head.number(attrChunks)) {
			keys = append(keys, chunkKey(account, gen, i))
		}
		chunks, err := s.batch(ctx, keys, "")
		if err != nil || len(chunks) < len(keys) {
			return snap, false, err
		}
		packed = nil
		for _, k := range keys {
			packed = append(packed, bytes.NewReader(chunks[k].blob(AttrBody)))
		}
	}
	body, err := inflate(io.MultiReader(packed...), int(head.number(attrLength)))
	if err != nil {
		return snap, false, fmt.Errorf("%w: %w", record.ErrCorrupt, err)
	}
	snap, err = record.DecodeSnapshot(body)
	return snap, err == nil, err
}

// inflate decompresses as many bytes as were compressed, and not one more.
func inflate(packed io.Reader, length int) ([]byte, error) {
	r, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, max(0, min(length, 64<<20))+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(r, int64(length)+1)); err != nil {
		return nil, err
	}
	if b.Len() != length {
		return nil, fmt.Errorf("it has %d bytes of %d", b.Len(), length)
	}
	return b.Bytes(), nil
}

// ListSnapshots returns the snapshots of all accounts. The first one of an account may be missing for a second or so,
// because indexes lag.
func (s *Store) ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error) {
	l := listing[rotation.Snapshot]{name: "snapshots", index: indexList, parts: []string{listSnapshots}}
	l.decode = func(ctx context.Context, head item) (rotation.Snapshot, bool, error) {
		account := rotation.AccountID(head.text(AttrID))
		snap, ok, err := s.open(ctx, account, head)
		if err == nil && !ok {
			snap, err = s.snapshot(ctx, account)
		}
		return snap, err == nil, err
	}
	out, next, err := l.read(ctx, s, page)
	return out, next, s.typed(ctx, "list snapshots", err)
}
