package infra

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// home is the central account of the rehearsal.
const home = "500000000005"

// rehearsal is a checkout, and the AWS on which its commands act.
type rehearsal struct {
	*world.World
	t    *testing.T
	text string // the runbook
	dir  string // the checkout
	log  *functionLog

	mu        sync.Mutex // one command of the CLI at a time
	secrets   *secretsmanager.Client
	db        *dynalite.Server
	buckets   map[string][]byte
	stacks    map[string]map[string]string // parameters, by name
	queues    map[string]*awsemu.QueueHandle
	functions map[string]*lambdaemu.Function
	reserved  map[string]string
	accounts  *lambdaemu.QueueMapping
	url       string // the Function URL, without its slash
	disabled  int    // schedules
}

func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	w.Clock.Advance(time.Since(w.Clock.Now())) // the functions are the shipped binary: they look at the real clock
	w.Seed()
	b := &rehearsal{World: w, t: t, text: runbook(t), dir: t.TempDir(), log: &functionLog{}, buckets: map[string][]byte{}, stacks: map[string]map[string]string{},
		queues: map[string]*awsemu.QueueHandle{}, functions: map[string]*lambdaemu.Function{}, reserved: map[string]string{}}
	if b.db, err = dynalite.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	w.AWS.AddAccount(awsemu.Account{ID: home, Name: "acme-security", Email: "security@acme.example", ParentID: "r-acme"})
	w.AWS.AddIdentity(home, world.From, true)
	w.AWS.SetDynamoDB(awsemu.DynamoDB{URL: b.db.URL(), Account: home})
	for _, account := range []string{world.Prod, world.Dev, world.Management} {
		w.AWS.RemoveRole(account, world.MemberRole)
	}
	id, secret := w.AWS.Bootstrap(home)
	b.secrets = secretsmanager.New(secretsmanager.Options{Region: world.Region, BaseEndpoint: aws.String(w.AWS.URL()), Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	cli := httptest.NewServer(b)
	t.Cleanup(cli.Close)
	b.checkout(cli.URL)
	return b
}

// checkout copies what a checkout has, and puts stand-ins of aws and of go before those of the machine.
func (b *rehearsal) checkout(cli string) {
	b.t.Helper()
	for _, name := range []string{"go.mod", "go.sum", "bot", "cmd", "infra", "internal", "rotator", "scheduler", "templates"} {
		err := filepath.WalkDir(filepath.Join("..", name), func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Name() == "node_modules" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			to := filepath.Join(b.dir, strings.TrimPrefix(path, ".."))
			if d.IsDir() {
				return os.MkdirAll(to, 0o755)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return os.WriteFile(to, content, info.Mode().Perm())
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	gobin, err := exec.LookPath("go")
	if err != nil {
		b.t.Fatal(err)
	}
	for name, script := range map[string]string{
		"aws": fmt.Sprintf("GORACE=atexit_sleep_ms=0 %s=%s exec %q \"$@\"\n", cliEnv, cli, self),
		// What was built for the dry run is not built once more.
		"go": fmt.Sprintf(`for a; do
	[ "${last:-}" != -o ] || out=$a
	last=$a
done
[ "$1" != build ] || [ ! -f "$out" ] || exit 0
exec %q "$@"
`, gobin),
	} {
		path := filepath.Join(b.dir, "bin", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/usr/bin/env bash\n"+script), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
}

// functionLog is what the functions log.
type functionLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *functionLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns its end.
func (l *functionLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	return s[max(0, len(s)-4000):]
}

// pump hands over what is in the queue of accounts, until nothing moves any more.
func (b *rehearsal) pump() {
	b.t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = b.accounts.Poll(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// queueSource lets Lambda take from a queue.
type queueSource struct{ *awsemu.QueueHandle }

func (q queueSource) Take(most int) (out []lambdaemu.Message) {
	for _, m := range q.QueueHandle.Take(most) {
		out = append(out, lambdaemu.Message{ID: m.ID, Receipt: m.Receipt, Body: m.Body, Attributes: m.Attributes})
	}
	return out
}

func (q queueSource) Done(receipt string)   { q.QueueHandle.Done(receipt) }
func (q queueSource) Return(receipt string) { q.QueueHandle.Return(receipt) }
