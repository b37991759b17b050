package templates

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

var update = flag.Bool("update", false, "write the golden files anew")

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

func goldenFile(name string) string {
	return filepath.Join("testdata", strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")+".golden")
}

// golden compares got with testdata/NAME.golden, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := goldenFile(name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./templates -update writes it)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, d)
	}
}

// blocksJSON is what Slack is sent.
func blocksJSON(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCatalogueGoldens(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Catalogue() {
		if seen[s.Name] {
			t.Errorf("%q is in the catalogue twice", s.Name)
		}
		seen[s.Name] = true
		t.Run(s.Name, func(t *testing.T) {
			switch {
			case s.Message != nil:
				checkMessage(t, *s.Message)
				golden(t, s.Name, s.Plain()+"\n"+blocksJSON(t, slack.Blocks{BlockSet: s.Message.Blocks}))
			case s.Mail != nil:
				golden(t, s.Name, s.Plain()+"\n"+s.Mail.HTML)
			case s.Modal != nil:
				golden(t, s.Name, s.Plain()+"\n"+blocksJSON(t, s.Modal))
			case s.Home != nil:
				golden(t, s.Name, s.Plain()+"\n"+blocksJSON(t, s.Home))
			default:
				t.Error("a sample of nothing")
			}
		})
	}
	if len(seen) < 60 {
		t.Errorf("the catalogue has %d samples only", len(seen))
	}
}

// A golden file that no sample writes would say what nobody reads any more.
func TestEveryGoldenHasASample(t *testing.T) {
	of := map[string]string{}
	for _, s := range Catalogue() {
		if other, ok := of[goldenFile(s.Name)]; ok {
			t.Errorf("%q and %q share a golden file", s.Name, other)
		}
		of[goldenFile(s.Name)] = s.Name
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, f := range files {
		if of[f] == "" {
			t.Errorf("%s belongs to no sample: delete it", f)
		}
	}
}

// Each notice sample is in the phase that its name speaks of: the events that made it were not refused.
func TestNoticeSamplesAreWhatTheySay(t *testing.T) {
	want := map[string]phase{
		"upcoming": isUpcoming, "awaiting": isAwaiting, "snoozed": isSnoozed, "approved": isApproved, "evicting": isEvicting, "issuing": isIssuing,
		"installing": isInstalling, "recovering": isRecovering, "restoring": isRestoring, "restored and on hold": isHeld, "held": isHeld, "stuck": isStuck,
		"frozen": isFrozen, "leaked": isLeaked, "closed": isClosed, "a step failed and is tried again": isApproved,
		"approved, removal refused by the gate": isInUse, "evicting, the key is still in use": isInUse, "installing, the old key is still in use": isInUse,
		"installing, escalated": isInUse, "installing, escalated for another reason than a use": isInUse, "installing, deactivate anyway": isInUse, "evicting, escalated": isInUse,
		"restored and on hold, a key to remove": isHeld,
	}
	phases := map[phase]bool{}
	for _, s := range noticeSamples() {
		w, ok := want[s.name]
		if !ok {
			first, _, _ := strings.Cut(s.name, ",")
			if w, ok = want[first]; !ok {
				t.Errorf("%s: no phase is expected", s.name)
			}
		}
		if got := phaseOf(s.r); got != w {
			t.Errorf("%s: phase %d, want %d (%s)", s.name, got, w, s.r.State)
		}
		phases[phaseOf(s.r)] = true
		if outcome, ok := strings.CutPrefix(s.name, "closed, "); ok && string(s.r.Outcome) != outcome {
			t.Errorf("%s: outcome %s", s.name, s.r.Outcome)
		}
		if s.r.ID == "" {
			t.Errorf("%s: nothing was opened", s.name)
		}
	}
	for p := isUpcoming; p < isUnknown; p++ {
		if !phases[p] {
			t.Errorf("no sample shows phase %d", p)
		}
	}
	for name, flag := range map[string]bool{
		"trouble": sampleNamed(t, "a step failed and is tried again").r.Trouble != nil, "escalated": sampleNamed(t, "installing, escalated").r.Escalated,
		"choices":  len(sampleNamed(t, "awaiting, two keys in use to choose from").r.Choices) == 2,
		"last":     sampleNamed(t, "awaiting, the last active key to remove").r.LastActive,
		"anyway":   sampleNamed(t, "installing, deactivate anyway").r.Anyway != nil,
		"by hand":  sampleNamed(t, "recovering, deactivated by hand").r.Old.ByHand,
		"room":     !sampleNamed(t, "evicting, there is room").r.Evict.Deleted.IsZero(),
		"remind":   sampleNamed(t, "awaiting, reminded").r.Reminders == 1,
		"used":     sampleNamed(t, "installing, the new key was seen in use").r.New.InUse.Service == "s3",
		"adopted":  sampleNamed(t, "installing, confirmed").r.Confirmed != nil,
		"void":     len(sampleNamed(t, "awaiting, the plan changed after an approval").r.Approvals) == 0,
		"silence":  len(sampleNamed(t, "approved, nobody objected").r.Approvals) == 0,
		"tired":    sampleNamed(t, "recovering, escalated").r.Escalated,
		"evicted":  isOff(*sampleNamed(t, "evicting, the key is deactivated").r.Evict),
		"helpless": sampleNamed(t, "stuck, restoring failed").r.Stuck.Op == rotation.OpRestore,
		"circle":   sampleNamed(t, "awaiting, escalated because nobody decided").r.Escalation != nil && sampleNamed(t, "awaiting, escalated because the rule cannot be met").r.Escalation != nil,
		"late":     !sampleNamed(t, "awaiting, its time is over").r.TimedOut.IsZero(),
		"in time":  sampleNamed(t, "approved, nobody decided in time").r.Passed.Timeout,
		"glass":    sampleNamed(t, "approved, break-glass").r.Approvals[0].BreakGlass,
		"rights":   len(sampleNamed(t, "awaiting, an administrator's key that a CI job uses").r.Admin.Names) == 1,
		"leaks":    sampleNamed(t, "awaiting, the key that has to go first leaked").r.LeakedKey != nil && !sampleNamed(t, "evicting, the new key leaked and is off").r.LeakedKey.Off.IsZero(),
		"freeze":   sampleNamed(t, "installing, a freeze puts the deactivation off").r.Postponed != nil,
		"notice":   !sampleNamed(t, "awaiting, mode auto, the notice was delivered").r.NoticeAt.IsZero(),
		"both":     sampleNamed(t, "leaked, and on hold").r.Held != nil && sampleNamed(t, "frozen, and the key leaked").r.Leaked != nil,
	} {
		if !flag {
			t.Errorf("the sample for %q does not show it", name)
		}
	}
}

func sampleNamed(t testing.TB, name string) noticeSample {
	t.Helper()
	for _, s := range noticeSamples() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no sample is named %q", name)
	return noticeSample{}
}

// Slack makes "today" of its pretty dates, and sentences here say "on", "by" and "since" before a date.
func TestDatesAreDates(t *testing.T) {
	for _, s := range Catalogue() {
		for _, blocks := range []any{s.Message, s.Modal, s.Home} {
			if text := blocksJSON(t, blocks); strings.Contains(text, "_pretty}") {
				t.Errorf("%s: a date that may read \"on today\"", s.Name)
			}
		}
	}
}
