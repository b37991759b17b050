package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Report is how the keys of an organization stand, and what became of them in a period.
type Report struct {
	Now   time.Time `json:"now"`
	Since time.Time `json:"since"` // begin of the period
	Seen  time.Time `json:"seen"`  // when the scan was made that is oldest; zero: there was none

	Keys     Keys    `json:"keys"`
	Accounts []Place `json:"accounts"` // with keys past their age, the most first
	OUs      []Place `json:"ous"`      // the same, by organizational unit
	Failed   int     `json:"failed"`   // accounts whose last scan failed
	RootKeys int     `json:"root_keys"`

	Open    Open     `json:"open"`
	Closed  Closed   `json:"closed"` // in the period
	Exempt  Exempt   `json:"exempt"`
	WaysOut []WayOut `json:"ways_out"` // of the keys in open rotations, the most first
	Points  []Point  `json:"points"`   // burn-down, the oldest first
}

// Keys counts keys as the last scans saw them.
type Keys struct {
	Active    int           `json:"active"`
	Inactive  int           `json:"inactive"`
	OverAge   int           `json:"over_age"`   // active and past their age by today's rules
	NeverUsed int           `json:"never_used"` // active
	Oldest    time.Duration `json:"oldest"`     // age of the oldest active key
}

// Place is an account or organizational unit.
type Place struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Active  int    `json:"active"`
	OverAge int    `json:"over_age"`
}

// Open counts open rotations.
type Open struct {
	All       int                    `json:"all"`
	States    map[rotation.State]int `json:"states"`
	Stuck     int                    `json:"stuck"`
	Held      int                    `json:"held"`
	Snoozed   int                    `json:"snoozed"`
	Escalated int                    `json:"escalated"` // decisions that went to the next circle, or keys at a gate that needs a person
	Leaked    int                    `json:"leaked"`
	Waiting   int                    `json:"waiting"` // for a decision
	Longest   time.Duration          `json:"longest"` // waits the one that waits longest
}

// Closed counts rotations that ended in the period.
type Closed struct {
	Outcomes   map[rotation.Outcome]int `json:"outcomes"`
	Rotated    int                      `json:"rotated"` // keys replaced
	Removed    int                      `json:"removed"` // keys removed for good
	Leaks      int                      `json:"leaks"`   // reported in the period, in open rotations too
	BreakGlass int                      `json:"break_glass"`
	Automatic  int                      `json:"automatic"` // acted on because a notice or a time had passed
}

// Exempt counts exemptions.
type Exempt struct {
	InForce int `json:"in_force"`
	Ending  int `json:"ending"` // within 30 days
}

// WayOut counts keys that something else could replace.
type WayOut struct {
	Instead rotation.Instead `json:"instead"`
	Keys    int              `json:"keys"`
	Users   []string         `json:"users"` // some of them: USER@ACCOUNT
}

// ending is what counts as soon for the end of an exemption.
const ending = 30 * rotation.Day

// mostUsers is how many examples a way out has.
const mostUsers = 5

// Builder counts what it is handed. It keeps figures, and not what it counted.
type Builder struct {
	rules    approval.Rules
	rep      Report
	accounts map[string]*Place
	ous      map[string]*Place
	ways     map[rotation.Instead]*WayOut
}

// NewBuilder returns a Builder for a period that ends now. rules are today's.
func NewBuilder(rules approval.Rules, since, now time.Time) *Builder {
	return &Builder{
		rules:    rules,
		rep:      Report{Now: now, Since: since, Open: Open{States: map[rotation.State]int{}}, Closed: Closed{Outcomes: map[rotation.Outcome]int{}}},
		accounts: map[string]*Place{}, ous: map[string]*Place{}, ways: map[rotation.Instead]*WayOut{},
	}
}

// Snapshot counts the keys of an account.
func (b *Builder) Snapshot(s rotation.Snapshot) {
	if s.Error != "" {
		b.rep.Failed++
	}
	b.rep.RootKeys += s.RootKeys
	if b.rep.Seen.IsZero() || s.Taken.Before(b.rep.Seen) {
		b.rep.Seen = s.Taken
	}
	account := place(b.accounts, string(s.Account), s.Name)
	ou := place(b.ous, s.OUPath, "")
	for _, u := range s.Users {
		p, _, covered := b.rules.For(approval.Target{Account: s.Account, OUPath: s.OUPath, UserName: u.Name, UserPath: u.Path, Tags: u.Tags})
		for _, k := range u.Keys {
			if k.Status != rotation.Active {
				b.rep.Keys.Inactive++
				continue
			}
			b.rep.Keys.Active++
			account.Active++
			ou.Active++
			b.rep.Keys.Oldest = max(b.rep.Keys.Oldest, k.Age(b.rep.Now))
			if k.NeverUsed() {
				b.rep.Keys.NeverUsed++
			}
			if covered && !k.Created.IsZero() && !b.rep.Now.Before(k.Created.Add(p.RotateAfter)) {
				b.rep.Keys.OverAge++
				account.OverAge++
				ou.OverAge++
			}
		}
	}
}

func place(all map[string]*Place, id, name string) *Place {
	p, ok := all[id]
	if !ok {
		p = &Place{ID: id, Name: name}
		all[id] = p
	}
	return p
}

// Rotation counts a rotation: as open, or as closed in the period. Episodes before the present one may be handed over too.
func (b *Builder) Rotation(r rotation.Rotation) {
	b.events(r)
	if !r.Open() {
		b.closed(r)
		return
	}
	o := &b.rep.Open
	o.All++
	o.States[r.State]++
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	count(&o.Stuck, r.Stuck != nil)
	count(&o.Held, r.Held != nil)
	count(&o.Snoozed, !r.SnoozedUntil.IsZero())
	count(&o.Escalated, r.Escalated || r.Escalation != nil)
	count(&o.Leaked, r.Leaked != nil || r.LeakedKey != nil)
	if r.State == rotation.Awaiting {
		o.Waiting++
		o.Longest = max(o.Longest, b.rep.Now.Sub(r.Since))
	}
	for _, a := range rotation.Advise(r)[:min(1, len(rotation.Advise(r)))] {
		w, ok := b.ways[a.Instead]
		if !ok {
			w = &WayOut{Instead: a.Instead}
			b.ways[a.Instead] = w
		}
		w.Keys++
		if len(w.Users) < mostUsers {
			w.Users = append(w.Users, string(r.UserName)+"@"+string(r.Account))
		}
	}
}

func (b *Builder) within(t time.Time) bool { return !t.Before(b.rep.Since) && !t.After(b.rep.Now) }

// events counts what happened in the period, whatever became of the rotation.
func (b *Builder) events(r rotation.Rotation) {
	for _, h := range r.History {
		if b.within(h.At) && h.Event == (rotation.Leaked{}).Name() {
			b.rep.Closed.Leaks++
		}
	}
	for _, a := range r.Approvals {
		if a.BreakGlass && b.within(a.At) {
			b.rep.Closed.BreakGlass++
		}
	}
	if r.Passed != nil && b.within(r.Passed.At) {
		b.rep.Closed.Automatic++
	}
}

func (b *Builder) closed(r rotation.Rotation) {
	if !b.within(r.ClosedAt) {
		return
	}
	c := &b.rep.Closed
	c.Outcomes[r.Outcome]++
	switch r.Outcome {
	case rotation.OutcomeRotated:
		c.Rotated++
		if r.Evict != nil && !r.Evict.Deleted.IsZero() {
			c.Removed++ // the key that made room is gone for good
		}
	case rotation.OutcomeRetired:
		c.Removed++
	}
}

// Exemption counts an exemption.
func (b *Builder) Exemption(e rotation.Exemption) {
	if !e.InForce(b.rep.Now) {
		return
	}
	b.rep.Exempt.InForce++
	if e.Until.Sub(b.rep.Now) <= ending {
		b.rep.Exempt.Ending++
	}
}

// Report returns what was counted. points is the burn-down.
func (b *Builder) Report(points []Point) Report {
	rep := b.rep
	rep.Points = points
	rep.Accounts, rep.OUs = sorted(b.accounts), sorted(b.ous)
	for _, w := range b.ways {
		rep.WaysOut = append(rep.WaysOut, *w)
	}
	slices.SortFunc(rep.WaysOut, func(a, c WayOut) int {
		return cmp.Or(cmp.Compare(c.Keys, a.Keys), cmp.Compare(a.Instead, c.Instead))
	})
	return rep
}

func sorted(all map[string]*Place) []Place {
	var out []Place
	for _, p := range all {
		if p.OverAge > 0 {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Place) int { return cmp.Or(cmp.Compare(b.OverAge, a.OverAge), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Top returns the first n places, and how many keys past their age the others have.
func Top(all []Place, n int) (top []Place, places, keys int) {
	if len(all) <= n {
		return all, 0, 0
	}
	for _, p := range all[n:] {
		keys += p.OverAge
	}
	return all[:n], len(all) - n, keys
}
