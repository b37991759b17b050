package aws

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/templates"
)

const from = "keyturn <security@acme.example>"

func TestMailer(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.AddIdentity(home, "security@acme.example", true)
	m := w.client().Mailer(from)
	msg := templates.Mail{Subject: "Schlüssel\r\nBcc: everybody@acme.example\tnow", Text: "Grüße\n", HTML: "<p>Grüße</p>"}
	if err := m.Send(t.Context(), "Owner <owner@acme.example>", msg); err != nil {
		t.Fatal(err)
	}
	got := w.Mails()[0]
	if got.From != from || len(got.To) != 1 || got.To[0] != "owner@acme.example" || len(got.BCC) != 0 ||
		got.Subject != "Schlüssel Bcc: everybody@acme.example now" || got.Text != msg.Text || got.HTML != msg.HTML {
		t.Errorf("mail %+v", got)
	}
	for _, to := range []string{"", "nobody", "a@acme.example, b@acme.example", "a@acme.example\r\nBcc: b@acme.example"} {
		if err := m.Send(t.Context(), to, msg); err == nil {
			t.Errorf("%q was mailed", to)
		}
	}
	if err := w.client().Mailer("").Send(t.Context(), "owner@acme.example", msg); err == nil || !strings.Contains(err.Error(), "email.from") {
		t.Errorf("error %v", err)
	}
	err := w.client().Mailer("other@acme.example").Send(t.Context(), "owner@acme.example", msg)
	if err == nil || !strings.Contains(err.Error(), "not verified") || strings.Contains(err.Error(), "Grüße") {
		t.Errorf("error %v", err)
	}
	if n := len(w.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
	w.SetFault(awsemu.Fault{Operation: "SendEmail", Kind: awsemu.FaultThrottle})
	if err := m.Send(t.Context(), "owner@acme.example", msg); err != nil || len(w.Mails()) != 2 {
		t.Errorf("throttled once: %v", err)
	}
}
