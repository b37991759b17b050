package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme: the README's reference of commands is that of --help. -update rewrites it.
func TestReadme(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- cli -->", "<!-- /cli -->"
	b, err := os.ReadFile(path)
	must(t, err)
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no %s and %s", path, begin, end)
	}
	want := "\n" + CLIReference()
	if *update {
		must(t, os.WriteFile(path, []byte(before+begin+want+end+after), 0o644))
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the README is not what --help says; go test ./cmd/keyturn -update rewrites it (-help +README):\n%s", diff)
	}
}

// TestEveryFlagIsExplained: a command or flag without a word of help is none.
func TestEveryFlagIsExplained(t *testing.T) {
	for line := range strings.Lines(CLIReference()) {
		if strings.Contains(line, "|  |") || !strings.HasSuffix(strings.TrimSpace(line), ". |") && strings.Contains(line, "`") {
			t.Errorf("no sentence: %s", line)
		}
	}
}
