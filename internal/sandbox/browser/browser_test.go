package browser

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// A test that fails midway leaves no process and no profile.
func TestEndsWithATestThatFails(t *testing.T) {
	t.Parallel()
	f := &fake{}
	var process *os.Process
	var profile string
	f.run(func() {
		b := Start(f)
		c := chromedp.FromContext(b.ctx)
		process, profile = c.Browser.Process(), b.profile
		b.Tab(f, desk)
		f.Fatalf("failed")
	})
	if said := f.said(); len(said) != 1 || said[0] != "failed" {
		t.Errorf("reports: %q", said)
	}
	if err := process.Signal(syscall.Signal(0)); err == nil {
		t.Error("the process runs")
	}
	if _, err := os.Stat(profile); !os.IsNotExist(err) || profile == "" {
		t.Errorf("the profile %q: %v", profile, err)
	}
}

// A browser that was killed fails its tab, and is tidied up all the same.
func TestEndsAfterACrash(t *testing.T) {
	t.Parallel()
	f := &fake{}
	var profile string
	f.run(func() {
		b := Start(f)
		c := chromedp.FromContext(b.ctx)
		profile = b.profile
		p := b.Tab(f, desk)
		if err := c.Browser.Process().Kill(); err != nil {
			t.Error(err)
		}
		p.See("anything")
	})
	if said := strings.Join(f.said(), "\n"); !strings.Contains(said, `see "anything"`) || strings.Contains(said, "remove") {
		t.Errorf("reports: %s", said)
	}
	if _, err := os.Stat(profile); !os.IsNotExist(err) || profile == "" {
		t.Errorf("the profile %q: %v", profile, err)
	}
}

func TestWithoutChromium(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	f := &fake{}
	f.run(func() { Start(f) })
	if said := strings.Join(f.said(), "\n"); !strings.Contains(said, "make tools installs it") {
		t.Errorf("reports: %s", said)
	}
}
