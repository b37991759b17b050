package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
)

func TestCreateKey(t *testing.T) {
	w := start(t, awsemu.Options{})
	made, err := w.account(t).CreateKey(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	keys := w.Keys(prod, string(user))
	if len(keys) != 1 || rotation.KeyID(keys[0].ID) != made.ID || made.User != user || !made.Created.Equal(day0) || made.Status != rotation.Active {
		t.Errorf("made %+v, there are %+v", made, keys)
	}
	if !strings.Contains(made.Secret.Reveal(), awsemu.Marker) {
		t.Error("the secret is not the one that AWS made")
	}
}

func TestCreateKeyClassification(t *testing.T) {
	code := func(code string, status int) awsemu.Fault {
		return awsemu.Fault{Kind: awsemu.FaultError, Code: code, Status: status}
	}
	for _, tc := range []struct {
		name     string
		fault    awsemu.Fault
		definite bool
		made     int
	}{
		{"denied", code("AccessDenied", 403), true, 0},
		{"invalid", code("ValidationError", 400), true, 0},
		{"no such user", code("NoSuchEntity", 404), true, 0},
		{"limit", code("LimitExceeded", 409), true, 0},
		{"session unknown", code("InvalidClientTokenId", 403), true, 0},
		{"session ran out", code("ExpiredToken", 403), true, 0},
		{"throttled", awsemu.Fault{Kind: awsemu.FaultThrottle}, true, 0},
		{"service failure", code("ServiceFailure", 500), false, 0},
		{"internal failure", code("InternalFailure", 500), false, 0},
		{"unavailable", code("ServiceUnavailable", 503), false, 0},
		{"a proxy's time limit", code("RequestTimeout", 408), false, 0},
		{"a server error that calls itself a client's", code("InternalFailure", 400), false, 0},
		{"performed, answer lost", awsemu.Fault{Kind: awsemu.FaultDrop}, false, 1},
		{"not performed, connection closed", awsemu.Fault{Kind: awsemu.FaultDropBefore}, false, 0},
		{"hangs", awsemu.Fault{Kind: awsemu.FaultHang}, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			a := w.account(t, impatient)
			tc.fault.Operation = "CreateAccessKey" // once: a retry would succeed and be seen
			w.SetFault(tc.fault)
			_, err := a.CreateKey(t.Context(), user)
			if err == nil || errors.Is(err, rotator.ErrDefinite) != tc.definite {
				t.Errorf("definite %v: %v", !tc.definite, err)
			}
			if got := errors.Is(err, rotator.ErrLimit); got != (tc.fault.Code == "LimitExceeded") {
				t.Errorf("limit %v", got)
			}
			if n := w.calls("iam", "CreateAccessKey"); n != 1 {
				t.Errorf("called %d times", n)
			}
			if n := len(w.Keys(prod, string(user))); n != tc.made {
				t.Errorf("%d keys", n)
			}
			w.noSecrets(t, "error", err.Error())
			if !strings.HasPrefix(err.Error(), "create a key for billing-export in "+prod+": ") {
				t.Errorf("error %q", err)
			}
		})
	}
}

// Retries that the environment asks for (AWS_MAX_ATTEMPTS) are not for this call.
func TestCreateKeyIsNeverRetried(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t, func(o *Options) { o.Config.RetryMaxAttempts = 7 })
	w.SetFault(awsemu.Fault{Operation: "CreateAccessKey", Kind: awsemu.FaultDrop, Times: -1})
	if _, err := a.CreateKey(t.Context(), user); err == nil || errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("error %v", err)
	}
	if n := len(w.Keys(prod, string(user))); n != 1 {
		t.Errorf("%d keys", n)
	}
}

func TestCreateKeyLimit(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.AddKey(prod, string(user), awsemu.Key{})
	w.AddKey(prod, string(user), awsemu.Key{})
	a := w.account(t)
	if _, err := a.CreateKey(t.Context(), user); !errors.Is(err, rotator.ErrLimit) || !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("error %v", err)
	}
	if _, err := a.CreateKey(t.Context(), "nobody"); !errors.Is(err, rotator.ErrNoSuchUser) || !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("error %v", err)
	}
}

func TestCreateKeyNeverSent(t *testing.T) {
	w := start(t, awsemu.Options{})
	m := w.account(t).(*member)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "http://" + l.Addr().String()
	_ = l.Close()
	m.cfg.BaseEndpoint = &nowhere
	if _, err := m.CreateKey(t.Context(), user); !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("no connection: %v", err)
	}
	m.cfg.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{}, errors.New("the session cannot be renewed")
	})
	if _, err := m.CreateKey(t.Context(), user); !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("no credentials: %v", err)
	}
}

func TestCreateKeyInterrupted(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.OnCall(func(c awsemu.Call) awsemu.Action {
		if c.Operation == "CreateAccessKey" && c.Phase == awsemu.After {
			cancel()
			<-ctx.Done()
			return awsemu.Abort
		}
		return awsemu.Proceed
	})
	_, err := a.CreateKey(ctx, user)
	if !errors.Is(err, context.Canceled) || errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("error %v", err)
	}
}

// An answer that cannot be read holds the secret, so nothing of it may stand in the error, at any depth.
func TestCreateKeyUnreadable(t *testing.T) {
	const secret = "wJalrSANDBOXSECRETEXAMPLEKEY"
	for name, body := range map[string]string{
		"cut off":       "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><SecretAccessKey>" + secret + "</SecretAccessKey><AccessKeyId>AKIA",
		"no XML":        secret + " & <",
		"without an ID": "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><SecretAccessKey>" + secret + "</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>",
		"a wrong date":  "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><SecretAccessKey>" + secret + "</SecretAccessKey><CreateDate>" + secret + "</CreateDate></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fixed(t, http.StatusOK, "text/xml", body).CreateKey(t.Context(), user)
			if err == nil || errors.Is(err, rotator.ErrDefinite) || strings.Contains(err.Error(), secret) {
				t.Fatalf("error %v", err)
			}
			var bad *smithy.DeserializationError
			if errors.As(err, &bad) {
				t.Error("the error carries the answer")
			}
		})
	}
}

func TestSetKeyStatusAndDelete(t *testing.T) {
	w := start(t, awsemu.Options{})
	id, _ := w.AddKey(prod, string(user), awsemu.Key{})
	key, a := rotation.KeyID(id), w.account(t)
	for _, status := range []rotation.KeyStatus{rotation.Inactive, rotation.Inactive, rotation.Active} {
		if err := a.SetKeyStatus(t.Context(), user, key, status); err != nil {
			t.Fatal(err)
		}
		if k := w.Keys(prod, string(user))[0]; k.Inactive != (status == rotation.Inactive) {
			t.Errorf("inactive %v after %s", k.Inactive, status)
		}
	}
	if err := a.SetKeyStatus(t.Context(), user, key, ""); err == nil {
		t.Error("no status was accepted")
	}
	w.SetFault(awsemu.Fault{Operation: "DeleteAccessKey", Kind: awsemu.FaultThrottle})
	if err := a.DeleteKey(t.Context(), user, key); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"status, no key": a.SetKeyStatus(t.Context(), user, key, rotation.Active),
		"delete, no key": a.DeleteKey(t.Context(), user, key),
	} {
		if !errors.Is(err, rotator.ErrNoSuchKey) || errors.Is(err, rotator.ErrNoSuchUser) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"status, no user": a.SetKeyStatus(t.Context(), "nobody", key, rotation.Active),
		"delete, no user": a.DeleteKey(t.Context(), "nobody", key),
	} {
		if errors.Is(err, rotator.ErrNoSuchKey) || !errors.Is(err, rotator.ErrNoSuchUser) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.SetRoleDeny(prod, memberRole, "iam:DeleteAccessKey")
	if err := a.DeleteKey(t.Context(), user, key); !errors.Is(err, rotator.ErrDefinite) || errors.Is(err, rotator.ErrNoSuchKey) {
		t.Errorf("denied: %v", err)
	}
}

func TestVerify(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.SetConsistencyDelay(2)
	a := w.account(t)
	made, err := a.CreateKey(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := a.Verify(t.Context(), made.ID, made.Secret); !errors.Is(err, rotator.ErrNotAccepted) {
			t.Errorf("a key that is not known yet: %v", err)
		}
	}
	arn, id, err := a.Verify(t.Context(), made.ID, made.Secret)
	if err != nil || arn != "arn:aws:iam::"+prod+":user/jobs/billing-export" || !strings.HasPrefix(string(id), "AIDA") {
		t.Errorf("%s %s, error %v", arn, id, err)
	}
	for name, tc := range map[string]struct {
		up     func()
		secret rotator.Material
		not    bool
	}{
		"another secret": {func() {}, rotator.NewMaterial("wrong"), true},
		"throttled":      {func() { w.SetFault(awsemu.Fault{Operation: "GetCallerIdentity", Kind: awsemu.FaultThrottle}) }, made.Secret, false},
		"dropped":        {func() { w.SetFault(awsemu.Fault{Operation: "GetCallerIdentity", Kind: awsemu.FaultDrop}) }, made.Secret, false},
		"inactive":       {func() { w.SetKeyStatus(prod, string(made.ID), false) }, made.Secret, true},
	} {
		t.Run(name, func(t *testing.T) {
			tc.up()
			defer w.SetKeyStatus(prod, string(made.ID), true)
			before := w.calls("sts", "GetCallerIdentity")
			_, _, err := a.Verify(t.Context(), made.ID, tc.secret)
			if err == nil || errors.Is(err, rotator.ErrNotAccepted) != tc.not {
				t.Errorf("not accepted %v: %v", !tc.not, err)
			}
			if n := w.calls("sts", "GetCallerIdentity") - before; n > 1 {
				t.Errorf("sent %d times", n)
			}
			w.noSecrets(t, "error", err.Error())
		})
	}
}
