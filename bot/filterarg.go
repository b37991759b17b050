package bot

import (
	"fmt"
	"slices"
	"strings"
)

// argFilters takes the words that are filters, wherever they stand. Without names every filter is possible.
func argFilters(names ...string) arg {
	return func(c *Command, words []string) ([]string, error) { return c.Filter.take(words, names) }
}

// take sets the filters among words and returns the other words.
func (f *Filter) take(words, names []string) ([]string, error) {
	var rest []string
	for _, w := range words {
		name, value, ok := filterOf(w)
		if !ok {
			rest = append(rest, w)
			continue
		}
		if err := f.set(name, value); err != nil {
			return nil, err
		}
		if len(names) > 0 && !slices.Contains(names, name) {
			return nil, fmt.Errorf("this cannot be narrowed by %s, only by %s", name, strings.Join(names, ", "))
		}
	}
	if n := len(f.code()); n > mostFilter {
		return nil, fmt.Errorf("the filters are too long by %d characters: write an account's ID instead of its name, or one unit's ID instead of its path", n-mostFilter)
	}
	return rest, nil
}

// argStatus takes what status is asked about: filters, or the words that name something.
func argStatus(c *Command, words []string) ([]string, error) {
	if !slices.ContainsFunc(words, looksLikeFilter) {
		return argTarget(c, words)
	}
	rest, err := c.Filter.take(words, nil)
	if err != nil || len(rest) == 0 {
		return rest, err
	}
	return argPage(c, rest)
}

// looksLikeFilter reports whether a word is a filter, or one with a slip of the pen. Names of users have no colon, and an
// account may be called anything.
func looksLikeFilter(word string) bool {
	name, _, ok := filterOf(word)
	return ok && slices.ContainsFunc(filterNames, func(n filterName) bool { return distance(name, n.name) <= 2 })
}
