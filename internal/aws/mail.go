package aws

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/keyturn/keyturn/templates"
)

// Mailer sends mail by SES with our own credentials. It is safe for concurrent use.
type Mailer struct {
	from string
	ses  mailCalls
}

// Mailer returns a mailer that sends from an address.
func (c *Client) Mailer(from string) *Mailer { return &Mailer{from, newMail(c.cfg)} }

// Send sends a mail to one address. Addresses come from tags and from Organizations, so anything that is not exactly one
// address is refused.
func (m *Mailer) Send(ctx context.Context, to string, msg templates.Mail) error {
	if m.from == "" {
		return errors.New("send mail: no sender is configured: set email.from")
	}
	rcpt, err := mail.ParseAddress(to)
	if err != nil {
		return fmt.Errorf("send mail: %q is not an e-mail address", to)
	}
	utf8 := func(s string) *types.Content {
		return &types.Content{Data: awssdk.String(s), Charset: awssdk.String("UTF-8")}
	}
	body := &types.Body{}
	if msg.Text != "" {
		body.Text = utf8(msg.Text)
	}
	if msg.HTML != "" {
		body.Html = utf8(msg.HTML)
	}
	_, err = m.ses.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &m.from,
		Destination:      &types.Destination{ToAddresses: []string{rcpt.Address}},
		Content:          &types.EmailContent{Simple: &types.Message{Subject: utf8(oneLine(msg.Subject)), Body: body}},
	})
	if err != nil {
		return failed("send mail to "+rcpt.Address, err)
	}
	return nil
}

// oneLine takes line breaks and other control characters out of a header.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
}
