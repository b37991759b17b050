package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// keyturnBinary builds the product as it is shipped.
var keyturnBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "keyturn-bench-")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "keyturn")
	cmd := exec.Command("go", "build", "-trimpath", "-o", exe, "../../cmd/keyturn")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build keyturn: %w\n%s", err, out)
	}
	return exe, nil
})

// BenchmarkScan scans 100 accounts of 1,000 users each with the shipped binary, twice: everything new, and nothing changed.
func BenchmarkScan(b *testing.B) {
	const accounts, users = 100, 1000
	exe, err := keyturnBinary()
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		w, err := world.New()
		if err != nil {
			b.Fatal(err)
		}
		w.Clock.Advance(time.Since(w.Clock.Now())) // the shipped binary has the real clock
		for a := range accounts {
			id := fmt.Sprintf("5%011d", a)
			w.AWS.AddAccount(awsemu.Account{ID: id, Name: fmt.Sprintf("acme-%03d", a), Email: fmt.Sprintf("owner-%03d@acme.example", a), ParentID: "ou-acme-prod00001"})
			w.AWS.AddRole(id, world.MemberRole, "")
			for u := range users {
				name := fmt.Sprintf("user-%04d", u)
				w.AWS.AddUser(id, awsemu.User{Name: name, CreatedAt: w.Clock.Now().Add(-500 * 24 * time.Hour)})
				// One key in a hundred is due; the others are young and in use.
				age := time.Duration(u%80) * 24 * time.Hour
				if u%100 == 99 {
					age = 100 * 24 * time.Hour
				}
				w.AWS.AddKey(id, name, awsemu.Key{Created: w.Clock.Now().Add(-age - time.Hour), LastUsed: w.Clock.Now().Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: world.Region})
			}
		}
		dir := b.TempDir()
		cfg := filepath.Join(dir, "keyturn.yaml")
		if err := os.WriteFile(cfg, []byte(w.Config(filepath.Join(dir, "keyturn.db"))), 0o600); err != nil {
			b.Fatal(err)
		}
		for _, round := range []string{"first", "steady"} {
			w.AWS.ResetCounters()
			began := time.Now()
			peak := scanOnce(b, w, exe, cfg)
			calls := 0
			for _, n := range w.AWS.Counters() {
				calls += n
			}
			b.ReportMetric(time.Since(began).Seconds(), round+"-s")
			b.ReportMetric(float64(calls), round+"-calls")
			b.ReportMetric(float64(peak)/1024, round+"-peak-MB")
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// scanOnce runs keyturn scan as a process and returns its peak memory in kilobytes.
func scanOnce(b *testing.B, w *world.World, exe, cfg string) int64 {
	id, secret := w.Credentials()
	cmd := exec.Command(exe, "scan", "--config", cfg, "--log", "off", "--json")
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+w.AWS.URL(), "AWS_REGION="+world.Region, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"SLACK_BOT_TOKEN="+world.Token, "SLACK_SIGNING_SECRET="+world.Signing)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("scan: %v\n%.2000s", err, out)
	}
	var sum struct{ Accounts, Users int }
	if err := json.Unmarshal(out, &sum); err != nil || sum.Accounts < 100 {
		b.Fatalf("the scan says %.500s: %v", out, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss
}

// BenchmarkClickToAck has 50 people press Approve at the same instant, over HTTP, on the whole application.
func BenchmarkClickToAck(b *testing.B) {
	const people = 50
	var took []time.Duration
	for range max(b.N, 20) {
		took = append(took, clickAtOnce(b, people)...)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(len(took)), "clicks")
}

func clickAtOnce(tb testing.TB, people int) []time.Duration {
	s := newStage(tb)
	s.SeedHero()
	s.scan()
	m, ok := s.notice(world.Owner)
	if !ok {
		tb.Fatal("no notice")
	}
	took := make([]time.Duration, people)
	results := make([]slackemu.Result, people)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			<-start
			results[i] = s.Slack.As(world.Owner).ClickButton(m, "Approve")
			took[i] = results[i].Took
		})
	}
	close(start)
	all.Wait()
	s.app.Drain()
	for _, r := range results {
		if r.Err != nil {
			tb.Fatal(r.Err)
		}
	}
	if ks := s.AWS.Keys(world.Prod, world.Billing); len(ks) != 2 {
		tb.Fatalf("%d keys after %d clicks", len(ks), people)
	}
	return took
}
