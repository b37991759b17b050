package aws

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The services as keyturn calls them: exactly these operations. Clients of the SDK stay in here as method values, because a
// client that is reachable through an interface is linked with all its operations (reflection of templates may call any
// exported method): that would double the binary.

// call is one operation of a service: its input, its output, the options of its client.
type call[I, O, P any] = func(context.Context, *I, ...func(*P)) (*O, error)

// iamCalls is IAM.
type iamCalls struct {
	GetUser                   call[iam.GetUserInput, iam.GetUserOutput, iam.Options]
	ListUsers                 listUsers
	ListAccessKeys            listAccessKeys
	GetAccessKeyLastUsed      call[iam.GetAccessKeyLastUsedInput, iam.GetAccessKeyLastUsedOutput, iam.Options]
	GetGroup                  getGroup
	ListGroupsForUser         listGroupsForUser
	ListAttachedUserPolicies  listUserPolicies
	ListAttachedGroupPolicies listGroupPolicies
	GenerateCredentialReport  call[iam.GenerateCredentialReportInput, iam.GenerateCredentialReportOutput, iam.Options]
	GetCredentialReport       call[iam.GetCredentialReportInput, iam.GetCredentialReportOutput, iam.Options]
	CreateAccessKey           call[iam.CreateAccessKeyInput, iam.CreateAccessKeyOutput, iam.Options]
	UpdateAccessKey           call[iam.UpdateAccessKeyInput, iam.UpdateAccessKeyOutput, iam.Options]
	DeleteAccessKey           call[iam.DeleteAccessKeyInput, iam.DeleteAccessKeyOutput, iam.Options]
}

func newIAM(cfg awssdk.Config, opts ...func(*iam.Options)) iamCalls {
	c := iam.NewFromConfig(cfg, opts...)
	return iamCalls{
		GetUser: c.GetUser, ListUsers: c.ListUsers, ListAccessKeys: c.ListAccessKeys, GetAccessKeyLastUsed: c.GetAccessKeyLastUsed,
		GetGroup: c.GetGroup, ListGroupsForUser: c.ListGroupsForUser, GenerateCredentialReport: c.GenerateCredentialReport,
		ListAttachedUserPolicies: c.ListAttachedUserPolicies, ListAttachedGroupPolicies: c.ListAttachedGroupPolicies,
		GetCredentialReport: c.GetCredentialReport, CreateAccessKey: c.CreateAccessKey, UpdateAccessKey: c.UpdateAccessKey,
		DeleteAccessKey: c.DeleteAccessKey,
	}
}

// The operations that come in pages have the type that the SDK's paginators ask for.
type (
	listUsers         call[iam.ListUsersInput, iam.ListUsersOutput, iam.Options]
	listAccessKeys    call[iam.ListAccessKeysInput, iam.ListAccessKeysOutput, iam.Options]
	getGroup          call[iam.GetGroupInput, iam.GetGroupOutput, iam.Options]
	listGroupsForUser call[iam.ListGroupsForUserInput, iam.ListGroupsForUserOutput, iam.Options]
	listUserPolicies  call[iam.ListAttachedUserPoliciesInput, iam.ListAttachedUserPoliciesOutput, iam.Options]
	listGroupPolicies call[iam.ListAttachedGroupPoliciesInput, iam.ListAttachedGroupPoliciesOutput, iam.Options]
)

func (f listUserPolicies) ListAttachedUserPolicies(ctx context.Context, in *iam.ListAttachedUserPoliciesInput, opts ...func(*iam.Options)) (*iam.ListAttachedUserPoliciesOutput, error) {
	return f(ctx, in, opts...)
}

func (f listGroupPolicies) ListAttachedGroupPolicies(ctx context.Context, in *iam.ListAttachedGroupPoliciesInput, opts ...func(*iam.Options)) (*iam.ListAttachedGroupPoliciesOutput, error) {
	return f(ctx, in, opts...)
}

func (f listUsers) ListUsers(ctx context.Context, in *iam.ListUsersInput, opts ...func(*iam.Options)) (*iam.ListUsersOutput, error) {
	return f(ctx, in, opts...)
}

func (f listAccessKeys) ListAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput, opts ...func(*iam.Options)) (*iam.ListAccessKeysOutput, error) {
	return f(ctx, in, opts...)
}

func (f getGroup) GetGroup(ctx context.Context, in *iam.GetGroupInput, opts ...func(*iam.Options)) (*iam.GetGroupOutput, error) {
	return f(ctx, in, opts...)
}

func (f listGroupsForUser) ListGroupsForUser(ctx context.Context, in *iam.ListGroupsForUserInput, opts ...func(*iam.Options)) (*iam.ListGroupsForUserOutput, error) {
	return f(ctx, in, opts...)
}

// secretCalls is Secrets Manager.
type secretCalls struct {
	ListSecrets              listSecrets
	DescribeSecret           call[secretsmanager.DescribeSecretInput, secretsmanager.DescribeSecretOutput, secretsmanager.Options]
	CreateSecret             call[secretsmanager.CreateSecretInput, secretsmanager.CreateSecretOutput, secretsmanager.Options]
	UpdateSecret             call[secretsmanager.UpdateSecretInput, secretsmanager.UpdateSecretOutput, secretsmanager.Options]
	TagResource              call[secretsmanager.TagResourceInput, secretsmanager.TagResourceOutput, secretsmanager.Options]
	GetResourcePolicy        call[secretsmanager.GetResourcePolicyInput, secretsmanager.GetResourcePolicyOutput, secretsmanager.Options]
	PutResourcePolicy        call[secretsmanager.PutResourcePolicyInput, secretsmanager.PutResourcePolicyOutput, secretsmanager.Options]
	PutSecretValue           call[secretsmanager.PutSecretValueInput, secretsmanager.PutSecretValueOutput, secretsmanager.Options]
	GetSecretValue           call[secretsmanager.GetSecretValueInput, secretsmanager.GetSecretValueOutput, secretsmanager.Options]
	UpdateSecretVersionStage call[secretsmanager.UpdateSecretVersionStageInput, secretsmanager.UpdateSecretVersionStageOutput, secretsmanager.Options]
}

func newSecrets(cfg awssdk.Config) secretCalls {
	c := secretsmanager.NewFromConfig(cfg)
	return secretCalls{
		ListSecrets: c.ListSecrets, DescribeSecret: c.DescribeSecret, CreateSecret: c.CreateSecret, UpdateSecret: c.UpdateSecret,
		TagResource: c.TagResource, GetResourcePolicy: c.GetResourcePolicy, PutResourcePolicy: c.PutResourcePolicy,
		PutSecretValue: c.PutSecretValue, GetSecretValue: c.GetSecretValue, UpdateSecretVersionStage: c.UpdateSecretVersionStage,
	}
}

type listSecrets call[secretsmanager.ListSecretsInput, secretsmanager.ListSecretsOutput, secretsmanager.Options]

func (f listSecrets) ListSecrets(ctx context.Context, in *secretsmanager.ListSecretsInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.ListSecretsOutput, error) {
	return f(ctx, in, opts...)
}

// organizationCalls is Organizations.
type organizationCalls struct {
	DescribeOrganization  call[organizations.DescribeOrganizationInput, organizations.DescribeOrganizationOutput, organizations.Options]
	ListRoots             listRoots
	ListParents           call[organizations.ListParentsInput, organizations.ListParentsOutput, organizations.Options]
	ListUnits             listUnits
	ListAccountsForParent listAccountsForParent
}

func newOrganization(cfg awssdk.Config) organizationCalls {
	c := organizations.NewFromConfig(cfg)
	return organizationCalls{
		DescribeOrganization: c.DescribeOrganization, ListRoots: c.ListRoots, ListParents: c.ListParents,
		ListUnits: c.ListOrganizationalUnitsForParent, ListAccountsForParent: c.ListAccountsForParent,
	}
}

type (
	listRoots             call[organizations.ListRootsInput, organizations.ListRootsOutput, organizations.Options]
	listUnits             call[organizations.ListOrganizationalUnitsForParentInput, organizations.ListOrganizationalUnitsForParentOutput, organizations.Options]
	listAccountsForParent call[organizations.ListAccountsForParentInput, organizations.ListAccountsForParentOutput, organizations.Options]
)

func (f listRoots) ListRoots(ctx context.Context, in *organizations.ListRootsInput, opts ...func(*organizations.Options)) (*organizations.ListRootsOutput, error) {
	return f(ctx, in, opts...)
}

func (f listUnits) ListOrganizationalUnitsForParent(ctx context.Context, in *organizations.ListOrganizationalUnitsForParentInput, opts ...func(*organizations.Options)) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
	return f(ctx, in, opts...)
}

func (f listAccountsForParent) ListAccountsForParent(ctx context.Context, in *organizations.ListAccountsForParentInput, opts ...func(*organizations.Options)) (*organizations.ListAccountsForParentOutput, error) {
	return f(ctx, in, opts...)
}

// assumeRole is the one operation of STS that its provider of credentials asks for.
type assumeRole call[sts.AssumeRoleInput, sts.AssumeRoleOutput, sts.Options]

// AssumeRole implements stscreds.AssumeRoleAPIClient.
func (f assumeRole) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return f(ctx, in, opts...)
}

// queueCalls is SQS.
type queueCalls struct {
	SendMessageBatch   call[sqs.SendMessageBatchInput, sqs.SendMessageBatchOutput, sqs.Options]
	GetQueueAttributes call[sqs.GetQueueAttributesInput, sqs.GetQueueAttributesOutput, sqs.Options]
}

func newQueue(cfg awssdk.Config) queueCalls {
	c := sqs.NewFromConfig(cfg)
	return queueCalls{SendMessageBatch: c.SendMessageBatch, GetQueueAttributes: c.GetQueueAttributes}
}

// mailCalls is SES.
type mailCalls struct {
	SendEmail        call[sesv2.SendEmailInput, sesv2.SendEmailOutput, sesv2.Options]
	GetAccount       call[sesv2.GetAccountInput, sesv2.GetAccountOutput, sesv2.Options]
	GetEmailIdentity call[sesv2.GetEmailIdentityInput, sesv2.GetEmailIdentityOutput, sesv2.Options]
}

func newMail(cfg awssdk.Config) mailCalls {
	c := sesv2.NewFromConfig(cfg)
	return mailCalls{SendEmail: c.SendEmail, GetAccount: c.GetAccount, GetEmailIdentity: c.GetEmailIdentity}
}

// macCalls is KMS.
type macCalls struct {
	GenerateMac call[kms.GenerateMacInput, kms.GenerateMacOutput, kms.Options]
	VerifyMac   call[kms.VerifyMacInput, kms.VerifyMacOutput, kms.Options]
}

func newMAC(cfg awssdk.Config) macCalls {
	c := kms.NewFromConfig(cfg)
	return macCalls{GenerateMac: c.GenerateMac, VerifyMac: c.VerifyMac}
}
