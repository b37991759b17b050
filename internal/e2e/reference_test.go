package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/bot"
	"github.com/keyturn/keyturn/internal/app/config"
)

// TestReadmeReference: the README's tables of commands and rules are made from those of the help and of the configuration.
// -update writes them anew.
func TestReadmeReference(t *testing.T) {
	const path = "../../README.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, want := range map[string]string{"slack": bot.Reference("/keys"), "rules": config.RuleReference()} {
		before, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
		got, after, closed := strings.Cut(rest, "<!-- /"+name+" -->")
		if !ok || !closed {
			t.Fatalf("the README has no part %s", name)
		}
		if *update {
			text = before + "<!-- " + name + " -->\n" + want + "<!-- /" + name + " -->" + after
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the README says something else (-update writes it anew):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
