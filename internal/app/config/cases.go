package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Suggest asks after a word that is none of names whether the nearest of them was meant; it is empty if none is near. Files
// of cases ask it as the configuration does.
func Suggest(word string, names []string) string {
	if q := didYouMean(word, names); strings.HasPrefix(q, "did you mean") {
		return q
	}
	return ""
}

// Empty lists what is written without a value, like "line 4: ...". yaml takes it for left out, so that a rule would match
// more keys, or ask fewer people, than its author reads there.
func Empty(n *yaml.Node) (out []string) {
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 0:
		case c.Kind != yaml.ScalarNode || c.Tag != "!!null":
			out = append(out, Empty(c)...)
		case n.Kind == yaml.MappingNode:
			out = append(out, fmt.Sprintf("line %d: %s has no value. Write one, or leave it out", c.Line, n.Content[i-1].Value))
		case n.Kind == yaml.SequenceNode:
			out = append(out, fmt.Sprintf("line %d: here stands an empty item. Take it out", c.Line))
		}
	}
	return out
}
