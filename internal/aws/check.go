package aws

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/keyturn/keyturn/scheduler"
)

// nobody is the name of a user and a group that need not exist: whether they may be read shows all the same.
const nobody = "keyturn-doctor"

// Work is what a role in an account is for.
type Work string

// The works.
const (
	Scanning Work = "scan"   // Options.ScanRole: it reads
	Rotating Work = "rotate" // Options.MemberRole
)

// CheckAccount assumes the role that does the work in an account, tries what the work reads, and names what is missing. It
// changes nothing there.
func (c *Client) CheckAccount(ctx context.Context, account scheduler.Account, work Work) error {
	name := c.opts.ScanRole
	if work == Rotating {
		name = c.opts.MemberRole
	}
	cfg, err := c.account(ctx, account.ID, name)
	if err != nil {
		return err
	}
	who, err := whoIs(ctx, sts.NewFromConfig(cfg))
	if err != nil {
		return failed(fmt.Sprintf("account %s: ask who we are there", account.ID), err)
	}
	if who.account != account.ID {
		return fmt.Errorf("account %s: its role belongs to account %s", account.ID, who.account)
	}
	missing, err := tryReads(ctx, work, newIAM(cfg), newSecrets(cfg))
	if err != nil {
		return fmt.Errorf("account %s: %w", account.ID, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("account %s: %s lacks the permission for %s", account.ID, who.arn, strings.Join(missing, ", "))
	}
	return nil
}

// tryReads returns the actions of the work that are denied.
func tryReads(ctx context.Context, work Work, i iamCalls, s secretCalls) (missing []string, err error) {
	scanning, both := []Work{Scanning}, []Work{Scanning, Rotating}
	for _, read := range []struct {
		action string
		works  []Work
		try    func() error
		fine   []string // errors that only a caller with the permission gets
	}{
		{"iam:GenerateCredentialReport", scanning, func() error {
			_, err := i.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
			return err
		}, []string{"LimitExceeded"}},
		{"iam:GetCredentialReport", scanning, func() error {
			_, err := i.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
			return err
		}, []string{"ReportInProgress", "ReportNotPresent", "ReportExpired"}},
		{"iam:GetGroup", scanning, func() error {
			_, err := i.GetGroup(ctx, &iam.GetGroupInput{GroupName: awssdk.String(nobody)})
			return err
		}, []string{"NoSuchEntity"}},
		{"iam:GetUser", both, func() error {
			_, err := i.GetUser(ctx, &iam.GetUserInput{UserName: awssdk.String(nobody)})
			return err
		}, []string{"NoSuchEntity"}},
		{"iam:ListUsers", both, func() error {
			_, err := i.ListUsers(ctx, &iam.ListUsersInput{MaxItems: awssdk.Int32(1)})
			return err
		}, nil},
		{"iam:ListGroupsForUser", []Work{Rotating}, func() error {
			_, err := i.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: awssdk.String(nobody)})
			return err
		}, []string{"NoSuchEntity"}},
		{"iam:ListAccessKeys", both, func() error {
			_, err := i.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: awssdk.String(nobody)})
			return err
		}, []string{"NoSuchEntity"}},
		{"secretsmanager:ListSecrets", scanning, func() error {
			_, err := s.ListSecrets(ctx, &secretsmanager.ListSecretsInput{MaxResults: awssdk.Int32(1)})
			return err
		}, nil},
	} {
		if !slices.Contains(read.works, work) {
			continue
		}
		err := read.try()
		switch {
		case err == nil, slices.Contains(read.fine, code(err)):
		case denied(err):
			missing = append(missing, read.action)
		default:
			return nil, failed("try "+read.action, err)
		}
	}
	return missing, nil
}

func denied(err error) bool {
	switch code(err) {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return true
	default:
		return false
	}
}

// CheckIdentity finds out whether SES sends mail from an address: to anybody, here, now.
func (c *Client) CheckIdentity(ctx context.Context, from string) error {
	a, err := mail.ParseAddress(from)
	if err != nil {
		return fmt.Errorf("%q is not an e-mail address: set email.from", from)
	}
	client := newMail(c.cfg)
	if err := verified(ctx, client, a.Address); err != nil {
		return err
	}
	out, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	switch {
	case denied(err):
		return failed("ask SES whether it sends for us (permission ses:GetAccount)", err)
	case err != nil:
		return failed("ask SES whether it sends for us", err)
	case !out.ProductionAccessEnabled:
		return fmt.Errorf("the SES of %s is in its sandbox: it sends to verified addresses only", c.cfg.Region)
	case !out.SendingEnabled:
		return fmt.Errorf("the SES of %s has sending switched off for this account", c.cfg.Region)
	default:
		return nil
	}
}

// verified looks for the address, its domain and the domains above: SES takes any of them that is verified.
func verified(ctx context.Context, client mailCalls, address string) error {
	_, domain, _ := strings.Cut(address, "@")
	identities := []string{address}
	for strings.Contains(domain, ".") {
		identities = append(identities, domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	pending := ""
	for _, id := range identities {
		out, err := client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &id})
		switch {
		case code(err) == "NotFoundException":
		case denied(err):
			return failed("ask SES about "+id+" (permission ses:GetEmailIdentity)", err)
		case err != nil:
			return failed("ask SES about "+id, err)
		case out.VerifiedForSendingStatus:
			return nil
		default:
			pending = id
		}
	}
	if pending != "" {
		return fmt.Errorf("SES knows %s, but it is not verified yet", pending)
	}
	return errors.New("SES knows neither " + address + " nor its domain")
}
