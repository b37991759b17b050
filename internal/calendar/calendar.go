// Package calendar says when keyturn may act: working hours in a time zone, and change freezes. It is pure: the standard
// library alone. It must not know what is done, to whom, or why.
package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Calendar says when something may be done. The zero value is always open.
type Calendar struct {
	Zone    *time.Location // of Days and the hours; nil: UTC
	Days    [7]bool        // working days by time.Weekday; none: every day
	From    time.Duration  // since local midnight by the wall clock: 9h
	To      time.Duration  // exclusive; 0: the whole day
	LastTo  time.Duration  // instead of To on a working day that is followed by one off; 0: To
	Freezes []Freeze
}

// Freeze is a time in which nothing is changed.
type Freeze struct {
	From, Until time.Time // Until is exclusive
	Why         string
}

// search bounds how far Next looks. A configuration with longer times in which nothing may happen is refused.
const search = 400

// Next returns the earliest moment from t on that is open, t itself if that is. why says what is in the way before it, as
// words for a sentence; it is empty if nothing is. hours: working hours count, not only freezes. ok is false if nothing is
// open for more than a year.
func (c Calendar) Next(t time.Time, hours bool) (at time.Time, why string, ok bool) {
	at = t
	for range search {
		if end, w := c.frozen(at); w != "" {
			at, why = end, later(why, w)
			continue
		}
		if !hours || c.always() {
			return at, why, true
		}
		next := c.working(at)
		if next.Equal(at) {
			return at, why, true
		}
		if next.IsZero() {
			return time.Time{}, why, false
		}
		at, why = next, later(why, "outside working hours")
	}
	return time.Time{}, why, false
}

// later keeps the first reason: it is what holds now.
func later(why, w string) string {
	if why == "" {
		return w
	}
	return why
}

// frozen returns the end of the freeze that t lies in, and its name; "" if there is none.
func (c Calendar) frozen(t time.Time) (time.Time, string) {
	for _, f := range c.Freezes {
		if !t.Before(f.From) && t.Before(f.Until) {
			why := "change freeze"
			if f.Why != "" {
				why += ", " + f.Why
			}
			return f.Until, why
		}
	}
	return time.Time{}, ""
}

func (c Calendar) always() bool { return !slices.Contains(c.Days[:], true) && c.To == 0 }

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

func (c Calendar) works(d time.Weekday) bool { return !slices.Contains(c.Days[:], true) || c.Days[d] }

// span is when the local day of t is open: from the first to the moment after the last. Both are the same if it is not.
func (c Calendar) span(year int, month time.Month, day int) (from, to time.Time) {
	at := func(d time.Duration) time.Time { return wall(year, month, day, d, c.zone()) }
	weekday := time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Weekday()
	if !c.works(weekday) {
		return at(0), at(0)
	}
	end := c.To
	if end == 0 {
		end = 24 * time.Hour
	}
	if c.LastTo > 0 && !c.works((weekday+1)%7) {
		end = min(end, c.LastTo)
	}
	return at(c.From), at(end)
}

// wall is the moment at which clocks show d after midnight of a day. A time that a change of the clocks skips is the moment
// of the change or right after it; of one that comes twice it is the first.
func wall(year int, month time.Month, day int, d time.Duration, zone *time.Location) time.Time {
	return time.Date(year, month, day, 0, 0, 0, int(d), zone)
}

// working returns the earliest moment from t on within working hours, and the zero time if there is none for two weeks.
func (c Calendar) working(t time.Time) time.Time {
	y, m, d := t.In(c.zone()).Date()
	for i := range 15 {
		from, to := c.span(y, m, d+i)
		switch {
		case !t.Before(from) && t.Before(to):
			return t
		case t.Before(from) && from.Before(to):
			return from
		}
	}
	return time.Time{}
}

// Closed returns the first run of moments, longer than most, in which the freezes that follow each other let nothing happen.
func Closed(freezes []Freeze, most time.Duration) (from, until time.Time, found bool) {
	all := slices.Clone(freezes)
	slices.SortFunc(all, func(a, b Freeze) int { return a.From.Compare(b.From) })
	for i, f := range all {
		if i > 0 && !f.From.After(until) {
			if f.Until.After(until) {
				until = f.Until
			}
		} else {
			from, until = f.From, f.Until
		}
		if until.Sub(from) > most {
			return from, until, true
		}
	}
	return time.Time{}, time.Time{}, false
}

// ParseDay reads a weekday: mon, monday.
func ParseDay(s string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is not a day of the week: write mon, tue, wed, thu, fri, sat or sun", s)
}

// ParseHours reads hours of a day by the wall clock: 09:00-16:30.
func ParseHours(s string) (from, to time.Duration, err error) {
	a, b, ok := strings.Cut(s, "-")
	if ok {
		if from, err = ParseTime(strings.TrimSpace(a)); err == nil {
			to, err = ParseTime(strings.TrimSpace(b))
		}
	}
	switch {
	case !ok || err != nil:
		return 0, 0, fmt.Errorf("%q are no hours of a day: write them like 09:00-16:30", s)
	case to <= from:
		return 0, 0, fmt.Errorf("the hours %q end before they begin: a night shift is two calendars", s)
	}
	return from, to, nil
}

// ParseTime reads a time of day by the wall clock, up to 24:00.
func ParseTime(s string) (time.Duration, error) {
	var h, m int
	if len(s) != 5 || s[2] != ':' {
		return 0, fmt.Errorf("%q is no time of day: write it like 16:30", s)
	}
	if _, err := fmt.Sscanf(s, "%02d:%02d", &h, &m); err != nil || h < 0 || m < 0 || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%q is no time of day: write it like 16:30", s)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}
