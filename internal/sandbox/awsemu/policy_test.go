package awsemu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// statementFor is a policy with one statement.
func statementFor(effect, principal, action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":%s,"Action":%s,"Resource":"*"}]}`, effect, principal, action)
}

const aliceARN = "arn:aws:iam::200000000002:user/jobs/alice"

// withPolicy is an emulator with a secret, a user alice, and the calls of a test.
func withPolicy(t *testing.T) (e *emu, put func(string) error, read func() error, shown func() string) {
	e = start(t)
	e.AddUser(member, User{Name: "alice", Path: "/jobs/", UserID: "AIDAALICE000000000000"})
	id, secret := e.AddKey(member, "alice", Key{})
	c := e.secrets()
	ok(c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a"), SecretString: ptr("v")}))(t)
	put = func(policy string) error {
		_, err := c.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: ptr("a"), ResourcePolicy: &policy, BlockPublicPolicy: ptr(true)})
		return err
	}
	read = func() error {
		_, err := secretsmanager.NewFromConfig(e.as(id, secret)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
		return err
	}
	shown = func() string {
		out := ok(c.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: ptr("a")}))(t)
		if out.ResourcePolicy == nil {
			return ""
		}
		return *out.ResourcePolicy
	}
	return e, put, read, shown
}

func TestWhoAResourcePolicyLetsRead(t *testing.T) {
	for name, tc := range map[string]struct {
		policy string
		may    bool
	}{
		"none":              {"", false},
		"the user":          {statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"secretsmanager:GetSecretValue"`), true},
		"one of several":    {statementFor("Allow", `{"AWS":["arn:aws:iam::200000000002:role/keyturn-member","`+aliceARN+`"]}`, `["secretsmanager:GetSecretValue"]`), true},
		"by a pattern":      {statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"secretsmanager:Get*"`), true},
		"another action":    {statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"secretsmanager:DescribeSecret"`), false},
		"another principal": {statementFor("Allow", `{"AWS":"arn:aws:iam::200000000002:role/keyturn-member"}`, `"secretsmanager:*"`), false},
		"the account alone": {statementFor("Allow", `{"AWS":"arn:aws:iam::200000000002:root"}`, `"secretsmanager:*"`), false},
		"a denied user":     {strings.Replace(statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"*"`), `]}`, `,{"Effect":"Deny","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			e, put, read, shown := withPolicy(t)
			if tc.policy != "" {
				ok(0, put(tc.policy))(t)
			}
			if shown() != tc.policy {
				t.Errorf("shown %s, want %s", shown(), tc.policy)
			}
			if i, _ := e.Secret(member, "a"); i.Policy != tc.policy {
				t.Errorf("kept %s", i.Policy)
			}
			if err := read(); tc.may {
				ok(0, err)(t)
			} else {
				refusedWith(t, err, "AccessDeniedException", 400)
			}
		})
	}
}

func TestAPolicyMeansTheUserNotTheName(t *testing.T) {
	e, put, read, shown := withPolicy(t)
	policy := statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"secretsmanager:GetSecretValue"`)
	ok(0, put(policy))(t)
	e.RenameUser(member, "alice", "alice2")
	ok(0, read())(t)
	if got := shown(); !strings.Contains(got, aliceARN+`2"`) {
		t.Errorf("after a rename: %s", got)
	}
	e.RemoveUser(member, "alice2")
	if got := shown(); !strings.Contains(got, `"AWS":"AIDAALICE000000000000"`) || strings.Contains(got, "user/") {
		t.Errorf("after the user is gone: %s", got)
	}
	e.AddUser(member, User{Name: "alice", Path: "/jobs/"}) // another user of the same name
	id, secret := e.AddKey(member, "alice", Key{})
	_, err := secretsmanager.NewFromConfig(e.as(id, secret)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
	refusedWith(t, err, "AccessDeniedException", 400)
	ok(0, put(policy))(t)
	_, err = secretsmanager.NewFromConfig(e.as(id, secret)).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")})
	refusedWith(t, err, "AccessDeniedException", 400)
	ok(secretsmanager.NewFromConfig(e.as(id, secret)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")}))(t)
}

func TestADenyBindsRolesToo(t *testing.T) {
	e, put, _, _ := withPolicy(t)
	ok(0, put(statementFor("Deny", `{"AWS":"arn:aws:iam::200000000002:role/keyturn-member"}`, `"secretsmanager:GetSecretValue"`)))(t)
	_, err := e.secrets().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
	refusedWith(t, err, "AccessDeniedException", 400)
	ok(e.secrets().DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t)
}

func TestPoliciesThatAreRefused(t *testing.T) {
	_, put, _, shown := withPolicy(t)
	get := `"secretsmanager:GetSecretValue"`
	for name, tc := range map[string]struct{ policy, code string }{
		"empty":           {"", "ValidationException"},
		"no JSON":         {"{", "MalformedPolicyDocumentException"},
		"no statement":    {`{"Version":"2012-10-17","Statement":[]}`, "MalformedPolicyDocumentException"},
		"statement is 1":  {`{"Statement":1}`, "MalformedPolicyDocumentException"},
		"no effect":       {statementFor("Maybe", `{"AWS":"`+aliceARN+`"}`, get), "MalformedPolicyDocumentException"},
		"no action":       {statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `[]`), "MalformedPolicyDocumentException"},
		"no principal":    {`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "MalformedPolicyDocumentException"},
		"empty principal": {statementFor("Allow", `{}`, get), "MalformedPolicyDocumentException"},
		"unknown user":    {statementFor("Allow", `{"AWS":"arn:aws:iam::200000000002:user/nobody"}`, get), "MalformedPolicyDocumentException"},
		"wrong path":      {statementFor("Allow", `{"AWS":"arn:aws:iam::200000000002:user/alice"}`, get), "MalformedPolicyDocumentException"},
		"unknown role":    {statementFor("Allow", `{"AWS":"arn:aws:iam::200000000002:role/nobody"}`, get), "MalformedPolicyDocumentException"},
		"unknown account": {statementFor("Allow", `{"AWS":"arn:aws:iam::999999999999:root"}`, get), "MalformedPolicyDocumentException"},
		"not of IAM":      {statementFor("Allow", `{"AWS":"arn:aws:s3::200000000002:bucket"}`, get), "MalformedPolicyDocumentException"},
		"condition":       {`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{}}}`, "MalformedPolicyDocumentException"},
		"too long":        {statementFor("Allow", `{"AWS":"`+aliceARN+`"}`, `"`+strings.Repeat("a", 20480)+`"`), "MalformedPolicyDocumentException"},
		"public":          {statementFor("Allow", `"*"`, get), "PublicPolicyException"},
		"public in AWS":   {statementFor("Allow", `{"AWS":"*"}`, get), "PublicPolicyException"},
	} {
		t.Run(name, func(t *testing.T) { refusedWith(t, put(tc.policy), tc.code, 400) })
	}
	if got := shown(); got != "" {
		t.Errorf("a refused policy stays: %s", got)
	}
	ok(0, put(statementFor("Deny", `"*"`, `"secretsmanager:DeleteSecret"`)))(t) // is not public
}
