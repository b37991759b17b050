package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/scheduler"
)

// Run is a scan that is spread over many invocations, as the table has it.
type Run struct {
	ID       string
	Accounts []rotation.AccountID // the number of an account here is the number of its part
	Done     map[rotation.AccountID]bool
	Parts    []scheduler.Part
	Closed   bool

	head head
}

// head is what a run begins with. Accounts are kept by their IDs alone, because there may be thousands.
type head struct {
	Started  time.Time            `json:"started"`
	Accounts []rotation.AccountID `json:"accounts"`
	Skipped  []scheduler.Skipped  `json:"skipped,omitempty"`
	Problems []string             `json:"problems,omitempty"`
	Lost     []rotation.AccountID `json:"lost,omitempty"`
}

// mostSkipped bounds how many skipped accounts a run keeps for its summary.
const mostSkipped = 100

// AllDone reports whether every account of the run is through.
func (r Run) AllDone() bool { return len(r.Parts) >= len(r.Accounts) }

// Spread returns the run as the scheduler finishes it.
func (r Run) Spread() scheduler.Spread {
	sp := scheduler.Spread{Started: r.head.Started, Skipped: r.head.Skipped, Problems: r.head.Problems, Lost: r.head.Lost}
	for _, id := range r.Accounts {
		sp.Accounts = append(sp.Accounts, scheduler.Account{ID: id})
	}
	return sp
}

// openRuns is the table's note of the runs that nobody has closed yet, as far as is known.
const openRuns = "open_runs"

const (
	mostOpenRuns = 20            // what is older goes by itself, as runs do
	lateAfter    = 6 * time.Hour // what is missing of a run by then is lost: its messages have come as often as they may
)

// errNoTable is a mistake of the wiring.
var errNoTable = errors.New("a run is spread over functions, whose store is a table")

// BeginRun saves what a run begins with. A run that began already goes on as it began. late names the runs before that are
// not over and will not be: people are told of them as they are.
func (a *App) BeginRun(ctx context.Context, id string, sp scheduler.Spread) (r Run, late []string, err error) {
	if a.table == nil {
		return r, nil, errNoTable
	}
	h := head{Started: sp.Started, Skipped: sp.Skipped, Problems: sp.Problems, Lost: sp.Lost}
	for _, acct := range sp.Accounts {
		h.Accounts = append(h.Accounts, acct.ID)
	}
	if more := len(h.Skipped) - mostSkipped; more > 0 {
		h.Skipped = h.Skipped[:mostSkipped]
		h.Problems = append(slices.Clone(h.Problems), fmt.Sprintf("%d accounts more were skipped; the log names them.", more))
	}
	body, err := pack(h)
	if err != nil {
		return r, nil, err
	}
	if err := a.table.BeginRun(ctx, id, body, len(h.Accounts)); err != nil {
		return r, nil, err
	}
	if r, err = a.Run(ctx, id); err != nil {
		return r, nil, err
	}
	late, err = a.noteRun(ctx, r)
	return r, late, err
}

// noteRun adds a run to those that are open, takes those out that are closed, and returns those that are late. These stay
// noted until they are closed, so that none is forgotten if this function dies.
func (a *App) noteRun(ctx context.Context, r Run) (late []string, err error) {
	noted, err := a.Store.GetState(ctx, openRuns)
	if err != nil {
		return nil, err
	}
	open := []string{r.ID}
	for id := range strings.FieldsSeq(noted) {
		if id == r.ID || slices.Contains(open, id) {
			continue
		}
		before, err := a.Run(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && before.Closed:
			continue
		case errors.Is(err, errUnreadable): // it stops no later one, and goes by itself
			a.log.Error("run not read; its summary is lost", "run", id, "error", err.Error())
			continue
		case err != nil:
			return nil, err
		case r.head.Started.Sub(before.head.Started) >= lateAfter:
			late = append(late, id)
		}
		open = append(open, id)
	}
	return late, a.Store.SetState(ctx, openRuns, strings.Join(open[:min(len(open), mostOpenRuns)], " "))
}

// Run reads a run. store.ErrNotFound.
func (a *App) Run(ctx context.Context, id string) (Run, error) {
	r := Run{ID: id, Done: map[rotation.AccountID]bool{}}
	if a.table == nil {
		return r, errNoTable
	}
	body, _, _, closed, bodies, err := a.table.Run(ctx, id)
	if err != nil {
		return r, err
	}
	if err := unpack(body, &r.head); err != nil {
		return r, fmt.Errorf("run %s: %w", id, err)
	}
	r.Accounts, r.Closed = r.head.Accounts, closed
	for _, b := range bodies {
		var p scheduler.Part
		if err := unpack(b, &p); err != nil {
			return r, fmt.Errorf("a part of run %s: %w", id, err)
		}
		r.Parts = append(r.Parts, p)
		r.Done[p.Account.ID] = true
	}
	return r, nil
}

// PartDone reports whether an account of a run is through: its message came twice. store.ErrNotFound if there is no such run.
func (a *App) PartDone(ctx context.Context, id string, part int) (bool, error) {
	if a.table == nil {
		return false, errNoTable
	}
	return a.table.PartDone(ctx, id, part)
}

// EndPart notes that an account of a run is through. all: it was the last one.
func (a *App) EndPart(ctx context.Context, id string, part int, p scheduler.Part) (all bool, err error) {
	if a.table == nil {
		return false, errNoTable
	}
	body, err := pack(p)
	if err != nil {
		return false, err
	}
	done, parts, err := a.table.EndPart(ctx, id, part, body)
	return done >= parts, err
}

// ClaimRun lets one function at a time tell people of a run, until a time (protocol clock) at which another one may.
func (a *App) ClaimRun(ctx context.Context, id string, until time.Time) (bool, error) {
	if a.table == nil {
		return false, errNoTable
	}
	return a.table.ClaimRun(ctx, id, until)
}

// CloseRun notes that people were told of a run, and when a whole scan ended last. first: nobody had closed it before.
func (a *App) CloseRun(ctx context.Context, r Run, s scheduler.Summary) (first bool, err error) {
	if a.table == nil {
		return false, errNoTable
	}
	if first, err = a.table.CloseRun(ctx, r.ID); err != nil {
		return false, err
	}
	return first, a.Store.SetState(ctx, lastScan, s.Ended.UTC().Format(time.RFC3339))
}

func pack(v any) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

// mostUnpacked bounds what is unpacked, in bytes: far more than thousands of accounts need.
const mostUnpacked = 16 << 20

// errUnreadable: what is kept of a run is not what this version writes.
var errUnreadable = errors.New("it cannot be read")

func unpack(b []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if err := json.NewDecoder(io.LimitReader(z, mostUnpacked)).Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return nil
}
