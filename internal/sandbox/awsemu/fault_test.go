package awsemu

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// create tries to make a key for alice.
func create(ctx context.Context, c *iam.Client) error {
	_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("alice")})
	return err
}

func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		fault     Fault
		code      string // "": no answer at all
		status    int
		performed bool
	}{
		"error":               {Fault{Kind: FaultError, Code: "AccessDenied", Message: "no", Status: 403}, "AccessDenied", 403, false},
		"error without more":  {Fault{Kind: FaultError}, "ServiceFailure", 500, false},
		"error with a status": {Fault{Kind: FaultError, Code: "ServiceUnavailable", Status: 503}, "ServiceUnavailable", 503, false},
		"odd status":          {Fault{Kind: FaultError, Code: "Odd", Status: 7}, "Odd", 400, false},
		"throttled":           {Fault{Kind: FaultThrottle}, "Throttling", 400, false},
		"dropped":             {Fault{Kind: FaultDrop}, "", 0, true},
		"dropped before":      {Fault{Kind: FaultDropBefore}, "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			e.AddUser(member, User{Name: "alice"})
			c := e.iam()
			tc.fault.Service, tc.fault.Operation, tc.fault.AccountID = "iam", "CreateAccessKey", member
			e.SetFault(tc.fault)
			err := create(ctx, c)
			var api smithy.APIError
			if tc.code != "" {
				refusedWith(t, err, tc.code, tc.status)
			} else if err == nil || errors.As(err, &api) {
				t.Fatalf("got %v, want no answer", err)
			}
			if n := len(e.Keys(member, "alice")); (n == 1) != tc.performed {
				t.Errorf("%d keys", n)
			}
			ok(0, create(ctx, c))(t) // once
			if n := e.calls(member, "iam", "CreateAccessKey"); n != 2 {
				t.Errorf("%d calls counted", n)
			}
		})
	}
}

func TestHangingCallIsNotPerformed(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	c := e.iam()
	ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))(t)
	e.SetFault(Fault{Operation: "CreateAccessKey", Kind: FaultHang})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := create(short, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	e.SetFault(Fault{Operation: "GetUser", Kind: FaultHang})
	done := make(chan error)
	go func() {
		_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")})
		done <- err
	}()
	for e.calls(member, "iam", "GetUser") < 2 {
		runtime.Gosched()
	}
	if err := e.Close(); err != nil { // ends what hangs
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("a call that hangs was answered")
	}
	if n := len(e.Keys(member, "alice")); n != 0 {
		t.Errorf("%d keys", n)
	}
}

func TestLatencyIsPerformedLate(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	c := e.iam()
	ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))(t)
	e.SetFault(Fault{Operation: "CreateAccessKey", Kind: FaultLatency, Delay: 100 * time.Millisecond, Times: -1})
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := create(short, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	ok(0, create(ctx, c))(t)
	deadline := time.Now().Add(5 * time.Second)
	for len(e.Keys(member, "alice")) < 2 { // the first one is performed although nobody waits any more
		if time.Now().After(deadline) {
			t.Fatalf("%d keys", len(e.Keys(member, "alice")))
		}
		runtime.Gosched()
	}
	e.ClearFaults()
	refusedWith(t, create(ctx, c), "LimitExceeded", 409)
}

func TestWhichCallsAFaultHits(t *testing.T) {
	for name, tc := range map[string]struct {
		faults []Fault
		want   string // x: hit
	}{
		"the first":             {[]Fault{{}}, "x...."},
		"the third":             {[]Fault{{Nth: 3}}, "..x.."},
		"two from the second":   {[]Fault{{Nth: 2, Times: 2}}, ".xx.."},
		"all from the third":    {[]Fault{{Nth: 3, Times: -1}}, "..xxx"},
		"each counts all calls": {[]Fault{{Nth: 1}, {Nth: 2}, {Nth: 5}}, "xx..x"},
		"other operation":       {[]Fault{{Operation: "ListUsers"}}, "....."},
		"other service":         {[]Fault{{Service: "sts", Times: -1}}, "....."},
		"other account":         {[]Fault{{AccountID: mgmt, Times: -1}}, "....."},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			e.AddUser(member, User{Name: "alice"})
			cfg := e.in(member)
			ok(cfg.Credentials.Retrieve(ctx))(t)
			c := iam.NewFromConfig(cfg)
			for _, f := range tc.faults {
				f.Kind = FaultThrottle
				e.SetFault(f)
			}
			got := ""
			for range 5 {
				if _, err := c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}); err != nil {
					got += "x"
				} else {
					got += "."
				}
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestEveryServiceIsThrottledAndBrokenInItsOwnWords(t *testing.T) {
	e := start(t)
	calls := map[string]func(awssdk.Config) error{
		"iam": func(c awssdk.Config) error {
			_, err := iam.NewFromConfig(c).ListUsers(ctx, &iam.ListUsersInput{})
			return err
		},
		"sts": func(c awssdk.Config) error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		},
		"organizations": func(c awssdk.Config) error {
			_, err := organizations.NewFromConfig(c).ListRoots(ctx, &organizations.ListRootsInput{})
			return err
		},
		"secretsmanager": func(c awssdk.Config) error {
			_, err := secretsmanager.NewFromConfig(c).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
			return err
		},
		"kms": func(c awssdk.Config) error {
			_, err := kms.NewFromConfig(c).ListAliases(ctx, &kms.ListAliasesInput{})
			return err
		},
		"ses": func(c awssdk.Config) error {
			_, err := sesv2.NewFromConfig(c).GetAccount(ctx, &sesv2.GetAccountInput{})
			return err
		},
	}
	patient := e.cfg.Copy()
	patient.Retryer = func() awssdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	for service, want := range map[string]struct {
		throttled string
		status    int
		broken    string
	}{
		"iam": {"Throttling", 400, "ServiceFailure"}, "sts": {"Throttling", 400, "InternalFailure"},
		"organizations": {"TooManyRequestsException", 400, "ServiceException"}, "secretsmanager": {"ThrottlingException", 400, "InternalServiceError"},
		"kms": {"ThrottlingException", 400, "KMSInternalException"}, "ses": {"TooManyRequestsException", 429, "InternalFailure"},
	} {
		t.Run(service, func(t *testing.T) {
			e.SetFault(Fault{Service: service, Kind: FaultThrottle})
			refusedWith(t, calls[service](e.cfg), want.throttled, want.status)
			e.SetFault(Fault{Service: service, Kind: FaultError})
			refusedWith(t, calls[service](e.cfg), want.broken, 500)
			e.ResetCounters()
			e.SetFault(Fault{Service: service, Kind: FaultThrottle})
			e.SetFault(Fault{Service: service, Kind: FaultError, Nth: 2})
			ok(0, calls[service](patient))(t) // the SDK knows that both are worth another try
			n := 0
			for _, c := range e.Counters() {
				n += c
			}
			if n != 3 {
				t.Errorf("%d calls: %v", n, e.Counters())
			}
		})
	}
}
