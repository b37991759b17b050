package rotation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longest is the longest duration that makes sense; the rest is a mistake, or an overflow.
const longest = 100 * 365 * Day

// ParseDuration reads a duration as people write it in the configuration and in commands: 90d, 10d12h, 36h, 30s, 2w.
// Units stand in falling order, each at most once; a bare number is refused, because nobody can know its unit.
func ParseDuration(s string) (time.Duration, error) {
	units := []struct {
		name string
		d    time.Duration
	}{{"w", 7 * Day}, {"d", Day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	rest, total, from := strings.TrimSpace(s), time.Duration(0), 0
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%q is not a duration: %s. Write it like 90d, 10d12h or 30s", short(s), why)
	}
	if rest == "" {
		return bad("it is empty")
	}
	for rest != "" {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 {
			return bad("a number is missing before " + strconv.Quote(short(rest)))
		}
		value, err := strconv.ParseInt(rest[:n], 10, 32)
		if err != nil {
			return bad("the number is too large")
		}
		if n == len(rest) {
			return bad("the unit is missing")
		}
		unit := -1
		for i := from; i < len(units); i++ {
			if units[i].name == rest[n:n+1] {
				unit = i
			}
		}
		if unit < 0 {
			return bad("after a number comes one of w, d, h, m, s, the larger unit first")
		}
		if time.Duration(value) <= longest/units[unit].d {
			total += time.Duration(value) * units[unit].d
		} else {
			total = longest + 1
		}
		if total > longest {
			return bad("it is longer than a hundred years")
		}
		from, rest = unit+1, rest[n+1:]
	}
	return total, nil
}

// FormatDuration writes d the way ParseDuration reads it, in days and smaller units, with at most two of them.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	var out []string
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"d", Day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / u.d; n > 0 && len(out) < 2 {
			out = append(out, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.d
		} else if len(out) == 1 {
			break
		}
	}
	if len(out) == 0 {
		return "0s"
	}
	return strings.Join(out, "")
}
