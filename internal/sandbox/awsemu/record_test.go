package awsemu

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
)

func TestCallRecords(t *testing.T) {
	e := start(t)
	id, secret := e.user("alice")
	e.AddRole(member, "path/function", "")
	ok(0, e.SetRolePolicy(member, "path/function", "read", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Sid":"Users","Effect":"Allow","Action":["iam:List*","iam:Get*"],"Resource":["arn:aws:iam::*:user/*","*"]}]}`)))(t)
	ok(0, e.SetRolePolicy(member, "path/function", "more", allow("iam:GetUser *")))(t)
	c := iam.NewFromConfig(e.session(member, "path/function"))
	get := func() error {
		return try(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))
	}
	ok(0, get())(t)
	ok(0, get())(t)
	refusedWith(t, create(ctx, c), "AccessDenied", 403)
	_, err := secretsmanager.NewFromConfig(e.as(id, secret)).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	refusedWith(t, err, "AccessDeniedException", 400)
	_, err = organizations.NewFromConfig(e.in(member)).ListAccounts(ctx, &organizations.ListAccountsInput{})
	refusedWith(t, err, "AccessDeniedException", 400)

	const role = "arn:aws:iam::200000000002:role/path/function"
	want := []CallRecord{
		{Principal: role, Account: member, Action: "iam:GetUser", Resource: "arn:aws:iam::200000000002:user/alice", Allowed: true, Count: 2, Grants: []Grant{
			{Policy: "more", Action: "iam:GetUser", Resource: "*"},
			{Policy: "read", Statement: 1, Sid: "Users", Action: "iam:Get*", Resource: "arn:aws:iam::*:user/*"},
		}},
		{Principal: role, Account: member, Action: "iam:CreateAccessKey", Resource: "arn:aws:iam::200000000002:user/alice", Why: "because no identity-based policy allows the iam:CreateAccessKey action", Count: 1},
		{Principal: "arn:aws:iam::200000000002:user/alice", Account: member, Action: "secretsmanager:ListSecrets", Resource: "*", Why: "because no identity-based policy allows the secretsmanager:ListSecrets action", Count: 1},
		{Principal: "arn:aws:iam::100000000001:user/bootstrap", Account: mgmt, Action: "sts:AssumeRole", Resource: keyturnMember, Allowed: true, Count: 1},
		{Principal: keyturnMember, Account: member, Action: "organizations:ListAccounts", Resource: "*", Why: "You don't have permissions to access this resource.", Count: 1},
	}
	if diff := cmp.Diff(want, e.Calls()); diff != "" {
		t.Error(diff)
	}
	e.ResetCalls()
	if n := len(e.Calls()); n != 0 {
		t.Errorf("%d records after a reset", n)
	}
}

// TestCallsThatFaultsHitAreRecorded: what was asked for counts, even if it was not performed.
func TestCallsThatFaultsHitAreRecorded(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	cfg := e.in(member)
	ok(cfg.Credentials.Retrieve(ctx))(t)
	e.ResetCalls()
	c := iam.NewFromConfig(cfg)
	for _, k := range []FaultKind{FaultThrottle, FaultError, FaultDrop, FaultDropBefore} {
		e.SetFault(Fault{Operation: "CreateAccessKey", Kind: k})
		if create(ctx, c) == nil {
			t.Errorf("fault %d did not hit", k)
		}
	}
	e.OnCall(func(Call) Action { return Abort })
	if create(ctx, c) == nil {
		t.Error("was answered")
	}
	e.OnCall(nil)
	_, err := iam.NewFromConfig(e.as("AKIANOBODY0000000000", "x")).ListUsers(ctx, &iam.ListUsersInput{}) // is nobody's call
	refusedWith(t, err, "InvalidClientTokenId", 403)
	want := []CallRecord{{Principal: keyturnMember, Account: member, Action: "iam:CreateAccessKey", Resource: "arn:aws:iam::200000000002:user/alice", Allowed: true, Count: 5}}
	if diff := cmp.Diff(want, e.Calls()); diff != "" {
		t.Error(diff)
	}
	if n := len(e.Keys(member, "alice")); n != 1 {
		t.Errorf("%d keys: one answer was lost, and nothing else was performed", n)
	}
}
