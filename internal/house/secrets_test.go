package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secretForms are what no golden file may hold: the markers that the emulators and fakes put into every secret, the value of
// a stored secret, and Slack's tokens.
var secretForms = regexp.MustCompile(`SANDBOXSECRET|MARKER-OF-A-SECRET|"SecretAccessKey"\s*:\s*"[^"]|xox[abp]-[0-9A-Za-z]{4}`)

// TestNoSecretInGoldens searches every file that tests compare with, or that fuzzing found.
func TestNoSecretInGoldens(t *testing.T) {
	searched := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "testdata") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		if m := secretForms.Find(b); m != nil {
			t.Errorf("%s holds %.20q", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if searched < 100 {
		t.Errorf("only %d files were searched", searched)
	}
}
