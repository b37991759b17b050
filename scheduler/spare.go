package scheduler

import (
	"context"
	"errors"

	"github.com/keyturn/keyturn/internal/rotation"
)

// ErrOutOfTime: a scan stopped between two users because the time of its context was nearly over. What it saw is saved, and
// the next scan of the account goes on from there.
var ErrOutOfTime = errors.New("stopped before the time was over")

// enough returns a context that ends Options.Spare before ctx does: until then one may begin something, and finish it under
// ctx. A context without an end is enough as it is.
func (s *Scheduler) enough(ctx context.Context) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited || s.o.Spare <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-s.o.Spare))
}

// unseen counts the rows that users left out because the time was nearly over, and returns what the snapshot before knows of
// them: it stays as it is, so that the next scan compares with it.
func (c *scan) unseen(rows []ReportRow, seen []*sight) (n int, known []rotation.User) {
	looked := map[rotation.UserName]bool{root: true}
	for _, v := range seen {
		looked[v.row.User] = true
	}
	for _, row := range rows {
		if looked[row.User] {
			continue
		}
		n++
		if u, ok := c.known[row.User]; ok {
			known = append(known, u)
		}
	}
	return n, known
}
