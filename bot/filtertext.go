package bot

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/keyturn/keyturn/internal/rotation"
)

// String writes the filter as people do, and take reads it. The zero value is "".
func (f Filter) String() string {
	var out []string
	add := func(name, value string) {
		if !f.has(name) {
			return
		}
		if strings.ContainsFunc(value, unicode.IsSpace) {
			value = `"` + value + `"`
		}
		out = append(out, name+":"+value)
	}
	add(byAccount, f.Account)
	add(byOU, f.OU)
	add(byOwner, f.Owner)
	add(byState, joined(f.States))
	if f.OlderThan != 0 {
		add(byAge, ">"+rotation.FormatDuration(f.OlderThan))
	}
	add(byKind, string(f.Kind))
	if f.Stuck {
		out = append(out, byStuck)
	}
	return strings.Join(out, " ")
}

func joined(states []rotation.State) string {
	var out []string
	for _, s := range states {
		out = append(out, string(s))
	}
	return strings.Join(out, ",")
}

// mostFilter is how long a filter may be as a button carries it, in bytes. A button's value leaves 128 for a list's argument.
const mostFilter = 110

// code writes the filter as buttons carry it: a letter and a value each, with tabs between them.
func (f Filter) code() string {
	var out []string
	add := func(letter, value string) {
		if value != "" {
			out = append(out, letter+value)
		}
	}
	add("a", f.Account)
	add("o", f.OU)
	add("w", f.Owner)
	states := ""
	for _, s := range f.States {
		states += strconv.Itoa(slices.Index(rotation.States, s))
	}
	add("s", states)
	if f.OlderThan != 0 {
		add("g", rotation.FormatDuration(f.OlderThan))
	}
	add("k", string(f.Kind))
	if f.Stuck {
		out = append(out, "!")
	}
	return strings.Join(out, "\t")
}

// parseCode reads what code wrote. It trusts nothing, as buttons come from outside.
func parseCode(s string) (Filter, error) {
	var f Filter
	if s == "" {
		return f, nil
	}
	for _, part := range strings.Split(s, "\t") {
		if part == "" {
			return Filter{}, errCursor
		}
		letter, value := part[:1], part[1:]
		name := map[string]string{"a": byAccount, "o": byOU, "w": byOwner, "s": byState, "g": byAge, "k": byKind, "!": byStuck}[letter]
		if name == byState {
			var states []rotation.State
			for _, c := range value {
				if c < '0' || int(c-'0') >= len(rotation.States) {
					return Filter{}, errCursor
				}
				states = append(states, rotation.States[c-'0'])
			}
			value = joined(states)
		}
		if err := f.set(name, value); err != nil {
			return Filter{}, errCursor
		}
	}
	return f, nil
}
