package page

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/store"
)

type rotationRow struct {
	ID, User, Account, Key, State, Flags, Next string
	Closed                                     bool
	URL                                        template.URL
}

type callCount struct {
	Name    string
	N       int
	Changes bool
}

type stepRow struct {
	At, ISO, Who, Event, Moved, Note string
	Calls                            []callCount
	Total                            int
}

type timelinePane struct {
	At        string
	Fields    []field
	Rotations []rotationRow
	Pages     pages
	Find      string
	Open      *rotationRow
	Steps     []stepRow
	Since     *stepRow
	Back      template.URL
	Problem   string
	Total     int
}

// mostRead bounds how many rotations a list reads.
const mostRead = 5000

// timelinePane lists the rotations, open ones first, and shows what the steps of one did.
func (p *Server) timelinePane(ctx context.Context, at place) timelinePane {
	out := timelinePane{At: at.Str(), Fields: at.fields(), Find: at.Get(pFind), Back: at.With(pRotation, "").URL(), Total: p.stage.Called().Total()}
	if id := rotation.ID(at.Get(pRotation)); id != "" {
		r, err := p.stage.Store().GetRotation(ctx, id)
		if err != nil {
			out.Problem = "This rotation cannot be shown: " + err.Error()
			return out
		}
		row := p.rotationRow(r, at)
		out.Open = &row
		p.steps(&out, r)
		return out
	}
	all, err := p.rotations(ctx, out.Find)
	if err != nil {
		out.Problem = "Not everything is shown: " + err.Error()
	}
	from, to, pg := at.paged(len(all))
	out.Pages = pg
	for _, r := range all[from:to] {
		out.Rotations = append(out.Rotations, p.rotationRow(r, at))
	}
	return out
}

func (p *Server) rotations(ctx context.Context, find string) (out []rotation.Rotation, err error) {
	page := store.Page{Limit: store.MaxPage}
	for len(out) < mostRead {
		rs, next, err := p.stage.Store().ListRotations(ctx, store.Filter{}, page)
		for _, r := range rs {
			if strings.Contains(strings.ToLower(fmt.Sprint(r.UserName, r.Old.ID, r.State)), strings.ToLower(find)) {
				out = append(out, r)
			}
		}
		if err != nil || next == "" {
			return sorted(out), err
		}
		page.After = next
	}
	return sorted(out), nil
}

func sorted(rs []rotation.Rotation) []rotation.Rotation {
	slices.SortStableFunc(rs, func(a, b rotation.Rotation) int {
		if (a.State == rotation.Closed) != (b.State == rotation.Closed) {
			if a.State == rotation.Closed {
				return 1
			}
			return -1
		}
		return b.Since.Compare(a.Since)
	})
	return rs
}

func (p *Server) rotationRow(r rotation.Rotation, at place) rotationRow {
	row := rotationRow{
		ID: string(r.ID), User: string(r.UserName), Account: r.AccountName, Key: string(r.Old.ID), State: string(r.State),
		Closed: r.State == rotation.Closed, URL: at.Side(sideTimeline, pRotation, string(r.ID)).URL(),
	}
	if row.Closed {
		row.State += ", " + string(r.Outcome)
	}
	var flags []string
	if r.SnoozedUntil.After(p.stage.Clock.Now()) {
		flags = append(flags, "snoozed")
	}
	if r.Held != nil {
		flags = append(flags, "on hold")
	}
	if r.Stuck != nil {
		flags = append(flags, "needs a person")
	}
	if r.Trouble != nil {
		flags = append(flags, "has trouble")
	}
	if r.Acting != nil {
		flags = append(flags, r.Acting.Op.Doing())
	}
	row.Flags = strings.Join(flags, ", ")
	if !r.NextAt.IsZero() && !row.Closed {
		row.Next = "next look " + r.NextAt.UTC().Format("Mon 2 Jan, 15:04")
	}
	return row
}

func (p *Server) steps(out *timelinePane, r rotation.Rotation) {
	steps, since := p.stage.Steps(r)
	for _, s := range slices.Backward(steps) {
		e := s.Entry
		row := stepRow{
			At: e.At.UTC().Format("Mon 2 Jan, 15:04"), ISO: e.At.UTC().Format(time.RFC3339), Who: e.Actor.String(),
			Event: strings.ReplaceAll(e.Event, "_", " "), Note: e.Note,
		}
		if e.From != e.To {
			from := string(e.From)
			if from == "" {
				from = "new"
			}
			row.Moved = from + " → " + string(e.To)
		}
		row.Calls, row.Total = counted(s.Calls)
		out.Steps = append(out.Steps, row)
	}
	if since.Total() > 0 {
		row := stepRow{}
		row.Calls, row.Total = counted(since)
		out.Since = &row
	}
}

func counted(c stage.Calls) (out []callCount, total int) {
	for _, n := range c.Counts() {
		out = append(out, callCount{n.Service + ":" + n.Name, n.N, n.Changes()})
	}
	return out, c.Total()
}
