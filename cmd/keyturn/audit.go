package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/audit"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

type auditCmd struct {
	Verify verifyCmd `cmd:"" help:"Walk every chain of history and say what was changed, removed or reordered."`
	Export exportCmd `cmd:"" help:"Write every entry of history as JSON Lines or CSV."`
	Anchor anchorCmd `cmd:"" help:"Sign the heads of all chains now, if today's anchor is not made yet."`
}

type verifyCmd struct {
	Since string `help:"Leave out what is wrong with anchors of days before this one (2006-01-02, UTC). Chains are walked whole." placeholder:"DATE"`
	JSON  bool   `help:"One JSON object."`
}

// Run verifies. Its exit status is 1 if anything is wrong.
func (c verifyCmd) Run(e *environment) error {
	since, err := momentOf("--since", c.Since)
	if err == nil && since.After(e.now()) {
		err = fmt.Errorf("--since %s has not come yet", c.Since)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	res, err := a.VerifyAudit(e.ctx, e.walked)
	if err = errors.Join(err, a.Close()); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if !since.IsZero() {
		res = res.Since(since)
	}
	if c.JSON {
		err = writeJSON(e.out, res)
	} else {
		err = c.print(e.out, res)
	}
	if err == nil && !res.OK() {
		err = fmt.Errorf("%s. Keep the store as it is, export the history, and compare it with the log and with CloudTrail", many(len(res.Findings), "finding", "findings"))
	}
	return err
}

// print prints a result for people. What it names may come from whoever changed the store, and controls no terminal.
func (verifyCmd) print(w io.Writer, res audit.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s with %s walked.\n", many(res.Chains, "chain", "chains"), many(res.Entries, "entry was", "entries were"))
	if res.First != "" {
		fmt.Fprintf(&b, "Anchors from %s to %s: %s read.\n", res.First, res.Last, many(res.Anchors, "was", "were"))
	}
	if sum := res.Digests[res.Last]; sum != "" {
		fmt.Fprintf(&b, "The last one has the digest %s.\n", sum)
	}
	for _, f := range res.Findings {
		fmt.Fprintf(&b, "✗ %s: %s\n", templates.Clean(f.Chain), templates.Clean(f.What))
	}
	if res.OK() {
		b.WriteString("✓ Nothing was changed, removed or reordered, as far as this can be seen.\n")
	}
	for _, s := range res.Open {
		fmt.Fprintf(&b, "! %s\n", templates.Clean(s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// many is a number with its word.
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}

// walked says how far a walk is.
func (e *environment) walked(chains int) { fmt.Fprintf(e.err, "%d chains …\n", chains) }

type exportCmd struct {
	Format  string `help:"jsonl or csv." enum:"jsonl,csv" default:"jsonl"`
	From    string `help:"From this day or time on, included: 2006-01-02 (UTC) or RFC 3339."`
	Until   string `help:"Up to this day or time, excluded."`
	Account string `help:"Only this account (12 digits)."`
	Owner   string `help:"Only keys of this owner (e-mail address or Slack user ID)."`
	Actor   string `help:"Only what this person did (e-mail address, Slack user ID or name)."`
	Event   string `help:"Only this event, such as approve."`
	Key     string `help:"Only the rotation of this key (access key ID)."`
	Output  string `help:"The file to write; it must not exist. Default: standard output." short:"o" type:"path"`
}

// Run exports.
func (c exportCmd) Run(e *environment) error {
	q, err := c.query()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	return errors.Join(c.write(e, func(w io.Writer) (int, error) {
		return a.ExportAudit(e.ctx, q, audit.Format(c.Format), w, e.walked)
	}), a.Close())
}

func (c exportCmd) query() (audit.Query, error) {
	q := audit.Query{Owner: ownerOf(c.Owner), Actor: c.Actor, Event: c.Event}
	var err error
	if q.From, err = momentOf("--from", c.From); err != nil {
		return q, err
	}
	if q.Until, err = momentOf("--until", c.Until); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.Until.IsZero() && !q.From.Before(q.Until) {
		return q, fmt.Errorf("--from %s is not before --until %s", c.From, c.Until)
	}
	if c.Account != "" {
		if q.Account, err = rotation.ParseAccountID(c.Account); err != nil {
			return q, fmt.Errorf("--account: %w", err)
		}
	}
	if c.Key != "" {
		if q.Key, err = rotation.ParseKeyID(c.Key); err != nil {
			return q, fmt.Errorf("--key: %w", err)
		}
	}
	return q, nil
}

// momentOf reads a day or a time of a flag.
func momentOf(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no day like 2026-01-31 and no time like 2026-01-31T08:00:00Z", flag, s)
}

// write writes to standard output, or to a new file that only its owner can read.
func (c exportCmd) write(e *environment, export func(io.Writer) (int, error)) error {
	if c.Output == "" {
		n, err := export(e.out)
		if err == nil && n == 0 {
			fmt.Fprintln(e.err, "keyturn: no entry is within these filters")
		}
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists, and an export never overwrites a file. Name another one with -o", c.Output)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	n, err := export(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s is not complete: %w", c.Output, err)
	}
	fmt.Fprintf(e.err, "%s written to %s\n", many(n, "entry", "entries"), c.Output)
	return nil
}

type anchorCmd struct{}

// Run makes today's anchor.
func (anchorCmd) Run(e *environment) error {
	a, err := e.open(app.Options{})
	if err != nil {
		return err
	}
	return errors.Join(anchor(e.ctx, e.out, a), a.Close())
}

func anchor(ctx context.Context, w io.Writer, a *app.App) error {
	day, made, err := a.AnchorAudit(ctx)
	if errors.Is(err, audit.ErrNoMAC) {
		return fmt.Errorf("%w. Make an HMAC key in KMS (usage GENERATE_VERIFY_MAC) and name it there", err)
	}
	if err != nil {
		return err
	}
	_, sum, err := audit.Head(ctx, a.Store)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("The chains are anchored for %s (UTC).", day)
	if !made {
		text = fmt.Sprintf("The anchor of %s (UTC) was made already; the next one can be made tomorrow.", day)
	}
	_, err = fmt.Fprintf(w, "%s\nIts digest, to be kept where whoever writes the store does not reach: %s\n", text, sum)
	return err
}
