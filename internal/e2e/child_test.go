package e2e

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// The test binary started again with this variable set is the product: serve, with the domain clock in a file, short
// leases, and a store that can kill or stop the process at a numbered call.
const childEnv = "KEYTURN_E2E_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The points of the kill test wait for leases most of their time.
	if err := flag.Set("test.parallel", "10"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// childBinary is this test binary without the race detector, because hundreds of children are started: built once more if it
// has it.
var childBinary = sync.OnceValues(func() (string, error) {
	if !raced {
		return os.Executable()
	}
	dir, err := os.MkdirTemp("", "keyturn-e2e-")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "child")
	if out, err := exec.Command("go", "test", "-c", "-race=false", "-o", exe, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the child: %w\n%s", err, out)
	}
	return exe, nil
})

// Leases in these tests run for so long, on the real clock.
const (
	lease  = 1500 * time.Millisecond
	settle = 300 * time.Millisecond
)

func child(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := app.Load(filepath.Join(dir, "keyturn.yaml"))
	if err != nil {
		return err
	}
	aws, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	cfg.TickEvery = 100 * time.Millisecond
	a, err := app.New(ctx, cfg, app.Options{
		AWS: aws, Now: fileClock(filepath.Join(dir, "clock")), Lease: lease, Settle: settle,
		Log:       slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		WrapStore: func(s app.Store) app.Store { return mortal(s, os.Getenv("KEYTURN_E2E_STORE"), dir) },
	})
	if err != nil {
		return err
	}
	err = a.Serve(ctx, func(at net.Addr) { fmt.Printf("http://%s\n", at) })
	if cerr := a.Close(); err == nil {
		err = cerr
	}
	return err
}

// fileClock reads the domain clock from a file, so that the parent moves it.
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

// mortalStore kills or stops its own process before or after its n-th saving call.
type mortalStore struct {
	app.Store
	saving sync.Mutex // so that a process never stops with the file locked by a write of another goroutine
	calls  *atomic.Int64
	at     int64
	after  bool
	signal syscall.Signal
	count  string // a file that gets the number of calls
}

// mortal reads what is to happen: "kill before 7", "stop after 3", or nothing.
func mortal(s app.Store, plan, dir string) app.Store {
	m := &mortalStore{Store: s, calls: &atomic.Int64{}}
	f := strings.Fields(plan)
	if len(f) != 3 {
		return s
	}
	m.signal = map[string]syscall.Signal{"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP}[f[0]]
	if f[0] == "count" {
		m.count = filepath.Join(dir, "calls")
	}
	m.after = f[1] == "after"
	m.at, _ = strconv.ParseInt(f[2], 10, 64)
	return m
}

func (m *mortalStore) die(n int64, after bool) {
	if n == m.at && after == m.after {
		// A signal reaches all threads a moment after the call: this goroutine must not go on to the save before, and not
		// after a stop until the process goes on.
		goesOn := make(chan os.Signal, 1)
		signal.Notify(goesOn, syscall.SIGCONT)
		_ = syscall.Kill(os.Getpid(), m.signal)
		<-goesOn
	}
}

func (m *mortalStore) around(f func() error) error {
	m.saving.Lock()
	defer m.saving.Unlock()
	n := m.calls.Add(1)
	if m.count != "" {
		_ = os.WriteFile(m.count, []byte(strconv.FormatInt(n, 10)), 0o600)
	}
	m.die(n, false)
	err := f()
	m.die(n, true)
	return err
}

func (m *mortalStore) SaveRotation(ctx context.Context, r rotation.Rotation) (out rotation.Rotation, err error) {
	err = m.around(func() (err error) { out, err = m.Store.SaveRotation(ctx, r); return err })
	return out, err
}

func (m *mortalStore) SaveSnapshot(ctx context.Context, s rotation.Snapshot) error {
	return m.around(func() error { return m.Store.SaveSnapshot(ctx, s) })
}

func (m *mortalStore) SetState(ctx context.Context, k, v string) error {
	return m.around(func() error { return m.Store.SetState(ctx, k, v) })
}

// process is the product running as a child.
type process struct {
	cmd  *exec.Cmd
	url  string
	done chan struct{}
	log  *os.File
}

// start runs the product in dir against the world and waits until it answers, or has died.
func start(t *testing.T, w *world.World, dir, storePlan string) *process {
	t.Helper()
	exe, err := childBinary()
	if err != nil {
		t.Fatal(err)
	}
	id, secret := w.Credentials()
	p := &process{cmd: exec.Command(exe), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childEnv+"="+dir, "KEYTURN_E2E_STORE="+storePlan,
		"AWS_ENDPOINT_URL="+w.AWS.URL(), "AWS_REGION="+world.Region, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"SLACK_BOT_TOKEN="+world.Token, "SLACK_SIGNING_SECRET="+world.Signing)
	if p.log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	p.url = strings.TrimSpace(line)
	go func() {
		defer close(p.done)
		_, _ = io.Copy(io.Discard, out)
		_ = p.cmd.Wait()
		_ = p.log.Close()
	}()
	if p.url != "" {
		w.Slack.SetBotURL(p.url)
	}
	return p
}

// kill ends the process at once.
func (p *process) kill() { _ = p.cmd.Process.Signal(syscall.SIGKILL) }

// dead reports whether the process has ended.
func (p *process) dead() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end kills the process and waits until it is gone.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	p.kill()
	<-p.done
}

// stall stops the process at a moment when no write of it locks the store: what is stopped with the lock would stop
// everybody.
func (j *journey) stall(p *process) {
	probe, err := sqlite.Open(filepath.Join(j.dir, "keyturn.db"), sqlite.BusyTimeout(50*time.Millisecond))
	for tries := 0; ; tries++ {
		_ = p.cmd.Process.Signal(syscall.SIGSTOP)
		for !p.halted() {
			runtime.Gosched()
		}
		if err != nil {
			probe, err = sqlite.Open(filepath.Join(j.dir, "keyturn.db"), sqlite.BusyTimeout(50*time.Millisecond))
		}
		if err == nil {
			if err = probe.SetState(context.Background(), "probe", "x"); err == nil {
				_ = probe.Close()
				return
			}
			_ = probe.Close()
		}
		if tries > 1000 {
			j.t.Errorf("the process always holds the store's lock: %v", err)
			return
		}
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		runtime.Gosched()
	}
}

// halted reports whether the process is stopped by a signal (or gone).
func (p *process) halted() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "T") || strings.HasPrefix(rest, "Z")
}

// storeCalls is how many saving calls the product made.
func (j *journey) storeCalls() int {
	b, err := os.ReadFile(filepath.Join(j.dir, "calls"))
	if err != nil {
		j.t.Fatal(err)
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		j.t.Fatal(err)
	}
	return n
}

// settle waits until a process that was stopped has noticed that its work is done by somebody else: it answers requests,
// makes no calls any more, and has mended what it told late.
func (j *journey) settle(p *process) {
	deadline := time.Now().Add(patience)
	for calls := -1; time.Now().Before(deadline); {
		r, err := http.Get(p.url + "/healthz")
		if err == nil {
			_ = r.Body.Close()
		}
		n := 0
		for _, c := range j.AWS.Counters() {
			n += c
		}
		if r, ok := j.find(); err == nil && n == calls && ok && !r.Untold() {
			return
		}
		calls = n
		<-time.After(200 * time.Millisecond)
	}
	j.t.Fatal("the process that was stopped did not come back")
}
