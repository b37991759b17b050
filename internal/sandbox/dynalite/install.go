package dynalite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// folder finds this folder from the working directory, which is a package of the module when tests run.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		here := filepath.Join(dir, "internal", "sandbox", "dynalite")
		if _, err := os.Stat(filepath.Join(here, "package-lock.json")); err == nil {
			return here, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the working directory is not in keyturn's module, whose internal/sandbox/dynalite is needed")
		}
		dir = up
	}
}

// install installs what the lockfile names, unless it is there. The tests of several packages run at one time: one of them
// does it while the others wait.
func install(ctx context.Context, dir string) error {
	if installed(dir) {
		return nil
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // closing gives the lock back
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if installed(dir) {
		return nil
	}
	cmd := exec.CommandContext(ctx, "npm", "ci")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install it by npm ci in %s (make tools does): %w\n%s", filepath.Base(dir), err, out)
	}
	if !installed(dir) {
		return errors.New("npm ci installed something else than package-lock.json names")
	}
	return nil
}

// installed reports whether node_modules holds what package-lock.json names: npm keeps a lockfile of its own there.
func installed(dir string) bool {
	want, err := versions(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return false
	}
	have, err := versions(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err != nil {
		return false
	}
	for name, v := range want {
		if have[name] != v {
			return false
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return len(want) > 0
}

// versions reads which version of which package a lockfile names, by the folder that it lies in.
func versions(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version  string `json:"version"`
			Optional bool   `json:"optional"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, p := range lock.Packages {
		if name != "" && !p.Optional {
			out[name] = p.Version
		}
	}
	return out, nil
}
