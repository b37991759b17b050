package pause

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestFor: a pause ends by itself, or with its context, whatever its length.
func TestFor(t *testing.T) {
	if err := For(t.Context(), time.Nanosecond); err != nil {
		t.Errorf("a pause that is over: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := For(ctx, 1000*time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a pause whose context ended: %v", err)
	}
}
