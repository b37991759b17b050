package lambdaemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// rule is one alternative of a field.
type rule struct {
	absent bool // exists: false; match is nil
	match  func(leaf any) bool
}

// operators are those that Lambda has for event filtering. EventBridge's others (wildcard, cidr) are refused.
var operators = []string{"anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"}

func compileRules(list []any) ([]rule, error) {
	if len(list) == 0 {
		return nil, errors.New("an empty array matches nothing")
	}
	rules := make([]rule, 0, len(list))
	for _, item := range list {
		r, err := compileRule(item)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func compileRule(item any) (rule, error) {
	object, ok := item.(map[string]any)
	if !ok {
		if !isScalar(item) {
			return rule{}, errors.New("an array in an array")
		}
		return rule{match: equals(item)}, nil
	}
	if len(object) != 1 {
		return rule{}, fmt.Errorf("an operator must stand alone, got %d names", len(object))
	}
	for name, v := range object {
		r, err := compileOperator(name, v)
		if err != nil {
			return rule{}, fmt.Errorf("%s: %w", name, err)
		}
		return r, nil
	}
	return rule{}, nil // not reached
}

func compileOperator(name string, v any) (rule, error) {
	switch name {
	case "exists":
		want, ok := v.(bool)
		if !ok {
			return rule{}, errors.New("must be true or false")
		}
		return rule{absent: !want, match: func(any) bool { return true }}, nil
	case "prefix":
		return onStrings(v, strings.HasPrefix)
	case "suffix":
		return onStrings(v, strings.HasSuffix)
	case "equals-ignore-case":
		return onStrings(v, strings.EqualFold)
	case "numeric":
		return compileNumeric(v)
	case "anything-but":
		return compileAnythingBut(v)
	}
	return rule{}, errors.New("not an operator of event filtering")
}

// onStrings matches string leaves alone.
func onStrings(v any, match func(leaf, want string) bool) (rule, error) {
	want, ok := v.(string)
	if !ok || want == "" {
		return rule{}, errors.New("must be a string that is not empty")
	}
	return rule{match: func(leaf any) bool {
		s, ok := leaf.(string)
		return ok && match(s, want)
	}}, nil
}

// compileAnythingBut takes a string or a number, a list of one kind, or a prefix or suffix. An absent field does not match.
func compileAnythingBut(v any) (rule, error) {
	if object, ok := v.(map[string]any); ok {
		_, prefix := object["prefix"]
		_, suffix := object["suffix"]
		if len(object) != 1 || !prefix && !suffix {
			return rule{}, fmt.Errorf("cannot negate %s", quoted(v))
		}
		r, err := compileRule(v)
		if err != nil {
			return rule{}, err
		}
		return rule{match: func(leaf any) bool { return !r.match(leaf) }}, nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return rule{}, errors.New("an empty list")
	}
	_, text := list[0].(string)
	for _, item := range list {
		_, isString := item.(string)
		_, isNumber := item.(json.Number)
		if !isString && !isNumber || isString != text {
			return rule{}, errors.New("must be strings or numbers, all of one kind")
		}
	}
	return rule{match: func(leaf any) bool {
		for _, item := range list {
			if leaf == item {
				return false
			}
		}
		return true
	}}, nil
}

// compileNumeric takes one comparison, or a lower and an upper bound. It matches JSON numbers alone: DynamoDB writes an N as a
// string, so numeric never matches one.
func compileNumeric(v any) (rule, error) {
	list, _ := v.([]any)
	if len(list) != 2 && len(list) != 4 {
		return rule{}, errors.New("must be one or two pairs of comparison and number")
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		op, _ := list[i].(string)
		number, _ := list[i+1].(json.Number)
		bound, err := number.Float64()
		if err != nil || bound < -5e9 || bound > 5e9 {
			return rule{}, fmt.Errorf("%s: a number from -5e9 to 5e9 is wanted", quoted(list[i+1]))
		}
		if len(list) == 4 && !strings.HasPrefix(op, []string{">", "", "<"}[i]) {
			return rule{}, errors.New("a range is a lower bound and then an upper one")
		}
		test, ok := map[string]func(float64) bool{
			"=":  func(x float64) bool { return x == bound },
			"<":  func(x float64) bool { return x < bound },
			"<=": func(x float64) bool { return x <= bound },
			">":  func(x float64) bool { return x > bound },
			">=": func(x float64) bool { return x >= bound },
		}[op]
		if !ok {
			return rule{}, fmt.Errorf("%s is no comparison", quoted(list[i]))
		}
		tests = append(tests, test)
	}
	return rule{match: func(leaf any) bool {
		number, ok := leaf.(json.Number)
		if !ok {
			return false
		}
		x, err := number.Float64()
		if err != nil {
			return false
		}
		for _, test := range tests {
			if !test(x) {
				return false
			}
		}
		return true
	}}, nil
}

// equals compares text with text and numbers as they are written: 300 is not 300.0 (developer guide, "Filter rule syntax").
func equals(want any) func(any) bool {
	return func(leaf any) bool { return leaf == want }
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, json.Number, bool, null:
		return true
	}
	return false
}
