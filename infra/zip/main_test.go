package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// files writes a binary and a configuration with modes and times of their own.
func files(t *testing.T, binary string, mode os.FileMode, at time.Time) (bin, config string) {
	t.Helper()
	dir := t.TempDir()
	bin, config = filepath.Join(dir, "keyturn-linux"), filepath.Join(dir, "mine.yaml")
	for path, content := range map[string]string{bin: binary, config: "policy: []\n"} {
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return bin, config
}

func archive(t *testing.T, bin, config string) ([]byte, string) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "dist", "a.zip")
	var out bytes.Buffer
	if err := run([]string{"-o", to, "-config", config, bin}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return data, strings.TrimPrefix(out.String(), to)
}

func TestArchive(t *testing.T) {
	content := strings.Repeat("a binary\n", 1000)
	bin, config := files(t, content, 0o600, time.Unix(1_700_000_000, 0))
	data, said := archive(t, bin, config)
	if want := fmt.Sprintf("  %d bytes  sha256 %x\n", len(data), sha256.Sum256(data)); said != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.File {
		got = append(got, fmt.Sprintf("%s %v %v", f.Name, f.Mode(), f.Modified.UTC().Format(time.DateOnly)))
		if f.Method != zip.Deflate {
			t.Errorf("%s: method %d", f.Name, f.Method)
		}
	}
	if want := "[bootstrap -rwxr-xr-x 1980-01-01 keyturn.yaml -rw-r--r-- 1980-01-01]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	f, err := r.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(f); err != nil || string(back) != content {
		t.Errorf("the binary came back with %d bytes: %v", len(back), err)
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	bin, config := files(t, "a binary", 0o600, time.Unix(1_700_000_000, 0))
	one, _ := archive(t, bin, config)
	bin, config = files(t, "a binary", 0o777, time.Unix(1_800_000_000, 0))
	two, _ := archive(t, bin, config)
	if !bytes.Equal(one, two) {
		t.Error("modes, times or folders of the files change the archive")
	}
	bin, config = files(t, "a binarx", 0o600, time.Unix(1_700_000_000, 0))
	if three, _ := archive(t, bin, config); bytes.Equal(one, three) {
		t.Error("the content does not change the archive")
	}
}

func TestTemplates(t *testing.T) {
	bin, config := files(t, "a binary", 0o600, time.Unix(1_700_000_000, 0))
	dir := t.TempDir()
	for _, name := range []string{"notice.txt.tmpl", "account.txt.tmpl", ".swp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "a.zip")
	if err := run([]string{"-o", to, "-config", config, "-templates", dir, bin}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for _, f := range r.File {
		got = append(got, fmt.Sprintf("%s %v", f.Name, f.Mode()))
	}
	if want := "[bootstrap -rwxr-xr-x keyturn.yaml -rw-r--r-- templates/account.txt.tmpl -rw-r--r-- templates/notice.txt.tmpl -rw-r--r--]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestRefuses(t *testing.T) {
	bin, config := files(t, "a binary", 0o600, time.Unix(1_700_000_000, 0))
	empty := filepath.Join(t.TempDir(), "empty")
	random := filepath.Join(t.TempDir(), "random")
	noise := rand.NewChaCha8([32]byte{1})
	big := make([]byte, 100_000)
	_, _ = noise.Read(big)
	for path, content := range map[string][]byte{empty: nil, random: big} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nested := t.TempDir()
	if err := os.Mkdir(filepath.Join(nested, "more"), 0o755); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "a.zip")
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"no folder of templates", "no such file", []string{"-o", to, "-config", config, "-templates", bin + "x", bin}},
		{"an empty folder of templates", "there is no file in", []string{"-o", to, "-config", config, "-templates", t.TempDir(), bin}},
		{"a folder in the templates", "is not a file", []string{"-o", to, "-config", config, "-templates", nested, bin}},
		{"no configuration", "usage", []string{"-o", to, bin}},
		{"no archive", "usage", []string{"-config", config, bin}},
		{"two binaries", "usage", []string{"-o", to, "-config", config, bin, bin}},
		{"no binary", "no such file", []string{"-o", to, "-config", config, bin + "x"}},
		{"an empty binary", "is empty", []string{"-o", to, "-config", config, empty}},
		{"over the budget", "the budget is 100000", []string{"-o", to, "-most", "100000", "-config", config, random}},
		{"a folder that cannot be", "write", []string{"-o", filepath.Join(bin, "a.zip"), "-config", config, bin}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := run(c.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("an archive was written all the same")
			}
		})
	}
	if budget != 10_000_000 {
		t.Errorf("the budget is %d", budget)
	}
}
