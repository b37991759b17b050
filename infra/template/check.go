package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check returns what CloudFormation would refuse, and what nobody needs: names that lead nowhere, conditions and attributes
// that do not exist, resources that depend on each other in a circle, unused parameters, conditions and mappings.
func (t *Template) Check() []error {
	c := &checker{t: t, used: map[string]bool{}, needs: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(t.Conditions)) {
		c.walk("Conditions."+name, t.Conditions[name], nil)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		d := t.Resources[name]
		at := "Resources." + name
		needs := map[string]bool{}
		if _, ok := kinds[d.Type]; !ok {
			c.say(at, "type %s is not known here", d.Type)
		}
		if d.Condition != "" {
			c.condition(at, d.Condition)
		}
		for _, other := range d.DependsOn {
			c.resource(at, other, needs)
		}
		c.walk(at, d.Properties, needs)
		c.needs[name] = slices.Sorted(maps.Keys(needs))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Outputs)) {
		c.walk("Outputs."+name, t.Outputs[name], nil)
	}
	for _, section := range []struct {
		what  string
		names []string
	}{
		{"parameter", slices.Sorted(maps.Keys(t.Parameters))}, {"condition", slices.Sorted(maps.Keys(t.Conditions))}, {"mapping", slices.Sorted(maps.Keys(t.Mappings))},
	} {
		for _, name := range section.names {
			if !c.used[section.what+" "+name] {
				c.say(t.Name, "%s %s is never used", section.what, name)
			}
		}
	}
	c.circles()
	return c.errs
}

type checker struct {
	t     *Template
	used  map[string]bool
	needs map[string][]string // resource → resources that it needs
	errs  []error
}

func (c *checker) say(at, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// walk looks at every function below v and notes in needs which resources they name; needs may be nil.
func (c *checker) walk(at string, v any, needs map[string]bool) {
	name, arg, isFunction := function(v)
	list, _ := arg.([]any)
	switch {
	case isFunction && name == "Ref":
		c.name(at, fmt.Sprint(arg), needs)
		return
	case isFunction && name == "Condition":
		c.condition(at, fmt.Sprint(arg))
		return
	case isFunction && name == "Fn::GetAtt" && len(list) == 2:
		c.attribute(at, fmt.Sprint(list[0]), fmt.Sprint(list[1]), needs)
		return
	case isFunction && name == "Fn::Sub":
		c.sub(at, arg, needs)
		return
	case isFunction && name == "Fn::If" && len(list) == 3:
		c.condition(at, fmt.Sprint(list[0]))
		list = list[1:]
	case isFunction && name == "Fn::FindInMap" && len(list) == 3:
		m := fmt.Sprint(list[0])
		if c.used["mapping "+m] = true; c.t.Mappings[m] == nil {
			c.say(at, "there is no mapping %s", m)
		}
		list = list[1:]
	case isFunction && !slices.Contains(slices.Collect(maps.Values(shortForms)), name):
		c.say(at, "%s is not understood here", name)
	}
	if isFunction {
		v = list
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			c.walk(at+"."+k, v[k], needs)
		}
	case []any:
		for i, x := range v {
			c.walk(fmt.Sprintf("%s[%d]", at, i), x, needs)
		}
	}
}

func (c *checker) sub(at string, arg any, needs map[string]bool) {
	own := map[string]any{}
	if l, ok := arg.([]any); ok && len(l) == 2 {
		arg = l[0]
		own, _ = l[1].(map[string]any)
		c.walk(at, own, needs)
	}
	s, _ := arg.(string)
	found := placeholder.FindAllStringSubmatch(s, -1)
	if len(found) == 0 {
		c.say(at, "Fn::Sub replaces nothing in %q", s)
	}
	for _, m := range found {
		res, attribute, dotted := strings.Cut(m[1], ".")
		switch _, ours := own[m[1]]; {
		case ours, strings.HasPrefix(m[1], "!"):
		case dotted:
			c.attribute(at, res, attribute, needs)
		default:
			c.name(at, m[1], needs)
		}
	}
}

func (c *checker) name(at, name string, needs map[string]bool) {
	if pseudo[name] != nil {
		return
	}
	if _, ok := c.t.Parameters[name]; ok {
		c.used["parameter "+name] = true
		return
	}
	c.resource(at, name, needs)
}

func (c *checker) resource(at, name string, needs map[string]bool) {
	if _, ok := c.t.Resources[name]; !ok {
		c.say(at, "there is nothing called %s", name)
		return
	}
	if needs != nil {
		needs[name] = true
	}
}

func (c *checker) attribute(at, name, attribute string, needs map[string]bool) {
	c.resource(at, name, needs)
	d, ok := c.t.Resources[name]
	if _, known := kinds[d.Type].attributes[attribute]; ok && !known {
		c.say(at, "a %s has no attribute %s, or it is not known here", d.Type, attribute)
	}
}

func (c *checker) condition(at, name string) {
	c.used["condition "+name] = true
	if c.t.Conditions[name] == nil {
		c.say(at, "there is no condition %s", name)
	}
}

// circles finds resources that cannot be made because each needs the other first.
func (c *checker) circles() {
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		path = append(path, name)
		switch state[name] {
		case open:
			c.say(c.t.Name, "resources depend on each other: %s", strings.Join(path[slices.Index(path, name):], " -> "))
			return
		case done:
			return
		}
		state[name] = open
		for _, other := range c.needs[name] {
			visit(other, path)
		}
		state[name] = done
	}
	for _, name := range slices.Sorted(maps.Keys(c.needs)) {
		visit(name, nil)
	}
}
