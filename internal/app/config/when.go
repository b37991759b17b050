package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	_ "time/tzdata" // the Lambda runtime has no zone database

	"github.com/keyturn/keyturn/internal/calendar"
	"github.com/keyturn/keyturn/internal/rotation"
)

// longestFreeze is for how many days in a row freezes may let nothing happen. Keys grow old meanwhile.
const longestFreeze = 60 * rotation.Day

// calendars reads the calendars and gives each rule its own.
func (v *validator) calendars(r raw, c *Config) {
	byName := map[string]calendar.Calendar{}
	var names []string
	for _, one := range r.Calendars.list {
		byName[one.name] = v.calendar(one)
		names = append(names, one.name)
	}
	used := map[string]bool{}
	for i := range c.Rules {
		name := c.Rules[i].calendar
		if name == "" {
			continue
		}
		cal, ok := byName[name]
		if !ok {
			hint := "there is none; add it to calendars"
			if len(names) > 0 {
				hint = didYouMean(name, names)
			}
			v.no(r.Policy[i].Calendar.line, fmt.Sprintf("policy[%d].calendar", i), "there is no calendar %q: %s", name, hint)
		}
		used[name], c.Rules[i].when = true, cal
	}
	for _, one := range r.Calendars.list {
		if !used[one.name] {
			v.no(one.line, "calendars."+one.name, "no rule of the policy uses it. Name it in a rule (calendar: %s), or take it out", one.name)
		}
	}
}

func (v *validator) calendar(r rawCalendar) calendar.Calendar {
	key := "calendars." + r.name
	c := calendar.Calendar{Zone: v.zone(r.Zone, key+".zone")}
	if len(r.Days) == 0 && !r.Hours.set() {
		v.no(r.line, key, "says neither days nor hours, so it changes nothing. Write days: [mon, tue, wed, thu, fri] or hours: \"09:00-16:00\"")
	}
	for i, t := range r.Days {
		d, err := calendar.ParseDay(t.value)
		if err != nil {
			v.no(t.line, fmt.Sprintf("%s.days[%d]", key, i), "%v", err)
			continue
		}
		c.Days[d] = true
	}
	if r.Hours.set() {
		var err error
		if c.From, c.To, err = calendar.ParseHours(r.Hours.value); err != nil {
			v.no(r.Hours.line, key+".hours", "%v", err)
		}
	}
	if r.LastDayUntil.set() {
		at, err := calendar.ParseTime(r.LastDayUntil.value)
		switch {
		case err != nil:
			v.no(r.LastDayUntil.line, key+".last_day_until", "%v", err)
		case at <= c.From:
			v.no(r.LastDayUntil.line, key+".last_day_until", "%s is not after the hours begin. Take the day out of days instead", r.LastDayUntil.value)
		}
		c.LastTo = at
	}
	return c
}

// zone reads a time zone by its IANA name.
func (v *validator) zone(t text, key string) *time.Location {
	name := t.or("UTC")
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "" {
		v.no(t.line, key, "%q is not the name of a time zone, like Europe/Berlin; %s", name, nearestZone(name))
		return time.UTC
	}
	return z
}

// commonZones are offered for a misspelt one: the library has no list of all.
var commonZones = strings.Fields("UTC Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi America/Bogota America/Chicago America/Denver America/Halifax " +
	"America/Lima America/Los_Angeles America/Mexico_City America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver " +
	"Asia/Bangkok Asia/Dubai Asia/Hong_Kong Asia/Jakarta Asia/Jerusalem Asia/Karachi Asia/Kolkata Asia/Manila Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tokyo " +
	"Australia/Brisbane Australia/Melbourne Australia/Perth Australia/Sydney Europe/Amsterdam Europe/Athens Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest " +
	"Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague Europe/Rome " +
	"Europe/Stockholm Europe/Vienna Europe/Warsaw Europe/Zurich Pacific/Auckland Pacific/Honolulu")

func nearestZone(name string) string {
	best, least := "", 1<<30
	for _, z := range commonZones {
		d := distance(strings.ToLower(name), strings.ToLower(z))
		if _, city, ok := strings.Cut(z, "/"); ok {
			d = min(d, distance(strings.ToLower(name), strings.ToLower(city)))
		}
		if d < least {
			best, least = z, d
		}
	}
	return fmt.Sprintf("did you mean %q? (IANA time zone database)", best)
}

// freezes reads change freezes, and refuses those that together let nothing happen for too long.
func (v *validator) freezes(rs []rawFreeze) (out []freeze) {
	for i, r := range rs {
		key := fmt.Sprintf("freezes[%d]", i)
		z := v.zone(r.Zone, key+".zone")
		f := freeze{Freeze: calendar.Freeze{Why: r.Why.value}}
		f.From, f.Until = v.moment(r.From, z, key+".from", r.line), v.moment(r.Until, z, key+".until", r.line)
		if !f.From.IsZero() && !f.Until.IsZero() && !f.Until.After(f.From) {
			v.no(r.Until.line, key+".until", "%s is not after %s. A freeze of one day ends on the next", r.Until.value, r.From.value)
		}
		if r.Match != nil {
			f.match = v.match(r.Match, key+".match", r.line)
		}
		out = append(out, f)
	}
	for i, f := range out {
		var together []calendar.Freeze
		for _, o := range out {
			if o.match.Any() || reflect.DeepEqual(o.match, f.match) {
				together = append(together, o.Freeze)
			}
		}
		if from, until, found := calendar.Closed(together, longestFreeze); found {
			v.no(rs[i].line, "freezes", "from %s until %s nothing could happen, for more than %s. Shorten the freezes, or leave days between them", from.Format(time.DateOnly), until.Format(time.DateOnly), rotation.FormatDuration(longestFreeze))
			break
		}
	}
	return out
}

// moment reads a day, as its first moment in the zone, or a time by RFC 3339.
func (v *validator) moment(t text, z *time.Location, key string, line int) time.Time {
	if !t.set() || t.value == "" {
		v.no(line, key, "is missing: a freeze begins and ends, like from: 2026-12-18 and until: 2027-01-04")
		return time.Time{}
	}
	if at, err := time.ParseInLocation(time.DateOnly, t.value, z); err == nil {
		return at
	}
	at, err := time.Parse(time.RFC3339, t.value)
	if err != nil {
		v.no(t.line, key, "%q is neither a day, like 2026-12-18, nor a time, like 2026-12-18T18:00:00+01:00", t.value)
	}
	return at
}
