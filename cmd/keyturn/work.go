package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

type serveCmd struct{}

// Run serves until the process is told to stop.
func (serveCmd) Run(e *environment) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	err = a.Serve(e.ctx, func(at net.Addr) {
		fmt.Fprintf(e.out, "keyturn answers Slack on http://%s (Ctrl-C ends it)\n", at)
	})
	return errors.Join(err, a.Close())
}

type scanCmd struct {
	Account []string `help:"Scan only this account (its 12 digits). May be repeated."`
	DryRun  bool     `help:"Change nothing, tell nobody: only say what would be done."`
	JSON    bool     `help:"Print the summary as JSON."`
}

// Run scans once.
func (c scanCmd) Run(e *environment) error {
	var only []rotation.AccountID
	for _, s := range c.Account {
		id, err := rotation.ParseAccountID(s)
		if err != nil {
			return fmt.Errorf("%w: --account: %w", errUsage, err)
		}
		only = append(only, id)
	}
	a, err := e.open(app.Options{Progress: func(done, total int, acct scheduler.Account) {
		fmt.Fprintf(e.err, "scanned %d of %d: %s %s\n", done, total, acct.ID, acct.Name)
	}})
	if err != nil {
		return err
	}
	s, err := a.Scan(e.ctx, scheduler.RunOptions{Only: only, DryRun: c.DryRun})
	a.Drain()
	if cerr := a.Close(); err == nil {
		err = cerr
	}
	if perr := c.print(e, s); err == nil {
		err = perr
	}
	if err == nil && len(s.Failed) > 0 {
		return fmt.Errorf("%d accounts could not be scanned; the others were", len(s.Failed))
	}
	return err
}

func (c scanCmd) print(e *environment, s scheduler.Summary) error {
	if c.JSON {
		return writeJSON(e.out, s)
	}
	would := ""
	if c.DryRun {
		would = " (dry run: nothing was changed)"
	}
	fmt.Fprintf(e.out, "%d accounts, %d users, %d keys; %d keys past their age%s\n", s.Accounts, s.Users, s.Keys, s.OverAge, would)
	if c.DryRun {
		fmt.Fprintf(e.out, "%d findings\n", s.Findings)
	} else {
		fmt.Fprintf(e.out, "opened %d, refreshed %d, closed %d, only reported %d\n", s.Opened, s.Refreshed, s.Closed, s.Findings)
	}
	for _, r := range s.Reports {
		for _, f := range r.Findings {
			fmt.Fprintf(e.out, "finding  %s %s: %s\n", r.Account.ID, f.User.Name, templates.Would(f.Policy, f.Proposal))
		}
	}
	for _, p := range s.Problems {
		fmt.Fprintf(e.out, "PROBLEM  %s\n", p)
	}
	for _, f := range s.Failed {
		fmt.Fprintf(e.out, "FAILED   %s %s: %s (%d attempts)\n", f.Account.ID, f.Account.Name, f.Error, f.Attempts)
	}
	for _, k := range s.Skipped {
		fmt.Fprintf(e.out, "skipped  %s %s: %s\n", k.Account.ID, k.Account.Name, k.Why)
	}
	for _, id := range s.RootKeys {
		fmt.Fprintf(e.out, "ROOT KEY %s: the root user has an active access key. Delete it by hand; keyturn never touches it\n", id)
	}
	return nil
}

type tickCmd struct{}

// Run carries out what is due, once.
func (tickCmd) Run(e *environment) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	n, err := a.Scheduler.Tick(e.ctx)
	a.Drain()
	what := "looked at"
	if a.Config.Store.DynamoDB != "" {
		what = "handed to the rotator's function"
	}
	fmt.Fprintf(e.out, "%d rotations were due and %s\n", n, what)
	return errors.Join(err, a.Close())
}

type doctorCmd struct {
	All   bool   `help:"Look at every account, and not only at a sample of ten."`
	Queue string `help:"URL of the queue of accounts to scan, to look at it too." env:"KEYTURN_QUEUE_URL"`
	JSON  bool   `help:"Print the checks as JSON Lines."`
}

// Run checks everything outside.
func (c doctorCmd) Run(e *environment) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	enc := json.NewEncoder(e.out)
	ok := a.Doctor(e.ctx, app.DoctorOptions{All: c.All, Queue: c.Queue}, func(k app.Check) {
		switch {
		case c.JSON:
			_ = enc.Encode(k)
		case k.OK:
			fmt.Fprintf(e.out, "ok      %-40s %s\n", k.Name, k.Text)
		default:
			fmt.Fprintf(e.out, "FAILED  %-40s %s\n        → %s\n", k.Name, k.Text, k.Mend)
		}
	})
	if err := a.Close(); err != nil {
		return err
	}
	if !ok {
		return errors.New("not everything is in order: see FAILED above")
	}
	return nil
}

// ago is a date for a table.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02")
}
