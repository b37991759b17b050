package iampolicy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testKeys are the condition keys of these tests.
func testKeys(name string) (Key, bool) {
	switch name {
	case "aws:principalaccount", "aws:username", "aws:principalarn", "aws:securetransport", "aws:region", "s3:max-keys", "kms:viaservice":
		return Key{}, true
	case "aws:tagkeys", "kms:resourcealiases":
		return Key{Multi: true}, true
	}
	for _, p := range []string{"aws:requesttag/", "aws:principaltag/", "kms:encryptioncontext:"} {
		if strings.HasPrefix(name, p) && name != p {
			return Key{}, true
		}
	}
	return Key{}, false
}

func permissions(t testing.TB, statements ...string) *Policy {
	t.Helper()
	p, err := ParsePermissions([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const userARN = "arn:aws:iam::111122223333:user/jobs/Alice"

func TestActionsAndResources(t *testing.T) {
	for name, tc := range map[string]struct {
		statement        string
		action, resource string
		want             Decision
	}{
		"exact":                      {`{"Effect":"Allow","Action":"iam:GetUser","Resource":"` + userARN + `"}`, "iam:GetUser", userARN, Allowed},
		"actions have no case":       {`{"Effect":"Allow","Action":"IAM:getuser","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"resources have":             {`{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:user/jobs/alice"}`, "iam:GetUser", userARN, NoMatch},
		"another action":             {`{"Effect":"Allow","Action":"iam:GetUse","Resource":"*"}`, "iam:GetUser", userARN, NoMatch},
		"another service":            {`{"Effect":"Allow","Action":"sts:*","Resource":"*"}`, "iam:GetUser", userARN, NoMatch},
		"asterisk":                   {`{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"asterisk in the middle":     {`{"Effect":"Allow","Action":"iam:*Access*Key","Resource":"*"}`, "iam:CreateAccessKey", userARN, Allowed},
		"question mark":              {`{"Effect":"Allow","Action":"iam:GetUse?","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"one character, no more":     {`{"Effect":"Allow","Action":"iam:GetUse?","Resource":"*"}`, "iam:GetUse", userARN, NoMatch},
		"everything":                 {`{"Effect":"Allow","Action":"*","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"one of several":             {`{"Effect":"Allow","Action":["iam:ListUsers","iam:GetUser"],"Resource":["arn:aws:iam::*:group/*","arn:aws:iam::*:user/*"]}`, "iam:GetUser", userARN, Allowed},
		"a pattern needs an ARN":     {`{"Effect":"Allow","Action":"iam:ListUsers","Resource":"arn:aws:iam::*:user/*"}`, "iam:ListUsers", "*", NoMatch},
		"the asterisk alone":         {`{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}`, "iam:ListUsers", "*", Allowed},
		"NotAction":                  {`{"Effect":"Allow","NotAction":"sts:*","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"NotAction names it":         {`{"Effect":"Allow","NotAction":["sts:*","iam:getuser"],"Resource":"*"}`, "iam:GetUser", userARN, NoMatch},
		"NotResource":                {`{"Effect":"Allow","Action":"iam:*","NotResource":"arn:aws:iam::*:user/admins/*"}`, "iam:GetUser", userARN, Allowed},
		"NotResource names it":       {`{"Effect":"Allow","Action":"iam:*","NotResource":"arn:aws:iam::*:user/jobs/*"}`, "iam:GetUser", userARN, NoMatch},
		"no statement speaks of it":  {`{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}`, "iam:GetUser", userARN, NoMatch},
		"deny":                       {`{"Effect":"Deny","Action":"iam:GetUser","Resource":"*"}`, "iam:GetUser", userARN, DeniedByIt},
		"deny wins":                  {`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:GetUser","Resource":"*"}`, "iam:GetUser", userARN, DeniedByIt},
		"deny wins from before":      {`{"Effect":"Deny","Action":"iam:GetUser","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}`, "iam:GetUser", userARN, DeniedByIt},
		"a deny of something else":   {`{"Effect":"Deny","Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/bob"},{"Effect":"Allow","Action":"*","Resource":"*"}`, "iam:GetUser", userARN, Allowed},
		"six random characters":      {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:a-??????"}`, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbC123", Allowed},
		"and not five":               {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:a-??????"}`, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbC12", NoMatch},
		"another secret that starts": {`{"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:a-??????"}`, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-b-AbC123", NoMatch},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := permissions(t, tc.statement).Decide(Request{Action: tc.action, Resource: tc.resource})
			if got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	ctx := Context{"aws:username": {"Alice"}, "aws:principalaccount": {"111122223333"}, "aws:principaltag/team": {"a*"}, "aws:tagkeys": {"x"}}
	for name, tc := range map[string]struct {
		resource, asked string
		want            Decision
	}{
		"value":                      {"arn:aws:iam::*:user/jobs/${aws:username}", userARN, Allowed},
		"name without case":          {"arn:aws:iam::${AWS:PrincipalAccount}:user/jobs/${aws:UserName}", userARN, Allowed},
		"another value":              {"arn:aws:iam::*:user/${aws:username}", userARN, NoMatch},
		"no value: nothing matches":  {"arn:aws:iam::*:user/${aws:PrincipalTag/owner}*", userARN, NoMatch},
		"a default":                  {"arn:aws:iam::*:user/${aws:PrincipalTag/owner, 'jobs'}/*", userARN, Allowed},
		"no need of a default":       {"arn:aws:iam::*:user/jobs/${aws:username,'Bob'}", userARN, Allowed},
		"wildcards of a value":       {"arn:aws:iam::*:user/${aws:PrincipalTag/team}", "arn:aws:iam::1:user/abc", NoMatch},
		"are characters":             {"arn:aws:iam::*:user/${aws:PrincipalTag/team}", "arn:aws:iam::1:user/a*", Allowed},
		"special characters":         {"arn:aws:iam::*:user/${*}${?}${$}", "arn:aws:iam::1:user/*?$", Allowed},
		"are not wildcards":          {"arn:aws:iam::*:user/${*}", "arn:aws:iam::1:user/a", NoMatch},
		"without braces it is plain": {"arn:aws:iam::*:user/$aws", "arn:aws:iam::1:user/$aws", Allowed},
	} {
		t.Run(name, func(t *testing.T) {
			p := permissions(t, `{"Effect":"Allow","Action":"*","Resource":"`+tc.resource+`"}`)
			if got, _ := p.Decide(Request{Action: "iam:GetUser", Resource: tc.asked, Context: ctx}); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
	old, err := ParsePermissions([]byte(`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::1:user/${aws:username}"}}`), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]Decision{"arn:aws:iam::1:user/Alice": NoMatch, "arn:aws:iam::1:user/${aws:username}": Allowed} {
		if got, _ := old.Decide(Request{Action: "iam:GetUser", Resource: asked, Context: ctx}); got != want {
			t.Errorf("old version, %s: got %d, want %d", asked, got, want)
		}
	}
}

func TestWhichStatementDecided(t *testing.T) {
	p := permissions(t,
		`{"Sid":"Users","Effect":"Allow","Action":["iam:ListUsers","iam:Get*"],"Resource":["arn:aws:iam::*:group/*","arn:aws:iam::*:user/*"]}`,
		`{"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:iam::*:role/*"}`,
		`{"Sid":"No","Effect":"Deny","Action":"iam:DeleteUser","Resource":"*"}`)
	_, got := p.Decide(Request{Action: "iam:GetUser", Resource: userARN})
	want := []Match{{Statement: 0, Sid: "Users", Action: "iam:Get*", Resource: "arn:aws:iam::*:user/*"}, {Statement: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	d, got := p.Decide(Request{Action: "iam:DeleteUser", Resource: userARN})
	if diff := cmp.Diff([]Match{{Statement: 2, Sid: "No", Action: "iam:DeleteUser", Resource: "*"}}, got); d != DeniedByIt || diff != "" {
		t.Error(d, diff)
	}
}

func TestTrust(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/keyturn-rotator"
	names := []string{"arn:aws:sts::111122223333:assumed-role/keyturn-rotator/s", role, "arn:aws:iam::111122223333:root", "111122223333"}
	for name, tc := range map[string]struct {
		principal, condition string
		request              Request
		want                 Decision
		account              bool
	}{
		"role":            {`{"AWS":"` + role + `"}`, `{}`, Request{Principals: names}, Allowed, false},
		"session":         {`{"AWS":"` + names[0] + `"}`, `{}`, Request{Principals: names}, Allowed, false},
		"another role":    {`{"AWS":"arn:aws:iam::111122223333:role/other"}`, `{}`, Request{Principals: names}, NoMatch, false},
		"account":         {`{"AWS":"111122223333"}`, `{}`, Request{Principals: names}, Allowed, true},
		"account's root":  {`{"AWS":["arn:aws:iam::111122223333:root"]}`, `{}`, Request{Principals: names}, Allowed, true},
		"another account": {`{"AWS":"444455556666"}`, `{}`, Request{Principals: names}, NoMatch, false},
		"everybody":       {`"*"`, `{}`, Request{Principals: names}, Allowed, false},
		"no service is":   {`{"AWS":"*"}`, `{}`, Request{Service: "lambda.amazonaws.com"}, NoMatch, false},
		"service":         {`{"Service":"lambda.amazonaws.com"}`, `{}`, Request{Service: "lambda.amazonaws.com"}, Allowed, false},
		"another service": {`{"Service":"ec2.amazonaws.com"}`, `{}`, Request{Service: "lambda.amazonaws.com"}, NoMatch, false},
		"not by a role":   {`{"Service":"lambda.amazonaws.com"}`, `{}`, Request{Principals: names}, NoMatch, false},
		"with condition":  {`{"AWS":"*"}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/keyturn-*"}}`, Request{Principals: names, Context: Context{"aws:principalarn": {role}}}, Allowed, false},
		"against it":      {`{"AWS":"*"}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/other-*"}}`, Request{Principals: names, Context: Context{"aws:principalarn": {role}}}, NoMatch, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParseTrust([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":`+tc.principal+`,"Action":"sts:AssumeRole","Condition":`+tc.condition+`}}`), testKeys)
			if err != nil {
				t.Fatal(err)
			}
			tc.request.Action = "sts:AssumeRole"
			got, matches := p.Decide(tc.request)
			if got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
			for _, m := range matches {
				if m.Principals[0].Account() != tc.account {
					t.Errorf("an account: %+v", m.Principals)
				}
			}
		})
	}
}
