package dynalite

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func begin(t *testing.T) *Server {
	t.Helper()
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func table(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// TestServers: several at a time, each with tables of its own, and answers larger than a buffer.
func TestServers(t *testing.T) {
	servers := make([]*Server, 3)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], _ = Start(t.Context()) })
	}
	wg.Wait()
	ports := map[string]bool{}
	for _, s := range servers {
		if s == nil {
			t.Fatal("one of them did not start")
		}
		ports[s.URL()] = true
		if err := s.Table(t.Context(), table("some")); err != nil {
			t.Fatal(err)
		}
		large := strings.Repeat("x", 100_000)
		c := s.Client()
		if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("some"), Item: map[string]types.AttributeValue{"pk": text("a"), "v": text(large)}}); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("some"), Key: map[string]types.AttributeValue{"pk": text("a")}})
			if err != nil || out.Item["v"].(*types.AttributeValueMemberS).Value != large {
				t.Fatalf("read it back: %v", err)
			}
		}
	}
	if len(ports) != len(servers) {
		t.Errorf("they share ports: %v", ports)
	}
	for _, s := range servers {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		if _, err := http.Get(s.URL()); err == nil {
			t.Error("a closed server answers")
		}
	}
}

// TestEndsWithItsInput: a server does not outlive who started it, and a server that ended by itself is noticed.
func TestEndsWithItsInput(t *testing.T) {
	s := begin(t)
	if err := s.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if err := s.Close(); err == nil {
		t.Error("the server had ended, and Close did not say so")
	}
}

// TestGoneClient: a client that is killed in the middle of a request takes the server with it in dynalite as it is.
func TestGoneClient(t *testing.T) {
	s := begin(t)
	for range 5 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		// The server has to have seen the request before it goes: it answers others in order.
		if _, err := s.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // a reset, as of a killed process
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if _, err := s.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestStartEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Start(ctx); !errors.Is(err, context.Canceled) || s != nil {
		t.Errorf("started with an ended context: %v", err)
	}
	t.Chdir(t.TempDir())
	if _, err := Start(t.Context()); err == nil || !strings.Contains(err.Error(), "internal/sandbox/dynalite") {
		t.Errorf("outside of the module: %v", err)
	}
}

// TestInstalled: what is there has to be what the lockfile names.
func TestInstalled(t *testing.T) {
	begin(t) // installs
	if !installed(".") {
		t.Fatal("a server started, and it is not installed")
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("package-lock.json", string(lock))
	if installed(dir) {
		t.Error("nothing is there")
	}
	write("node_modules/.package-lock.json", string(lock))
	if installed(dir) {
		t.Error("the packages are not there")
	}
	have, err := versions("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	for name := range have {
		write(name+"/package.json", "{}")
	}
	if !installed(dir) {
		t.Error("all of it is there")
	}
	write("package-lock.json", strings.Replace(string(lock), `"version": "`+have["node_modules/dynalite"]+`"`, `"version": "99.0.0"`, 1))
	if installed(dir) {
		t.Error("another version is there")
	}
}

// TestLockfile: every package is pinned by its hash, and no registry is named, so that any registry may serve them.
func TestLockfile(t *testing.T) {
	b, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`"resolved"|registry|\.tgz`).Find(b); m != nil {
		t.Errorf("the lockfile names where packages come from: %s", m)
	}
	have, err := versions("package-lock.json")
	if err != nil || have["node_modules/dynalite"] == "" {
		t.Errorf("dynalite is not pinned: %v", err)
	}
	if n := strings.Count(string(b), `"integrity": "sha512-`); n != len(have) {
		t.Errorf("%d hashes of %d packages", n, len(have))
	}
}
