package awsemu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	mgmt          = "100000000001"
	member        = "200000000002"
	other         = "300000000003"
	region        = "eu-central-1"
	keyturnMember = "arn:aws:iam::200000000002:role/keyturn-member"
	day           = 24 * time.Hour
)

var ctx = context.Background()

// clock is a domain clock that moves by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// emu is a running emulator with a management account and two members, and the credentials of the first.
type emu struct {
	*Server
	t     testing.TB
	clock *clock
	cfg   awssdk.Config
}

func start(t testing.TB) *emu { return startWith(t, Options{}) }

func startWith(t testing.TB, o Options) *emu {
	t.Helper()
	e := &emu{t: t, clock: &clock{now: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)}}
	o.Now, o.Region = e.clock.Now, region
	e.Server = New(o)
	e.AddRoot("r-acme")
	e.AddOU("r-acme", "ou-acme-prod00001", "Production")
	e.AddAccount(Account{ID: mgmt, Name: "management", Email: "cloud@acme.example", ParentID: "r-acme", Management: true})
	e.AddAccount(Account{ID: member, Name: "member", Email: "member@acme.example", ParentID: "ou-acme-prod00001"})
	e.AddAccount(Account{ID: other, Name: "other", Email: "other@acme.example", ParentID: "ou-acme-prod00001"})
	for _, a := range []string{mgmt, member, other} {
		e.AddRole(a, "keyturn-member", "")
	}
	if _, err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.cfg = e.as(e.Bootstrap(mgmt))
	return e
}

// as is how the SDK calls with an access key, without retries and with a pool of connections of its own.
func (e *emu) as(id, secret string) awssdk.Config {
	url := e.URL()
	return awssdk.Config{
		Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Retryer: func() awssdk.Retryer { return awssdk.NopRetryer{} }, HTTPClient: whole{awshttp.NewBuildableClient()},
	}
}

// whole reads an answer before it returns it, as callers of the SDK do who are so near (see settle).
type whole struct{ client awssdk.HTTPClient }

func (w whole) Do(req *http.Request) (*http.Response, error) {
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = resp.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// in is how the SDK calls in an account, with a session of its role.
func (e *emu) in(account string) awssdk.Config {
	cfg := e.cfg.Copy()
	cfg.Credentials = awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(e.cfg), "arn:aws:iam::"+account+":role/keyturn-member"))
	return cfg
}

func (e *emu) iam() *iam.Client                { return iam.NewFromConfig(e.in(member)) }
func (e *emu) secrets() *secretsmanager.Client { return secretsmanager.NewFromConfig(e.in(member)) }
func (e *emu) kms() *kms.Client                { return kms.NewFromConfig(e.in(member)) }
func (e *emu) org() *organizations.Client      { return organizations.NewFromConfig(e.cfg) }
func (e *emu) ses() *sesv2.Client              { return sesv2.NewFromConfig(e.cfg) }
func (e *emu) sts() *sts.Client                { return sts.NewFromConfig(e.cfg) }

// user adds a user with a key that is 100 days old.
func (e *emu) user(name string) (id, secret string) {
	e.AddUser(member, User{Name: name, CreatedAt: e.clock.Now().Add(-200 * day)})
	return e.AddKey(member, name, Key{Created: e.clock.Now().Add(-100 * day)})
}

func ptr[T any](v T) *T { return &v }

// ok fails the test on an error.
func ok[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refusedWith checks the code and the status of an error.
func refusedWith(t testing.TB, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if api.ErrorCode() != code {
		t.Fatalf("got %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), code)
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != status {
		t.Fatalf("%s with status %d, want %d", code, answer.HTTPStatusCode(), status)
	}
}

func (e *emu) calls(account, service, operation string) int {
	return e.Counters()[CallKey{account, service, operation}]
}

func TestStartAndClose(t *testing.T) {
	s := New(Options{})
	url := ok(s.Start())(t)
	if url != s.URL() {
		t.Fatalf("%q is not %q", url, s.URL())
	}
	if _, err := s.StartAt("256.0.0.1:0"); err == nil {
		t.Fatal("listens on an address that cannot be")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := http.Get(url); err == nil {
		t.Fatal("answers after Close")
	}
}

func TestMistakesOfTheCallerPanic(t *testing.T) {
	e := start(t)
	e.user("alice")
	for name, f := range map[string]func(){
		"unknown account":       func() { e.AddUser("999999999999", User{Name: "x"}) },
		"bad user name":         func() { e.AddUser(member, User{Name: "a b"}) },
		"name differs by case":  func() { e.AddUser(member, User{Name: "ALICE"}) },
		"rename onto another":   func() { e.AddUser(member, User{Name: "bob"}); e.RenameUser(member, "bob", "Alice") },
		"key of nobody":         func() { e.AddKey(member, "nobody", Key{}) },
		"third key":             func() { e.AddKey(member, "alice", Key{}); e.AddKey(member, "alice", Key{}) },
		"unknown key":           func() { e.RemoveKey(member, "AKIANOBODY") },
		"deny to unknown role":  func() { e.SetRoleDeny(member, "nobody", "iam:*") },
		"rotation of no secret": func() { e.SetSecretRotation(member, "nothing", true) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			f()
		})
	}
	if _, ok := e.Secret(member, "x"); ok {
		t.Error("the lock is still held, or there is a secret")
	}
}

func TestSecretStringsHaveTheMarker(t *testing.T) {
	e := start(t)
	_, made := e.user("alice")
	e.AddKey(member, "alice", Key{ID: "AKIAGIVEN0000000000A", Secret: "given-by-hand"})
	key := ok(e.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("test")}))(t)
	all := e.SecretStrings()
	for _, want := range []string{made, "given-by-hand", *key.Credentials.SecretAccessKey} {
		if !slices.Contains(all, want) {
			t.Errorf("%q is not among the secrets", want)
		}
	}
	if k, acct, name, ok := e.Key("AKIAGIVEN0000000000A"); !ok || k.Secret != "" || acct != member || name != "alice" {
		t.Errorf("Key: %+v %s %s %v", k, acct, name, ok)
	}
	if _, _, _, ok := e.Key("AKIANOBODY0000000000"); ok {
		t.Error("found a key that is not there")
	}
}
