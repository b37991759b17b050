package iampolicy

import (
	"fmt"
	"strconv"
	"strings"
)

// quantifier is a set operator, for keys that may have several values.
type quantifier int

const (
	single quantifier = iota
	anyValue
	allValues
)

// operator is a condition operator, taken apart.
type operator struct {
	kind     kind
	set      quantifier
	ifExists bool
	negated  bool
}

// kind is how two values are compared.
type kind int

const (
	kindString kind = iota
	kindStringFold
	kindStringLike
	kindNumeric // equal
	kindLess
	kindLessEqual
	kindGreater
	kindGreaterEqual
	kindBool
	kindARN
	kindNull
)

// operators are the comparisons that we know. AWS's date, binary and IP address operators are not among them.
var operators = map[string]operator{
	"StringEquals": {kind: kindString}, "StringNotEquals": {kind: kindString, negated: true},
	"StringEqualsIgnoreCase": {kind: kindStringFold}, "StringNotEqualsIgnoreCase": {kind: kindStringFold, negated: true},
	"StringLike": {kind: kindStringLike}, "StringNotLike": {kind: kindStringLike, negated: true},
	"NumericEquals": {kind: kindNumeric}, "NumericNotEquals": {kind: kindNumeric, negated: true},
	"NumericLessThan": {kind: kindLess}, "NumericLessThanEquals": {kind: kindLessEqual},
	"NumericGreaterThan": {kind: kindGreater}, "NumericGreaterThanEquals": {kind: kindGreaterEqual},
	"Bool":      {kind: kindBool},
	"ArnEquals": {kind: kindARN}, "ArnNotEquals": {kind: kindARN, negated: true}, // the same as ArnLike
	"ArnLike": {kind: kindARN}, "ArnNotLike": {kind: kindARN, negated: true},
	"Null": {kind: kindNull},
}

func parseOperator(name string) (operator, error) {
	rest, set := name, single
	if r, ok := strings.CutPrefix(rest, "ForAnyValue:"); ok {
		rest, set = r, anyValue
	} else if r, ok := strings.CutPrefix(rest, "ForAllValues:"); ok {
		rest, set = r, allValues
	}
	rest, ifExists := strings.CutSuffix(rest, "IfExists")
	op, ok := operators[rest]
	if !ok || op.kind == kindNull && (ifExists || set != single) {
		return operator{}, fmt.Errorf("the condition operator %q is not known", name)
	}
	op.set, op.ifExists = set, ifExists
	return op, nil
}

// takes reports what the values of an operator may have in them.
func (o operator) takes() (wild, vars bool) {
	switch o.kind {
	case kindStringLike, kindARN:
		return true, true
	case kindString, kindStringFold:
		return false, true
	default:
		return false, false
	}
}

// check finds values that the operator cannot compare with.
func (o operator) check(p pattern) error {
	switch o.kind {
	case kindBool, kindNull:
		if v := strings.ToLower(p.text); v != "true" && v != "false" {
			return fmt.Errorf("%q is neither true nor false", p.text)
		}
	case kindNumeric, kindLess, kindLessEqual, kindGreater, kindGreaterEqual:
		if _, err := strconv.ParseFloat(p.text, 64); err != nil {
			return fmt.Errorf("%q is no number", p.text)
		}
	case kindARN:
		if strings.ContainsRune(p.shape(), 0) {
			return nil // whether it is an ARN shows when its variables have values
		}
		return p.checkARN(false)
	case kindString, kindStringFold, kindStringLike:
	}
	return nil
}

// compare compares one value of the request with one of the policy. Whether the operator is negated does not matter here.
func (o operator) compare(p pattern, c Context, have string) bool {
	switch o.kind {
	case kindString, kindStringLike:
		return p.match(c, have, false)
	case kindStringFold:
		return p.match(c, have, true)
	case kindARN:
		return p.matchARN(c, have)
	case kindBool:
		return strings.EqualFold(p.text, have)
	case kindNull:
		return false
	case kindNumeric, kindLess, kindLessEqual, kindGreater, kindGreaterEqual:
	}
	want, err1 := strconv.ParseFloat(p.text, 64)
	is, err2 := strconv.ParseFloat(have, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	switch o.kind {
	case kindNumeric:
		return is == want
	case kindLess:
		return is < want
	case kindLessEqual:
		return is <= want
	case kindGreater:
		return is > want
	default:
		return is >= want
	}
}
