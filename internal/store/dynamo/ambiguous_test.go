package dynamo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// telling makes the server say what stood in the way of a refused write, as DynamoDB does and dynalite does not.
func telling(w wire) wire {
	return func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := w(op, body, send)
		if err != nil || resp.StatusCode != http.StatusBadRequest {
			return resp, err
		}
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(said))
		if !bytes.Contains(said, []byte("ConditionalCheckFailed")) {
			return resp, nil
		}
		var in struct {
			TableName                           string
			Item, Key                           map[string]map[string]any
			ReturnValuesOnConditionCheckFailure string
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		if in.ReturnValuesOnConditionCheckFailure != "ALL_OLD" {
			return nil, fmt.Errorf("%s asks for %q", op, in.ReturnValuesOnConditionCheckFailure)
		}
		if in.Key == nil {
			in.Key = in.Item
		}
		items, err := rawJSON(in.TableName, in.Key["pk"]["S"].(string), in.Key["sk"]["S"].(string))
		if err != nil {
			return nil, err
		}
		return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"`+items+`}`), nil
	}
}

// rawJSON is the member Item of an answer, if there is such an item.
func rawJSON(table, pk, sk string) (string, error) {
	body := fmt.Sprintf(`{"TableName":%q,"ConsistentRead":true,"Key":{"pk":{"S":%q},"sk":{"S":%q}}}`, table, pk, sk)
	req, err := http.NewRequestWithContext(tctx, http.MethodPost, server.URL(), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=a, Signature=a")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	said, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("read the item: %d %s %w", resp.StatusCode, said, err)
	}
	var out struct{ Item json.RawMessage }
	if err := json.Unmarshal(said, &out); err != nil || out.Item == nil {
		return "", err
	}
	return `,"Item":` + string(out.Item), nil
}

// TestLostAnswer loses the answer of each write of a save, once. The SDK repeats the write, which is then refused by its own
// condition; the save has succeeded nevertheless.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for i, l := range lives {
		for _, tells := range []bool{false, true} {
			if tells && i%2 == 1 {
				continue // it makes no difference to most writes
			}
			t.Run(fmt.Sprintf("%s, told %v", l.name, tells), func(t *testing.T) {
				for at := 1; ; at++ {
					name := table(t)
					f := &fault{done: true}
					w := wire(f.wire)
					if tells {
						w = telling(w)
					}
					s, counted := open(t, name, through(w), atOnce)
					before := l.before()
					if before.ID != "" {
						var err error
						before, err = s.SaveRotation(t.Context(), before)
						must(t, err)
					}
					f.seen, f.at = 0, at
					next := l.next(before.Clone())
					counted.reset()
					saved, err := s.SaveRotation(t.Context(), next)
					must(t, err)
					if n := counted.reset()["GetItem"]; tells && n != 0 {
						t.Errorf("it read what it was told, %d times", n)
					}
					next.Version++
					if d := differs(next, saved); d != "" {
						t.Fatalf("what the save returned differs (-want +got):\n%s", d)
					}
					again, err := s.SaveRotation(t.Context(), storetest.Note(saved, "on"))
					must(t, err)
					fresh, _ := open(t, name)
					var past []rotation.Rotation
					if before.ID != "" && before.Episode != next.Episode {
						past = append(past, before)
					}
					is(t, fresh, again, past)
					if !f.happened {
						return
					}
				}
			})
		}
	}
}

// TestLostAnswerOfTheLoser: a write that lost its answer, and then a race, has lost.
func TestLostAnswerOfTheLoser(t *testing.T) {
	t.Parallel()
	for _, tells := range []bool{false, true} {
		name := table(t)
		winner, _ := open(t, name)
		first, err := winner.SaveRotation(t.Context(), storetest.Rotation(1))
		must(t, err)
		f := &fault{at: 1}
		var won rotation.Rotation
		w := wire(func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := f.wire(op, body, send) // the first try never arrives
			if errors.Is(err, errLost) {
				won, _ = winner.SaveRotation(tctx, storetest.Note(first, "first"))
			}
			return resp, err
		})
		if tells {
			w = telling(w)
		}
		loser, _ := open(t, name, through(w), atOnce)
		_, err = loser.GetRotation(t.Context(), first.ID)
		must(t, err)
		if _, err := loser.SaveRotation(t.Context(), storetest.Note(first, "second")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("told %v: %v", tells, err)
		}
		is(t, loser, won, nil)
	}
}

// TestGaveUp: an error that is no refusal leaves open whether the save took effect. Reading again says it, and the store does
// not remember what may not be.
func TestGaveUp(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		name := table(t)
		f := &fault{done: done}
		s, _ := open(t, name, through(f.wire), noRetries)
		first, err := s.SaveRotation(t.Context(), storetest.Rotation(1))
		must(t, err)
		f.seen, f.at = 0, 1
		_, err = s.SaveRotation(t.Context(), storetest.Note(first, "perhaps"))
		if !errors.Is(err, errLost) || errors.Is(err, store.ErrConflict) {
			t.Fatalf("done %v: %v", done, err)
		}
		r, err := s.GetRotation(t.Context(), first.ID)
		must(t, err)
		if took := r.Version == 2; took != done {
			t.Errorf("done %v, and version %d is stored", done, r.Version)
		}
		again, err := s.SaveRotation(t.Context(), storetest.Note(r, "on"))
		must(t, err)
		is(t, s, again, nil)
	}
}

// TestLostAnswers of what else is written on a condition.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	request := rotation.Request{Account: "1", UserID: "2", At: storetest.Noon}
	one := storetest.Entry(nil, "one")
	for _, tells := range []bool{false, true} {
		name := table(t)
		f := &fault{done: true}
		w := wire(f.wire)
		if tells {
			w = telling(w)
		}
		s, _ := open(t, name, through(w), atOnce)
		for _, c := range []struct {
			name string
			do   func() error
		}{
			{"request", func() error { return s.SaveRequest(ctx, request) }},
			{"served", func() error { return s.DeleteRequest(ctx, request) }},
			{"exemption", func() error {
				return s.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: "1", UserID: "2"})
			}},
			{"no exemption", func() error { return s.DeleteExemption(ctx, "1", "2") }},
			{"state", func() error { return s.SetState(ctx, "a", "b") }},
			{"chain", func() error { return s.AppendEntry(ctx, "chain", one) }},
			{"next entry", func() error { return s.AppendEntry(ctx, "chain", storetest.Entry(&one, "two")) }},
			{"begin", func() error { return s.BeginRun(ctx, "run", []byte("head"), 2) }},
			{"part", func() error { _, _, err := s.EndPart(ctx, "run", 1, []byte("said")); return err }},
			{"claim", func() error {
				mine, err := s.ClaimRun(ctx, "run", time.Now().Add(time.Hour))
				if err == nil && !mine {
					return errors.New("nobody claimed it")
				}
				return err
			}},
			{"close", func() error {
				first, err := s.CloseRun(ctx, "run")
				if err == nil && !first {
					return errors.New("nobody was the first")
				}
				return err
			}},
			{"snapshot", func() error { return s.SaveSnapshot(ctx, large(1, 1500)) }},
			{"snapshot again", func() error { return s.SaveSnapshot(ctx, large(1, 1500)) }},
		} {
			f.seen, f.at, f.happened = 0, 1, false
			if err := c.do(); err != nil || !f.happened {
				t.Errorf("%s: %v, lost %v", c.name, err, f.happened)
			}
		}
		if got, _, err := s.ListEntries(ctx, "chain", store.Page{}); err != nil || len(got) != 2 {
			t.Errorf("the chain: %v %v", got, err)
		}
		head, done, parts, closed, bodies, err := s.Run(ctx, "run")
		if err != nil || string(head) != "head" || done != 1 || parts != 2 || !closed || len(bodies) != 1 || string(bodies[0]) != "said" {
			t.Errorf("the run: %q %d %d %v %q %v", head, done, parts, closed, bodies, err)
		}
		if got, err := s.GetSnapshot(ctx, large(1, 0).Account); err != nil || len(got.Users) != 1500 {
			t.Errorf("the snapshot: %v", err)
		}
	}
}
