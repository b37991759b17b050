package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// result is what a run did in one account. What was saved counts even if the scan failed afterwards.
type result struct {
	Part
	done    bool
	report  AccountReport
	changed []rotation.ID // rotations of which people should hear
}

// account scans one account, again after a failure that may pass, and reports it.
func (r *run) account(ctx context.Context, a Account) *result {
	res := &result{Part: Part{Account: a}}
	log := r.o.Log.With("account", a.ID)
	var err error
	for {
		res.Attempts++
		if err = r.guard(func() error { return r.scan(ctx, a, res) }); err == nil || ctx.Err() != nil {
			break
		}
		log.Warn("scan of the account failed", "attempt", res.Attempts, "error", err)
		if res.Attempts >= tries(err) || r.o.Wait(ctx, backoff(res.Attempts)) != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, ErrOutOfTime):
		return res // cut off: too little is known of the account
	case err == nil:
		res.done = true
		log.Info("account scanned", "users", res.report.Users, "keys", res.report.Keys, "over_age", res.report.OverAge, "opened", res.Opened,
			"refreshed", res.Refreshed, "closed", res.Closed, "findings", len(res.report.Findings), "failures", len(res.report.Failures))
	default:
		res.Failed = sentence(err)
		log.Error("account not scanned", "attempts", res.Attempts, "error", err)
		r.failed(ctx, res, err)
	}
	r.report(ctx, res)
	res.figures()
	return res
}

// tries is how often a scan is tried that ended with err.
func tries(err error) int {
	switch {
	case errors.Is(err, ErrOutOfTime):
		return 1
	case errors.Is(err, ErrUnreachable):
		return 2 // a role that is not there does not appear while we wait
	case errors.Is(err, ErrNotReady):
		return 2 // the report was waited for already
	default:
		return 3
	}
}

// backoff is the pause after the n-th failure.
func backoff(n int) time.Duration { return min(5*time.Second<<(n-1), time.Minute) }

// trouble is an error with a sentence for a person, who never sees the error itself.
type trouble struct {
	say string
	err error
}

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

// because names what was being done for the log, and what to do for a person.
func because(err error, doing, say string) error {
	return &trouble{say: say, err: fmt.Errorf("%s: %w", doing, err)}
}

// sentence says to a person what happened and what to do.
func sentence(err error) string {
	t, ok := errors.AsType[*trouble](err)
	switch {
	case errors.Is(err, ErrUnreachable):
		return "keyturn's role in this account cannot be assumed. Deploy the member role there (the StackSet does), check that it trusts keyturn, or exclude the account."
	case errors.Is(err, ErrNotReady):
		return "AWS did not finish the account's credential report in time. The next scan tries again."
	case ok:
		return t.say
	default:
		return "Something unexpected happened; the log has it. The next scan tries again."
	}
}

// failed keeps what is known of an account that could not be scanned: the snapshot says since when, rotations of an account
// that cannot be reached stand still, and the owner still gets a report.
func (r *run) failed(ctx context.Context, res *result, cause error) {
	a, now := res.Account, r.o.Now()
	log := r.o.Log.With("account", a.ID)
	snap, err := r.o.Store.GetSnapshot(ctx, a.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		log.Error("snapshot not read", "error", err)
	} else {
		since := snap.Taken
		snap.Account, snap.Name, snap.Email, snap.OUPath = a.ID, a.Name, a.Email, a.OUPath
		snap.Tried, snap.Error = now, res.Failed
		if !r.dry {
			if err := r.o.Store.SaveSnapshot(ctx, snap); err != nil {
				log.Error("snapshot not saved", "error", err)
			}
		}
		res.report = AccountReport{Since: since, RootKeys: snap.RootKeys, Users: len(snap.Users)}
	}
	if errors.Is(cause, ErrUnreachable) && !r.dry {
		ids, err := r.freeze(ctx, a.ID, "the account cannot be reached")
		res.changed = append(res.changed, ids...)
		if err != nil {
			log.Error("rotations not frozen; the next scan tries again", "error", err)
		}
	}
	rotations, err := r.rotationsOf(ctx, a.ID)
	if err != nil {
		log.Error("rotations not read", "error", err)
	}
	res.report.Account, res.report.At = a, now
	res.report.Failures = []string{"The account could not be scanned. " + res.Failed}
	known := make([]*rotation.Rotation, len(rotations))
	for i := range rotations {
		known[i] = &rotations[i]
	}
	res.report.divide(known)
	for _, u := range snap.Users {
		res.report.count(a, u, r.o.Rules, now)
	}
}

// report mails the account's owner. What fails here is noted and fails nothing else.
func (r *run) report(ctx context.Context, res *result) {
	if r.dry {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	if err := r.guard(func() error { return r.o.Teller.AccountDone(ctx, res.report) }); err != nil {
		r.o.Log.Error("report of the account not sent", "account", res.Account.ID, "error", err)
		res.Untold = fmt.Sprintf("The report about account %s could not be sent to its owner.", res.Account.ID)
	}
}
