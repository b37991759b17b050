package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestSuggest(t *testing.T) {
	names := []string{"approve", "decide", "report_leak"}
	for word, want := range map[string]string{
		"aprove":  `did you mean "approve"?`,
		"dekide":  `did you mean "decide"?`,
		"approve": `did you mean "approve"?`,
		"x":       "",
		"":        "",
		"restore": "",
	} {
		if got := Suggest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Suggest("x", nil); got != "" {
		t.Errorf("without names: %q", got)
	}
}

func TestEmpty(t *testing.T) {
	for text, want := range map[string][]string{
		"":               nil,
		"a: {b: ''}":     nil,
		"a: [{}]\nb: []": nil,
		"a:\n  b:\nc: ~": {"line 2: b has no value. Write one, or leave it out", "line 3: c has no value. Write one, or leave it out"},
		"a:\n  - x\n  -": {"line 3: here stands an empty item. Take it out"},
		"a: [~, [null]]": {"line 1: here stands an empty item. Take it out", "line 1: here stands an empty item. Take it out"},
		"a: &x ~\nb: *x": {"line 1: a has no value. Write one, or leave it out"},
		"a: &x [*x, ~]":  {"line 1: here stands an empty item. Take it out"},
		"~: x":           nil,
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Empty(&n)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
