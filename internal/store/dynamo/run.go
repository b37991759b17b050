package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/store"
)

// A run is one piece of work that is spread over many messages, each of which may come twice: a scan of many accounts. It
// keeps what the run began with and what each part of it has done, until all are done and somebody tells the result once.
// What the bytes mean is the caller's. A run goes by itself after runTTL.

const runTTL = 30 * 24 * time.Hour

var errNoPart = errors.New("the run has no such part")

func (s *Store) runItem(k key, kind string) item {
	it := newItem(k, kind)
	it[AttrTTL] = number(s.now().Add(runTTL).Unix())
	return it
}

// setBlob sets an attribute unless it is empty.
func (it item) setBlob(name string, b []byte) {
	if len(b) > 0 {
		it[name] = blob(b)
	}
}

// BeginRun begins a run of a number of parts. A run that has begun stays as it is.
func (s *Store) BeginRun(ctx context.Context, id string, head []byte, parts int) error {
	what := "begin run " + id
	if id == "" {
		return fmt.Errorf("%s: %w", what, store.ErrUnnamed)
	}
	it := s.runItem(runKey(id), kindRun)
	it.setBlob(AttrBody, head)
	it[attrParts] = number(int64(parts))
	err := s.put(ctx, it, isNew)
	if _, no := errors.AsType[*refused](err); no {
		return nil
	}
	return s.typed(ctx, what, err)
}

// EndPart says what a part of a run (counted from 0) has done, and returns how many parts are done and how many there are.
// What is said first stays, and a part counts once. store.ErrNotFound if the run has not begun.
func (s *Store) EndPart(ctx context.Context, id string, part int, body []byte) (done, parts int, err error) {
	done, parts, err = s.endPart(ctx, id, part, body)
	return done, parts, s.typed(ctx, fmt.Sprintf("end part %d of run %s", part, id), err)
}

func (s *Store) endPart(ctx context.Context, id string, part int, body []byte) (done, parts int, err error) {
	if part < 0 {
		return 0, 0, errNoPart
	}
	if err := s.putPart(ctx, id, part, body); err != nil { // before it counts: whoever sees that it is done can read it
		return 0, 0, err
	}
	set := &types.AttributeValueMemberNS{Value: []string{fmt.Sprint(part)}}
	head, err := s.update(ctx, runKey(id), "ADD #done :done", item{":done": set},
		condition{"attribute_exists(#pk) AND #parts > :part", item{":part": number(int64(part))}}, types.ReturnValueAllNew)
	if no, ok := errors.AsType[*refused](err); ok {
		if no.item == nil {
			if _, err := s.get(ctx, runKey(id)); err != nil {
				return 0, 0, err
			}
		}
		return 0, 0, errNoPart
	}
	if err != nil {
		return 0, 0, err
	}
	return len(head.numbers(attrDone)), int(head.number(attrParts)), nil
}

// PartDone says whether a part of a run is done. store.ErrNotFound if the run has not begun.
func (s *Store) PartDone(ctx context.Context, id string, part int) (bool, error) {
	head, err := s.get(ctx, runKey(id))
	if err == nil && (part < 0 || int64(part) >= head.number(attrParts)) {
		err = errNoPart
	}
	if err != nil {
		return false, s.typed(ctx, fmt.Sprintf("look for part %d of run %s", part, id), err)
	}
	return slices.Contains(head.numbers(attrDone), part), nil
}

// putPart keeps what a part has done, unless something is kept already. What does not fit into one item lies in items that
// carry its hash, so that two who say different things never mix them.
func (s *Store) putPart(ctx context.Context, id string, part int, body []byte) error {
	it := s.runItem(runPartKey(id, part), kindPart)
	if len(body) <= mostChunk {
		it.setBlob(AttrBody, body)
	} else {
		sum, n := sha256.Sum256(body), 0
		gen := hex.EncodeToString(sum[:16])
		for chunk := range slices.Chunk(body, mostChunk) {
			c := s.runItem(runChunkKey(id, part, gen, n), kindChunk)
			c[AttrBody] = blob(chunk)
			if err := s.put(ctx, c, condition{}); err != nil {
				return err
			}
			n++
		}
		it[attrGen], it[attrChunks] = text(gen), number(int64(n))
	}
	err := s.put(ctx, it, isNew)
	if _, no := errors.AsType[*refused](err); no {
		return nil
	}
	return err
}

// ClaimRun lets one caller at a time tell the result of a run, until a time (protocol clock) at which another one may. ok is
// false if somebody else is at it, or the run is closed. store.ErrNotFound.
func (s *Store) ClaimRun(ctx context.Context, id string, until time.Time) (ok bool, err error) {
	what, token := "claim run "+id, s.token()
	c := condition{
		expr:   "attribute_exists(#pk) AND attribute_not_exists(#closed) AND (attribute_not_exists(#until) OR #until <= :now)",
		values: item{":now": number(s.now().Unix())},
	}
	_, err = s.update(ctx, runKey(id), "SET #closer = :closer, #until = :until",
		item{":closer": text(token), ":until": number(until.Unix())}, c, types.ReturnValueNone)
	no, was := errors.AsType[*refused](err)
	if !was {
		return err == nil, s.typed(ctx, what, err)
	}
	head := no.item
	if head == nil {
		if head, err = s.get(ctx, runKey(id)); err != nil {
			return false, s.typed(ctx, what, err)
		}
	}
	return head.text(attrCloser) == token, nil // the SDK repeats a write whose answer was lost
}

// CloseRun closes a run. first is true for exactly one caller, who tells the result. store.ErrNotFound.
func (s *Store) CloseRun(ctx context.Context, id string) (first bool, err error) {
	what, token := "close run "+id, s.token()
	c := condition{expr: "attribute_exists(#pk) AND attribute_not_exists(#closed)"}
	_, err = s.update(ctx, runKey(id), "SET #closed = :closed", item{":closed": text(token)}, c, types.ReturnValueNone)
	no, ok := errors.AsType[*refused](err)
	if !ok {
		return err == nil, s.typed(ctx, what, err)
	}
	head := no.item
	if head == nil {
		if head, err = s.get(ctx, runKey(id)); err != nil {
			return false, s.typed(ctx, what, err)
		}
	}
	return head.text(attrClosed) == token, nil // the SDK repeats a write whose answer was lost
}

// Run returns what a run began with, how many of its parts are done, whether it is closed, and what the parts that are done
// have said, in their order. store.ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (head []byte, done, parts int, closed bool, bodies [][]byte, err error) {
	what := "read run " + id
	items, err := s.all(ctx, query{pk: runKey(id).pk})
	if err == nil && (len(items) == 0 || items[0].text(attrSK) != skHead) {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, 0, 0, false, nil, s.typed(ctx, what, err)
	}
	run := items[0]
	ended := run.numbers(attrDone)
	slices.Sort(ended)
	said := map[key]item{}
	for _, it := range items[1:] {
		said[it.key()] = it
	}
	for _, n := range ended {
		it := said[runPartKey(id, n)]
		body := it.blob(AttrBody)
		for c := range int(it.number(attrChunks)) {
			body = append(body, said[runChunkKey(id, n, it.text(attrGen), c)].blob(AttrBody)...)
		}
		bodies = append(bodies, body)
	}
	return run.blob(AttrBody), len(ended), int(run.number(attrParts)), run.text(attrClosed) != "", bodies, nil
}
