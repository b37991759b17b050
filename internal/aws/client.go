package aws

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// Options is what a Client needs.
type Options struct {
	// Config has keyturn's own credentials and the region. Its endpoint, retryer and HTTP client are honoured; an HTTP client
	// of the SDK without a time limit gets one.
	Config awssdk.Config

	ManagementRole    string             // to list accounts with, in ManagementAccount; "": with our own credentials
	ManagementAccount rotation.AccountID // where ManagementRole is
	MemberRole        string             // in every account, to carry out rotations; may have a path
	ScanRole          string             // in every account, to read it for a scan; "": MemberRole
	ExternalID        string             // for both roles; "": none
	ManagementDirect  bool               // our own credentials reach the management account, if we live there

	Wait func(context.Context, time.Duration) error // between polls; nil: a real pause
	Log  *slog.Logger                               // nil: nothing is logged
}

// attempts is how often a call is tried that may be repeated, with the SDK's backoff.
const attempts = 4

// Client is AWS as keyturn sees it. It is safe for concurrent use.
type Client struct {
	cfg  awssdk.Config
	opts Options
	log  *slog.Logger
	wait func(context.Context, time.Duration) error

	calls atomic.Int64

	mu         sync.Mutex
	self       identity           // zero until it was asked for
	management rotation.AccountID // "" until it was asked for
	sessions   map[role]*awssdk.CredentialsCache
}

var (
	_ scheduler.Organization  = (*Client)(nil)
	_ scheduler.AccountReader = (*Client)(nil)
)

// New returns a client. It asks AWS nothing.
func New(o Options) *Client {
	c := &Client{cfg: o.Config.Copy(), opts: o, log: o.Log, wait: o.Wait, sessions: map[role]*awssdk.CredentialsCache{}}
	if c.cfg.Retryer == nil && c.cfg.RetryMaxAttempts == 0 {
		c.cfg.RetryMaxAttempts = attempts
	}
	// Requests and answers carry key material and session tokens: the SDK logs none of them, whatever the configuration says.
	c.cfg.ClientLogMode = 0
	c.cfg.HTTPClient = httpClient(c.cfg.HTTPClient, &c.calls)
	if c.opts.ScanRole == "" {
		c.opts.ScanRole = c.opts.MemberRole
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.wait == nil {
		c.wait = pause.For
	}
	return c
}

// Config returns the configuration with our own credentials, as the client uses it: with a bounded HTTP client that reads
// answers whole (see whole). For services that no other file of this package speaks to.
func (c *Client) Config() awssdk.Config { return c.cfg.Copy() }

// Calls returns how many requests were made so far, those that were tried again included.
func (c *Client) Calls() int64 { return c.calls.Load() }

// with returns the configuration with other credentials.
func (c *Client) with(creds awssdk.CredentialsProvider) awssdk.Config {
	cfg := c.cfg.Copy()
	cfg.Credentials = creds
	return cfg
}

// identity is who our own credentials belong to.
type identity struct {
	arn       string
	account   rotation.AccountID
	partition string
}

// CallerIdentity returns the ARN of our own credentials' principal, read anew.
func (c *Client) CallerIdentity(ctx context.Context) (string, error) {
	who, err := c.readIdentity(ctx)
	return who.arn, err
}

// caller is who we are. It is asked once.
func (c *Client) caller(ctx context.Context) (identity, error) {
	c.mu.Lock()
	who := c.self
	c.mu.Unlock()
	if who.arn != "" {
		return who, nil
	}
	return c.readIdentity(ctx)
}

func (c *Client) readIdentity(ctx context.Context) (identity, error) {
	who, err := whoIs(ctx, sts.NewFromConfig(c.cfg))
	if err != nil {
		return identity{}, failed("ask AWS whose credentials these are", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = who
	return who, nil
}
