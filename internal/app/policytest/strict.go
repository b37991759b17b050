package policytest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/rotation"
)

// strict reads a mapping into a struct and refuses keys for which it has no field; more are names that somebody else read.
// Its errors are yaml's, which collects them: one run says all that is wrong with a file.
func strict[T any](n *yaml.Node, what string, into *T, more ...string) error {
	names := append(fields(reflect.TypeFor[T]()), more...)
	if n.Kind != yaml.MappingNode {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s is a mapping with some of %s", n.Line, what, strings.Join(names, ", "))}}
	}
	var bad []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(names, k.Value) {
			hint := config.Suggest(k.Value, names)
			if hint == "" {
				hint = "it may have " + strings.Join(names, ", ")
			}
			bad = append(bad, fmt.Sprintf("line %d: %s has no %q; %s", k.Line, what, k.Value, hint))
		}
	}
	return also(n.Decode(into), bad)
}

// also adds errors to what yaml says.
func also(err error, more []string) error {
	if len(more) == 0 {
		return err
	}
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		return &yaml.TypeError{Errors: append(more, te.Errors...)}
	}
	if err != nil {
		return err
	}
	return &yaml.TypeError{Errors: more}
}

// fields lists the names of a struct's fields in the file.
func fields(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
			names = append(names, tag)
		}
	}
	return names
}

// periods are the periods of a policy that can be expected, by their names in the configuration.
var periods = map[string]func(rotation.Policy) time.Duration{
	"rotate_after":   func(p rotation.Policy) time.Duration { return p.RotateAfter },
	"warn_before":    func(p rotation.Policy) time.Duration { return p.WarnBefore },
	"install_grace":  func(p rotation.Policy) time.Duration { return p.InstallGrace },
	"recovery_grace": func(p rotation.Policy) time.Duration { return p.RecoveryGrace },
	"quiet_period":   func(p rotation.Policy) time.Duration { return p.QuietPeriod },
	"reopen_after":   func(p rotation.Policy) time.Duration { return p.ReopenAfter },
	"notice":         func(p rotation.Policy) time.Duration { return p.Notice },
	"remind_after":   func(p rotation.Policy) time.Duration { return p.RemindAfter },
	"remind_most":    func(p rotation.Policy) time.Duration { return p.RemindMost },
	"escalate_after": func(p rotation.Policy) time.Duration { return p.EscalateAfter },
	"answer_within":  func(p rotation.Policy) time.Duration { return p.AnswerWithin },
}

var periodNames = slices.Sorted(maps.Keys(periods))

// takePeriods reads the periods among what is expected and returns the rest of the mapping.
func (e *Expect) takePeriods(n *yaml.Node) (*yaml.Node, []string) {
	if n.Kind != yaml.MappingNode {
		return n, nil
	}
	e.said = len(n.Content) / 2
	rest := *n
	rest.Content = nil
	var bad []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if periods[k.Value] == nil {
			rest.Content = append(rest.Content, k, v)
			continue
		}
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		d, err := rotation.ParseDuration(v.Value)
		switch _, twice := e.Periods[k.Value]; {
		case err != nil:
			bad = append(bad, fmt.Sprintf("line %d: %s: %v", v.Line, k.Value, err))
		case twice:
			bad = append(bad, fmt.Sprintf("line %d: %q stands twice in expect", k.Line, k.Value))
		case e.Periods == nil:
			e.Periods = map[string]time.Duration{}
		}
		if err == nil {
			e.Periods[k.Value] = d
		}
	}
	return &rest, bad
}
