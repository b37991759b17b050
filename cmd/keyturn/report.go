package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

type reportCmd struct {
	Since sinceFlag `help:"The period: so long until now, like 30d." default:"30d" placeholder:"TIME"`
	where
	JSON bool `help:"Print the report as JSON; its durations are nanoseconds."`
}

// Run counts how the keys stand and what became of them.
func (c reportCmd) Run(e *environment) error { return e.look(c.show) }

func (c reportCmd) show(v *view) error {
	s, err := v.scope(c.where, store.Filter{})
	if err != nil {
		return err
	}
	now := v.now()
	since := now.Add(-time.Duration(c.Since))
	count := report.NewBuilder(v.rules, since, now)
	accounts, err := counted(v, count, s, since)
	var missing error // what could not be read; the rest is reported all the same
	if unread := (*store.Unread)(nil); errors.As(err, &unread) {
		missing, err = fmt.Errorf("the figures are too low: %w", err), nil
	}
	if err != nil {
		return err
	}
	if accounts == 0 {
		switch err := v.known(s); {
		case errors.Is(err, errNotScanned) && !c.JSON:
			return v.nothing(s, false, "there is nothing to report", "")
		case errors.Is(err, errNotScanned):
			v.note("%v", err)
		case err != nil:
			return err
		}
	}
	var points []report.Point
	if c.where.empty() { // the burn-down is of the whole organization
		state, err := v.store.GetState(v.ctx, report.StateKey)
		if err == nil {
			points, err = report.ParsePoints(state)
		}
		if err != nil {
			missing = errors.Join(missing, fmt.Errorf("the burn-down is left out: %w", err))
		}
		points = slices.DeleteFunc(points, func(p report.Point) bool { return p.Day < date(since) })
	}
	rep := count.Report(points)
	if c.JSON {
		return errors.Join(writeJSON(v.out, rep), missing)
	}
	_, err = forTerminal.WriteString(v.out, templates.Plain(templates.AnswerReport(templates.ReportView{Report: rep, Filter: c.where.String(), Plain: true})))
	return errors.Join(err, missing)
}

// forTerminal takes out what only Slack draws, and templates.Plain leaves.
var forTerminal = strings.NewReplacer("```", "", "`", "", ":warning:", "⚠")

// counted hands everything that is in the scope to the builder, and returns from how many accounts. What takes long says on
// standard error how far it is.
func counted(v *view, count *report.Builder, s scope, since time.Time) (accounts int, err error) {
	users := map[rotation.ID]bool{}
	seen := 0
	if err := v.eachSnapshot(func(in rotation.Snapshot) error {
		if seen++; seen%store.DefaultPage == 0 {
			v.note("counted the keys of %d accounts", seen)
		}
		if !s.hasPlace(in) {
			return nil
		}
		in.Users = slices.DeleteFunc(slices.Clone(in.Users), func(u rotation.User) bool { return !s.ownedBy(v.ownerOf(in, u)) })
		if s.Owner != "" {
			in.RootKeys = 0 // nobody's
		}
		for _, u := range in.Users {
			users[rotation.MakeID(in.Account, u.ID)] = true
		}
		if len(in.Users) > 0 || s.Owner == "" {
			accounts++
			count.Snapshot(in)
		}
		return nil
	}); err != nil {
		return accounts, err
	}
	before := map[rotation.ID]int{} // users who may have had another rotation in the period, and which one was counted
	read := 0
	unread := v.eachRotation(s.in, func(r rotation.Rotation) error {
		if !s.has(r) {
			return nil
		}
		count.Rotation(r)
		if r.Episode > 1 && r.Opened.After(since) {
			before[r.ID] = r.Episode
		}
		if read++; read%store.MaxPage == 0 {
			v.note("counted %d rotations", read)
		}
		return nil
	}, func() error { return nil })
	if some := (*store.Unread)(nil); unread != nil && !errors.As(unread, &some) {
		return accounts, unread
	}
	for id, episode := range before {
		all, err := v.before(id, episode)
		if err != nil {
			return accounts, err
		}
		for _, r := range all {
			count.Rotation(r)
		}
	}
	if err := v.eachExemption(s.in.Account, func(e rotation.Exemption) {
		if s.empty() || users[rotation.MakeID(e.Account, e.UserID)] {
			count.Exemption(e)
		}
	}); err != nil {
		return accounts, err
	}
	return accounts, unread
}
