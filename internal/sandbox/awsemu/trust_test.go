package awsemu

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// trust is a trust policy with one statement.
func trust(principal, condition string) []byte {
	return []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole","Condition":{` + condition + `}}]}`)
}

// TestWhoMayAssumeARole tries a role in another account and one in the same, for a caller whose own policy allows it, does not
// speak of it, or denies it.
func TestWhoMayAssumeARole(t *testing.T) {
	const caller, callerAccount = "arn:aws:iam::100000000001:role/keyturn-rotator", `{"AWS":"arn:aws:iam::100000000001:root"}`
	yes, no, never := allow("sts:AssumeRole arn:aws:iam::*:role/keyturn-target"), nothing, policyOf(rule("Deny", "sts:*", ""))
	for name, tc := range map[string]struct {
		trust    []byte
		external string
		identity []byte
		across   bool // may it, from another account
		within   bool // from the same
	}{
		"by account":                {trust(callerAccount, ""), "", yes, true, true},
		"by account's ID":           {trust(`{"AWS":"100000000001"}`, ""), "", yes, true, true},
		"by account, no permission": {trust(callerAccount, ""), "", no, false, false},
		"by name":                   {trust(`{"AWS":"`+caller+`"}`, ""), "", yes, true, true},
		// In one account a trust policy that names the caller is enough, as everywhere in AWS.
		"by name, no permission":     {trust(`{"AWS":"`+caller+`"}`, ""), "", no, false, true},
		"by name, denied":            {trust(`{"AWS":"`+caller+`"}`, ""), "", never, false, false},
		"of somebody else":           {trust(`{"AWS":"arn:aws:iam::100000000001:role/keyturn-member"}`, ""), "", yes, false, false},
		"of a service":               {trust(`{"Service":"lambda.amazonaws.com"}`, ""), "", yes, false, false},
		"external ID":                {trust(callerAccount, `"StringEquals":{"sts:ExternalId":"ext"}`), "ext", yes, true, true},
		"another external ID":        {trust(callerAccount, `"StringEquals":{"sts:ExternalId":"ext"}`), "other", yes, false, false},
		"no external ID":             {trust(callerAccount, `"StringEquals":{"sts:ExternalId":"ext"}`), "", yes, false, false},
		"organization":               {trust(`{"AWS":"*"}`, `"StringEquals":{"aws:PrincipalOrgID":"o-emulated00"}`), "", yes, true, true},
		"another organization":       {trust(`{"AWS":"*"}`, `"StringEquals":{"aws:PrincipalOrgID":"o-other00000"}`), "", yes, false, false},
		"account and name":           {trust(callerAccount, `"ArnEquals":{"aws:PrincipalArn":"`+caller+`"}`), "", yes, true, true},
		"account and another name":   {trust(callerAccount, `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::100000000001:role/other"}`), "", yes, false, false},
		"account and session's name": {trust(callerAccount, `"StringEquals":{"sts:RoleSessionName":"keyturn"}`), "", yes, true, true},
		"a deny":                     {policyOf(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}`, `{"Effect":"Deny","Principal":{"AWS":"`+caller+`"},"Action":"sts:AssumeRole"}`), "", yes, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			e.AddRole(mgmt, "keyturn-rotator", "")
			ok(0, e.SetRolePolicy(mgmt, "keyturn-rotator", "p", tc.identity))(t)
			for account, may := range map[string]bool{member: tc.across, mgmt: tc.within} {
				e.AddRole(account, "keyturn-target", "not asked for any more")
				ok(0, e.SetRoleTrust(account, "keyturn-target", tc.trust))(t)
				in := &sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::" + account + ":role/keyturn-target"), RoleSessionName: ptr("keyturn")}
				if tc.external != "" {
					in.ExternalId = &tc.external
				}
				_, err := sts.NewFromConfig(e.session(mgmt, "keyturn-rotator")).AssumeRole(ctx, in)
				if may {
					ok(0, err)(t)
				} else {
					refusedWith(t, err, "AccessDenied", 403)
				}
			}
		})
	}
}

func TestTrustBindsTheBootstrapPrincipalToo(t *testing.T) {
	e := start(t)
	ok(0, e.SetRoleTrust(member, "keyturn-member", trust(`{"AWS":"`+mgmt+`"}`, `"StringEquals":{"aws:PrincipalOrgID":"o-emulated00"}`)))(t)
	assume := func(cfg awssdk.Config) error {
		return try(sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("keyturn")}))
	}
	ok(0, assume(e.cfg))(t)
	refusedWith(t, assume(e.as(e.Bootstrap(other))), "AccessDenied", 403)
	e.mu.Lock()
	e.order = e.order[1:] // the management account leaves the organization
	e.mu.Unlock()
	refusedWith(t, assume(e.cfg), "AccessDenied", 403)
}

func TestSessionsOfFunctions(t *testing.T) {
	e := start(t)
	e.user("alice")
	e.AddRole(member, "path/function", "")
	lambdaMay := trust(`{"Service":"lambda.amazonaws.com"}`, `"StringEquals":{"aws:SourceAccount":"200000000002"},"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:*:function:keyturn-*"}`)
	ok(0, e.SetRoleTrust(member, "path/function", lambdaMay))(t)
	if _, err := e.RoleCredentials(member, "path/function", "another"); err == nil || !strings.Contains(err.Error(), "lambda.amazonaws.com") {
		t.Errorf("a function that the role does not trust: %v", err)
	}
	a, b := ok(e.RoleCredentials(member, "path/function", "keyturn-bot"))(t), ok(e.RoleCredentials(member, "path/function", "keyturn-bot"))(t)
	if a == b || !strings.HasPrefix(a.AccessKeyID, "ASIA") || a.SessionToken == "" {
		t.Errorf("%+v and %+v", a, b)
	}
	e.AddRole(member, "function", "")
	cfg := e.session(member, "function")
	who := ok(stsClient(cfg))(t)
	if *who.Arn != "arn:aws:sts::200000000002:assumed-role/function/function" {
		t.Errorf("is %s", *who.Arn)
	}
	e.ExpireSessions(member)
	_, err := iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{})
	refusedWith(t, err, "ExpiredToken", 403)
}

func TestSessionPoliciesAndTagsAreRefused(t *testing.T) {
	e := start(t)
	_, err := e.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("keyturn"), Policy: ptr("{}")})
	refusedWith(t, err, "ValidationError", 400)
}
