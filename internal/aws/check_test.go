package aws

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/scheduler"
)

func TestCheckAccount(t *testing.T) {
	for work, all := range map[Work][]string{
		Scanning: {"iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:GetGroup", "iam:GetUser", "iam:ListAccessKeys", "iam:ListUsers", "secretsmanager:ListSecrets"},
		Rotating: {"iam:GetUser", "iam:ListAccessKeys", "iam:ListGroupsForUser", "iam:ListUsers"},
	} {
		t.Run(string(work), func(t *testing.T) {
			w := start(t, awsemu.Options{})
			check := func() error { return w.client().CheckAccount(t.Context(), scheduler.Account{ID: prod}, work) }
			if err := check(); err != nil {
				t.Errorf("in order: %v", err)
			}
			for _, action := range all {
				w.SetRoleDeny(prod, memberRole, action)
				if err := check(); err == nil || !strings.HasSuffix(err.Error(), "lacks the permission for "+action) {
					t.Errorf("%s: %v", action, err)
				}
			}
			w.SetRoleDeny(prod, memberRole, all...)
			err := check()
			for _, action := range all {
				if err == nil || !strings.Contains(err.Error(), action) {
					t.Errorf("%s is not among what is missing: %v", action, err)
				}
			}
			w.SetRoleDeny(prod, memberRole)
			w.SetFault(awsemu.Fault{Operation: "GetUser", Kind: awsemu.FaultThrottle, Times: -1})
			if err := check(); err == nil || strings.Contains(err.Error(), "lacks") {
				t.Errorf("throttled: %v", err)
			}
			w.ClearFaults()
			w.RemoveRole(prod, memberRole)
			if err := check(); !errors.Is(err, scheduler.ErrUnreachable) {
				t.Errorf("no role: %v", err)
			}
		})
	}
}

// A scan may have a role of its own, which need not be able to change anything.
func TestScanRole(t *testing.T) {
	w := start(t, awsemu.Options{})
	c := w.client(func(o *Options) { o.ScanRole = "keyturn-scan" })
	if _, err := c.IAM(t.Context(), scheduler.Account{ID: prod}); !errors.Is(err, scheduler.ErrUnreachable) {
		t.Errorf("the scan's role is not there, and yet: %v", err)
	}
	if _, err := c.Secrets(t.Context(), scheduler.Account{ID: prod}); !errors.Is(err, scheduler.ErrUnreachable) {
		t.Errorf("the scan's role is not there, and yet: %v", err)
	}
	if _, err := c.Rotations().Account(t.Context(), prod); err != nil {
		t.Errorf("the rotator's role: %v", err)
	}
}

func TestCheckIdentity(t *testing.T) {
	for _, tc := range []struct {
		name string
		up   func(*world)
		says string // "": in order
	}{
		{"the address", func(w *world) { w.AddIdentity(home, "security@mail.acme.example", true) }, ""},
		{"its domain", func(w *world) { w.AddIdentity(home, "mail.acme.example", true) }, ""},
		{"the domain above", func(w *world) { w.AddIdentity(home, "acme.example", true) }, ""},
		{"an unverified address in a verified domain", func(w *world) {
			w.AddIdentity(home, "security@mail.acme.example", false)
			w.AddIdentity(home, "mail.acme.example", true)
		}, ""},
		{"unknown", func(*world) {}, "knows neither security@mail.acme.example nor its domain"},
		{"not verified", func(w *world) { w.AddIdentity(home, "security@mail.acme.example", false) }, "not verified yet"},
		{"denied", func(w *world) {
			w.SetFault(awsemu.Fault{Operation: "GetEmailIdentity", Kind: awsemu.FaultError, Code: "AccessDeniedException", Status: 403})
		}, "ses:GetEmailIdentity"},
		{"denied, of the account", func(w *world) {
			w.AddIdentity(home, "acme.example", true)
			w.SetFault(awsemu.Fault{Operation: "GetAccount", Kind: awsemu.FaultError, Code: "AccessDeniedException", Status: 403})
		}, "ses:GetAccount"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			tc.up(w)
			err := w.client().CheckIdentity(t.Context(), "keyturn <security@mail.acme.example>")
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	for body, says := range map[string]string{
		`{"VerifiedForSendingStatus":true,"ProductionAccessEnabled":false,"SendingEnabled":true}`: "sandbox",
		`{"VerifiedForSendingStatus":true,"ProductionAccessEnabled":true,"SendingEnabled":false}`: "switched off",
	} {
		m := fixed(t, 200, "application/json", body)
		c := New(Options{Config: m.cfg})
		if err := c.CheckIdentity(t.Context(), "a@b.example"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	if err := New(Options{}).CheckIdentity(t.Context(), ""); err == nil {
		t.Error("no address is in order")
	}
}
