package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Line is one entry as it is written out.
type Line struct {
	Chain   string             `json:"chain"`
	Seq     int                `json:"seq"`
	At      time.Time          `json:"at"`
	Account rotation.AccountID `json:"account,omitempty"`
	User    rotation.UserName  `json:"user,omitempty"`
	Key     rotation.KeyID     `json:"key,omitempty"` // the old key of the rotation
	Owner   string             `json:"owner,omitempty"`
	Actor   rotation.Actor     `json:"actor"`
	Event   string             `json:"event"`
	From    rotation.State     `json:"from,omitempty"`
	To      rotation.State     `json:"to,omitempty"`
	Note    string             `json:"note,omitempty"`
	Hash    string             `json:"hash"`
}

// Query narrows an export. What is set has to hold altogether.
type Query struct {
	From, Until time.Time // Until is exclusive
	Account     rotation.AccountID
	Owner       string
	Actor       string // Slack user ID, e-mail address or name
	Event       string
	Key         rotation.KeyID
}

func (q Query) has(l Line) bool {
	is := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	return (q.From.IsZero() || !l.At.Before(q.From)) && (q.Until.IsZero() || l.At.Before(q.Until)) &&
		is(string(q.Account), string(l.Account)) && is(q.Owner, l.Owner) && is(q.Event, l.Event) && is(string(q.Key), string(l.Key)) &&
		(q.Actor == "" || is(q.Actor, l.Actor.ID) || is(q.Actor, l.Actor.Email) || is(q.Actor, l.Actor.Name))
}

// lines are the entries of a chain.
func (c Chain) lines() []Line {
	var out []Line
	for _, e := range c.Entries {
		l := Line{Chain: c.Name, Seq: e.Seq, At: e.At.UTC(), Actor: e.Actor, Event: e.Event, From: e.From, To: e.To, Note: e.Note, Hash: e.Hash}
		if r := c.About; r != nil {
			l.Account, l.User, l.Key, l.Owner = r.Account, r.UserName, r.Old.ID, r.Owner
		}
		out = append(out, l)
	}
	return out
}

// Format is how lines are written.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
)

// Export writes every entry that the query has, chain by chain, and returns how many these were. What cannot be read is an
// error once everything else is written: an export never leaves something out in silence.
func Export(ctx context.Context, s Store, q Query, f Format, w io.Writer, progress func(chains int)) (n int, err error) {
	write, flush, err := writer(f, w)
	if err != nil {
		return 0, err
	}
	chains := 0
	var unread []string
	err = Walk(ctx, s, func(c Chain) error {
		if c.Err != nil {
			unread = append(unread, fmt.Sprintf("%s: %v", c.Name, c.Err))
		}
		for _, l := range c.lines() {
			if !q.has(l) {
				continue
			}
			if err := write(l); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			n++
		}
		if chains++; progress != nil && chains%progressEvery == 0 {
			progress(chains)
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if err := flush(); err != nil {
		return n, fmt.Errorf("write: %w", err)
	}
	if len(unread) > 0 {
		return n, fmt.Errorf("%s not be read, and what is missing of them is not in the export: %s", count(len(unread), "chain could", "chains could"), some(unread))
	}
	return n, nil
}

func writer(f Format, w io.Writer) (write func(Line) error, flush func() error, err error) {
	switch f {
	case JSONLines:
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return func(l Line) error { return enc.Encode(l) }, func() error { return nil }, nil
	case CSV:
		c := csv.NewWriter(w)
		if err := c.Write([]string{"chain", "seq", "at", "account", "user", "key", "owner", "actor_id", "actor_name", "actor_email", "via", "event", "from", "to", "note", "hash"}); err != nil {
			return nil, nil, fmt.Errorf("write: %w", err)
		}
		write := func(l Line) error {
			return c.Write(safe(l.Chain, strconv.Itoa(l.Seq), l.At.Format(time.RFC3339Nano), string(l.Account), string(l.User), string(l.Key), l.Owner,
				l.Actor.ID, l.Actor.Name, l.Actor.Email, string(l.Actor.Via), l.Event, string(l.From), string(l.To), l.Note, l.Hash))
		}
		return write, func() error { c.Flush(); return c.Error() }, nil
	default:
		return nil, nil, fmt.Errorf("there is no format %q: it is jsonl or csv", f)
	}
}

// safe keeps a spreadsheet from taking a field for a formula (OWASP, CSV Injection): full-width signs count too.
func safe(fields ...string) []string {
	for i, f := range fields {
		if first, _ := utf8.DecodeRuneInString(f); f != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
			fields[i] = "'" + f
		}
	}
	return fields
}
