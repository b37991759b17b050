package awsemu

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/go-cmp/cmp"
)

func letter(from string, to ...string) *sesv2.SendEmailInput {
	return &sesv2.SendEmailInput{
		FromEmailAddress: &from, Destination: &types.Destination{ToAddresses: to},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: &types.Content{Data: ptr("Keys")},
			Body:    &types.Body{Text: &types.Content{Data: ptr("text")}, Html: &types.Content{Data: ptr("<p>html</p>")}},
			Headers: []types.MessageHeader{{Name: ptr("X-Run"), Value: ptr("1")}},
		}},
	}
}

func TestMail(t *testing.T) {
	e := start(t)
	e.AddIdentity(mgmt, "security@acme.example", true)
	e.AddIdentity(mgmt, "corp.example", true)
	c := e.ses()
	in := letter("Security <security@acme.example>", "Owner <a@b.example>")
	in.Destination.CcAddresses, in.Destination.BccAddresses = []string{"c@b.example"}, []string{"d@b.example"}
	if id := ok(c.SendEmail(ctx, in))(t).MessageId; *id == "" {
		t.Error("no message ID")
	}
	want := []Mail{{
		Account: mgmt, From: "Security <security@acme.example>", To: []string{"Owner <a@b.example>"}, CC: []string{"c@b.example"}, BCC: []string{"d@b.example"},
		Subject: "Keys", Text: "text", HTML: "<p>html</p>", Headers: map[string]string{"X-Run": "1"}, At: e.clock.Now(),
	}}
	if diff := cmp.Diff(want, e.Mails()); diff != "" {
		t.Error(diff)
	}
	ok(c.SendEmail(ctx, letter("x@sub.corp.example", "a@b.example")))(t) // a domain covers its subdomains
}

func TestWhatSESRefuses(t *testing.T) {
	e := start(t)
	e.AddIdentity(mgmt, "security@acme.example", true)
	e.AddIdentity(mgmt, "pending@acme.example", false)
	c := e.ses()
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("a%d@b.example", i)
	}
	empty, raw := letter("security@acme.example", "a@b.example"), letter("security@acme.example", "a@b.example")
	empty.Content.Simple.Body = &types.Body{}
	raw.Content = &types.EmailContent{Raw: &types.RawMessage{Data: []byte("x")}}
	for name, tc := range map[string]struct {
		in   *sesv2.SendEmailInput
		code string
	}{
		"unverified":          {letter("pending@acme.example", "a@b.example"), "MessageRejected"},
		"unknown sender":      {letter("other@acme.example", "a@b.example"), "MessageRejected"},
		"sender malformed":    {letter("nobody", "a@b.example"), "BadRequestException"},
		"nobody to send to":   {letter("security@acme.example"), "BadRequestException"},
		"51 recipients":       {letter("security@acme.example", many...), "BadRequestException"},
		"recipient malformed": {letter("security@acme.example", "a@b.example\r\nBcc: x@y.example"), "BadRequestException"},
		"no body":             {empty, "BadRequestException"},
		"raw":                 {raw, "BadRequestException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.SendEmail(ctx, tc.in)
			refusedWith(t, err, tc.code, 400)
		})
	}
	if n := len(e.Mails()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestMailSandboxAndPause(t *testing.T) {
	e := start(t)
	e.AddIdentity(mgmt, "acme.example", true)
	c := e.ses()
	send := func(to string) error {
		_, err := c.SendEmail(ctx, letter("security@acme.example", to))
		return err
	}
	e.SetMailSandbox(mgmt, true)
	refusedWith(t, send("a@b.example"), "MessageRejected", 400)
	ok(0, send("a@acme.example"))(t)
	if a := ok(c.GetAccount(ctx, &sesv2.GetAccountInput{}))(t); a.ProductionAccessEnabled || !a.SendingEnabled {
		t.Errorf("account: %+v", a)
	}
	e.SetMailSandbox(mgmt, false)
	ok(0, send("a@b.example"))(t)
	e.SetMailPaused(mgmt, true)
	refusedWith(t, send("a@b.example"), "SendingPausedException", 400)
	if a := ok(c.GetAccount(ctx, &sesv2.GetAccountInput{}))(t); !a.ProductionAccessEnabled || a.SendingEnabled {
		t.Errorf("account: %+v", a)
	}
}

func TestIdentities(t *testing.T) {
	e := start(t)
	e.AddIdentity(mgmt, "sec+keys@acme.example", true)
	e.AddIdentity(mgmt, "corp.example", false)
	c := e.ses()
	for id, want := range map[string]struct {
		kind     types.IdentityType
		verified bool
	}{"sec+keys@acme.example": {types.IdentityTypeEmailAddress, true}, "corp.example": {types.IdentityTypeDomain, false}} {
		out := ok(c.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &id}))(t)
		if out.IdentityType != want.kind || out.VerifiedForSendingStatus != want.verified {
			t.Errorf("%s: %+v", id, out)
		}
	}
	_, err := c.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: ptr("a/b@acme.example")})
	refusedWith(t, err, "NotFoundException", 404)
	_, err = c.ListEmailIdentities(ctx, &sesv2.ListEmailIdentitiesInput{})
	refusedWith(t, err, "UnknownOperationException", 404)
}
