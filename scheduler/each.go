package scheduler

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/keyturn/keyturn/internal/store"
)

// each calls do for 0 to n-1, at most workers at a time, and waits for them. Once ctx ends it begins no more.
func each(ctx context.Context, workers, n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(workers, n) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	all.Wait()
}

// guard turns a panic of do into an error: one bad record must not take everything else down, scan after scan.
func (s *Scheduler) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// pages reads a whole list.
func pages[T any](list func(store.Page) ([]T, string, error)) ([]T, error) {
	var out []T
	page := store.Page{Limit: store.MaxPage}
	for {
		some, next, err := list(page)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
		if next == "" || next == page.After {
			return out, nil
		}
		page.After = next
	}
}
