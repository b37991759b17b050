package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestRefusedFolder: a folder that cannot be read is left as it was.
func TestRefusedFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Data: dir, Seed: (*world.World).SeedHero})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "stage.json")
	if err := os.WriteFile(file, []byte(`{"Version":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Data: dir}); err == nil || !strings.Contains(err.Error(), "Remove the folder") {
		t.Errorf("it was opened: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != `{"Version":99}` {
		t.Errorf("it was overwritten: %s %v", b, err)
	}
}

// TestFolderInUse: one folder is one world's at a time, and another one's again after that.
func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	o := Options{Data: dir, Seed: (*world.World).SeedHero}
	first, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another demo uses the folder "+dir) {
		t.Errorf("a second world in one folder: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}
