package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// readRequests reads what people asked for, by account, the oldest first.
func (s *Scheduler) readRequests(ctx context.Context) (map[rotation.AccountID][]rotation.Request, error) {
	all, err := pages(func(p store.Page) ([]rotation.Request, string, error) { return s.o.Store.ListRequests(ctx, p) })
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	slices.SortStableFunc(all, func(a, b rotation.Request) int {
		if (a.Leaked != "") != (b.Leaked != "") { // what is urgent comes first
			return strings.Compare(string(b.Leaked), string(a.Leaked))
		}
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.UserID, b.UserID))
	})
	out := map[rotation.AccountID][]rotation.Request{}
	for _, q := range all {
		out[q.Account] = append(out[q.Account], q)
	}
	return out, nil
}

// serveAll serves the requests for users of the account. A request is removed once it is served, or once it is clear that
// it cannot be; where reading failed it stays for the next scan.
func (c *scan) serveAll(ctx context.Context) []*sight {
	var out []*sight
	for _, q := range c.requests[c.account.ID] {
		if ctx.Err() != nil {
			break
		}
		v := &sight{row: ReportRow{User: q.UserName}, last: c.lastOf(q.UserID)}
		out = append(out, v)
		no, err := c.serve(ctx, v, q)
		c.take(out[len(out)-1:])
		c.asked[q.UserID] = err == nil && no == ""
		if err != nil {
			c.o.Log.Error("request not served; the next scan tries again", "account", q.Account, "user", q.UserName, "error", err)
			v.failures = append(v.failures, fmt.Sprintf("The rotation of user %s that %s asked for could not be opened. The next scan tries again.", q.UserName, q.By))
			v.err = err
			continue
		}
		if no != "" {
			c.o.Log.Info("request dropped", "account", q.Account, "user", q.UserName, "actor", q.By.ID, "why", no)
			v.failures = append(v.failures, fmt.Sprintf("The rotation of user %s that %s asked for was not opened: %s.", q.UserName, q.By, no))
		}
		c.dropRequest(ctx, q)
	}
	return out
}

// dropRequest removes a request. If that fails the next scan finds it served and removes it then.
func (c *scan) dropRequest(ctx context.Context, q rotation.Request) {
	if c.dry {
		return
	}
	if err := c.o.Store.DeleteRequest(ctx, q); err != nil {
		c.o.Log.Error("request not removed; the next scan tries again", "account", q.Account, "user", q.UserName, "error", err)
	}
}

// serve opens the rotation that a person asked for. no says why there is nothing to open, as the end of a sentence. A user
// who has an open rotation is served already.
func (c *scan) serve(ctx context.Context, v *sight, q rotation.Request) (no string, err error) {
	for try := 1; ; try++ {
		err = c.guard(func() error { no, err = c.serveOnce(ctx, v, q); return err })
		if !errors.Is(err, store.ErrConflict) || try == 2 {
			return no, err
		}
		r, err := c.o.Store.GetRotation(ctx, rotation.MakeID(q.Account, q.UserID))
		if err != nil {
			return "", fmt.Errorf("read the rotation again: %w", err)
		}
		v.last = &r
	}
}

func (c *scan) serveOnce(ctx context.Context, v *sight, q rotation.Request) (no string, err error) {
	if q.Leaked != "" && v.last != nil && v.last.Open() {
		return c.reportLeak(ctx, v, q)
	}
	if v.last != nil && v.last.Open() {
		return "", nil
	}
	v.live.user, v.live.keys, v.live.uses = false, false, false
	switch found, err := c.findRequested(ctx, v, q); {
	case err != nil:
		return "", err
	case !found:
		return "the user is gone", nil
	}
	s, covered := c.subject(v)
	v.failures = nil
	if q.Leaked != "" {
		return c.openLeaked(ctx, v, s, q)
	}
	switch {
	case !covered:
		return "no rule of the policy says who may decide", nil
	case c.left(v.user) != "":
		return c.left(v.user), nil
	case s.Policy.Mode == rotation.ModeAudit:
		return "the policy for the user only reports (mode audit)", nil
	}
	p, ok := c.wanted(v, s, true)
	if !ok || p.Reason == rotation.LeftoverInactiveKey {
		return "the user has no active key to rotate", nil
	}
	opened := v.opened
	if err := c.open(ctx, v, s, p, q.By, q.Why); err != nil {
		return "", err
	}
	if v.opened == opened && v.exempt {
		return "the user was exempted", nil
	}
	return "", nil
}

// findRequested reads the user live: under the name of the last scan, that of the request, or, after a rename, the one that
// goes with its ID now.
func (c *scan) findRequested(ctx context.Context, v *sight, q rotation.Request) (bool, error) {
	var before rotation.User
	for _, u := range c.before.Users {
		if u.ID == q.UserID {
			before = u
		}
	}
	for _, name := range []rotation.UserName{before.Name, q.UserName} {
		if found, err := c.isUser(ctx, v, name, q.UserID); found || err != nil {
			return found, err
		}
	}
	name, err := c.iam.FindUser(ctx, q.UserID)
	if errors.Is(err, ErrNoSuchUser) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for user %s: %w", q.UserName, err)
	}
	return c.isUser(ctx, v, name, q.UserID)
}

// isUser reads everything of the user of that name, if it is the one with the ID.
func (c *scan) isUser(ctx context.Context, v *sight, name rotation.UserName, id rotation.UserID) (bool, error) {
	if name == "" {
		return false, nil
	}
	err := c.readUser(ctx, v, name)
	switch {
	case errors.Is(err, ErrNoSuchUser):
		return false, nil
	case err != nil:
		return false, err
	case v.user.ID != id:
		return false, nil
	}
	return true, c.readLive(ctx, v)
}
