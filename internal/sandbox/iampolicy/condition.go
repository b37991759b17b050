package iampolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Key is what is known of a condition key.
type Key struct {
	Multi bool // it may have several values in one request
}

// Keys finds a condition key. Names come in lower case, with what follows the slash or the second colon of such keys as
// aws:RequestTag/owner and kms:EncryptionContext:SecretARN.
type Keys func(name string) (Key, bool)

// Context is what a request has to say about itself: the values of condition keys, by their names in lower case. A key
// without a value is missing.
type Context map[string][]string

// Condition is one line of a Condition element.
type Condition struct {
	Operator, Key string
	Values        []string

	op       operator
	key      string
	patterns []pattern
}

func parseConditions(v any, vars bool, keys Keys) ([]Condition, error) {
	blocks, ok := v.(object)
	if !ok {
		return nil, errors.New("it must be an object")
	}
	var out []Condition
	for _, b := range blocks {
		op, err := parseOperator(b.name)
		if err != nil {
			return nil, err
		}
		lines, ok := b.value.(object)
		if !ok || len(lines) == 0 {
			return nil, fmt.Errorf("%s must be an object with condition keys", b.name)
		}
		seen := map[string]bool{}
		for _, l := range lines {
			c, err := parseCondition(b.name, op, l, vars, keys)
			if err != nil {
				return nil, fmt.Errorf("condition %s on %s: %w", b.name, l.name, err)
			}
			if seen[c.key] {
				return nil, fmt.Errorf("condition %s on %s: the key is there twice", b.name, l.name)
			}
			seen[c.key] = true
			out = append(out, c)
		}
	}
	return out, nil
}

func parseCondition(name string, op operator, l member, vars bool, keys Keys) (Condition, error) {
	c := Condition{Operator: name, Key: l.name, op: op, key: strings.ToLower(l.name)}
	k, ok := keys(c.key)
	switch {
	case !ok:
		return c, errors.New("the condition key is not known")
	case k.Multi && op.set == single && op.kind != kindNull:
		return c, errors.New("the key may have several values: it needs ForAnyValue or ForAllValues")
	}
	var err error
	if c.Values, err = texts(l.value, true); err != nil {
		return c, err
	}
	if op.kind == kindNull && len(c.Values) != 1 {
		return c, errors.New("the operator Null has one value")
	}
	wild, takesVars := op.takes()
	for _, v := range c.Values {
		if !takesVars && strings.Contains(v, "${") {
			return c, fmt.Errorf("%q: variables are not supported here", v)
		}
		p, err := grammar{wild: wild, vars: takesVars && vars, keys: keys}.compile(v)
		if err != nil {
			return c, err
		}
		if err := op.check(p); err != nil {
			return c, err
		}
		c.patterns = append(c.patterns, p)
	}
	return c, nil
}

// holds decides one line. Several values of a policy are joined by or, and by nor if the operator is negated. Where the
// request has no such key, negated operators hold and others do not; IfExists and ForAllValues hold, ForAnyValue does not.
func (c Condition) holds(ctx Context) bool {
	have := ctx[c.key]
	if c.op.kind == kindNull {
		return (len(have) == 0) == strings.EqualFold(c.Values[0], "true")
	}
	if len(have) == 0 {
		return c.op.ifExists || c.op.set == allValues || c.op.set == single && c.op.negated
	}
	one := func(v string) bool {
		hit := slices.ContainsFunc(c.patterns, func(p pattern) bool { return c.op.compare(p, ctx, v) })
		return hit != c.op.negated
	}
	if c.op.set == anyValue || c.op.set == single && !c.op.negated {
		return slices.ContainsFunc(have, one)
	}
	return !slices.ContainsFunc(have, func(v string) bool { return !one(v) })
}
