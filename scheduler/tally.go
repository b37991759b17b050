package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// mostFailures is how many sentences about single users a report has; the rest is counted.
const mostFailures = 20

// reported is what people are told of the account.
func (c *scan) reported(rows []ReportRow, snap rotation.Snapshot, all []*sight) AccountReport {
	rep := AccountReport{Account: c.account, At: c.now, Since: c.before.Taken, RootKeys: snap.RootKeys}
	for _, row := range rows {
		if row.User != root {
			rep.Users++
		}
	}
	for _, u := range snap.Users {
		rep.count(c.account, u, c.o.Rules, c.now)
	}
	var uncovered []rotation.UserName
	for _, v := range all {
		rep.Findings = append(rep.Findings, v.findings...)
		rep.Reminders = append(rep.Reminders, v.reminders...)
		rep.Failures = append(rep.Failures, v.failures...)
		if v.exempt {
			rep.Exempt++
		}
		if v.uncovered {
			uncovered = append(uncovered, v.user.Name)
		}
	}
	if n := len(rep.Failures) - mostFailures; n > 0 {
		rep.Failures = append(rep.Failures[:mostFailures:mostFailures], fmt.Sprintf("There was trouble with %d users more; the log has it.", n))
	}
	if len(uncovered) > 0 {
		rep.Failures = append(rep.Failures, fmt.Sprintf("No rule of the policy says who may decide on the keys of %s, so nothing is done about them. Add a rule that covers them.", names(uncovered)))
	}
	rep.divide(slices.Collect(maps.Values(c.rotations)))
	return rep
}

// divide sorts rotations into open ones and those closed since the run before.
func (rep *AccountReport) divide(rotations []*rotation.Rotation) {
	slices.SortFunc(rotations, byID)
	open := 0
	for _, r := range rotations {
		if r.Open() {
			open++
		}
	}
	rep.Open = make([]rotation.Rotation, 0, open)
	for _, r := range rotations {
		switch {
		case r.Open():
			rep.Open = append(rep.Open, *r)
		case r.ClosedAt.After(rep.Since):
			rep.Closed = append(rep.Closed, *r)
		}
	}
	if open == 0 {
		rep.Open = nil
	}
}

func byID(a, b *rotation.Rotation) int { return strings.Compare(string(a.ID), string(b.ID)) }

// count adds the keys of a user.
func (rep *AccountReport) count(a Account, u rotation.User, rules approval.Rules, now time.Time) {
	rep.Keys += len(u.Keys)
	p, _, ok := rules.For(targetOf(a, u))
	for _, k := range u.Keys {
		rep.Stock.key(k, now)
		if ok && k.Status == rotation.Active && !k.Created.IsZero() && !now.Before(k.Created.Add(p.RotateAfter)) {
			rep.OverAge++
		}
	}
}

func targetOf(a Account, u rotation.User) approval.Target {
	return approval.Target{Account: a.ID, OUPath: a.OUPath, UserName: u.Name, UserPath: u.Path, Tags: u.Tags}
}
