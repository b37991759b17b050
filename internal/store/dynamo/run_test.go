package dynamo_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	ctx := t.Context()
	check := func(what, wantHead string, wantDone, wantParts int, wantClosed bool, want ...string) {
		t.Helper()
		head, done, parts, closed, bodies, err := s.Run(ctx, "2026-03-01")
		must(t, err)
		got := []string{}
		for _, b := range bodies {
			got = append(got, string(b))
		}
		if string(head) != wantHead || done != wantDone || parts != wantParts || closed != wantClosed || differs(want, got) != "" {
			t.Errorf("%s: %q, %d of %d, closed %v, %q", what, head, done, parts, closed, got)
		}
	}
	if _, _, _, _, _, err := s.Run(ctx, "2026-03-01"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a run that has not begun: %v", err)
	}
	if _, _, err := s.EndPart(ctx, "2026-03-01", 0, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a part of it: %v", err)
	}
	if _, err := s.CloseRun(ctx, "2026-03-01"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its end: %v", err)
	}
	must(t, s.BeginRun(ctx, "2026-03-01", []byte("head"), 12))
	must(t, s.BeginRun(ctx, "2026-03-01", []byte("another"), 5))
	check("begun twice", "head", 0, 12, false)
	for i, c := range []struct {
		part int
		body string
		done int
	}{{11, "eleven", 1}, {2, "two", 2}, {2, "two again", 2}, {3, "", 3}, {11, "eleven again", 3}} {
		done, parts, err := s.EndPart(ctx, "2026-03-01", c.part, []byte(c.body))
		if err != nil || done != c.done || parts != 12 {
			t.Errorf("end %d: %d of %d, %v", i, done, parts, err)
		}
	}
	for _, part := range []int{-1, 12, 99} {
		if _, _, err := s.EndPart(ctx, "2026-03-01", part, []byte("x")); !errors.Is(err, dynamo.ErrNoPart) {
			t.Errorf("part %d: %v", part, err)
		}
	}
	check("three parts", "head", 3, 12, false, "two", "", "eleven")
	for i, want := range []bool{true, false, false} {
		if first, err := s.CloseRun(ctx, "2026-03-01"); err != nil || first != want {
			t.Errorf("close %d: %v %v", i, first, err)
		}
	}
	check("closed", "head", 3, 12, true, "two", "", "eleven")
	must(t, s.BeginRun(ctx, "2026-03-02", nil, 1)) // beside it
	check("another has begun", "head", 3, 12, true, "two", "", "eleven")
	if err := s.BeginRun(ctx, "", nil, 1); !errors.Is(err, store.ErrUnnamed) {
		t.Errorf("a run without a name: %v", err)
	}
}

// TestRunLargePart: what a part has done may be large, and is what was said first.
func TestRunLargePart(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	ctx := t.Context()
	must(t, s.BeginRun(ctx, "run", nil, 20))
	for part, size := range []int{0, 1, 60 << 10, 60<<10 + 1, 64 << 10, 300_000, 1 << 20} {
		for i := range 2 {
			if _, _, err := s.EndPart(ctx, "run", part, bytes.Repeat([]byte{byte('a' + i)}, size)); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
		}
	}
	_, done, _, _, bodies, err := s.Run(ctx, "run")
	if err != nil || done != 7 || len(bodies) != 7 {
		t.Fatalf("%d done, %d bodies, %v", done, len(bodies), err)
	}
	for part, size := range []int{0, 1, 60 << 10, 60<<10 + 1, 64 << 10, 300_000, 1 << 20} {
		if string(bodies[part]) != strings.Repeat("a", size) {
			t.Errorf("part %d of %d bytes comes back as %d bytes", part, size, len(bodies[part]))
		}
	}
	if err := s.BeginRun(ctx, "other", make([]byte, 70_000), 1); !errors.Is(err, dynamo.ErrTooLarge) {
		t.Errorf("a large beginning: %v", err)
	}
}

// TestRunCrash: a part that dies in the middle, and comes again, counts once and is there when it counts.
func TestRunCrash(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		for at := 1; at <= 5; at++ {
			name := table(t)
			s, _ := open(t, name)
			ctx := t.Context()
			must(t, s.BeginRun(ctx, "run", nil, 2))
			f := &fault{at: at, done: done, dies: true}
			dying, _ := open(t, name, through(f.wire), noRetries)
			_, _, err := dying.EndPart(ctx, "run", 1, bytes.Repeat([]byte("x"), 100_000))
			if f.happened != (err != nil) || f.happened != (at <= 4) {
				t.Fatalf("write %d: happened %v, %v", at, f.happened, err)
			}
			_, n, _, _, bodies, err := s.Run(ctx, "run")
			must(t, err)
			if len(bodies) != n || n == 1 && len(bodies[0]) != 100_000 {
				t.Errorf("write %d: %d parts are done, %d have said something", at, n, len(bodies))
			}
			if n, _, err := s.EndPart(ctx, "run", 1, bytes.Repeat([]byte("x"), 100_000)); err != nil || n != 1 {
				t.Errorf("write %d, again: %d done, %v", at, n, err)
			}
		}
	}
}

// TestRunMany: messages come twice and at one time. All parts are done for somebody, and one closes.
func TestRunMany(t *testing.T) {
	t.Parallel()
	name := table(t)
	a, _ := open(t, name)
	b, _ := open(t, name)
	const parts = 30
	must(t, a.BeginRun(t.Context(), "run", nil, parts))
	var firsts, completes atomic.Int64
	var wg sync.WaitGroup
	for i := range 2 * parts {
		wg.Go(func() {
			s := []*dynamo.Store{a, b}[i%2]
			done, all, err := s.EndPart(t.Context(), "run", i/2, []byte(fmt.Sprint(i/2)))
			if err != nil {
				t.Error(err)
			}
			if done == all {
				completes.Add(1)
				first, err := s.CloseRun(t.Context(), "run")
				if err != nil {
					t.Error(err)
				}
				if first {
					firsts.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if firsts.Load() != 1 || completes.Load() < 1 {
		t.Errorf("%d were the first of %d who saw all parts done", firsts.Load(), completes.Load())
	}
	_, done, _, closed, bodies, err := a.Run(t.Context(), "run")
	if err != nil || done != parts || !closed || len(bodies) != parts {
		t.Fatalf("%d done, closed %v, %d bodies, %v", done, closed, len(bodies), err)
	}
	for i, body := range bodies {
		if string(body) != fmt.Sprint(i) {
			t.Errorf("part %d said %q", i, body)
		}
	}
}

// TestPartDone: a message that comes twice is known by it.
func TestPartDone(t *testing.T) {
	t.Parallel()
	s, _ := open(t, table(t))
	ctx := t.Context()
	if _, err := s.PartDone(ctx, "run", 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
	must(t, s.BeginRun(ctx, "run", []byte("head"), 2))
	for part, want := range []bool{false, true} {
		if _, _, err := s.EndPart(ctx, "run", 1, nil); err != nil {
			t.Fatal(err)
		}
		if done, err := s.PartDone(ctx, "run", part); err != nil || done != want {
			t.Errorf("part %d: %v %v", part, done, err)
		}
	}
	for _, part := range []int{-1, 2} {
		if _, err := s.PartDone(ctx, "run", part); !errors.Is(err, dynamo.ErrNoPart) {
			t.Errorf("part %d: %v", part, err)
		}
	}
}

// TestClaimRun: one caller at a time tells the result, and another one may when its time is over.
func TestClaimRun(t *testing.T) {
	t.Parallel()
	now := storetest.Noon
	var mu sync.Mutex
	s, _ := open(t, table(t), func(o *dynamo.Options, _ *dynamodb.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	ctx := t.Context()
	if _, err := s.ClaimRun(ctx, "run", now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
	must(t, s.BeginRun(ctx, "run", nil, 1))
	claims := func() (n int) {
		var all sync.WaitGroup
		var got atomic.Int64
		for range 8 {
			all.Go(func() {
				ok, err := s.ClaimRun(ctx, "run", now.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if ok {
					got.Add(1)
				}
			})
		}
		all.Wait()
		return int(got.Load())
	}
	if n := claims(); n != 1 {
		t.Errorf("%d claimed it", n)
	}
	if n := claims(); n != 0 {
		t.Errorf("%d claimed it while another one is at it", n)
	}
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if n := claims(); n != 1 {
		t.Errorf("%d claimed it when the time of the first was over", n)
	}
	if _, err := s.CloseRun(ctx, "run"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	if n := claims(); n != 0 {
		t.Errorf("%d claimed a run that is closed", n)
	}
}

// TestTTL: runs go by themselves after thirty days, and nothing else ever does.
func TestTTL(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name, func(o *dynamo.Options, _ *dynamodb.Options) { o.Now = func() time.Time { return storetest.Noon } })
	ctx := t.Context()
	fillAll(t, s)
	must(t, s.BeginRun(ctx, "run", nil, 2))
	_, _, err := s.EndPart(ctx, "run", 1, make([]byte, 100_000))
	must(t, err)
	_, err = s.CloseRun(ctx, "run")
	must(t, err)
	var start map[string]types.AttributeValue
	kinds := map[string]int{}
	for {
		out, err := server.Client().Scan(ctx, &dynamodb.ScanInput{TableName: &name, ExclusiveStartKey: start})
		must(t, err)
		for _, it := range out.Items {
			kind := str(it[dynamo.AttrKind])
			kinds[kind]++
			ttl, has := it[dynamo.AttrTTL].(*types.AttributeValueMemberN)
			of := strings.HasPrefix(str(it["pk"]), "run#")
			if has != of || has && ttl.Value != strconv.FormatInt(storetest.Noon.Add(dynamo.RunTTL).Unix(), 10) {
				t.Errorf("a %s, %s: ttl %v", kind, str(it["pk"]), ttl)
			}
		}
		if start = out.LastEvaluatedKey; len(start) == 0 {
			break
		}
	}
	for _, kind := range []string{"rotation", "history", "episode", "key", "snapshot", "chunk", "exemption", "request", "state", "run", "part"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s, so nothing is shown", kind)
		}
	}
	if len(kinds) != 11 {
		t.Errorf("kinds %v", kinds)
	}
}
