package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

// sessionName is how keyturn's calls appear in the accounts' CloudTrail.
const sessionName = "keyturn"

// role is a role that we assume.
type role struct {
	account rotation.AccountID
	name    string
}

// whoIs asks STS. The partition comes from the answer and never from text.
func whoIs(ctx context.Context, client *sts.Client) (identity, error) {
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return identity{}, err
	}
	a, err := arn.Parse(awssdk.ToString(out.Arn))
	if err != nil {
		return identity{}, fmt.Errorf("the answer's ARN %q: %w", awssdk.ToString(out.Arn), err)
	}
	return identity{arn: a.String(), account: rotation.AccountID(awssdk.ToString(out.Account)), partition: a.Partition}, nil
}

// unreachable are the answers of AssumeRole that speak of the account or its role. Others speak of us or of the moment.
var unreachable = map[string]bool{"AccessDenied": true, "AccessDeniedException": true, "RegionDisabledException": true}

// assume returns the configuration with the credentials of a role. They are retrieved here, so that a role which cannot be
// assumed is known at once. A session lasts 15 minutes and is used until shortly before its end; a refusal is not remembered.
func (c *Client) assume(ctx context.Context, r role) (awssdk.Config, error) {
	doing := fmt.Sprintf("assume role %s in %s", r.name, r.account)
	if r.name == "" || r.account == "" {
		return awssdk.Config{}, fmt.Errorf("%s: the configuration must name a role and an account", doing)
	}
	who, err := c.caller(ctx)
	if err != nil {
		return awssdk.Config{}, fmt.Errorf("%s: %w", doing, err)
	}
	creds := c.session(r, who.partition)
	if _, err := creds.Retrieve(ctx); err != nil {
		var api smithy.APIError
		if errors.As(err, &api) && unreachable[api.ErrorCode()] {
			return awssdk.Config{}, failed(doing, err, rotator.ErrUnreachable, scheduler.ErrUnreachable)
		}
		return awssdk.Config{}, failed(doing, err)
	}
	return c.with(creds), nil
}

// session returns the cache of a role's credentials.
func (c *Client) session(r role, partition string) *awssdk.CredentialsCache {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[r]; s != nil {
		return s
	}
	resource := "role/" + strings.TrimPrefix(r.name, "/")
	roleARN := arn.ARN{Partition: partition, Service: "iam", AccountID: string(r.account), Resource: resource}
	s := awssdk.NewCredentialsCache(
		stscreds.NewAssumeRoleProvider(assumeRole(sts.NewFromConfig(c.cfg).AssumeRole), roleARN.String(), func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if c.opts.ExternalID != "" {
				o.ExternalID = awssdk.String(c.opts.ExternalID)
			}
		}),
		func(o *awssdk.CredentialsCacheOptions) { o.ExpiryWindow = time.Minute },
	)
	c.sessions[r] = s
	return s
}

// account returns the configuration that reaches an account: that of a role there, or our own in the management account.
func (c *Client) account(ctx context.Context, id rotation.AccountID, name string) (awssdk.Config, error) {
	direct, err := c.direct(ctx, id)
	if err != nil {
		return awssdk.Config{}, fmt.Errorf("account %s: %w", id, err)
	}
	if !direct {
		return c.assume(ctx, role{id, name})
	}
	if _, err := c.cfg.Credentials.Retrieve(ctx); err != nil {
		return awssdk.Config{}, failed(fmt.Sprintf("account %s: our own credentials", id), err)
	}
	return c.cfg, nil
}

// direct reports whether id is the management account, we live there, and our own credentials are to be used there.
func (c *Client) direct(ctx context.Context, id rotation.AccountID) (bool, error) {
	if !c.opts.ManagementDirect {
		return false, nil
	}
	who, err := c.caller(ctx)
	if err != nil || who.account != id {
		return false, err
	}
	management, err := c.managementAccount(ctx)
	return err == nil && management == id, err
}
