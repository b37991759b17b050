package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	patience  = 30 * time.Second // for what a person waits for
	mostStart = time.Minute      // of a cold start on a busy machine
	mostEnd   = 10 * time.Second // of a shutdown in good order; then it is killed
)

// Browser is a running chromium with a profile of its own. Tabs share its cookies and storage. Its methods are safe for
// concurrent use.
type Browser struct {
	ctx      context.Context
	profile  string
	patience time.Duration
}

// names are what chromium is called where.
var names = []string{"chromium", "chromium-browser", "google-chrome"}

func find() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("chromium is not installed: make tools installs it, or apt-get install chromium")
}

// Start starts a headless chromium. It ends with the test, with its profile, however the test ends.
func Start(t Reporter) *Browser {
	t.Helper()
	path, err := find()
	if err != nil {
		t.Fatalf("%v", err)
	}
	profile := filepath.Join(t.TempDir(), "profile")
	alloc, release := chromedp.NewExecAllocator(context.Background(), options(path, profile)...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(func() {
		end(t, ctx)
		cancel()
		release()
		if err := remove(profile); err != nil {
			t.Errorf("remove chromium's profile: %v", err)
		}
	})
	late := time.AfterFunc(mostStart, release)
	defer late.Stop()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", filepath.Base(path), err)
	}
	return &Browser{ctx: ctx, profile: profile, patience: patience}
}

// options are how chromium runs: alone, on this machine, with names as it computes them for screen readers.
func options(path, profile string) []chromedp.ExecAllocatorOption {
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts,
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Env("HOME="+profile),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]"),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("enable-blink-features", "ComputedAccessibilityInfo"),
		chromedp.Flag("lang", "en-US"), chromedp.Flag("disable-gpu", true),
	)
	if os.Getuid() == 0 { // chromium's sandbox refuses root
		opts = append(opts, chromedp.NoSandbox)
	}
	return opts
}

// end ends the process in good order, so that it leaves nothing behind.
func end(t Reporter, ctx context.Context) {
	if c := chromedp.FromContext(ctx); c.Browser == nil || ctx.Err() != nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, mostEnd)
	defer cancel()
	if err := chromedp.Cancel(limited); err != nil {
		t.Logf("end chromium: %v", err)
	}
}

// remove removes a profile into which processes that are just ending may still write, and the folder of the socket that a
// chromium leaves that was killed.
func remove(profile string) error {
	if socket, err := os.Readlink(filepath.Join(profile, "SingletonSocket")); err == nil {
		if dir := filepath.Dir(socket); strings.Contains(filepath.Base(dir), ".chromium.") || strings.Contains(filepath.Base(dir), ".google.") {
			_ = os.RemoveAll(dir) // in the system's folder for what may go
		}
	}
	give := time.Now().Add(mostEnd)
	for {
		err := os.RemoveAll(profile)
		if err == nil || time.Now().After(give) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
