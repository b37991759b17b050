package dynamo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// large is a snapshot that compresses as badly as real ones do: names and keys are random.
func large(n, users int) rotation.Snapshot {
	s := rotation.Snapshot{Account: rotation.AccountID(fmt.Sprintf("%012d", n)), Name: "large", Taken: storetest.Noon, Tried: storetest.Noon}
	for i := range users {
		sum := sha256.Sum256([]byte(fmt.Sprint(n, i, users)))
		h := strings.ToUpper(hex.EncodeToString(sum[:]))
		s.Users = append(s.Users, rotation.User{
			Account: s.Account, ID: rotation.UserID("AIDA" + h[:17]), Name: rotation.UserName("svc-" + h[17:30]), Path: "/",
			Keys: []rotation.Key{{ID: rotation.KeyID("AKIA" + h[30:46]), Status: rotation.Active, Created: storetest.Noon}}, Row: h[46:],
		})
	}
	return s
}

// chunks returns the generations of an account's chunks, and how many each has.
func chunks(t *testing.T, table string, account rotation.AccountID) map[string]int {
	t.Helper()
	items, err := raw(t.Context(), table, "snapshot#"+string(account))
	must(t, err)
	out := map[string]int{}
	for _, it := range items {
		if f := strings.Split(str(it["sk"]), "#"); f[0] == "part" {
			out[f[1]]++
		}
	}
	return out
}

func TestLargeSnapshot(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, counted := open(t, name)
	ctx := t.Context()
	for i, users := range []int{5000, 1500, 2, 1600} {
		want := large(1, users)
		must(t, s.SaveSnapshot(ctx, want))
		counted.reset()
		got, err := s.GetSnapshot(ctx, want.Account)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("save %d: another snapshot comes back", i)
		}
		if c := counted.reset(); c["GetItem"] != 1 || c["BatchGetItem"] > 2 {
			t.Errorf("save %d: %v to read it", i, c)
		}
		list, _, err := s.ListSnapshots(ctx, store.Page{})
		if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], want) {
			t.Errorf("save %d: another snapshot is listed, %v", i, err)
		}
		gens := chunks(t, name, want.Account)
		if n := len(gens); n > 1 || (n == 0) != (users == 2) {
			t.Errorf("save %d: %d generations of chunks", i, n)
		}
	}
}

// TestSnapshotRace: a snapshot is replaced while it is read, once and again.
func TestSnapshotRace(t *testing.T) {
	t.Parallel()
	name := table(t)
	writer, _ := open(t, name)
	ctx := t.Context()
	must(t, writer.SaveSnapshot(ctx, large(1, 1500)))
	n := 1500
	replace := func() {
		n++
		if err := writer.SaveSnapshot(tctx, large(1, n)); err != nil {
			t.Error(err)
		}
	}
	for _, list := range []bool{false, true} {
		left := 3
		reader, _ := open(t, name, through(func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
			if op == "BatchGetItem" && strings.Contains(string(body), "part#") && left > 0 {
				left--
				replace()
			}
			return send()
		}))
		var got rotation.Snapshot
		var err error
		if list {
			var all []rotation.Snapshot
			all, _, err = reader.ListSnapshots(ctx, store.Page{})
			if err == nil {
				got = all[0]
			}
		} else {
			got, err = reader.GetSnapshot(ctx, large(1, 0).Account)
		}
		must(t, err)
		if !reflect.DeepEqual(got, large(1, n)) {
			t.Errorf("list %v: %d users, want the newest snapshot's %d", list, len(got.Users), n)
		}
	}
}

// TestSnapshotWriters: of several who save at one time the last one's stands, whole, and its chunks alone.
func TestSnapshotWriters(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			if err := s.SaveSnapshot(t.Context(), large(1, 1500+i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := s.GetSnapshot(t.Context(), large(1, 0).Account)
	must(t, err)
	if !reflect.DeepEqual(got, large(1, len(got.Users))) {
		t.Errorf("a mixture of %d users", len(got.Users))
	}
	if gens := chunks(t, name, got.Account); len(gens) != 1 {
		t.Errorf("generations %v are left", gens)
	}
}

// TestSnapshotCrash kills the process before and after each write. The old snapshot or the new one is there, and what is left
// over goes with a save that comes more than an hour later.
func TestSnapshotCrash(t *testing.T) {
	t.Parallel()
	name := table(t)
	now := storetest.Noon
	clock := func(o *dynamo.Options, _ *dynamodb.Options) { o.Now = func() time.Time { return now } }
	healthy, _ := open(t, name, clock)
	ctx := t.Context()
	old, next := large(1, 1500), large(1, 1700)
	for _, done := range []bool{false, true} {
		for at := 1; ; at++ {
			must(t, healthy.SaveSnapshot(ctx, old))
			f := &fault{at: at, done: done, dies: true}
			dying, _ := open(t, name, through(f.wire), noRetries, clock)
			err := dying.SaveSnapshot(ctx, next)
			got, gerr := healthy.GetSnapshot(ctx, old.Account)
			must(t, gerr)
			if !reflect.DeepEqual(got, old) && !reflect.DeepEqual(got, next) {
				t.Fatalf("write %d, done %v: another snapshot", at, done)
			}
			if err == nil && !reflect.DeepEqual(got, next) {
				t.Errorf("write %d, done %v: it was saved, and is not there", at, done)
			}
			if !f.happened {
				if at < 4 {
					t.Fatalf("only %d writes", at-1)
				}
				break
			}
		}
	}
	if gens := chunks(t, name, old.Account); len(gens) < 3 {
		t.Fatalf("nothing was left over, so nothing is tried: %v", gens)
	}
	now = now.Add(dynamo.LeftAfter + time.Second)
	must(t, healthy.SaveSnapshot(ctx, next))
	if gens := chunks(t, name, old.Account); len(gens) != 1 {
		t.Errorf("generations %v are left", gens)
	}
}

// TestSlowSnapshot: a save that stood still for so long that its chunks may be gone does not name them.
func TestSlowSnapshot(t *testing.T) {
	t.Parallel()
	now := storetest.Noon
	s, _ := open(t, table(t), func(o *dynamo.Options, _ *dynamodb.Options) { o.Now = func() time.Time { return now } }, through(func(op string, _ []byte, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "PutItem" {
			now = now.Add(20 * time.Minute)
		}
		return send()
	}))
	if err := s.SaveSnapshot(t.Context(), large(1, 1500)); err == nil || !strings.Contains(err.Error(), "may be gone") {
		t.Errorf("%v", err)
	}
	if _, err := s.GetSnapshot(t.Context(), large(1, 0).Account); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestBrokenSnapshot: chunks that are gone, and bytes that are none of ours, are errors.
func TestBrokenSnapshot(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	must(t, s.SaveSnapshot(t.Context(), large(1, 1500)))
	items, err := raw(t.Context(), name, "snapshot#"+string(large(1, 0).Account))
	must(t, err)
	remove(t, name, items[1])
	if _, err := s.GetSnapshot(t.Context(), large(1, 0).Account); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("a chunk is gone: %v", err)
	}
	must(t, s.SaveSnapshot(t.Context(), large(2, 1)))
	for field, value := range map[string]any{"length": 5, "body": []byte("no gzip")} {
		set(t, name, "snapshot#"+string(large(2, 0).Account), "head", field, value)
		if _, err := s.GetSnapshot(t.Context(), large(2, 0).Account); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s is wrong: %v", field, err)
		}
	}
	must(t, s.SaveSnapshot(t.Context(), large(2, 2))) // the next scan mends it
	_, err = s.GetSnapshot(t.Context(), large(2, 0).Account)
	must(t, err)
}
