package aws

import (
	"context"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

// users reads the users of one account and their keys.
type users struct {
	account rotation.AccountID
	iam     iamCalls
}

// User implements scheduler.IAM and rotator.Account.
func (u users) User(ctx context.Context, name rotation.UserName) (rotation.User, error) {
	doing := fmt.Sprintf("read user %s in %s", name, u.account)
	out, err := u.iam.GetUser(ctx, &iam.GetUserInput{UserName: awssdk.String(string(name))})
	if err != nil {
		return rotation.User{}, failed(doing, err, kindsOf(err)...)
	}
	if out.User == nil || awssdk.ToString(out.User.UserId) == "" {
		return rotation.User{}, failed(doing, errUnreadable)
	}
	user := rotation.User{
		Account: u.account, ID: rotation.UserID(*out.User.UserId), Name: rotation.UserName(awssdk.ToString(out.User.UserName)),
		Path: awssdk.ToString(out.User.Path), ARN: awssdk.ToString(out.User.Arn),
	}
	for _, t := range out.User.Tags {
		if user.Tags == nil {
			user.Tags = map[string]string{}
		}
		user.Tags[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
	}
	return user, nil
}

// Keys implements scheduler.IAM and rotator.Account.
func (u users) Keys(ctx context.Context, name rotation.UserName) ([]rotation.Key, error) {
	doing := fmt.Sprintf("list the keys of %s in %s", name, u.account)
	var out []rotation.Key
	pages := iam.NewListAccessKeysPaginator(u.iam.ListAccessKeys, &iam.ListAccessKeysInput{UserName: awssdk.String(string(name))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(doing, err, kindsOf(err)...)
		}
		for _, k := range page.AccessKeyMetadata {
			if k.CreateDate == nil || awssdk.ToString(k.AccessKeyId) == "" {
				return nil, failed(doing, errUnreadable)
			}
			out = append(out, rotation.Key{ID: rotation.KeyID(*k.AccessKeyId), Status: rotation.KeyStatus(k.Status), Created: k.CreateDate.UTC()})
		}
	}
	return out, nil
}

// LastUse implements scheduler.IAM and rotator.Account. A failure is never "never used", and neither is an answer that does
// not say so: without a date, only the service N/A means that the key was not used.
func (u users) LastUse(ctx context.Context, key rotation.KeyID) (rotation.LastUse, rotation.UserName, error) {
	out, err := u.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: awssdk.String(string(key))})
	if err != nil {
		return rotation.LastUse{}, "", failed(fmt.Sprintf("read the last use of %s in %s", key, u.account), err, kindsOf(err)...)
	}
	owner := rotation.UserName(awssdk.ToString(out.UserName))
	last := out.AccessKeyLastUsed
	switch {
	case last == nil:
		return rotation.LastUse{}, owner, nil
	case last.LastUsedDate != nil:
		return rotation.LastUse{
			Kind: rotation.UseSeen, At: last.LastUsedDate.UTC(),
			Service: awssdk.ToString(last.ServiceName), Region: awssdk.ToString(last.Region),
		}, owner, nil
	case strings.EqualFold(awssdk.ToString(last.ServiceName), "N/A"):
		return rotation.LastUse{Kind: rotation.UseNever}, owner, nil
	default:
		return rotation.LastUse{}, owner, nil
	}
}

// FindUser implements scheduler.IAM and rotator.Account: it pages through all users, because IAM finds none by its ID.
func (u users) FindUser(ctx context.Context, id rotation.UserID) (rotation.UserName, error) {
	doing := fmt.Sprintf("look for user %s in %s", id, u.account)
	pages := iam.NewListUsersPaginator(u.iam.ListUsers, &iam.ListUsersInput{MaxItems: awssdk.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", failed(doing, err)
		}
		for _, x := range page.Users {
			if rotation.UserID(awssdk.ToString(x.UserId)) == id {
				return rotation.UserName(awssdk.ToString(x.UserName)), nil
			}
		}
	}
	return "", failed(doing, errNoUser, scheduler.ErrNoSuchUser, rotator.ErrNoSuchUser)
}

// reader is an account as the scheduler reads it. It has no way to change anything.
type reader struct {
	users
	client *Client
}

var _ scheduler.IAM = (*reader)(nil)

// IAM implements scheduler.AccountReader.
func (c *Client) IAM(ctx context.Context, account scheduler.Account) (scheduler.IAM, error) {
	cfg, err := c.account(ctx, account.ID, c.opts.ScanRole)
	if err != nil {
		return nil, err
	}
	return &reader{users{account.ID, newIAM(cfg)}, c}, nil
}

// GroupMembers implements scheduler.IAM.
func (r *reader) GroupMembers(ctx context.Context, group string) ([]rotation.UserName, error) {
	var out []rotation.UserName
	pages := iam.NewGetGroupPaginator(r.iam.GetGroup, &iam.GetGroupInput{GroupName: &group})
	for first := true; pages.HasMorePages(); first = false {
		page, err := pages.NextPage(ctx)
		if err != nil && first && code(err) == "NoSuchEntity" {
			return nil, nil
		}
		if err != nil {
			return nil, failed(fmt.Sprintf("list the members of group %s in %s", group, r.account), err)
		}
		for _, u := range page.Users {
			out = append(out, rotation.UserName(awssdk.ToString(u.UserName)))
		}
	}
	return out, nil
}
