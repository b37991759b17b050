package template

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// nothing is AWS::NoValue: what holds it is left out.
type nothing struct{}

// value computes v. at is its place, for errors.
func (r *resolver) value(at string, v any) (any, error) {
	if name, arg, ok := function(v); ok {
		out, err := r.call(at, name, arg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		return out, nil
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			y, err := r.value(at+"."+k, x)
			if err != nil {
				return nil, err
			}
			if _, gone := y.(nothing); !gone {
				out[k] = y
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for i, x := range v {
			y, err := r.value(fmt.Sprintf("%s[%d]", at, i), x)
			if err != nil {
				return nil, err
			}
			if _, gone := y.(nothing); !gone {
				out = append(out, y)
			}
		}
		return out, nil
	default:
		return v, nil
	}
}

var errForm = errors.New("its arguments have not the form that CloudFormation takes")

// call computes an intrinsic function.
func (r *resolver) call(at, name string, arg any) (any, error) {
	list, _ := arg.([]any)
	switch {
	case name == "Ref":
		s, _ := arg.(string)
		return r.ref(s)
	case name == "Fn::GetAtt" && len(list) == 2:
		res, _ := list[0].(string)
		attribute, _ := list[1].(string)
		return r.attribute(res, attribute)
	case name == "Fn::Sub":
		return r.sub(at, arg)
	case name == "Fn::If" && len(list) == 3:
		condition, _ := list[0].(string)
		yes, err := r.condition(condition)
		if err != nil {
			return nil, err
		}
		if yes {
			return r.value(at, list[1])
		}
		return r.value(at, list[2])
	case name == "Fn::FindInMap" && len(list) == 3:
		v, err := r.value(at, list)
		if err != nil {
			return nil, err
		}
		var x any = r.t.Mappings
		for _, k := range v.([]any) {
			m, _ := x.(map[string]any)
			if x = m[fmt.Sprint(k)]; x == nil {
				return nil, fmt.Errorf("Fn::FindInMap: there is no %v", k)
			}
		}
		return x, nil
	case name == "Fn::Join" && len(list) == 2, name == "Fn::Split" && len(list) == 2, name == "Fn::Select" && len(list) == 2:
		v, err := r.value(at, list)
		if err != nil {
			return nil, err
		}
		return text(name, v.([]any))
	default:
		return nil, fmt.Errorf("%s: %w", name, errForm)
	}
}

// text computes the functions of texts and lists. Their arguments are computed already.
func text(name string, args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%s: %w", name, errForm)
	}
	list, isList := args[1].([]any)
	switch {
	case name == "Fn::Join" && isList:
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = fmt.Sprint(x)
		}
		return strings.Join(parts, fmt.Sprint(args[0])), nil
	case name == "Fn::Select" && isList:
		i, ok := args[0].(int)
		if !ok || i < 0 || i >= len(list) {
			return nil, fmt.Errorf("Fn::Select: there is no element %v", args[0])
		}
		return list[i], nil
	case name == "Fn::Split" && !isList:
		var out []any
		for part := range strings.SplitSeq(fmt.Sprint(args[1]), fmt.Sprint(args[0])) {
			out = append(out, part)
		}
		return out, nil
	default:
		return nil, fmt.Errorf("%s: %w", name, errForm)
	}
}

// placeholder is what Fn::Sub replaces: ${Name}, ${Name.Attribute}. ${!Literal} stays as ${Literal}.
var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

func (r *resolver) sub(at string, arg any) (any, error) {
	own := map[string]any{}
	if l, ok := arg.([]any); ok && len(l) == 2 {
		arg = l[0]
		own, _ = l[1].(map[string]any)
	}
	s, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("Fn::Sub: %w", errForm)
	}
	var errs []error
	out := placeholder.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var v any
		var err error
		if x, ok := own[name]; ok {
			v, err = r.value(at, x)
		} else if res, attribute, ok := strings.Cut(name, "."); ok {
			v, err = r.attribute(res, attribute)
		} else {
			v, err = r.ref(name)
		}
		if err == nil {
			switch v.(type) {
			case string, int, float64, bool:
			default:
				err = fmt.Errorf("Fn::Sub: ${%s} is no text", name)
			}
		}
		errs = append(errs, err)
		return fmt.Sprint(v)
	})
	return out, errors.Join(errs...)
}

// condition computes a named condition.
func (r *resolver) condition(name string) (bool, error) {
	c, ok := r.t.Conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %q", name)
	}
	if r.busy["condition "+name] {
		return false, fmt.Errorf("condition %s depends on itself", name)
	}
	r.busy["condition "+name] = true
	defer delete(r.busy, "condition "+name)
	return r.test("Conditions."+name, c)
}

// test computes a function of conditions.
func (r *resolver) test(at string, v any) (bool, error) {
	name, arg, _ := function(v)
	list, _ := arg.([]any)
	switch {
	case name == "Condition":
		return r.condition(fmt.Sprint(arg))
	case name == "Fn::Equals" && len(list) == 2:
		x, err := r.value(at, list)
		if err != nil {
			return false, err
		}
		pair := x.([]any)
		return len(pair) == 2 && fmt.Sprint(pair[0]) == fmt.Sprint(pair[1]), nil
	case name == "Fn::Not" && len(list) == 1:
		yes, err := r.test(at, list[0])
		return !yes, err
	case (name == "Fn::And" || name == "Fn::Or") && len(list) >= 2 && len(list) <= 10:
		some, all := false, true
		for _, x := range list {
			yes, err := r.test(at, x)
			if err != nil {
				return false, err
			}
			some, all = some || yes, all && yes
		}
		return name == "Fn::And" && all || name == "Fn::Or" && some, nil
	default:
		return false, fmt.Errorf("%s: %s: %w", at, name, errForm)
	}
}
