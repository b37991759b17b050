package aws

import (
	"errors"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

func static(id, secret string) awssdk.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(id, secret, "")
}

func TestAssume(t *testing.T) {
	w := start(t, awsemu.Options{})
	c := w.client()
	for range 3 {
		if _, err := c.IAM(t.Context(), scheduler.Account{ID: prod}); err != nil {
			t.Fatal(err)
		}
	}
	sts := func(op string) int { return w.Counters()[awsemu.CallKey{Account: home, Service: "sts", Operation: op}] }
	if n := sts("AssumeRole"); n != 1 {
		t.Errorf("the role was assumed %d times", n)
	}
	if n := sts("GetCallerIdentity"); n != 1 {
		t.Errorf("we were asked who we are %d times", n)
	}
	arn, err := c.CallerIdentity(t.Context())
	if err != nil || arn != "arn:aws:iam::"+home+":user/bootstrap" {
		t.Errorf("caller %q, error %v", arn, err)
	}
}

func TestUnreachable(t *testing.T) {
	open := map[string]func(*testing.T, *Client) error{
		"IAM": func(t *testing.T, c *Client) error {
			_, err := c.IAM(t.Context(), scheduler.Account{ID: prod})
			return err
		},
		"Secrets": func(t *testing.T, c *Client) error {
			_, err := c.Secrets(t.Context(), scheduler.Account{ID: prod})
			return err
		},
		"Account": func(t *testing.T, c *Client) error { _, err := c.Rotations().Account(t.Context(), prod); return err },
	}
	for _, tc := range []struct {
		name string
		up   func(*world)
		want bool
	}{
		{"no role", func(w *world) { w.RemoveRole(prod, memberRole) }, true},
		{"another external ID", func(w *world) { w.AddRole(prod, memberRole, "other") }, true},
		{"suspended", func(w *world) { w.SetAccountState(prod, "SUSPENDED") }, true},
		{"throttled", func(w *world) {
			w.SetFault(awsemu.Fault{Service: "sts", Operation: "AssumeRole", Kind: awsemu.FaultThrottle, Times: -1})
		}, false},
		{"no network", func(w *world) {
			w.SetFault(awsemu.Fault{Service: "sts", Operation: "AssumeRole", Kind: awsemu.FaultDropBefore, Times: -1})
		}, false},
		{"STS is out of order", func(w *world) {
			w.SetFault(awsemu.Fault{Service: "sts", Operation: "AssumeRole", Kind: awsemu.FaultError, Code: "InternalFailure", Status: 500, Times: -1})
		}, false},
		{"our own credentials are not known", func(w *world) {
			w.SetFault(awsemu.Fault{Service: "sts", Operation: "AssumeRole", Kind: awsemu.FaultError, Code: "InvalidClientTokenId", Status: 403, Times: -1})
		}, false},
		{"who we are is not known", func(w *world) {
			w.SetFault(awsemu.Fault{Service: "sts", Operation: "GetCallerIdentity", Kind: awsemu.FaultError, Code: "AccessDenied", Status: 403, Times: -1})
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			tc.up(w)
			for name, f := range open {
				err := f(t, w.client())
				if err == nil {
					t.Fatalf("%s: no error", name)
				}
				if errors.Is(err, rotator.ErrUnreachable) != tc.want || errors.Is(err, scheduler.ErrUnreachable) != tc.want {
					t.Errorf("%s: %v: unreachable %v", name, err, !tc.want)
				}
				if !strings.HasPrefix(err.Error(), "assume role keyturn-member in "+prod+": ") {
					t.Errorf("%s: %q does not say what was done where", name, err)
				}
				w.noSecrets(t, name, err.Error())
			}
		})
	}
}

func TestRefusalIsNotRemembered(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.RemoveRole(prod, memberRole)
	c := w.client(func(o *Options) { o.ExternalID = "shared" })
	_, err := c.IAM(t.Context(), scheduler.Account{ID: prod})
	var api smithy.APIError
	if !errors.Is(err, scheduler.ErrUnreachable) || !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Fatalf("error %v", err)
	}
	w.AddRole(prod, memberRole, "shared")
	if _, err := c.IAM(t.Context(), scheduler.Account{ID: prod}); err != nil {
		t.Errorf("the role is there now: %v", err)
	}
}

func TestManagementDirect(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.AddUser(home, awsemu.User{Name: "automation"})
	direct := func(o *Options) { o.ManagementDirect = true }
	a, err := w.client(direct).Rotations().Account(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	if u, err := a.User(t.Context(), "automation"); err != nil || u.Account != home {
		t.Errorf("user %v, error %v", u, err)
	}
	if _, err := w.client().Rotations().Account(t.Context(), home); !errors.Is(err, rotator.ErrUnreachable) {
		t.Errorf("the management account was reached without its role: %v", err)
	}

	// Our own credentials in a member account are no way into it.
	id, secret := w.Bootstrap(prod)
	w.RemoveRole(prod, memberRole)
	w.AddRole(home, "list", "")
	c := w.client(direct, func(o *Options) {
		o.Config.Credentials, o.ManagementRole, o.ManagementAccount = static(id, secret), "list", home
	})
	if _, err := c.Rotations().Account(t.Context(), prod); !errors.Is(err, rotator.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

func TestPartitions(t *testing.T) {
	for partition, region := range map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"} {
		t.Run(partition, func(t *testing.T) {
			w := start(t, awsemu.Options{Partition: partition, Region: region})
			u, err := w.iam(t).User(t.Context(), user)
			if err != nil || u.ARN != "arn:"+partition+":iam::"+prod+":user/jobs/billing-export" {
				t.Errorf("user %v, error %v", u, err)
			}
			if err := w.client().CheckAccount(t.Context(), scheduler.Account{ID: prod}, Scanning); err != nil {
				t.Error(err)
			}
		})
	}
}
