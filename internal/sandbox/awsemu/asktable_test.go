package awsemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// session is how the SDK calls with the credentials of a role, as a function's environment carries them.
func (e *emu) session(account, role string) awssdk.Config {
	e.t.Helper()
	c := ok(e.RoleCredentials(account, role, "function"))(e.t)
	cfg := e.as("", "")
	cfg.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	return cfg
}

// allow is a policy of one statement for each line: an action and a resource.
func allow(lines ...string) []byte {
	type statement struct{ Effect, Action, Resource string }
	list := []statement{}
	for _, l := range lines {
		action, resource, _ := strings.Cut(l, " ")
		list = append(list, statement{"Allow", action, resource})
	}
	out, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": list})
	return out
}

// nothing is a policy that allows nothing that the emulator has.
var nothing = allow("s3:GetObject *")

type asked struct {
	operation string // service:Operation
	call      func(awssdk.Config) error
	asks      []string // action and resource, in this order
}

func try[T any](_ T, err error) error { return err }

// operationsAndAsks names what AWS's Service Authorization Reference asks for each operation that the emulator has.
func operationsAndAsks(e *emu, key, kmsARN, secretARN string) []asked {
	macARN := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/keyturn-audit"}, HMAC: true})
	mac := ok(kms.NewFromConfig(e.in(member)).GenerateMac(ctx, &kms.GenerateMacInput{KeyId: &macARN, MacAlgorithm: "HMAC_SHA_256", Message: []byte("x")}))(e.t)
	const user, group = "arn:aws:iam::200000000002:user/jobs/alice", "arn:aws:iam::200000000002:group/admins"
	const org, tables = "arn:aws:organizations::100000000001:", "arn:aws:dynamodb:eu-central-1:200000000002:table/"
	const queue, url = "arn:aws:sqs:eu-central-1:200000000002:work", "http://example.com/200000000002/work"
	const identity = "arn:aws:ses:eu-central-1:200000000002:identity/"
	coming := func(name string) string { return e.comingARN(&account{Account: Account{ID: member}}, name) }
	i := func(c awssdk.Config) *iam.Client { return iam.NewFromConfig(c) }
	o := func(c awssdk.Config) *organizations.Client { return organizations.NewFromConfig(c) }
	s := func(c awssdk.Config) *secretsmanager.Client { return secretsmanager.NewFromConfig(c) }
	q := func(c awssdk.Config) *sqs.Client { return sqs.NewFromConfig(c) }
	d := func(c awssdk.Config) *dynamodb.Client { return dynamodb.NewFromConfig(c) }
	pk := map[string]ddb.AttributeValue{"pk": &ddb.AttributeValueMemberS{Value: "a"}}
	return []asked{
		{"sts:GetCallerIdentity", func(c awssdk.Config) error { return try(stsClient(c)) }, nil},
		{"sts:AssumeRole", func(c awssdk.Config) error {
			return try(sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::300000000003:role/path/target"), RoleSessionName: ptr("s1")}))
		}, []string{"sts:AssumeRole arn:aws:iam::300000000003:role/path/target"}},

		{"iam:ListUsers", func(c awssdk.Config) error { return try(i(c).ListUsers(ctx, &iam.ListUsersInput{})) }, []string{"iam:ListUsers *"}},
		{"iam:GenerateCredentialReport", func(c awssdk.Config) error {
			return try(i(c).GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))
		}, []string{"iam:GenerateCredentialReport *"}},
		{"iam:GetCredentialReport", func(c awssdk.Config) error {
			return try(i(c).GetCredentialReport(ctx, &iam.GetCredentialReportInput{}))
		}, []string{"iam:GetCredentialReport *"}},
		{"iam:GetUser", func(c awssdk.Config) error {
			return try(i(c).GetUser(ctx, &iam.GetUserInput{UserName: ptr("ALICE")}))
		}, []string{"iam:GetUser " + user}},
		{"iam:ListUserTags", func(c awssdk.Config) error {
			return try(i(c).ListUserTags(ctx, &iam.ListUserTagsInput{UserName: ptr("alice")}))
		}, []string{"iam:ListUserTags " + user}},
		{"iam:ListAccessKeys", func(c awssdk.Config) error {
			return try(i(c).ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("nobody")}))
		}, []string{"iam:ListAccessKeys arn:aws:iam::200000000002:user/nobody"}},
		{"iam:CreateAccessKey", func(c awssdk.Config) error { return create(ctx, i(c)) }, []string{"iam:CreateAccessKey " + user}},
		{"iam:UpdateAccessKey", func(c awssdk.Config) error {
			return try(i(c).UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: ptr("alice"), AccessKeyId: &key, Status: "Active"}))
		}, []string{"iam:UpdateAccessKey " + user}},
		{"iam:DeleteAccessKey", func(c awssdk.Config) error {
			return try(i(c).DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: ptr("alice"), AccessKeyId: ptr("AKIANOTHING000000000")}))
		}, []string{"iam:DeleteAccessKey " + user}},
		{"iam:GetAccessKeyLastUsed", func(c awssdk.Config) error {
			return try(i(c).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key}))
		}, []string{"iam:GetAccessKeyLastUsed " + user}},
		{"iam:GetAccessKeyLastUsed", func(c awssdk.Config) error {
			return try(i(c).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: ptr("AKIANOTHING000000000")}))
		}, []string{"iam:GetAccessKeyLastUsed arn:aws:iam::200000000002:user/*"}},
		{"iam:GetGroup", func(c awssdk.Config) error {
			return try(i(c).GetGroup(ctx, &iam.GetGroupInput{GroupName: ptr("Admins")}))
		}, []string{"iam:GetGroup " + group}},
		{"iam:ListGroupsForUser", func(c awssdk.Config) error {
			return try(i(c).ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: ptr("alice")}))
		}, []string{"iam:ListGroupsForUser " + user}},
		{"iam:GetLoginProfile", func(c awssdk.Config) error {
			return try(i(c).GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: ptr("alice")}))
		}, []string{"iam:GetLoginProfile " + user}},
		{"iam:ListAttachedUserPolicies", func(c awssdk.Config) error {
			return try(i(c).ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: ptr("alice")}))
		}, []string{"iam:ListAttachedUserPolicies " + user}},
		{"iam:ListAttachedGroupPolicies", func(c awssdk.Config) error {
			return try(i(c).ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: ptr("Admins")}))
		}, []string{"iam:ListAttachedGroupPolicies " + group}},

		{"organizations:DescribeOrganization", func(c awssdk.Config) error {
			return try(o(c).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{}))
		}, []string{"organizations:DescribeOrganization *"}},
		{"organizations:ListRoots", func(c awssdk.Config) error { return try(o(c).ListRoots(ctx, &organizations.ListRootsInput{})) }, []string{"organizations:ListRoots *"}},
		{"organizations:ListAccounts", func(c awssdk.Config) error {
			return try(o(c).ListAccounts(ctx, &organizations.ListAccountsInput{}))
		}, []string{"organizations:ListAccounts *"}},
		{"organizations:ListAccountsForParent", func(c awssdk.Config) error {
			return try(o(c).ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: ptr("r-acme")}))
		}, []string{"organizations:ListAccountsForParent " + org + "root/o-emulated00/r-acme"}},
		{"organizations:ListOrganizationalUnitsForParent", func(c awssdk.Config) error {
			return try(o(c).ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: ptr("ou-acme-prod00001")}))
		}, []string{"organizations:ListOrganizationalUnitsForParent " + org + "ou/o-emulated00/ou-acme-prod00001"}},
		{"organizations:DescribeOrganizationalUnit", func(c awssdk.Config) error {
			return try(o(c).DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: ptr("ou-acme-prod00001")}))
		}, []string{"organizations:DescribeOrganizationalUnit " + org + "ou/o-emulated00/ou-acme-prod00001"}},
		{"organizations:DescribeAccount", func(c awssdk.Config) error {
			return try(o(c).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: ptr(member)}))
		}, []string{"organizations:DescribeAccount " + org + "account/o-emulated00/200000000002"}},
		{"organizations:ListParents", func(c awssdk.Config) error {
			return try(o(c).ListParents(ctx, &organizations.ListParentsInput{ChildId: ptr(member)}))
		}, []string{"organizations:ListParents " + org + "account/o-emulated00/200000000002"}},

		{"secretsmanager:ListSecrets", func(c awssdk.Config) error {
			return try(s(c).ListSecrets(ctx, &secretsmanager.ListSecretsInput{}))
		}, []string{"secretsmanager:ListSecrets *"}},
		{"secretsmanager:CreateSecret", func(c awssdk.Config) error {
			return try(s(c).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("new")}))
		}, []string{"secretsmanager:CreateSecret " + coming("new")}},
		{"secretsmanager:CreateSecret", func(c awssdk.Config) error {
			return try(s(c).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("new2"), Tags: []sm.Tag{{Key: ptr("a"), Value: ptr("b")}}, KmsKeyId: ptr("alias/keyturn")}))
		}, []string{"secretsmanager:CreateSecret " + coming("new2"), "secretsmanager:TagResource " + coming("new2"), "kms:GenerateDataKey " + kmsARN, "kms:Decrypt " + kmsARN}},
		{"secretsmanager:DescribeSecret", func(c awssdk.Config) error {
			return try(s(c).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("nothing")}))
		}, []string{"secretsmanager:DescribeSecret " + coming("nothing")}},
		{"secretsmanager:GetSecretValue", func(c awssdk.Config) error {
			return try(s(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")}))
		}, []string{"secretsmanager:GetSecretValue " + secretARN, "kms:Decrypt " + kmsARN}},
		{"secretsmanager:PutSecretValue", func(c awssdk.Config) error {
			return try(s(c).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), SecretString: ptr("v2"), ClientRequestToken: ptr(token(2))}))
		}, []string{"secretsmanager:PutSecretValue " + secretARN, "kms:GenerateDataKey " + kmsARN}},
		{"secretsmanager:PutSecretValue", func(c awssdk.Config) error { // again: the value that is there is compared
			return try(s(c).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), SecretString: ptr("v2"), ClientRequestToken: ptr(token(2))}))
		}, []string{"secretsmanager:PutSecretValue " + secretARN, "kms:GenerateDataKey " + kmsARN, "kms:Decrypt " + kmsARN}},
		{"secretsmanager:UpdateSecretVersionStage", func(c awssdk.Config) error {
			return try(s(c).UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: &secretARN, VersionStage: ptr("X"), MoveToVersionId: ptr(token(1))}))
		}, []string{"secretsmanager:UpdateSecretVersionStage " + secretARN}},
		{"secretsmanager:PutResourcePolicy", func(c awssdk.Config) error {
			return try(s(c).PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: ptr("a"), ResourcePolicy: ptr(statementFor("Allow", `{"AWS":"`+member+`"}`, `"secretsmanager:GetSecretValue"`))}))
		}, []string{"secretsmanager:PutResourcePolicy " + secretARN}},
		{"secretsmanager:GetResourcePolicy", func(c awssdk.Config) error {
			return try(s(c).GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: ptr("a")}))
		}, []string{"secretsmanager:GetResourcePolicy " + secretARN}},
		{"secretsmanager:TagResource", func(c awssdk.Config) error {
			return try(s(c).TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: ptr("a"), Tags: []sm.Tag{{Key: ptr("a"), Value: ptr("b")}}}))
		}, []string{"secretsmanager:TagResource " + secretARN}},
		{"secretsmanager:UntagResource", func(c awssdk.Config) error {
			return try(s(c).UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: ptr("a"), TagKeys: []string{"a"}}))
		}, []string{"secretsmanager:UntagResource " + secretARN}},
		{"secretsmanager:UpdateSecret", func(c awssdk.Config) error {
			return try(s(c).UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("a"), Description: ptr("d")}))
		}, []string{"secretsmanager:UpdateSecret " + secretARN}},
		{"secretsmanager:DeleteSecret", func(c awssdk.Config) error {
			return try(s(c).DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: ptr("a")}))
		}, []string{"secretsmanager:DeleteSecret " + secretARN}},
		{"secretsmanager:RestoreSecret", func(c awssdk.Config) error {
			return try(s(c).RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: ptr("a")}))
		}, []string{"secretsmanager:RestoreSecret " + secretARN}},

		{"kms:DescribeKey", func(c awssdk.Config) error {
			return try(kms.NewFromConfig(c).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/keyturn")}))
		}, []string{"kms:DescribeKey " + kmsARN}},
		{"kms:ListAliases", func(c awssdk.Config) error {
			return try(kms.NewFromConfig(c).ListAliases(ctx, &kms.ListAliasesInput{KeyId: &kmsARN}))
		}, []string{"kms:ListAliases *"}},

		{"kms:GenerateMac", func(c awssdk.Config) error {
			return try(kms.NewFromConfig(c).GenerateMac(ctx, &kms.GenerateMacInput{KeyId: ptr("alias/keyturn-audit"), MacAlgorithm: "HMAC_SHA_256", Message: []byte("x")}))
		}, []string{"kms:GenerateMac " + macARN}},
		{"kms:VerifyMac", func(c awssdk.Config) error {
			return try(kms.NewFromConfig(c).VerifyMac(ctx, &kms.VerifyMacInput{KeyId: ptr("alias/keyturn-audit"), MacAlgorithm: "HMAC_SHA_256", Message: []byte("x"), Mac: mac.Mac}))
		}, []string{"kms:VerifyMac " + macARN}},

		{"ses:GetAccount", func(c awssdk.Config) error {
			return try(sesv2.NewFromConfig(c).GetAccount(ctx, &sesv2.GetAccountInput{}))
		}, []string{"ses:GetAccount *"}},
		{"ses:GetEmailIdentity", func(c awssdk.Config) error {
			return try(sesv2.NewFromConfig(c).GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: ptr("a+b@acme.example")}))
		}, []string{"ses:GetEmailIdentity " + identity + "a+b@acme.example"}},
		{"ses:SendEmail", func(c awssdk.Config) error {
			return mailFrom(c, "Security <security@mail.acme.example>", "a@other.example")
		},
			[]string{"ses:SendEmail " + identity + "acme.example"}},

		{"sqs:SendMessage", func(c awssdk.Config) error {
			return try(q(c).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: ptr(url), MessageBody: ptr("x")}))
		}, []string{"sqs:SendMessage " + queue}},
		{"sqs:SendMessageBatch", func(c awssdk.Config) error {
			return try(q(c).SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: ptr(url), Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: ptr("a"), MessageBody: ptr("x")}}}))
		}, []string{"sqs:SendMessage " + queue}},
		{"sqs:ReceiveMessage", func(c awssdk.Config) error {
			return try(q(c).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: ptr(url)}))
		}, []string{"sqs:ReceiveMessage " + queue}},
		{"sqs:DeleteMessage", func(c awssdk.Config) error {
			return try(q(c).DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: ptr(url), ReceiptHandle: ptr("work/1/2")}))
		}, []string{"sqs:DeleteMessage " + queue}},
		{"sqs:DeleteMessageBatch", func(c awssdk.Config) error {
			return try(q(c).DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: ptr(url), Entries: []sqstypes.DeleteMessageBatchRequestEntry{{Id: ptr("a"), ReceiptHandle: ptr("work/1/2")}}}))
		}, []string{"sqs:DeleteMessage " + queue}},
		{"sqs:ChangeMessageVisibility", func(c awssdk.Config) error {
			return try(q(c).ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: ptr(url), ReceiptHandle: ptr("work/1/2")}))
		}, []string{"sqs:ChangeMessageVisibility " + queue}},
		{"sqs:GetQueueAttributes", func(c awssdk.Config) error {
			return try(q(c).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: ptr(url)}))
		}, []string{"sqs:GetQueueAttributes " + queue}},
		{"sqs:GetQueueUrl", func(c awssdk.Config) error {
			return try(q(c).GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: ptr("work")}))
		}, []string{"sqs:GetQueueUrl " + queue}},

		{"dynamodb:GetItem", func(c awssdk.Config) error {
			return try(d(c).GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("t"), Key: pk}))
		}, []string{"dynamodb:GetItem " + tables + "t"}},
		{"dynamodb:PutItem", func(c awssdk.Config) error {
			return try(d(c).PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("t"), Item: pk}))
		}, []string{"dynamodb:PutItem " + tables + "t"}},
		{"dynamodb:UpdateItem", func(c awssdk.Config) error {
			return try(d(c).UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("t"), Key: pk}))
		}, []string{"dynamodb:UpdateItem " + tables + "t"}},
		{"dynamodb:DeleteItem", func(c awssdk.Config) error {
			return try(d(c).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("t"), Key: pk}))
		}, []string{"dynamodb:DeleteItem " + tables + "t"}},
		{"dynamodb:Query", func(c awssdk.Config) error {
			return try(d(c).Query(ctx, &dynamodb.QueryInput{TableName: ptr("t")}))
		}, []string{"dynamodb:Query " + tables + "t"}},
		{"dynamodb:Query", func(c awssdk.Config) error {
			return try(d(c).Query(ctx, &dynamodb.QueryInput{TableName: ptr("t"), IndexName: ptr("due")}))
		}, []string{"dynamodb:Query " + tables + "t/index/due"}},
		{"dynamodb:Scan", func(c awssdk.Config) error { return try(d(c).Scan(ctx, &dynamodb.ScanInput{TableName: ptr("t")})) }, []string{"dynamodb:Scan " + tables + "t"}},
		{"dynamodb:BatchGetItem", func(c awssdk.Config) error {
			keys := ddb.KeysAndAttributes{Keys: []map[string]ddb.AttributeValue{pk}}
			return try(d(c).BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{"t": keys, "u": keys}}))
		}, []string{"dynamodb:BatchGetItem " + tables + "t", "dynamodb:BatchGetItem " + tables + "u"}},
		{"dynamodb:BatchWriteItem", func(c awssdk.Config) error {
			return try(d(c).BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"t": {{PutRequest: &ddb.PutRequest{Item: pk}}}}}))
		}, []string{"dynamodb:BatchWriteItem " + tables + "t"}},
		{"dynamodb:TransactGetItems", func(c awssdk.Config) error {
			return try(d(c).TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []ddb.TransactGetItem{{Get: &ddb.Get{TableName: ptr("t"), Key: pk}}}}))
		}, []string{"dynamodb:GetItem " + tables + "t"}},
		{"dynamodb:TransactWriteItems", func(c awssdk.Config) error {
			return try(d(c).TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{{Put: &ddb.Put{TableName: ptr("t"), Item: pk}}, {ConditionCheck: &ddb.ConditionCheck{TableName: ptr("u"), Key: pk, ConditionExpression: ptr("x")}}}}))
		}, []string{"dynamodb:PutItem " + tables + "t", "dynamodb:ConditionCheckItem " + tables + "u"}},
		{"dynamodb:DescribeTable", func(c awssdk.Config) error {
			return try(d(c).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: ptr("t")}))
		}, []string{"dynamodb:DescribeTable " + tables + "t"}},
		{"dynamodb:DescribeTimeToLive", func(c awssdk.Config) error {
			return try(d(c).DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: ptr("t")}))
		}, []string{"dynamodb:DescribeTimeToLive " + tables + "t"}},
		{"dynamodb:UpdateTimeToLive", func(c awssdk.Config) error {
			return try(d(c).UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: ptr("t"), TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: ptr("ttl"), Enabled: ptr(true)}}))
		}, []string{"dynamodb:UpdateTimeToLive " + tables + "t"}},
		{"dynamodb:CreateTable", func(c awssdk.Config) error { return createTestTable(d(c), "v", "") }, []string{"dynamodb:CreateTable " + tables + "v"}},
		{"dynamodb:UpdateTable", func(c awssdk.Config) error {
			return try(d(c).UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: ptr("v"), StreamSpecification: &ddb.StreamSpecification{StreamEnabled: ptr(true), StreamViewType: "NEW_IMAGE"}}))
		}, []string{"dynamodb:UpdateTable " + tables + "v"}},
		{"dynamodb:DeleteTable", func(c awssdk.Config) error {
			return try(d(c).DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: ptr("v")}))
		}, []string{"dynamodb:DeleteTable " + tables + "v"}},
		{"dynamodb:ListTables", func(c awssdk.Config) error { return try(d(c).ListTables(ctx, &dynamodb.ListTablesInput{})) }, []string{"dynamodb:ListTables *"}},
		{"dynamodb:ExecuteStatement", func(c awssdk.Config) error {
			return try(d(c).ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: ptr("x")}))
		}, []string{"dynamodb:ExecuteStatement *"}},

		{"s3:ListBuckets", func(c awssdk.Config) error {
			if status, body := e.buckets(c); status != 200 {
				return errors.New(body)
			}
			return nil
		}, []string{"s3:ListAllMyBuckets *"}},
	}
}

func mailFrom(c awssdk.Config, from string, to ...string) error {
	text := &sestypes.Content{Data: ptr("x")}
	return try(sesv2.NewFromConfig(c).SendEmail(ctx, &sesv2.SendEmailInput{FromEmailAddress: &from, Destination: &sestypes.Destination{ToAddresses: to},
		Content: &sestypes.EmailContent{Simple: &sestypes.Message{Subject: text, Body: &sestypes.Body{Text: text}}}}))
}

// withOperations is an emulator in which each of the operations has something to work on, and two roles without permissions:
// in a member account, and for Organizations in the management account.
func withOperations(t *testing.T) (e *emu, all []asked) {
	behind := newFakeDynamo(t)
	e = startWith(t, Options{DynamoDB: DynamoDB{URL: behind.url, AllowScan: true, AllowTransactions: true}})
	e.AddUser(member, User{Name: "alice", Path: "/jobs/", Groups: []string{"admins"}})
	key, _ := e.AddKey(member, "alice", Key{})
	arn := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/keyturn"}})
	secret := ok(e.secrets().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a"), SecretString: ptr("v"), KmsKeyId: &arn, ClientRequestToken: ptr(token(1))}))(t)
	e.AddIdentity(member, "acme.example", true)
	e.AddQueue(member, Queue{Name: "work"})
	e.AddRole(other, "path/target", "")
	for _, t := range []string{"t", "u"} {
		ok(0, createTestTable(dynamodb.NewFromConfig(e.in(member)), t, ""))(e.t)
	}
	for _, a := range []string{member, mgmt} {
		e.AddRole(a, "function", "")
	}
	return e, operationsAndAsks(e, key, arn, *secret.ARN)
}

// TestWhatEachOperationAsks gives a role exactly what an operation needs, and then all of it but one thing.
func TestWhatEachOperationAsks(t *testing.T) {
	e, all := withOperations(t)
	for i, tc := range all {
		t.Run(fmt.Sprintf("%d %s", i, tc.operation), func(t *testing.T) {
			account := member
			if strings.HasPrefix(tc.operation, "organizations:") {
				account = mgmt
			}
			ok(0, e.SetRolePolicy(account, "function", "p", nothing))(t)
			cfg := e.session(account, "function")
			for i := range tc.asks {
				ok(0, e.SetRolePolicy(account, "function", "p", allow(append(slices.Delete(slices.Clone(tc.asks), i, i+1), "s3:GetObject *")...)))(t)
				if err := tc.call(cfg); !deniedBy(err) {
					t.Errorf("without %s: %v", tc.asks[i], err)
				}
			}
			ok(0, e.SetRolePolicy(account, "function", "p", allow(append(tc.asks, "s3:GetObject *")...)))(t)
			e.ResetCalls()
			if err := tc.call(cfg); deniedBy(err) {
				t.Errorf("with %v: %v", tc.asks, err)
			}
			var got []string
			for _, c := range e.Calls() {
				if !c.Allowed || c.Principal != "arn:aws:iam::"+account+":role/function" || c.Account != account || (c.Via != "") != strings.HasPrefix(c.Action, "kms:GenerateDataKey") && !strings.HasPrefix(c.Action, "kms:D") {
					t.Errorf("recorded %+v", c)
				}
				if c.Free {
					continue
				}
				got = append(got, c.Action+" "+c.Resource)
				if len(c.Grants) != 1 || c.Grants[0].Action != c.Action || c.Grants[0].Policy != "p" {
					t.Errorf("granted by %+v", c.Grants)
				}
			}
			if !slices.Equal(got, tc.asks) {
				t.Errorf("asked for %q, want %q", got, tc.asks)
			}
		})
	}
	for service, names := range operations {
		for name := range names {
			known := func(a asked) bool { return a.operation == service+":"+name }
			if !slices.ContainsFunc(all, known) && name != "BatchExecuteStatement" && name != "ExecuteTransaction" {
				t.Errorf("nobody has checked what %s:%s asks", service, name)
			}
		}
	}
}

func deniedBy(err error) bool { return err != nil && strings.Contains(err.Error(), "AccessDenied") }
