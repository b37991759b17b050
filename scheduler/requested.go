package scheduler

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// ErrNothingToOpen: a request cannot be served, and trying again at once is no use. The rest of the error is a sentence.
var ErrNothingToOpen = errors.New("nothing to open")

// Requested serves one request at once, without the daily scan: the user is read live, the rotation opened and its notice
// sent. ErrNothingToOpen; such a request stays for the next scan, whose report says so to people. A request that was served
// already is no error.
func (s *Scheduler) Requested(ctx context.Context, q rotation.Request) error {
	inv, err := s.inventory(ctx, []rotation.AccountID{q.Account})
	if err != nil {
		return err
	}
	if len(inv.scan) == 0 {
		return fmt.Errorf("%w: account %s is not scanned: %s", ErrNothingToOpen, q.Account, inv.skipped[0].Why)
	}
	c, err := (&run{Scheduler: s}).enter(ctx, inv.scan[0])
	if err != nil {
		return err
	}
	v := &sight{row: ReportRow{User: q.UserName}, last: c.lastOf(q.UserID)}
	no, err := c.serve(ctx, v, q)
	if err != nil {
		return err
	}
	if no != "" {
		return fmt.Errorf("%w: %s", ErrNothingToOpen, no)
	}
	c.dropRequest(ctx, q)
	if len(v.changed) == 0 {
		return nil
	}
	if err := s.guard(func() error { return s.o.Teller.Opened(ctx, v.changed) }); err != nil {
		s.o.Log.Error("notice not sent; the tick tells what is left", "rotation", v.changed[0], "error", err)
	}
	return nil
}
