package aws

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

const (
	home       = "100000000001" // the management account, where our own credentials live
	prod       = "200000000002"
	memberRole = "keyturn-member"
	region     = "eu-central-1"
	user       = rotation.UserName("billing-export")
)

var day0 = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// world is an emulated AWS with two accounts and one user.
type world struct {
	*awsemu.Server
	config awssdk.Config
	waits  []time.Duration
}

// start starts an emulated AWS.
func start(t *testing.T, o awsemu.Options) *world {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return day0 }
	}
	if o.Region == "" {
		o.Region = region
	}
	w := &world{Server: awsemu.New(o)}
	url, err := w.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	w.AddRoot("r-acme")
	w.AddAccount(awsemu.Account{ID: home, Name: "home", Email: "home@acme.example", ParentID: "r-acme", Management: true})
	w.AddAccount(awsemu.Account{ID: prod, Name: "prod", Email: "prod@acme.example", ParentID: "r-acme"})
	w.AddRole(prod, memberRole, "")
	w.AddUser(prod, awsemu.User{Name: string(user), Path: "/jobs/", Tags: map[string]string{"owner": "billing@acme.example"}, CreatedAt: day0.AddDate(-1, 0, 0)})
	id, secret := w.Bootstrap(home)
	w.config = awssdk.Config{
		Region: o.Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Retryer: func() awssdk.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
	return w
}

// client returns a client whose pauses take no time and are counted.
func (w *world) client(change ...func(*Options)) *Client {
	o := Options{Config: w.config, MemberRole: memberRole, Wait: func(ctx context.Context, d time.Duration) error {
		w.waits = append(w.waits, d)
		return ctx.Err()
	}}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

func (w *world) account(t *testing.T, change ...func(*Options)) rotator.Account {
	t.Helper()
	a, err := w.client(change...).Rotations().Account(t.Context(), prod)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) iam(t *testing.T) scheduler.IAM {
	t.Helper()
	i, err := w.client().IAM(t.Context(), scheduler.Account{ID: prod})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// calls returns how often an operation was called in the production account.
func (w *world) calls(service, operation string) int {
	return w.Counters()[awsemu.CallKey{Account: prod, Service: service, Operation: operation}]
}

// impatient is a client that gives an attempt up soon.
func impatient(o *Options) {
	o.Config.HTTPClient = awshttp.NewBuildableClient().WithTimeout(400 * time.Millisecond)
}

// fixed answers every call with one answer, for what the emulator never says.
func fixed(t *testing.T, status int, contentType, body string) *member {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	c := New(Options{MemberRole: memberRole, ManagementDirect: true, Config: awssdk.Config{
		Region: region, BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAFIXED", "fixed", ""), RetryMaxAttempts: 1,
	}})
	c.self = identity{arn: "arn:aws:iam::" + prod + ":user/us", account: prod, partition: "aws"}
	c.management = prod
	a, err := c.Rotations().Account(t.Context(), prod)
	if err != nil {
		t.Fatal(err)
	}
	return a.(*member)
}

// sink is a log that tests read.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// noSecrets fails if anything that AWS ever handed out stands in text.
func (w *world) noSecrets(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range append(w.SecretStrings(), awsemu.Marker) {
		if strings.Contains(text, s) {
			t.Errorf("%s holds a secret: %s", what, text)
		}
	}
}
