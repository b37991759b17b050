package config

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/rotation"
)

// scalar is a value and where it stands. Line is 0 when it was not written.
type scalar[T any] struct {
	value T
	line  int
}

func (s scalar[T]) set() bool { return s.line > 0 }

func (s scalar[T]) or(otherwise T) T {
	if s.set() {
		return s.value
	}
	return otherwise
}

type (
	text     struct{ scalar[string] }
	toggle   struct{ scalar[bool] }
	number   struct{ scalar[int] }
	duration struct {
		scalar[time.Duration]
	}
)

func plainScalar(n *yaml.Node, what string) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: here stands a list or a mapping, and %s is expected", n.Line, what)
	}
	return nil
}

// UnmarshalYAML reads a string.
func (s *text) UnmarshalYAML(n *yaml.Node) error {
	if err := plainScalar(n, "a text"); err != nil {
		return err
	}
	s.value, s.line = n.Value, n.Line
	return nil
}

// UnmarshalYAML reads true or false.
func (s *toggle) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&s.value); err != nil || n.Tag != "!!bool" {
		return fmt.Errorf("line %d: %q is neither true nor false", n.Line, n.Value)
	}
	s.line = n.Line
	return nil
}

// UnmarshalYAML reads a whole number.
func (s *number) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&s.value); err != nil {
		return fmt.Errorf("line %d: %q is not a whole number", n.Line, n.Value)
	}
	s.line = n.Line
	return nil
}

// UnmarshalYAML reads a duration as people write it.
func (s *duration) UnmarshalYAML(n *yaml.Node) error {
	if err := plainScalar(n, "a duration"); err != nil {
		return err
	}
	d, err := rotation.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	s.value, s.line = d, n.Line
	return nil
}

// known refuses a mapping with a key that is not among names: yaml's own check does not reach below an UnmarshalYAML.
func known(n *yaml.Node, what string, names ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s is a mapping with some of %s", n.Line, what, list(names))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if !contains(names, k.Value) {
			return fmt.Errorf("line %d: %s has no %q; %s", k.Line, what, k.Value, didYouMean(k.Value, names))
		}
		if seen[k.Value] {
			return fmt.Errorf("line %d: %q stands twice in %s", k.Line, k.Value, what)
		}
		seen[k.Value] = true
	}
	return nil
}
