package aws

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
)

func TestErrorText(t *testing.T) {
	w := start(t, awsemu.Options{})
	_, err := w.account(t).User(t.Context(), "nobody")
	const want = "read user nobody in " + prod + ": NoSuchEntity: The user with name nobody cannot be found. (request 00000000-0000-4000-8000-000000000000)"
	if err == nil || err.Error() != want {
		t.Errorf("error %q\nwant %q", err, want)
	}
	var api smithy.APIError
	if !errors.As(fmt.Errorf("scan: %w", err), &api) || api.ErrorCode() != "NoSuchEntity" {
		t.Error("AWS's code is lost")
	}
}

func TestCut(t *testing.T) {
	const material = `{"SecretAccessKey":"abcdefghijklmnopqrstuvwxyz"}`
	for text, want := range map[string]string{
		"":                                 "",
		"nothing of it":                    "nothing of it",
		"is abcdefghijklmnopqrstuvwxyz.":   "is [secret].",
		"is 'abcdefghijklmno...' and more": "is '[secret]...' and more",
		"abcdefghijkl":                     "[secret]",
		"abcdefghijk":                      "abcdefghijk",
		"abcdefghijklmnopqrstuvwxyz, abcdefghijklmnop": "[secret], [secret]",
	} {
		if got := cut(text, material); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := cut("nothing to hide", ""); got != "nothing to hide" {
		t.Error(got)
	}
}

// Whatever goes wrong, and however much logging the SDK was asked for: no secret in an error or a log.
func TestNoSecretAnywhere(t *testing.T) {
	log := &sink{}
	noisy := func(o *Options) {
		o.Config.ClientLogMode = awssdk.LogSigning | awssdk.LogRetries | awssdk.LogRequestWithBody | awssdk.LogResponseWithBody
		o.Config.Logger = logging.NewStandardLogger(log)
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	faults := []awsemu.Fault{
		{Kind: awsemu.FaultDrop, Times: -1}, {Kind: awsemu.FaultDropBefore, Times: -1}, {Kind: awsemu.FaultThrottle, Times: -1},
		{Kind: awsemu.FaultError, Code: "ValidationException", Status: 400, Times: -1},
		{Kind: awsemu.FaultError, Code: "InternalFailure", Status: 500, Times: -1},
	}
	for _, f := range faults {
		for _, op := range []string{"AssumeRole", "CreateAccessKey", "PutSecretValue", "GetSecretValue", "GetCallerIdentity", ""} {
			w := start(t, awsemu.Options{})
			c := w.client(noisy)
			if op == "AssumeRole" {
				w.SetFault(awsemu.Fault{Operation: op, Kind: f.Kind, Code: f.Code, Status: f.Status, Times: -1})
			}
			a, err := c.Rotations().Account(t.Context(), prod)
			if err != nil {
				w.noSecrets(t, "error", deep(err))
				continue
			}
			s, err := a.PrepareSecret(t.Context(), spec())
			if err != nil {
				t.Fatal(err)
			}
			id, secret := w.AddKey(prod, string(user), awsemu.Key{})
			value := rotator.NewMaterial(`{"SecretAccessKey":"` + secret + `"}`)
			f.Operation = op
			if op != "" {
				// AWS may repeat in a sentence what it was sent.
				f.Message = "Value '" + value.Reveal() + "' at 'secretString' failed to satisfy constraint; " + secret
				if op == "CreateAccessKey" || op == "GetSecretValue" {
					f.Message = ""
				}
				w.SetFault(f)
			}
			_, e1 := a.CreateKey(t.Context(), user)
			e2 := a.PutVersion(t.Context(), s.ARN, v1, value)
			_, e3 := a.Version(t.Context(), s.ARN, v1)
			_, _, e4 := a.Verify(t.Context(), rotation.KeyID(id), rotator.NewMaterial(secret))
			e5 := a.Promote(t.Context(), s.ARN, v1, "")
			for i, err := range []error{e1, e2, e3, e4, e5} {
				if err != nil {
					w.noSecrets(t, fmt.Sprintf("error %d of %s", i+1, op), deep(err))
				}
			}
			w.noSecrets(t, "the log", log.String())
		}
	}
	if strings.Contains(log.String(), "token-") {
		t.Error("a session token was logged")
	}
}

// deep prints an error as carelessly as one can.
func deep(err error) string { return fmt.Sprintf("%s %v %+v %#v", err, err, err, err) }
