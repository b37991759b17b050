// Package pause waits between tries. It knows nothing but time, and who waits gives it as a function, so that tests need not.
package pause

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends; then it returns the context's error.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
