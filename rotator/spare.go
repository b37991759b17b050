package rotator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// ErrOutOfTime: a Wake stopped between two steps because the time of its context was nearly over. Waking the rotation again
// goes on from there.
var ErrOutOfTime = errors.New("stopped before the time was over")

// enough says whether there is time to begin something: a step that is begun should not be cut off by the end of ctx. The
// deadline of a context runs on the protocol clock.
func (w *Rotator) enough(ctx context.Context, id rotation.ID, what string) error {
	end, limited := ctx.Deadline()
	if !limited || w.o.Spare <= 0 {
		return nil
	}
	if left := end.Sub(w.o.Real()); left < w.o.Spare {
		return fmt.Errorf("%s of %s: %v are left, and it may take %v: %w", what, id, left.Round(time.Millisecond), w.o.Spare, ErrOutOfTime)
	}
	return nil
}
