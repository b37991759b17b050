package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// The budgets of the organization's shape.
const (
	mostZip    = 10_000_000
	mostStart  = 20 * time.Millisecond // above an empty handler
	mostMemory = 96 << 20
)

// BenchmarkZip packs the artifact for both architectures.
func BenchmarkZip(b *testing.B) {
	for _, arch := range []string{"arm64", "amd64"} {
		b.Run(arch, func(b *testing.B) {
			dir := b.TempDir()
			exe, zip := filepath.Join(dir, "bootstrap"), filepath.Join(dir, "keyturn.zip")
			for b.Loop() {
				build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,functions", "-ldflags", "-s -w -buildid=", "-o", exe, "../../cmd/keyturn")
				build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
				pack := exec.Command("go", "run", "../../infra/zip", "-o", zip, "-config", "../../infra/config.example.yaml", exe)
				for _, cmd := range []*exec.Cmd{build, pack} {
					if out, err := cmd.CombinedOutput(); err != nil {
						b.Fatalf("%v\n%s", err, out)
					}
				}
			}
			info, err := os.Stat(zip)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size()), "bytes")
			if info.Size() > mostZip {
				b.Errorf("the zip has %d bytes, and may have %d", info.Size(), mostZip)
			}
		})
	}
}

// BenchmarkStart starts processes until they ask for their first event: ours, and an empty aws-lambda-go handler.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	empty := filepath.Join(dir, "empty")
	build := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", empty, "../sandbox/lambdaemu/testdata/empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	s := newStage(b, plan{})
	if err := os.WriteFile(filepath.Join(dir, "keyturn.yaml"), []byte(s.config()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		starts, err := lambdaemu.ColdStarts(b.Context(), 31,
			lambdaemu.Options{Name: "empty", Path: empty},
			lambdaemu.Options{Name: "bot", Path: shipped(b), TaskRoot: dir, Env: []string{"KEYTURN_ROLE=bot", "KEYTURN_TABLE=keyturn"}})
		if err != nil {
			b.Fatal(err)
		}
		nothing, ours := starts[0].Median(), starts[1].Median()
		b.ReportMetric(float64(nothing)/1e6, "ms/empty")
		b.ReportMetric(float64(ours)/1e6, "ms/keyturn")
		if ours-nothing > mostStart {
			b.Errorf("%v above an empty handler, and may be %v", ours-nothing, mostStart)
		}
	}
}

// BenchmarkScanMemory scans one account with 5,000 users, all of them new, in the scheduler's function: one in fifty due, as in
// an organization that is under its rule; and every one, as on the first day.
func BenchmarkScanMemory(b *testing.B) {
	for name, every := range map[string]int{"one in fifty due": 50, "all due": 1} {
		b.Run(name, func(b *testing.B) { scanMemory(b, every) })
	}
}

func scanMemory(b *testing.B, every int) {
	for b.Loop() {
		s := newStage(b, plan{env: tuning(b), binary: shipped(b), at: time.Now().UTC().Truncate(time.Second), seed: func(w *world.World) {
			now := w.Clock.Now()
			for i := range 5000 {
				name := fmt.Sprintf("service-%04d", i)
				w.AWS.AddUser(world.Prod, awsemu.User{Name: name, Path: "/", Tags: map[string]string{"team": "platform", "cost-center": "4711"}, CreatedAt: now.AddDate(-1, 0, 0)})
				age := 20 + i%60
				if i%every == 0 {
					age = 95
				}
				w.AWS.AddKey(world.Prod, name, awsemu.Key{Created: now.AddDate(0, 0, -age), LastUsed: now, LastUsedService: "s3", LastUsedRegion: world.Region})
			}
		}})
		if o := s.fire(`{"task":"scan","run":"memory"}`); o.Failed {
			b.Fatal(string(o.Attempts[0].Payload))
		}
		for _, m := range s.accounts.Take(10) {
			var msg struct{ Account struct{ ID string } }
			if err := json.Unmarshal([]byte(m.Body), &msg); err != nil || msg.Account.ID != world.Prod {
				continue
			}
			s.scheduler.Recycle()
			event, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": m.ID, "receiptHandle": m.Receipt, "body": m.Body, "eventSource": "aws:sqs"}}})
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			r, err := s.scheduler.Invoke(b.Context(), event)
			if err != nil || r.FunctionError != "" || string(r.Payload) != `{"batchItemFailures":null}` && string(r.Payload) != `{"batchItemFailures":[]}` {
				b.Fatalf("%v %s %s", err, r.FunctionError, r.Payload)
			}
			b.ReportMetric(float64(r.MaxRSS)/(1<<20), "MiB/peak")
			b.ReportMetric(time.Since(began).Seconds(), "s/scan")
			if r.MaxRSS > mostMemory {
				b.Errorf("the scan took %d MiB, and may take %d", r.MaxRSS>>20, int64(mostMemory)>>20)
			}
		}
	}
}

// tuning is what the template tells Go's runtime in the scheduler's function.
func tuning(b *testing.B) func(role string) []string {
	var out []string
	vars, _ := deployed(b)["Scheduler"].Get("Environment", "Variables").(map[string]any)
	for name, v := range vars {
		if strings.HasPrefix(name, "GO") {
			out = append(out, fmt.Sprintf("%s=%v", name, v))
		}
	}
	return func(string) []string { return out }
}
