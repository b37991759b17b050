package rotation

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90d": 90 * Day, "10d12h": 252 * time.Hour, "30s": 30 * time.Second, "2w": 14 * Day, "1h30m": 90 * time.Minute, " 8d ": 8 * Day, "0d": 0,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for in, why := range map[string]string{
		"": "empty", "90": "unit is missing", "d": "number is missing", "12h10d": "larger unit first", "1d1d": "larger unit first",
		"-3d": "number is missing", "3 d": "comes one of", "1y": "comes one of", "99999999999d": "too large", "2000000000d": "hundred years",
	} {
		if _, err := ParseDuration(in); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ParseDuration(%q) = %v, want %q", in, err, why)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90d", "10d12h", "", "1w2d3h4m5s", "9999999999999999999d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 || d > 100*365*Day {
			t.Fatalf("%q is %v", s, d)
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again > d || d-again >= max(Day, d/20) {
			t.Fatalf("%q: %v written as %q reads %v, %v", s, d, FormatDuration(d), again, err)
		}
	})
}

func TestParseKeyID(t *testing.T) {
	for _, in := range []string{"AKIAIOSFODNN7EXAMPLE", " akiaiosfodnn7example "} {
		if got, err := ParseKeyID(in); err != nil || got != "AKIAIOSFODNN7EXAMPLE" {
			t.Errorf("ParseKeyID(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "AKIA", "ASIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL!", "AKIA" + strings.Repeat("A", 200), "<!channel>"} {
		if _, err := ParseKeyID(in); err == nil || len(err.Error()) > 200 {
			t.Errorf("ParseKeyID(%q) = %v", in, err)
		}
	}
}

func TestPolicyFloors(t *testing.T) {
	if bad := DefaultPolicy().Check(); len(bad) != 0 {
		t.Fatalf("the defaults are refused: %v", bad)
	}
	for field, spoil := range map[string]func(*Policy){
		"mode":            func(p *Policy) { p.Mode = "yolo" },
		"unused":          func(p *Policy) { p.Unused = "" },
		"quiet_period":    func(p *Policy) { p.QuietPeriod = 3*time.Hour + 59*time.Minute },
		"confirmed_quiet": func(p *Policy) { p.ConfirmedQuiet = time.Hour },
		"recovery_grace":  func(p *Policy) { p.RecoveryGrace = 23 * time.Hour },
		"rotate_after":    func(p *Policy) { p.RotateAfter, p.WarnBefore = time.Hour, 0 },
		"warn_before":     func(p *Policy) { p.WarnBefore = p.RotateAfter },
		"install_grace":   func(p *Policy) { p.InstallGrace = 0 },
		"gate_tries":      func(p *Policy) { p.GateTries = 0 },
		"snooze":          func(p *Policy) { p.Snooze.Longest = 100 * Day },
	} {
		p := DefaultPolicy()
		spoil(&p)
		if bad := p.Check(); len(bad) != 1 || !strings.HasPrefix(bad[0].Error(), field+": ") {
			t.Errorf("%s: %v", field, bad)
		}
	}
}
