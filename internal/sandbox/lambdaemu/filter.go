package lambdaemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// filter is a pattern of a mapping's FilterCriteria, in EventBridge's language. It matches as AWS's event ruler does: on the
// leaves of the event alone, so an operator on an attribute of DynamoDB must stand below its type ("wake": {"S": [...]}).
type filter struct {
	fields []fieldFilter
	either [][]filter // each $or: one of its filters must match
}

// fieldFilter is one field: an object below it, or rules of which one must match.
type fieldFilter struct {
	name  string
	below *filter
	rules []rule
}

// parseFilter compiles a pattern and refuses what CreateEventSourceMapping refuses.
func parseFilter(pattern string) (*filter, error) {
	if len(pattern) > 4096 {
		return nil, fmt.Errorf("a pattern of %d characters: Lambda allows 4,096", len(pattern))
	}
	v, err := decode([]byte(pattern))
	if err != nil {
		return nil, fmt.Errorf("read a filter pattern: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a filter pattern must be an object")
	}
	f, err := compile(object)
	if err != nil {
		return nil, fmt.Errorf("compile a filter pattern: %w", err)
	}
	return f, nil
}

func compile(object map[string]any) (*filter, error) {
	if len(object) == 0 {
		return nil, errors.New("an empty object matches nothing")
	}
	f := &filter{}
	for name, v := range object {
		if name == "$or" && isEither(v) {
			var all []filter
			for _, alternative := range v.([]any) {
				one, err := compile(alternative.(map[string]any))
				if err != nil {
					return nil, fmt.Errorf("$or: %w", err)
				}
				all = append(all, *one)
			}
			f.either = append(f.either, all)
			continue
		}
		field := fieldFilter{name: name}
		var err error
		switch v := v.(type) {
		case map[string]any:
			field.below, err = compile(v)
		case []any:
			field.rules, err = compileRules(v)
		default:
			err = errors.New("must be an object or an array")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f.fields = append(f.fields, field)
	}
	return f, nil
}

// isEither says whether a value makes $or an operator: at least two objects, none of which begins with an operator's name.
func isEither(v any) bool {
	list, ok := v.([]any)
	if !ok || len(list) < 2 {
		return false
	}
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok || len(object) == 0 {
			return false
		}
		for name := range object {
			if slices.Contains(operators, name) {
				return false
			}
		}
	}
	return true
}

// matches says whether a record passes. What is not JSON passes nothing.
func (f *filter) matches(record []byte) bool {
	v, err := decode(record)
	return err == nil && f.match(v)
}

// match takes any element of an array, and all fields from the same one. What is absent is nil, a null of the event is null.
func (f *filter) match(v any) bool {
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return f.matchObject(nil)
		}
		return slices.ContainsFunc(list, f.match)
	}
	object, _ := v.(map[string]any) // a scalar has no fields
	return f.matchObject(object)
}

func (f *filter) matchObject(object map[string]any) bool {
	for _, field := range f.fields {
		v := object[field.name]
		if field.below != nil && !field.below.match(v) || field.below == nil && !matchRules(field.rules, v) {
			return false
		}
	}
	for _, alternatives := range f.either {
		if !slices.ContainsFunc(alternatives, func(a filter) bool { return a.matchObject(object) }) {
			return false
		}
	}
	return true
}

func matchRules(rules []rule, v any) bool {
	values := leaves(v, nil)
	return slices.ContainsFunc(rules, func(r rule) bool {
		if r.absent {
			return len(values) == 0
		}
		return slices.ContainsFunc(values, r.match)
	})
}

// leaves are the scalars of a field: itself, or those of an array. An object is none.
func leaves(v any, to []any) []any {
	switch v := v.(type) {
	case nil, map[string]any:
	case []any:
		for _, item := range v {
			to = leaves(item, to)
		}
	default:
		to = append(to, v)
	}
	return to
}

// null stands for JSON's null, so that nil is what is absent.
type null struct{}

// decode reads exactly one JSON value with numbers as they are written.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return withNulls(v), nil
}

func withNulls(v any) any {
	switch t := v.(type) {
	case nil:
		return null{}
	case []any:
		for i := range t {
			t[i] = withNulls(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = withNulls(t[k])
		}
	}
	return v
}

// quoted shows a value of a pattern in an error.
func quoted(v any) string { return strings.TrimSpace(fmt.Sprintf("%.80v", v)) }
