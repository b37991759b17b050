package awsemu

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// rule is a statement that allows an action on everything, under a condition.
func rule(effect, action, condition string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":"*","Condition":{%s}}`, effect, action, condition)
}

func policyOf(statements ...string) []byte {
	return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// TestConditionKeysOfCalls has for each key one condition that the call meets and one that it does not.
func TestConditionKeysOfCalls(t *testing.T) {
	behind := newFakeDynamo(t)
	e := startWith(t, Options{DynamoDB: DynamoDB{URL: behind.url}})
	e.AddUser(member, User{Name: "alice", Tags: map[string]string{"Team": "billing"}})
	kmsARN := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/a", "alias/keyturn"}, Tags: map[string]string{"for": "keyturn"}})
	secret := ok(e.secrets().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a"), SecretString: ptr("v"), KmsKeyId: &kmsARN, ClientRequestToken: ptr(token(1)), Tags: []sm.Tag{{Key: ptr("keyturn:managed"), Value: ptr("true")}}}))(t)
	e.AddIdentity(member, "acme.example", true)
	ok(0, createTestTable(dynamodb.NewFromConfig(e.in(member)), "t", ""))(t)
	e.AddRole(member, "path/function", "")
	e.SetRoleTags(member, "path/function", map[string]string{"Team": "billing"})

	user := func(c awssdk.Config) error {
		return try(iam.NewFromConfig(c).GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))
	}
	users := func(c awssdk.Config) error { return try(iam.NewFromConfig(c).ListUsers(ctx, &iam.ListUsersInput{})) }
	get := func(c awssdk.Config) error {
		return try(secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a"), VersionId: ptr(token(1)), VersionStage: ptr("AWSCURRENT")}))
	}
	n := 0
	make := func(c awssdk.Config) error {
		n++
		return try(secretsmanager.NewFromConfig(c).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr(fmt.Sprintf("keyturn/%d", n)), Description: ptr("d"), KmsKeyId: ptr("alias/keyturn"),
			Tags: []sm.Tag{{Key: ptr("keyturn:managed"), Value: ptr("true")}, {Key: ptr("Owner"), Value: ptr("x")}}}))
	}
	publish := func(c awssdk.Config) error {
		return try(secretsmanager.NewFromConfig(c).PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: ptr("a"), BlockPublicPolicy: ptr(true), ResourcePolicy: ptr(statementFor("Allow", `{"AWS":"`+member+`"}`, `"secretsmanager:GetSecretValue"`))}))
	}
	untag := func(c awssdk.Config) error {
		return try(secretsmanager.NewFromConfig(c).UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: ptr("a"), TagKeys: []string{"x"}}))
	}
	send := func(c awssdk.Config) error {
		return mailFrom(c, "Security Team <security@acme.example>", "Somebody <a@b.example>", "c@d.example")
	}
	item := func(c awssdk.Config) error {
		return try(dynamodb.NewFromConfig(c).GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("t"), Key: map[string]ddb.AttributeValue{"pk": &ddb.AttributeValueMemberS{Value: "R#1"}}}))
	}
	query := func(c awssdk.Config) error {
		return try(dynamodb.NewFromConfig(c).Query(ctx, &dynamodb.QueryInput{TableName: ptr("t"), KeyConditionExpression: ptr("(#p = :p) AND (begins_with(sk, :s))"),
			ExpressionAttributeNames: map[string]string{"#p": "pk"}, ExpressionAttributeValues: map[string]ddb.AttributeValue{":p": &ddb.AttributeValueMemberS{Value: "R#1"}, ":s": &ddb.AttributeValueMemberS{Value: "x"}}}))
	}
	assume := func(c awssdk.Config) error {
		return try(sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::300000000003:role/keyturn-member"), RoleSessionName: ptr("keyturn"), ExternalId: ptr("ext")}))
	}
	for _, tc := range []struct {
		action    string
		call      func(awssdk.Config) error
		yes, no   string
		alsoNeeds string // action that is allowed without a condition
	}{
		{"iam:GetUser", user, `"StringEquals":{"aws:PrincipalAccount":"200000000002"}`, `"StringEquals":{"aws:PrincipalAccount":"100000000001"}`, ""},
		{"iam:GetUser", user, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/path/function"}`, `"ArnLike":{"aws:PrincipalArn":"arn:aws:sts::*:assumed-role/*"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:PrincipalOrgID":"o-emulated00"}`, `"StringNotEquals":{"aws:PrincipalOrgID":"o-emulated00"}`, ""},
		{"iam:GetUser", user, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-emulated00/r-acme/ou-acme-prod00001/*"}`, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-emulated00/r-acme/ou-x/*"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}`, `"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}`, `"Null":{"aws:ResourceOrgID":"true"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:ResourceTag/team":"billing","iam:ResourceTag/Team":"billing"}`, `"StringEquals":{"aws:ResourceTag/Team":"Billing"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:ResourceTag/Team":"${aws:PrincipalTag/team}"}`, `"Null":{"aws:PrincipalTag/Team":"true"}`, ""},
		{"iam:GetUser", user, `"Null":{"aws:username":"true"}`, `"StringLike":{"aws:username":"*"}`, ""},
		{"iam:GetUser", user, `"StringLike":{"aws:userid":"AROA*:function"}`, `"StringLike":{"aws:userid":"AIDA*"}`, ""},
		{"iam:GetUser", user, `"StringEquals":{"aws:PrincipalType":"AssumedRole"}`, `"StringEquals":{"aws:PrincipalType":"User"}`, ""},
		{"iam:ListUsers", users, `"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, `"StringEquals":{"aws:RequestedRegion":"eu-central-1"}`, ""},
		{"iam:ListUsers", users, `"Bool":{"aws:SecureTransport":"true","aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}`, `"Bool":{"aws:SecureTransport":"false"}`, ""},
		{"iam:ListUsers", users, `"Null":{"iam:ResourceTag/Team":"true"}`, `"StringEquals":{"aws:ResourceTag/Team":"billing"}`, ""},

		{"sts:AssumeRole", assume, `"StringEquals":{"sts:ExternalId":"ext","sts:RoleSessionName":"keyturn"}`, `"StringEquals":{"sts:ExternalId":"other"}`, ""},
		{"sts:AssumeRole", assume, `"StringEquals":{"aws:ResourceAccount":"300000000003","aws:ResourceOrgID":"o-emulated00"}`, `"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}`, ""},

		{"secretsmanager:GetSecretValue", get, `"StringEquals":{"secretsmanager:ResourceTag/keyturn:managed":"true","aws:ResourceTag/keyturn:managed":"true"}`, `"StringEquals":{"aws:ResourceTag/other":"true"}`, "kms:*"},
		{"secretsmanager:GetSecretValue", get, `"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT","secretsmanager:VersionId":"` + token(1) + `"}`, `"StringEquals":{"secretsmanager:VersionStage":"AWSPENDING"}`, "kms:*"},
		{"secretsmanager:GetSecretValue", get, `"StringEquals":{"secretsmanager:SecretId":"` + *secret.ARN + `"}`, `"StringEquals":{"secretsmanager:SecretId":"a"}`, "kms:*"},
		{"secretsmanager:*", make, `"StringEquals":{"aws:RequestTag/keyturn:managed":"true"}`, `"StringEquals":{"aws:RequestTag/keyturn:managed":"false"}`, "kms:*"},
		{"secretsmanager:*", make, `"ForAllValues:StringEquals":{"aws:TagKeys":["keyturn:managed","Owner"]}`, `"ForAllValues:StringEquals":{"aws:TagKeys":["keyturn:managed"]}`, "kms:*"},
		{"secretsmanager:*", make, `"Null":{"aws:ResourceTag/keyturn:managed":"true"}`, `"StringEquals":{"aws:ResourceTag/keyturn:managed":"true"}`, "kms:*"},
		{"secretsmanager:CreateSecret", make, `"StringLike":{"secretsmanager:Name":"keyturn/*"}`, `"StringLike":{"secretsmanager:Name":"other/*"}`, "*"},
		{"secretsmanager:CreateSecret", make, `"StringEquals":{"secretsmanager:Description":"d","secretsmanager:KmsKeyId":"alias/keyturn","secretsmanager:KmsKeyArn":"` + kmsARN + `"}`, `"StringEquals":{"secretsmanager:KmsKeyId":"x"}`, "*"},
		{"secretsmanager:PutResourcePolicy", publish, `"Bool":{"secretsmanager:BlockPublicPolicy":"true"}`, `"Bool":{"secretsmanager:BlockPublicPolicy":"false"}`, ""},
		{"secretsmanager:UntagResource", untag, `"ForAnyValue:StringEquals":{"aws:TagKeys":"x"}`, `"ForAnyValue:StringEquals":{"aws:TagKeys":"y"}`, ""},

		{"kms:Decrypt", get, `"StringEquals":{"kms:ViaService":"secretsmanager.eu-central-1.amazonaws.com","kms:CallerAccount":"200000000002"}`, `"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}`, "secretsmanager:*"},
		{"kms:Decrypt", get, `"ArnLike":{"kms:EncryptionContext:SecretARN":"arn:aws:secretsmanager:*:*:secret:a-??????"}`, `"ArnLike":{"kms:EncryptionContext:SecretARN":"arn:aws:secretsmanager:*:*:secret:b-??????"}`, "secretsmanager:*"},
		{"kms:Decrypt", get, `"StringEquals":{"kms:EncryptionContext:SecretVersionId":"` + token(1) + `"}`, `"StringEquals":{"kms:EncryptionContext:SecretVersionId":"` + token(2) + `"}`, "secretsmanager:*"},
		{"kms:Decrypt", get, `"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/keyturn"},"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["SecretARN","SecretVersionId"]}`, `"StringLike":{"kms:RequestAlias":"alias/*"}`, "secretsmanager:*"},
		{"kms:Decrypt", get, `"StringEquals":{"aws:ResourceTag/for":"keyturn"},"Bool":{"aws:ViaAWSService":"true"}`, `"Bool":{"aws:ViaAWSService":"false"}`, "secretsmanager:*"},
		{"kms:*", make, `"StringEquals":{"kms:EncryptionContext:SecretVersionId":"RequestToValidateKeyAccess"}`, `"StringLike":{"kms:EncryptionContext:SecretARN":"*secret:other/*"}`, "secretsmanager:*"},

		{"ses:SendEmail", send, `"StringEquals":{"ses:FromAddress":"security@acme.example","ses:FromDisplayName":"Security Team","ses:ApiVersion":"2"}`, `"StringEquals":{"ses:FromAddress":"other@acme.example"}`, ""},
		{"ses:SendEmail", send, `"ForAllValues:StringLike":{"ses:Recipients":["*@b.example","*@d.example"]}`, `"ForAllValues:StringLike":{"ses:Recipients":["*@b.example"]}`, ""},

		{"dynamodb:GetItem", item, `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"R#*"}`, `"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"S#*"}`, ""},
		{"dynamodb:Query", query, `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"R#1"}`, `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"x"}`, ""},
	} {
		t.Run(tc.action+" "+tc.yes, func(t *testing.T) {
			cfg := e.session(member, "path/function")
			for condition, may := range map[string]bool{tc.yes: true, tc.no: false} {
				list := []string{rule("Allow", tc.action, condition)}
				if tc.alsoNeeds != "" {
					list = append(list, rule("Allow", tc.alsoNeeds, ""))
				}
				if tc.alsoNeeds == "*" { // everything but this action, unless the condition holds
					list = []string{rule("Allow", tc.action, condition), `{"Effect":"Allow","NotAction":"` + tc.action + `","Resource":"*"}`}
				}
				ok(0, e.SetRolePolicy(member, "path/function", "p", policyOf(list...)))(t)
				if err := tc.call(cfg); deniedBy(err) == may || !deniedBy(err) && err != nil {
					t.Errorf("with %s: %v", condition, err)
				}
			}
		})
	}
}

func TestDenyAndSeveralPolicies(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	e.AddRole(member, "function", "")
	cfg := e.session(member, "function")
	c := iam.NewFromConfig(cfg)
	list := func() error { return try(c.ListUsers(ctx, &iam.ListUsersInput{})) }
	make := func() error { return create(ctx, c) }
	ok(0, make())(t) // a role without policies may do everything
	ok(0, e.SetRolePolicy(member, "function", "read", allow("iam:List* *")))(t)
	ok(0, list())(t)
	refusedWith(t, make(), "AccessDenied", 403)
	ok(0, e.SetRolePolicy(member, "function", "write", allow("iam:CreateAccessKey arn:aws:iam::*:user/*")))(t)
	ok(0, make())(t)
	ok(0, e.SetRolePolicy(member, "function", "no", policyOf(rule("Deny", "iam:*", `"StringEquals":{"aws:ResourceAccount":"200000000002"}`))))(t)
	err := list()
	refusedWith(t, err, "AccessDenied", 403)
	if !strings.Contains(err.Error(), "with an explicit deny in an identity-based policy") {
		t.Error(err)
	}
	e.RemoveRolePolicy(member, "function", "no")
	ok(0, list())(t)
	e.SetRoleDeny(member, "function", "iam:ListUsers")
	refusedWith(t, list(), "AccessDenied", 403)
	e.SetRoleDeny(member, "function")
	e.RemoveRolePolicy(member, "function", "read")
	e.RemoveRolePolicy(member, "function", "write")
	refusedWith(t, list(), "AccessDenied", 403) // none is left, and that is not the same as none ever
	if n := len(e.RolePolicies(member, "function")); n != 0 {
		t.Errorf("%d policies", n)
	}
}

func TestHowRefusalsAreWorded(t *testing.T) {
	e := start(t)
	e.AddQueue(member, Queue{Name: "work"})
	e.AddRole(member, "function", "")
	ok(0, e.SetRolePolicy(member, "function", "p", nothing))(t)
	cfg := e.session(member, "function")
	const me = "User: arn:aws:sts::200000000002:assumed-role/function/function is not authorized to perform: "
	for _, tc := range []struct {
		call          func() error
		code, message string
		status        int
	}{
		{func() error { return try(iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{})) }, "AccessDenied", "iam:ListUsers on resource: arn:aws:iam::200000000002:user/ because no identity-based policy allows the iam:ListUsers action", 403},
		{func() error { return create(ctx, iam.NewFromConfig(cfg)) }, "AccessDenied", "iam:CreateAccessKey on resource: user alice because no identity-based policy allows the iam:CreateAccessKey action", 403},
		{func() error {
			return try(secretsmanager.NewFromConfig(cfg).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))
		}, "AccessDeniedException", "secretsmanager:DescribeSecret on resource: a because no identity-based policy allows the secretsmanager:DescribeSecret action", 400},
		{func() error {
			return try(secretsmanager.NewFromConfig(cfg).ListSecrets(ctx, &secretsmanager.ListSecretsInput{}))
		}, "AccessDeniedException", "secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action", 400},
		{func() error {
			return try(organizations.NewFromConfig(cfg).ListAccounts(ctx, &organizations.ListAccountsInput{}))
		}, "AccessDeniedException", "organizations:ListAccounts on resource: * because no identity-based policy allows the organizations:ListAccounts action", 400},
		{func() error {
			return try(sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: ptr("http://x/200000000002/work"), MessageBody: ptr("x")}))
		}, "AccessDenied", "sqs:sendmessage on resource: arn:aws:sqs:eu-central-1:200000000002:work because no identity-based policy allows the sqs:sendmessage action", 403},
		{func() error {
			return try(sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::300000000003:role/keyturn-member"), RoleSessionName: ptr("x1")}))
		}, "AccessDenied", "sts:AssumeRole on resource: arn:aws:iam::300000000003:role/keyturn-member", 403},
	} {
		err := tc.call()
		refusedWith(t, err, tc.code, tc.status)
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorMessage() != me+tc.message {
			t.Errorf("got  %s\nwant %s", api.ErrorMessage(), me+tc.message)
		}
	}
}

func TestPoliciesThatCannotBeSet(t *testing.T) {
	e := start(t)
	e.AddRole(member, "function", "")
	for name, tc := range map[string]struct {
		err    func() error
		speaks string
	}{
		"unknown key": {func() error {
			return e.SetRolePolicy(member, "function", "p", policyOf(rule("Allow", "*", `"StringEquals":{"iam:PolicyARN":"x"}`)))
		}, "iam:PolicyARN"},
		"unknown tag key": {func() error {
			return e.SetRolePolicy(member, "function", "p", policyOf(rule("Allow", "*", `"StringEquals":{"ec2:ResourceTag/a":"x"}`)))
		}, "ec2:ResourceTag/a"},
		"no JSON":  {func() error { return e.SetRolePolicy(member, "function", "p", nil) }, "policy p of role function in 200000000002"},
		"too long": {func() error { return e.SetRolePolicy(member, "function", "p", allow(manyLines(120)...)) }, "may have 10240"},
		"too long together": {func() error {
			ok(0, e.SetRolePolicy(member, "function", "a", allow(manyLines(70)...)))(t)
			return e.SetRolePolicy(member, "function", "b", allow(manyLines(70)...))
		}, "may have 10240"},
		"trust of nobody": {func() error {
			return e.SetRoleTrust(member, "function", trust(`{"AWS":"arn:aws:iam::100000000001:role/nobody"}`, ""))
		}, "role/nobody"},
		"trust of an unknown account": {func() error { return e.SetRoleTrust(member, "function", trust(`{"AWS":"999999999999"}`, "")) }, "999999999999"},
		"trust with a resource": {func() error {
			return e.SetRoleTrust(member, "function", policyOf(rule("Allow", "*", "")))
		}, "trust policy of role function"},
		"long trust": {func() error {
			return e.SetRoleTrust(member, "function", trust(`{"AWS":"`+mgmt+`"}`, `"StringEquals":{"sts:ExternalId":"`+strings.Repeat("x", 2000)+`"}`))
		}, "may have 2048"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.err(); err == nil || !strings.Contains(err.Error(), tc.speaks) {
				t.Errorf("got %v, want something about %s", err, tc.speaks)
			}
		})
	}
	if diff := cmp.Diff([]string{"a"}, slices.Collect(maps.Keys(e.RolePolicies(member, "function")))); diff != "" {
		t.Error(diff)
	}
}

func manyLines(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("iam:GetUser arn:aws:iam::*:user/somebody-%04d", i))
	}
	return out
}

// TestPoliciesOfRolesAndSecrets: in one account either may allow it, but a secret's policy that names the whole account leaves
// it to the role's own.
func TestPoliciesOfRolesAndSecrets(t *testing.T) {
	const function, account = `{"AWS":"arn:aws:iam::200000000002:role/function"}`, `{"AWS":"arn:aws:iam::200000000002:root"}`
	get := `"secretsmanager:GetSecretValue"`
	for name, tc := range map[string]struct {
		identity []byte
		resource string
		may      bool
	}{
		"neither":                    {nothing, "", false},
		"the role's":                 {allow("secretsmanager:GetSecretValue *"), "", true},
		"the secret's":               {nothing, statementFor("Allow", function, get), true},
		"the secret's, to all":       {nothing, statementFor("Allow", account, get), false},
		"the secret's denies":        {allow("secretsmanager:* *"), statementFor("Deny", account, get), false},
		"the role's denies":          {policyOf(rule("Deny", "secretsmanager:*", "")), statementFor("Allow", function, get), false},
		"the secret's, another call": {nothing, statementFor("Allow", function, `"secretsmanager:DescribeSecret"`), false},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			e.AddRole(member, "function", "")
			c := e.secrets()
			ok(c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a"), SecretString: ptr("v")}))(t)
			if tc.resource != "" {
				ok(c.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: ptr("a"), ResourcePolicy: &tc.resource}))(t)
			}
			ok(0, e.SetRolePolicy(member, "function", "p", tc.identity))(t)
			_, err := secretsmanager.NewFromConfig(e.session(member, "function")).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
			if deniedBy(err) == tc.may || err != nil && !deniedBy(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}
