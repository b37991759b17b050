package fleet

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/function"
	"github.com/keyturn/keyturn/internal/metric"
)

// The test binary started with this variable set is a function with its domain clock in the file that the variable names, and
// short leases: everything else is as cmd/keyturn has it.
const childEnv = "KEYTURN_FLEET_CLOCK"

func TestMain(m *testing.M) {
	if clock := os.Getenv(childEnv); clock != "" && function.InLambda() {
		if err := child(clock); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// The points of the kill test wait for leases most of their time.
	if err := flag.Set("test.parallel", "10"); err != nil {
		panic(err)
	}
	status := m.Run()
	if db, err := server(); err == nil {
		_ = db.Close()
	}
	os.Exit(status)
}

// Leases in these tests run for so long, on the real clock.
const (
	lease  = 1500 * time.Millisecond
	settle = 300 * time.Millisecond
)

func child(clock string) error {
	role, err := app.ParseFunction(os.Getenv("KEYTURN_ROLE"))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("function", role)
	cfg, err := app.Load(filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), "keyturn.yaml"))
	if err != nil {
		return err
	}
	meter := metric.New(os.Stdout, time.Now)
	h, err := function.New(function.Options{
		Role: role, Queue: os.Getenv("KEYTURN_QUEUE_URL"), NewToken: app.NewToken, Meter: meter, Log: log,
		Open: func(ctx context.Context) (*app.App, error) {
			aws, err := awsconfig.LoadDefaultConfig(ctx)
			if err != nil {
				return nil, err
			}
			return app.New(ctx, cfg, app.Options{AWS: aws, Function: role, Now: fileClock(clock), Lease: lease, Settle: settle, Spare: function.Spare(role), Meter: meter, Log: log})
		},
	})
	if err != nil {
		return err
	}
	lambda.StartWithOptions(h)
	return nil
}

// fileClock reads the domain clock from a file, so that the test moves it.
func fileClock(path string) func() time.Time {
	return func() time.Time {
		b, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		if err != nil {
			panic(err)
		}
		return time.Unix(n, 0).UTC()
	}
}

// built is a program that is built once for all tests, without the race detector, because many processes are started.
func built(what string, args ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "keyturn-fleet-")
		if err != nil {
			return "", err
		}
		exe := filepath.Join(dir, "bootstrap")
		cmd := exec.Command("go", append(args, exe, what)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", what, err, out)
		}
		return exe, nil
	})
}

var (
	selfBinary    = built(".", "test", "-c", "-race=false", "-o")
	shippedBinary = built("../../cmd/keyturn", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,functions", "-ldflags", "-s -w -buildid=", "-o")
)

// self is this test binary, as it is if it is without the race detector.
func self(t testing.TB) string {
	t.Helper()
	binary := selfBinary
	if !raced {
		binary = os.Executable
	}
	exe, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func shipped(t testing.TB) string {
	t.Helper()
	exe, err := shippedBinary()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}
