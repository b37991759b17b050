package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

type statusCmd struct {
	Account string `help:"Only this account."`
	Owner   string `help:"Only this owner (e-mail address or Slack user ID)."`
	All     bool   `help:"Closed rotations too."`
	JSON    bool   `help:"One JSON object a line."`
}

// Run lists rotations.
func (c statusCmd) Run(e *environment) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	return errors.Join(c.list(e, a.Store), a.Close())
}

func (c statusCmd) list(e *environment, s app.Store) error {
	filter := store.Filter{OpenOnly: !c.All, Account: rotation.AccountID(c.Account), Owner: ownerOf(c.Owner)}
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	enc := json.NewEncoder(e.out)
	if !c.JSON {
		fmt.Fprintln(w, "KEY\tUSER\tACCOUNT\tSTATE\tSINCE\tNEXT\tOWNER")
	}
	n, page := 0, store.Page{}
	for {
		rs, next, err := s.ListRotations(e.ctx, filter, page)
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for _, r := range rs {
			n++
			if c.JSON {
				if err := enc.Encode(r); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Old.ID, r.UserName, r.Account, stateOf(r), date(r.Since), nextOf(r), r.Owner)
		}
		if next == "" {
			break
		}
		page.After = next
	}
	if c.JSON {
		return nil
	}
	if n == 0 {
		fmt.Fprintln(w, "nothing is open: every key that was scanned is within its policy, exempt or rejected for now")
	}
	return w.Flush()
}

// ownerOf is an owner as rotations have it: addresses in lower case, Slack user IDs as they are.
func ownerOf(s string) string {
	if strings.Contains(s, "@") {
		return strings.ToLower(s)
	}
	return s
}

// stateOf is the state and what stands beside it.
func stateOf(r rotation.Rotation) string {
	s := string(r.State)
	if r.State == rotation.Closed {
		s += " (" + string(r.Outcome) + ")"
	}
	for flag, on := range map[string]bool{"stuck": r.Stuck != nil, "held": r.Held != nil, "snoozed": !r.SnoozedUntil.IsZero(), "unreachable": r.Frozen != nil} {
		if on {
			s += ", " + flag
		}
	}
	return s
}

func nextOf(r rotation.Rotation) string {
	step, at := r.Next()
	if step == rotation.StepNone {
		return ""
	}
	return strings.ReplaceAll(string(step), "_", " ") + " " + at.UTC().Format(time.DateOnly)
}

type messagesCmd struct{}

// Run prints the catalogue of messages.
func (messagesCmd) Run(e *environment) error {
	for _, s := range templates.Catalogue() {
		fmt.Fprintf(e.out, "━━ %s\n\n%s\n\n", s.Name, s.Plain())
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
