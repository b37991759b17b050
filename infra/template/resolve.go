package template

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Env is where and with what a template is resolved.
type Env struct {
	Account   string // twelve digits
	Region    string
	Partition string            // empty: aws
	Stack     string            // empty: keyturn
	Params    map[string]string // those that are not given have their default
	// Attributes are what AWS would make up, such as Table.StreamArn; an attribute that is made of names is computed.
	Attributes map[string]string
}

// Resolve computes every resource whose condition holds. All errors are returned at once, each with its place.
func (t *Template) Resolve(e Env) (Resources, error) {
	r, err := t.resolver(e)
	if err != nil {
		return nil, err
	}
	out := Resources{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		d := t.Resources[name]
		there, err := r.there(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !there {
			continue
		}
		v, err := r.value("Resources."+name, d.Properties)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		props, _ := v.(map[string]any)
		out[name] = Resource{Type: d.Type, Properties: props, DeletionPolicy: d.DeletionPolicy, UpdateReplacePolicy: d.UpdateReplacePolicy}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return out, nil
}

// ResolveOutputs computes the values of the outputs.
func (t *Template) ResolveOutputs(e Env) (map[string]any, error) {
	r, err := t.resolver(e)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for name, o := range t.Outputs {
		m, _ := o.(map[string]any)
		if out[name], err = r.value("Outputs."+name, m["Value"]); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return out, nil
}

// resolver is one resolution.
type resolver struct {
	t      *Template
	env    Env
	params map[string]any
	busy   map[string]bool // conditions and names that are being computed, to find circles
}

func (t *Template) resolver(e Env) (*resolver, error) {
	if e.Partition == "" {
		e.Partition = "aws"
	}
	if e.Stack == "" {
		e.Stack = "keyturn"
	}
	r := &resolver{t: t, env: e, params: map[string]any{}, busy: map[string]bool{}}
	var errs []error
	for name := range e.Params {
		if _, ok := t.Parameters[name]; !ok {
			errs = append(errs, fmt.Errorf("there is no parameter %s", name))
		}
	}
	for name, p := range t.Parameters {
		given, ok := e.Params[name]
		switch {
		case ok:
		case p.Default == nil:
			errs = append(errs, fmt.Errorf("parameter %s must be given", name))
			continue
		default:
			given = *p.Default
		}
		v, err := p.read(given)
		if err != nil {
			errs = append(errs, fmt.Errorf("parameter %s: %w", name, err))
		}
		r.params[name] = v
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return r, nil
}

// read checks a value as CloudFormation does.
func (p Parameter) read(s string) (any, error) {
	if len(p.Allowed) > 0 && !slices.Contains(p.Allowed, s) {
		return nil, fmt.Errorf("%q is none of %s", s, strings.Join(p.Allowed, ", "))
	}
	if p.Pattern != "" {
		// CloudFormation's patterns match the whole value.
		re, err := regexp.Compile(`^(?:` + p.Pattern + `)$`)
		if err != nil {
			return nil, fmt.Errorf("AllowedPattern: %w", err)
		}
		if !re.MatchString(s) {
			return nil, fmt.Errorf("%q does not match %s", s, p.Pattern)
		}
	}
	if len(s) < p.MinLength {
		return nil, fmt.Errorf("%q is shorter than %d", s, p.MinLength)
	}
	switch p.Type {
	case "CommaDelimitedList":
		var l []any
		for item := range strings.SplitSeq(s, ",") {
			l = append(l, strings.TrimSpace(item))
		}
		return l, nil
	case "Number":
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		if p.MinValue != nil && n < *p.MinValue || p.MaxValue != nil && n > *p.MaxValue {
			return nil, fmt.Errorf("%s is out of bounds", s)
		}
		if i := int(n); float64(i) == n {
			return i, nil
		}
		return n, nil
	default:
		return s, nil
	}
}
