package aws

import (
	"context"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/rotator"
)

// Rotations returns access to accounts that may change them.
func (c *Client) Rotations() rotator.AWS { return rotations{c} }

type rotations struct{ client *Client }

// Account implements rotator.AWS.
func (r rotations) Account(ctx context.Context, id rotation.AccountID) (rotator.Account, error) {
	cfg, err := r.client.account(ctx, id, r.client.opts.MemberRole)
	if err != nil {
		return nil, err
	}
	return &member{users: users{id, newIAM(cfg)}, cfg: cfg, secrets: newSecrets(cfg)}, nil
}

// member is an account as the rotator changes it.
type member struct {
	users
	cfg     awssdk.Config
	secrets secretCalls
}

var _ rotator.Account = (*member)(nil)

// InGroup implements rotator.Account. Names of groups are unique whatever their case.
func (m *member) InGroup(ctx context.Context, name rotation.UserName, group string) (bool, error) {
	pages := iam.NewListGroupsForUserPaginator(m.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: awssdk.String(string(name))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, failed(fmt.Sprintf("list the groups of %s in %s", name, m.account), err, kindsOf(err)...)
		}
		for _, g := range page.Groups {
			if strings.EqualFold(awssdk.ToString(g.GroupName), group) {
				return true, nil
			}
		}
	}
	return false, nil
}

// CreateKey implements rotator.Account. CreateAccessKey is not idempotent and shows the secret once: it is sent once. net/http
// sends a POST again only on a connection on which nothing was written.
func (m *member) CreateKey(ctx context.Context, name rotation.UserName) (rotator.Created, error) {
	doing := fmt.Sprintf("create a key for %s in %s", name, m.account)
	// A session that cannot be renewed must not be taken for a call without an answer.
	if _, err := m.cfg.Credentials.Retrieve(ctx); err != nil {
		return rotator.Created{}, failed(doing, err, rotator.ErrDefinite)
	}
	client := newIAM(m.cfg, func(o *iam.Options) { o.Retryer, o.RetryMaxAttempts, o.ClientLogMode = awssdk.NopRetryer{}, 1, 0 })
	out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: awssdk.String(string(name))})
	if err != nil {
		var kinds []error
		if refused(err) || neverSent(err) {
			kinds = append(kindsOf(err), rotator.ErrDefinite)
			if code(err) == "LimitExceeded" {
				kinds = append(kinds, rotator.ErrLimit)
			}
		}
		return rotator.Created{}, failedSecretly(doing, err, "", kinds...)
	}
	k := out.AccessKey
	if k == nil || awssdk.ToString(k.AccessKeyId) == "" || awssdk.ToString(k.SecretAccessKey) == "" || k.CreateDate == nil {
		return rotator.Created{}, failed(doing, errUnreadable)
	}
	return rotator.Created{
		ID: rotation.KeyID(*k.AccessKeyId), User: rotation.UserName(awssdk.ToString(k.UserName)), Created: k.CreateDate.UTC(),
		Status: rotation.KeyStatus(k.Status), Secret: rotator.NewMaterial(*k.SecretAccessKey),
	}, nil
}

// SetKeyStatus implements rotator.Account.
func (m *member) SetKeyStatus(ctx context.Context, name rotation.UserName, key rotation.KeyID, status rotation.KeyStatus) error {
	if status != rotation.Active && status != rotation.Inactive {
		return fmt.Errorf("set the status of key %s of %s in %s: %q is no status: %w", key, name, m.account, status, rotator.ErrDefinite)
	}
	_, err := m.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: awssdk.String(string(name)), AccessKeyId: awssdk.String(string(key)), Status: types.StatusType(status),
	})
	if err != nil {
		return failed(fmt.Sprintf("make key %s of %s in %s %s", key, name, m.account, strings.ToLower(string(status))), err, append(kindsOf(err), definite(err)...)...)
	}
	return nil
}

// DeleteKey implements rotator.Account.
func (m *member) DeleteKey(ctx context.Context, name rotation.UserName, key rotation.KeyID) error {
	_, err := m.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: awssdk.String(string(name)), AccessKeyId: awssdk.String(string(key))})
	if err != nil {
		return failed(fmt.Sprintf("delete key %s of %s in %s", key, name, m.account), err, append(kindsOf(err), definite(err)...)...)
	}
	return nil
}

// notAccepted are the codes by which AWS refuses a key that it does not know (yet), or that is inactive.
var notAccepted = map[string]bool{
	"InvalidClientTokenId": true, "UnrecognizedClientException": true, "InvalidAccessKeyId": true,
	"SignatureDoesNotMatch": true, "InvalidSignatureException": true,
}

// Verify implements rotator.Account. The caller repeats it while the new key is not known everywhere, so it is sent once.
func (m *member) Verify(ctx context.Context, key rotation.KeyID, secret rotator.Material) (string, rotation.UserID, error) {
	client := sts.NewFromConfig(m.cfg, func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(string(key), secret.Reveal(), "")
		o.Retryer, o.RetryMaxAttempts, o.ClientLogMode = awssdk.NopRetryer{}, 1, 0
	})
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		var kinds []error
		if notAccepted[code(err)] {
			kinds = append(kinds, rotator.ErrNotAccepted)
		}
		return "", "", failedSecretly(fmt.Sprintf("verify key %s in %s", key, m.account), err, secret.Reveal(), kinds...)
	}
	return awssdk.ToString(out.Arn), rotation.UserID(awssdk.ToString(out.UserId)), nil
}
