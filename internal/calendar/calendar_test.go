package calendar

import (
	"testing"
	"time"

	_ "time/tzdata" // a machine may have no zone database

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func workdays() (d [7]bool) {
	for i := time.Monday; i <= time.Friday; i++ {
		d[i] = true
	}
	return d
}

func TestNext(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	office := Calendar{Zone: berlin, Days: workdays(), From: 9 * time.Hour, To: 16 * time.Hour, LastTo: 12 * time.Hour}
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	frozen := office
	frozen.Freezes = []Freeze{{From: at("2026-12-18 00:00"), Until: at("2027-01-04 00:00"), Why: "year end"}}
	for name, c := range map[string]struct {
		c        Calendar
		from, to string
		hours    bool
		why      string
	}{
		"always open":                            {Calendar{}, "2026-11-27 22:00", "2026-11-27 22:00", true, ""},
		"within hours":                           {office, "2026-11-25 09:00", "2026-11-25 09:00", true, ""},
		"the last minute":                        {office, "2026-11-25 15:59", "2026-11-25 15:59", true, ""},
		"after hours":                            {office, "2026-11-25 16:00", "2026-11-26 09:00", true, "outside working hours"},
		"before hours":                           {office, "2026-11-25 03:00", "2026-11-25 09:00", true, "outside working hours"},
		"Friday morning":                         {office, "2026-11-27 11:59", "2026-11-27 11:59", true, ""},
		"Friday afternoon":                       {office, "2026-11-27 12:00", "2026-11-30 09:00", true, "outside working hours"},
		"a Sunday, and only freezes count":       {office, "2026-11-29 12:00", "2026-11-29 12:00", false, ""},
		"a freeze":                               {frozen, "2026-12-20 10:00", "2027-01-04 09:00", true, "change freeze, year end"},
		"a freeze, whatever the hours":           {frozen, "2026-12-20 10:00", "2027-01-04 00:00", false, "change freeze, year end"},
		"the evening before a freeze":            {frozen, "2026-12-17 17:00", "2027-01-04 09:00", true, "outside working hours"},
		"clocks go forward on the Sunday before": {office, "2026-03-28 12:00", "2026-03-30 09:00", true, "outside working hours"},
		"clocks go back on the Sunday before":    {office, "2026-10-24 12:00", "2026-10-26 09:00", true, "outside working hours"},
	} {
		t.Run(name, func(t *testing.T) {
			got, why, ok := c.c.Next(at(c.from), c.hours)
			if !ok || !got.Equal(at(c.to)) || why != c.why {
				t.Errorf("%s %q %v, want %s", got.In(berlin), why, ok, c.to)
			}
		})
	}
}

// A never open calendar is refused by the configuration; Next ends all the same.
func TestNextEnds(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := Calendar{Days: [7]bool{time.Monday: true}, From: 9 * time.Hour, To: 10 * time.Hour}
	for i := range 900 {
		c.Freezes = append(c.Freezes, Freeze{From: start.AddDate(0, 0, i), Until: start.AddDate(0, 0, i+1)})
	}
	if at, _, ok := c.Next(start, true); ok {
		t.Errorf("open at %s", at)
	}
	if at, _, ok := (Calendar{From: 10 * time.Hour, To: 9 * time.Hour}).Next(start, true); ok {
		t.Errorf("open at %s", at)
	}
}

// What Next returns is open, nothing before it is, and it does not depend on how finely time is looked at.
func TestNextIsTheEarliest(t *testing.T) {
	zones := []*time.Location{time.UTC, zone(t, "Europe/Berlin"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "Pacific/Apia"), zone(t, "Asia/Kathmandu")}
	rapid.Check(t, func(t *rapid.T) {
		hour := func(name string, from, to int) time.Duration {
			return time.Duration(rapid.IntRange(from*4, to*4).Draw(t, name)) * 15 * time.Minute
		}
		c := Calendar{Zone: rapid.SampledFrom(zones).Draw(t, "zone"), From: hour("from", 0, 22)}
		c.To = c.From + hour("for", 1, 2)
		if rapid.Bool().Draw(t, "last") {
			c.LastTo = c.From + 15*time.Minute
		}
		for i := range c.Days {
			c.Days[i] = rapid.Bool().Draw(t, "day")
		}
		base := rapid.SampledFrom([]time.Time{
			time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		}).Draw(t, "base")
		for range rapid.IntRange(0, 3).Draw(t, "freezes") {
			from := base.Add(hour("freeze", 0, 100))
			c.Freezes = append(c.Freezes, Freeze{From: from, Until: from.Add(hour("lasts", 1, 60)), Why: "x"})
		}
		now := base.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(t, "minute")) * time.Minute)
		got, why, ok := c.Next(now, true)
		if !ok {
			t.Fatalf("never open: %+v", c)
		}
		if (why == "") != got.Equal(now) {
			t.Fatalf("%s, %q", got, why)
		}
		for at := now; at.Before(got); at = at.Add(time.Minute) {
			if c.openAt(at) {
				t.Fatalf("%s is open, and Next(%s) is %s", at.In(c.zone()), now, got)
			}
		}
		if !c.openAt(got) {
			t.Fatalf("Next(%s) is %s, which is not open", now, got.In(c.zone()))
		}
		if again, _, _ := c.Next(got, true); !again.Equal(got) {
			t.Fatalf("Next of %s is %s", got, again)
		}
	})
}

// openAt says the same by the wall clock, the simple way.
func (c Calendar) openAt(t time.Time) bool {
	for _, f := range c.Freezes {
		if !t.Before(f.From) && t.Before(f.Until) {
			return false
		}
	}
	l := t.In(c.zone())
	anyDay := false
	for _, d := range c.Days {
		anyDay = anyDay || d
	}
	if anyDay && !c.Days[l.Weekday()] {
		return false
	}
	y, m, d := l.Date()
	end := c.To
	if tomorrow := (l.Weekday() + 1) % 7; c.LastTo > 0 && anyDay && !c.Days[tomorrow] {
		end = min(end, c.LastTo)
	}
	return !t.Before(wall(y, m, d, c.From, c.zone())) && t.Before(wall(y, m, d, end, c.zone()))
}

func TestClosed(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 12, n, 0, 0, 0, 0, time.UTC) }
	chain := []Freeze{{From: day(20), Until: day(60)}, {From: day(1), Until: day(25)}, {From: day(60), Until: day(70)}, {From: day(5), Until: day(6)}}
	if from, until, found := Closed(chain, 60*24*time.Hour); !found || !from.Equal(day(1)) || !until.Equal(day(70)) {
		t.Errorf("%s %s %v", from, until, found)
	}
	chain[2].From = day(61)
	if from, until, found := Closed(chain, 60*24*time.Hour); found {
		t.Errorf("%s %s", from, until)
	}
}

func TestParse(t *testing.T) {
	for in, want := range map[string][2]time.Duration{"09:00-16:30": {9 * time.Hour, 16*time.Hour + 30*time.Minute}, "00:00 - 24:00": {0, 24 * time.Hour}} {
		if from, to, err := ParseHours(in); err != nil || from != want[0] || to != want[1] {
			t.Errorf("%q: %s %s %v", in, from, to, err)
		}
	}
	for _, in := range []string{"", "9-17", "09:00", "16:00-09:00", "09:00-09:00", "09:60-10:00", "09:00-24:01", "-1:00-03:00", "09:00-1é:00"} {
		if _, _, err := ParseHours(in); err == nil {
			t.Errorf("%q was accepted", in)
		}
	}
	for in, want := range map[string]time.Weekday{"mon": time.Monday, "Friday": time.Friday, "SUN": time.Sunday} {
		if d, err := ParseDay(in); err != nil || d != want {
			t.Errorf("%q: %s %v", in, d, err)
		}
	}
	if _, err := ParseDay("mo"); err == nil {
		t.Error("mo was accepted")
	}
}
