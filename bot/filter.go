package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// Filter narrows a list to some rotations and keys. The zero value lets everything through; what is set has to match
// altogether.
type Filter struct {
	Account   string // ID or name, as it was typed
	OU        string // the beginning of an OU path, or one unit's ID
	Owner     string // e-mail address or Slack user ID
	States    []rotation.State
	OlderThan time.Duration // age of the key
	Kind      rotation.Kind
	Stuck     bool
}

// The names of filters, as people write them: account:payments, or stuck alone.
const (
	byAccount = "account"
	byOU      = "ou"
	byOwner   = "owner"
	byState   = "state"
	byAge     = "age"
	byKind    = "kind"
	byStuck   = "stuck"
)

type filterName struct{ name, example string }

// filterNames lists every filter with an example, in the order in which they are written back.
var filterNames = []filterName{
	{byAccount, "account:payments"}, {byOU, "ou:r-ab12/ou-prod"}, {byOwner, "owner:ann@example.com"},
	{byState, "state:awaiting,installing"}, {byAge, "age:>90d"}, {byKind, "kind:retire"}, {byStuck, "stuck"},
}

// What each list can be narrowed by; rotations by everything.
var (
	mineFilters   = []string{byAccount, byOU, byState, byAge, byKind, byStuck}
	dueFilters    = []string{byAccount, byOU, byOwner, byAge}
	reportFilters = []string{byAccount, byOU, byOwner}
)

// filterOf reads one word as a filter. ok is false if it is none, nor means to be one.
func filterOf(word string) (name, value string, ok bool) {
	if strings.EqualFold(word, byStuck) {
		return byStuck, "", true
	}
	name, value, ok = strings.Cut(word, ":")
	return strings.ToLower(name), value, ok
}

// set adds one filter, or says what is wrong with it.
func (f *Filter) set(name, value string) error {
	example := ""
	for _, n := range filterNames {
		if n.name == name {
			example = n.example
		}
	}
	switch {
	case example == "":
		return fmt.Errorf("there is no filter %q. %s", clip(name), filterHint(name))
	case f.has(name):
		return fmt.Errorf("%s stands there twice, and a list is narrowed by each filter once", name)
	case strings.TrimSpace(templates.Clean(value)) == "" && name != byStuck:
		return fmt.Errorf("%s: names nothing; write it like %s", name, example)
	case value != "" && name == byStuck:
		return errors.New("stuck stands alone, without anything after it")
	}
	value = strings.TrimSpace(templates.Clean(value))
	var err error
	switch name {
	case byAccount:
		f.Account = value
	case byOU:
		f.OU, err = parseOU(value)
	case byOwner:
		f.Owner = ownerTyped(value)
	case byState:
		f.States, err = parseStates(value)
	case byAge:
		f.OlderThan, err = parseAge(value)
	case byKind:
		if f.Kind = rotation.Kind(strings.ToLower(value)); f.Kind != rotation.Rotate && f.Kind != rotation.Retire {
			err = fmt.Errorf("%q is no kind: write kind:rotate or kind:retire", clip(value))
		}
	case byStuck:
		f.Stuck = true
	}
	return err
}

func filterHint(typed string) string {
	var names []string
	for _, n := range filterNames {
		names = append(names, n.name)
	}
	near := nearest(typed, names)
	for _, n := range filterNames {
		if n.name == near {
			return "Did you mean " + n.example + "?"
		}
	}
	return ""
}

func parseOU(s string) (string, error) {
	s = strings.Trim(s, "/")
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '/' {
			return "", fmt.Errorf("%q is no path of organizational units: write their IDs, like ou:r-ab12/ou-ab12-11111111", clip(s))
		}
	}
	if s == "" {
		return "", errors.New("ou: names nothing; write it like ou:r-ab12/ou-prod")
	}
	return s, nil
}

// ownerTyped takes an address in small letters, as owners are kept; of a mention of a person (<@U0123|ann>) Slack's ID.
func ownerTyped(s string) string {
	s = strings.TrimPrefix(s, "@")
	if strings.Contains(s, "@") {
		return strings.ToLower(s)
	}
	return s
}

func parseStates(s string) ([]rotation.State, error) {
	var words []string
	for _, st := range rotation.States {
		words = append(words, string(st))
	}
	var out []rotation.State
	for _, w := range strings.Split(strings.ToLower(s), ",") {
		switch st := rotation.State(w); {
		case w == byStuck:
			return nil, errors.New("stuck is no state but a filter of its own: write stuck")
		case !slices.Contains(rotation.States, st):
			return nil, fmt.Errorf("there is no state %q. Did you mean %s? The states are %s", clip(w), nearest(w, words), strings.Join(words, ", "))
		case !slices.Contains(out, st):
			out = append(out, st)
		}
	}
	slices.SortFunc(out, func(a, b rotation.State) int {
		return slices.Index(rotation.States, a) - slices.Index(rotation.States, b)
	})
	return out, nil
}

func parseAge(s string) (time.Duration, error) {
	if strings.HasPrefix(s, "<") {
		return 0, errors.New("keys are narrowed to old ones, not to young ones: write age:>90d")
	}
	d, err := rotation.ParseDuration(strings.TrimLeft(s, ">="))
	if err != nil {
		return 0, fmt.Errorf("age: %w", err)
	}
	if d <= 0 {
		return 0, errors.New("every key is older than that: write it like age:>90d")
	}
	return rotation.ParseDuration(rotation.FormatDuration(d)) // what is shown is what is meant
}

// has reports whether a filter is set.
func (f Filter) has(name string) bool {
	switch name {
	case byAccount:
		return f.Account != ""
	case byOU:
		return f.OU != ""
	case byOwner:
		return f.Owner != ""
	case byState:
		return f.States != nil
	case byAge:
		return f.OlderThan != 0
	case byKind:
		return f.Kind != ""
	case byStuck:
		return f.Stuck
	default:
		return false
	}
}

func (f Filter) empty() bool {
	return !slices.ContainsFunc(filterNames, func(n filterName) bool { return f.has(n.name) })
}
