// Package pause waits between tries. It knows nothing but time, and who waits gives it as a function, so that tests need not.
package pause

import (
	"context"
	"errors"
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

// Asked is how long somebody asked to be left alone, as an error says that carries it; 0 if none does.
func Asked(err error) time.Duration {
	var e interface{ RetryIn() time.Duration }
	if errors.As(err, &e) {
		return e.RetryIn()
	}
	return 0
}
