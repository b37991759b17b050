package awsemu

import (
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// whoIs asks AWS whose key it is.
func (e *emu) whoIs(id, secret string) (string, error) {
	out, err := sts.NewFromConfig(e.as(id, secret)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *out.Arn + " " + *out.UserId + " " + *out.Account, nil
}

func TestCallerIdentity(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice", Path: "/jobs/", UserID: "AIDAALICE000000000000"})
	alice, aliceSecret := e.AddKey(member, "alice", Key{})
	root, rootSecret := e.AddRootKey(member, Key{})
	boot, bootSecret := e.Bootstrap(mgmt)
	for _, tc := range []struct{ id, secret, want string }{
		{alice, aliceSecret, "arn:aws:iam::200000000002:user/jobs/alice AIDAALICE000000000000 200000000002"},
		{root, rootSecret, "arn:aws:iam::200000000002:root 200000000002 200000000002"},
		{boot, bootSecret, "arn:aws:iam::100000000001:user/bootstrap " + stableID("AIDA", mgmt+"/bootstrap") + " 100000000001"},
	} {
		if got := ok(e.whoIs(tc.id, tc.secret))(t); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	k, _, _, _ := e.Key(alice)
	if k.LastUsedService != "sts" || k.LastUsedRegion != region {
		t.Errorf("asking is a use: %+v", k)
	}
	e.SetKeyStatus(member, alice, false)
	_, err := e.whoIs(alice, aliceSecret)
	refusedWith(t, err, "InvalidClientTokenId", 403)
	e.SetKeyStatus(member, alice, true)
	e.RemoveKey(member, alice)
	_, err = e.whoIs(alice, aliceSecret)
	refusedWith(t, err, "InvalidClientTokenId", 403)
}

func TestAssumeRole(t *testing.T) {
	e := start(t)
	e.AddRole(member, "path/to/guarded", "secret-id")
	e.AddRole(member, "long", "")
	e.SetRoleMaxSession(member, "long", 12*time.Hour)
	e.AddAccount(Account{ID: "400000000004", State: "SUSPENDED"})
	e.AddRole("400000000004", "keyturn-member", "")
	aliceID, aliceSecret := e.user("alice")
	rootID, rootSecret := e.AddRootKey(mgmt, Key{})
	guarded := "arn:aws:iam::200000000002:role/path/to/guarded"
	long := "arn:aws:iam::200000000002:role/long"
	for name, tc := range map[string]struct {
		as   awssdk.Config
		in   sts.AssumeRoleInput
		code string
	}{
		"good":                 {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember)}, ""},
		"with external ID":     {e.cfg, sts.AssumeRoleInput{RoleArn: &guarded, ExternalId: ptr("secret-id")}, ""},
		"long enough":          {e.cfg, sts.AssumeRoleInput{RoleArn: &long, DurationSeconds: ptr(int32(43200))}, ""},
		"chained":              {e.in(other), sts.AssumeRoleInput{RoleArn: &long, DurationSeconds: ptr(int32(3600))}, ""},
		"without external ID":  {e.cfg, sts.AssumeRoleInput{RoleArn: &guarded}, "AccessDenied"},
		"wrong external ID":    {e.cfg, sts.AssumeRoleInput{RoleArn: &guarded, ExternalId: ptr("other")}, "AccessDenied"},
		"path left out":        {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::200000000002:role/guarded"), ExternalId: ptr("secret-id")}, "AccessDenied"},
		"no such role":         {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::200000000002:role/nobody")}, "AccessDenied"},
		"no such account":      {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::999999999999:role/keyturn-member")}, "AccessDenied"},
		"other partition":      {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws-cn:iam::200000000002:role/keyturn-member")}, "AccessDenied"},
		"suspended account":    {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::400000000004:role/keyturn-member")}, "AccessDenied"},
		"by a plain user":      {e.as(aliceID, aliceSecret), sts.AssumeRoleInput{RoleArn: ptr(keyturnMember)}, "AccessDenied"},
		"by the root user":     {e.as(rootID, rootSecret), sts.AssumeRoleInput{RoleArn: ptr(keyturnMember)}, "AccessDenied"},
		"no ARN of a role":     {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::200000000002:user/alice")}, "ValidationError"},
		"no ARN":               {e.cfg, sts.AssumeRoleInput{RoleArn: ptr("keyturn-member")}, "ValidationError"},
		"bad session name":     {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("a b")}, "ValidationError"},
		"short session name":   {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("a")}, "ValidationError"},
		"long session name":    {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr(strings.Repeat("a", 65))}, "ValidationError"},
		"bad external ID":      {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), ExternalId: ptr("a b")}, "ValidationError"},
		"too short":            {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), DurationSeconds: ptr(int32(899))}, "ValidationError"},
		"too long for AWS":     {e.cfg, sts.AssumeRoleInput{RoleArn: &long, DurationSeconds: ptr(int32(43201))}, "ValidationError"},
		"too long for role":    {e.cfg, sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), DurationSeconds: ptr(int32(3601))}, "ValidationError"},
		"too long for a chain": {e.in(other), sts.AssumeRoleInput{RoleArn: &long, DurationSeconds: ptr(int32(3601))}, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.in.RoleSessionName == nil {
				tc.in.RoleSessionName = ptr("run-1")
			}
			out, err := sts.NewFromConfig(tc.as).AssumeRole(ctx, &tc.in)
			if tc.code != "" {
				refusedWith(t, err, tc.code, map[string]int{"AccessDenied": 403, "ValidationError": 400}[tc.code])
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			cfg := e.as("", "")
			cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
			who := ok(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
			if *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId || !strings.HasSuffix(*who.Arn, "/run-1") || *who.Account != member {
				t.Errorf("%s %s is not %+v", *who.Arn, *who.UserId, out.AssumedRoleUser)
			}
			asked := time.Hour
			if tc.in.DurationSeconds != nil {
				asked = time.Duration(*tc.in.DurationSeconds) * time.Second
			}
			if d := time.Until(*out.Credentials.Expiration); d > asked || d < asked-time.Minute {
				t.Errorf("expires in %s, want %s", d, asked)
			}
		})
	}
}

func TestSessionsEnd(t *testing.T) {
	e := start(t)
	e.user("alice")
	cfg := e.in(member)
	creds := ok(cfg.Credentials.Retrieve(ctx))(t)
	get := func(cfg awssdk.Config) error {
		_, err := iam.NewFromConfig(cfg).GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")})
		return err
	}
	ok(0, get(cfg))(t)
	wrong := cfg.Copy()
	wrong.Credentials = credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "another token")
	refusedWith(t, get(wrong), "InvalidClientTokenId", 403)
	e.RemoveRole(member, "keyturn-member")
	refusedWith(t, get(cfg), "AccessDenied", 403)
	e.AddRole(member, "keyturn-member", "")
	e.SetAccountState(member, "SUSPENDED")
	refusedWith(t, get(cfg), "AccessDenied", 403)
	e.SetAccountState(member, "ACTIVE")
	ok(0, get(cfg))(t)
	e.ExpireSessions(member)
	refusedWith(t, get(cfg), "ExpiredToken", 403)
	_, err := secretsmanager.NewFromConfig(cfg).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	refusedWith(t, err, "ExpiredTokenException", 400)
	_, err = sesv2.NewFromConfig(cfg).GetAccount(ctx, &sesv2.GetAccountInput{})
	refusedWith(t, err, "ExpiredTokenException", 403)
}

func TestRefusalsInEachProtocol(t *testing.T) {
	e := start(t)
	id, secret := e.user("alice")
	unknown, wrong, plain := e.as("AKIAUNKNOWN000000000", "x"), e.as(id, "wrong"), e.as(id, secret)
	token := e.as(id, secret)
	token.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "a long-term key has none")
	for _, tc := range []struct {
		name        string
		cfg         awssdk.Config
		query, json string
	}{
		{"unknown key", unknown, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"wrong secret", wrong, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"token of a session", token, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"no permission", plain, "AccessDenied", "AccessDeniedException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := iam.NewFromConfig(tc.cfg).ListUsers(ctx, &iam.ListUsersInput{})
			refusedWith(t, err, tc.query, 403)
			_, err = organizations.NewFromConfig(tc.cfg).ListAccounts(ctx, &organizations.ListAccountsInput{})
			refusedWith(t, err, tc.json, 400)
			_, err = secretsmanager.NewFromConfig(tc.cfg).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
			refusedWith(t, err, tc.json, 400)
			_, err = sesv2.NewFromConfig(tc.cfg).GetAccount(ctx, &sesv2.GetAccountInput{})
			refusedWith(t, err, tc.json, 403)
		})
	}
	if n := e.calls(member, "iam", "ListUsers"); n != 1 {
		t.Errorf("%d calls counted, want the one that was authenticated", n)
	}
}

func TestDenyToARole(t *testing.T) {
	e := start(t)
	e.user("alice")
	c := e.iam()
	create := func() error {
		_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("alice")})
		return err
	}
	list := func() error {
		_, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("alice")})
		return err
	}
	e.SetRoleDeny(member, "keyturn-member", "iam:createaccesskey")
	refusedWith(t, create(), "AccessDenied", 403)
	ok(0, list())(t)
	e.SetRoleDeny(member, "keyturn-member", "iam:List*")
	refusedWith(t, list(), "AccessDenied", 403)
	ok(0, create())(t)
	e.SetRoleDeny(member, "keyturn-member")
	ok(0, list())(t)
}

func stsClient(cfg awssdk.Config) (*sts.GetCallerIdentityOutput, error) {
	return sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
}
