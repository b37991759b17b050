package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestRuleKeys: the reference has every key that a rule can have, and no other, and each default that it says is accepted.
func TestRuleKeys(t *testing.T) {
	want := map[string]bool{}
	var walk func(prefix string, s reflect.Type)
	walk = func(prefix string, s reflect.Type) {
		for f := range s.Fields() {
			name := f.Tag.Get("yaml")
			if name == "" {
				continue
			}
			in := f.Type
			if in.Kind() == reflect.Pointer {
				in = in.Elem()
			}
			if slices.Contains([]string{"match", "approvers", "leaked", "break_glass"}, name) {
				walk(prefix+name+".", in)
				continue
			}
			want[prefix+name] = true
		}
	}
	walk("", reflect.TypeFor[rawRule]())
	var rule []string
	for _, k := range RuleKeys() {
		if !want[k.Name] {
			t.Errorf("%s is no key, or stands twice", k.Name)
		}
		delete(want, k.Name)
		if !strings.HasSuffix(k.Does, ".") {
			t.Errorf("%s: no sentence", k.Name)
		}
		if k.Default != "" && !strings.Contains(k.Name, ".") {
			rule = append(rule, k.Name+": "+k.Default)
		}
	}
	for name := range want {
		t.Errorf("nothing explains %s", name)
	}
	text := strings.Replace(full, "  - {}\n", "  - {"+strings.Join(rule, ", ")+"}\n", 1)
	c, err := Parse("keyturn.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Parse("keyturn.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Rules[2].Policy, plain.Rules[2].Policy; got != want {
		t.Errorf("with every default written down a rule is\n%+v, not\n%+v", got, want)
	}
}
