package template

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shortForms are the tags of YAML templates and the long form of each.
var shortForms = map[string]string{
	"!Ref": "Ref", "!Condition": "Condition", "!GetAtt": "Fn::GetAtt", "!Sub": "Fn::Sub", "!Join": "Fn::Join", "!Select": "Fn::Select",
	"!Split": "Fn::Split", "!If": "Fn::If", "!Equals": "Fn::Equals", "!Not": "Fn::Not", "!And": "Fn::And", "!Or": "Fn::Or", "!FindInMap": "Fn::FindInMap",
}

// value turns YAML into maps, lists and scalars. A short form becomes its long form, and a dotted GetAtt a list.
func value(n *yaml.Node) (any, error) {
	long, short := shortForms[n.Tag]
	if !short && strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return nil, fmt.Errorf("line %d: %s is no intrinsic function, or it is not understood here", n.Line, n.Tag)
	}
	v, err := plain(n, short)
	if err != nil {
		return nil, err
	}
	if long == "Fn::GetAtt" {
		if s, ok := v.(string); ok {
			name, attribute, ok := strings.Cut(s, ".")
			if !ok {
				return nil, fmt.Errorf("line %d: !GetAtt %s names no attribute", n.Line, s)
			}
			v = []any{name, attribute}
		}
	}
	if short {
		return map[string]any{long: v}, nil
	}
	return v, nil
}

func plain(n *yaml.Node, tagged bool) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i].Value
			if _, twice := m[k]; twice {
				return nil, fmt.Errorf("line %d: %q stands twice", n.Content[i].Line, k)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[k] = v
		}
		return m, nil
	case yaml.SequenceNode:
		l := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		return l, nil
	case yaml.ScalarNode:
		if tagged {
			return n.Value, nil
		}
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
		switch v.(type) {
		case string, bool, int, float64:
			return v, nil
		default: // a date, a null: CloudFormation takes neither
			return nil, fmt.Errorf("line %d: %q: put it in quotes", n.Line, n.Value)
		}
	default: // aliases: CloudFormation does not take them
		return nil, fmt.Errorf("line %d: CloudFormation takes no anchors and aliases", n.Line)
	}
}

// function reports whether v is an intrinsic function, and which.
func function(v any) (name string, arg any, ok bool) {
	m, isMap := v.(map[string]any)
	if !isMap || len(m) != 1 {
		return "", nil, false
	}
	for k, a := range m {
		if k == "Ref" || strings.HasPrefix(k, "Fn::") {
			return k, a, true
		}
		// Condition is a function only where its value is a name; a policy's Condition is a mapping.
		if _, isName := a.(string); k == "Condition" && isName {
			return k, a, true
		}
	}
	return "", nil, false
}
