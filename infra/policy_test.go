package infra

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/rotator"
)

// everywhere are the actions that may stand on every resource, because AWS's Service Authorization Reference gives them no
// type of resource.
var everywhere = map[string]string{
	"iam:GenerateCredentialReport":       "the report is of the account",
	"iam:GetCredentialReport":            "the report is of the account",
	"iam:ListUsers":                      "a list of all users",
	"secretsmanager:ListSecrets":         "a list of all secrets, without their values",
	"organizations:DescribeOrganization": "there is one organization",
	"organizations:ListRoots":            "the roots are where the tree begins",
	"dynamodb:ListStreams":               "Lambda asks for it when it takes a stream",
	"ses:GetAccount":                     "the account's own sending",
}

// roles are all roles, and the parameters under which they have the most permissions.
var roles = []struct {
	template, role string
	more           []string
}{
	{"keyturn.yaml", "BotRole", everyParameter}, {"keyturn.yaml", "SchedulerRole", everyParameter}, {"keyturn.yaml", "RotatorRole", everyParameter},
	{"keyturn.yaml", "ScheduleRole", everyParameter}, {"member-role.yaml", "ReadRole", memberParameters}, {"member-role.yaml", "Role", memberParameters},
	{"list-accounts-role.yaml", "Role", []string{"ExternalId", "choose-one"}},
}

var everyParameter = []string{
	"SlackSecretsKmsKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/slack", "TableKmsKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/table",
	"EmailConfigurationSet", "mails", "AuditMacKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/audit",
}

var memberParameters = []string{
	"ExternalId", "choose-one", "SecretsKmsKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/secrets", "SecretsKmsAlias", "alias/keyturn",
}

// TestPolicies holds what is true of every role.
func TestPolicies(t *testing.T) {
	action := regexp.MustCompile(`^[a-z]+:[A-Z][A-Za-z]+$`)
	for _, r := range roles {
		t.Run(r.template+" "+r.role, func(t *testing.T) {
			rs := resolve(t, r.template, r.more...)
			size, sids := 0, map[string]bool{}
			docs, err := rs.RolePolicies(r.role)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				size += len(d)
			}
			if size == 0 || size > 10_240 {
				t.Errorf("its policies have %d characters; IAM takes 10,240", size)
			}
			for _, s := range statements(t, docs...) {
				if s.Sid == "" || sids[s.Sid] || s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 {
					t.Errorf("statement %+v", s)
				}
				sids[s.Sid] = true
				for _, a := range s.Action {
					if !action.MatchString(a) {
						t.Errorf("%s: %q is not one action", s.Sid, a)
					}
					if _, ok := everywhere[a]; !ok && slices.Contains(s.Resource, "*") {
						t.Errorf("%s: %s stands on every resource", s.Sid, a)
					}
					if strings.HasPrefix(a, "iam:Put") || strings.HasPrefix(a, "iam:Attach") || strings.Contains(a, "Policy") && strings.HasPrefix(a, "iam:") {
						t.Errorf("%s: %s is a way to administrator", s.Sid, a)
					}
				}
				for _, res := range s.Resource {
					if res != "*" && !strings.HasPrefix(res, "arn:aws:") {
						t.Errorf("%s: resource %q", s.Sid, res)
					}
				}
				if slices.Contains(s.Action, "kms:Decrypt") && s.Condition["StringEquals"]["kms:ViaService"] == nil {
					t.Errorf("%s: the key serves for more than a service asks on our behalf", s.Sid)
				}
			}
		})
	}
}

// grants lists what a role may do: action, resource, conditions.
func grants(t *testing.T, name, role string, more ...string) []string {
	t.Helper()
	var out []string
	for _, s := range granted(t, resolve(t, name, more...), role) {
		for _, a := range s.Action {
			for _, r := range s.Resource {
				line := a + " on " + r
				if len(s.Condition) > 0 {
					b, err := json.Marshal(s.Condition)
					if err != nil {
						t.Fatal(err)
					}
					line += " if " + string(b)
				}
				out = append(out, line)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestGrants is the whole of what each role may do, line by line: whoever widens a policy has to say so here.
func TestGrants(t *testing.T) {
	const (
		table  = "arn:aws:dynamodb:eu-central-1:444455556666:table/keyturn"
		sqs    = "arn:aws:sqs:eu-central-1:444455556666:keyturn-"
		logs   = "arn:aws:logs:eu-central-1:444455556666:log-group:/aws/lambda/keyturn-"
		token  = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:slack-token-AbCdEf"
		signer = "arn:aws:secretsmanager:eu-central-1:444455556666:secret:slack-signing-GhIjKl"
		inOrg  = ` if {"StringEquals":{"aws:ResourceOrgID":["o-a1b2c3d4e5"]}}`
		mail   = "ses:SendEmail on arn:aws:ses:eu-central-1:444455556666:identity/example.com" + ` if {"StringEquals":{"ses:FromAddress":["security@example.com"]}}`
		doctor = "ses:GetEmailIdentity on arn:aws:ses:eu-central-1:444455556666:identity/*"
		user   = "arn:aws:iam::777788889999:user/*"
		secret = "arn:aws:secretsmanager:eu-central-1:777788889999:secret:keyturn/*"
		ours   = `"aws:ResourceTag/keyturn:managed":["true"]`
		tags   = `"ForAllValues:StringEquals":{"aws:TagKeys":["keyturn:managed","keyturn:rotation","keyturn:user-id","keyturn:old-key","keyturn:new-key"]}`
		ou     = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/*"
		root   = "arn:aws:organizations::111122223333:root/o-a1b2c3d4e5/*"
	)
	for _, c := range []struct {
		template, role string
		more           []string
		want           []string
	}{
		{"keyturn.yaml", "BotRole", nil, []string{
			"dynamodb:BatchGetItem on " + table, "dynamodb:DescribeTable on " + table, "dynamodb:GetItem on " + table, "dynamodb:PutItem on " + table,
			"dynamodb:Query on " + table, "dynamodb:Query on " + table + "/index/account", "dynamodb:Query on " + table + "/index/list", "dynamodb:Query on " + table + "/index/owner",
			"logs:CreateLogStream on " + logs + "bot:*", "logs:PutLogEvents on " + logs + "bot:*",
			"secretsmanager:GetSecretValue on " + signer, "secretsmanager:GetSecretValue on " + token,
		}},
		{"keyturn.yaml", "SchedulerRole", []string{"ManagementAccountId", management, "AuditMacKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/audit"}, []string{
			"kms:GenerateMac on arn:aws:kms:eu-central-1:444455556666:key/audit",
			"dynamodb:BatchGetItem on " + table, "dynamodb:DeleteItem on " + table, "dynamodb:DescribeStream on " + table + "/stream/*", "dynamodb:DescribeTable on " + table,
			"dynamodb:GetItem on " + table, "dynamodb:GetRecords on " + table + "/stream/*", "dynamodb:GetShardIterator on " + table + "/stream/*", "dynamodb:ListStreams on *",
			"dynamodb:PutItem on " + table, "dynamodb:Query on " + table, "dynamodb:Query on " + table + "/index/account", "dynamodb:Query on " + table + "/index/due",
			"dynamodb:Query on " + table + "/index/list", "dynamodb:UpdateItem on " + table, "logs:CreateLogStream on " + logs + "scheduler:*", "logs:PutLogEvents on " + logs + "scheduler:*",
			"secretsmanager:GetSecretValue on " + token, "ses:GetAccount on *", doctor, mail, "sqs:DeleteMessage on " + sqs + "accounts", "sqs:GetQueueAttributes on " + sqs + "accounts",
			"sqs:ReceiveMessage on " + sqs + "accounts", "sqs:SendMessage on " + sqs + "accounts", "sqs:SendMessage on " + sqs + "schedule-failed", "sqs:SendMessage on " + sqs + "stream-failed",
			"sts:AssumeRole on arn:aws:iam::*:role/keyturn-member-read" + inOrg, "sts:AssumeRole on arn:aws:iam::111122223333:role/keyturn-list-accounts" + inOrg,
		}},
		{"keyturn.yaml", "RotatorRole", []string{"AuditMacKeyArn", "arn:aws:kms:eu-central-1:444455556666:key/audit"}, []string{
			"dynamodb:BatchGetItem on " + table, "dynamodb:DescribeStream on " + table + "/stream/*", "dynamodb:DescribeTable on " + table, "dynamodb:GetItem on " + table,
			"dynamodb:GetRecords on " + table + "/stream/*", "dynamodb:GetShardIterator on " + table + "/stream/*", "dynamodb:ListStreams on *", "dynamodb:PutItem on " + table,
			"dynamodb:Query on " + table, "dynamodb:Query on " + table + "/index/list", "logs:CreateLogStream on " + logs + "rotator:*", "logs:PutLogEvents on " + logs + "rotator:*",
			"secretsmanager:GetSecretValue on " + token, "ses:GetAccount on *", doctor, mail, "sqs:SendMessage on " + sqs + "stream-failed",
			"sts:AssumeRole on arn:aws:iam::*:role/keyturn-member" + inOrg,
		}},
		{"keyturn.yaml", "ScheduleRole", nil, []string{
			"lambda:InvokeFunction on arn:aws:lambda:eu-central-1:444455556666:function:keyturn-scheduler", "sqs:SendMessage on " + sqs + "schedule-failed",
		}},
		{"member-role.yaml", "ReadRole", nil, []string{
			"iam:GenerateCredentialReport on *", "iam:GetAccessKeyLastUsed on " + user, "iam:GetCredentialReport on *",
			"iam:GetGroup on arn:aws:iam::777788889999:group/*/IAMKeyRotationExemptionGroup", "iam:GetGroup on arn:aws:iam::777788889999:group/IAMKeyRotationExemptionGroup",
			"iam:GetGroup on arn:aws:iam::777788889999:group/keyturn-doctor", "iam:GetUser on " + user, "iam:ListAccessKeys on " + user,
			"iam:ListAttachedGroupPolicies on arn:aws:iam::777788889999:group/*", "iam:ListAttachedUserPolicies on " + user, "iam:ListGroupsForUser on " + user,
			"iam:ListUsers on *", "secretsmanager:ListSecrets on *",
		}},
		{"member-role.yaml", "Role", []string{"UserPath", "/machines/"}, []string{
			"iam:CreateAccessKey on arn:aws:iam::777788889999:user/machines/*", "iam:DeleteAccessKey on arn:aws:iam::777788889999:user/machines/*",
			"iam:GetAccessKeyLastUsed on " + user, "iam:GetUser on " + user, "iam:ListAccessKeys on " + user, "iam:ListGroupsForUser on " + user, "iam:ListUsers on *",
			"iam:UpdateAccessKey on arn:aws:iam::777788889999:user/machines/*",
			"secretsmanager:CreateSecret on " + secret + ` if {` + tags + `,"StringEquals":{"aws:RequestTag/keyturn:managed":["true"]}}`,
			"secretsmanager:DescribeSecret on " + secret, "secretsmanager:GetResourcePolicy on " + secret + ` if {"StringEquals":{` + ours + `}}`,
			"secretsmanager:GetSecretValue on " + secret + ` if {"StringEquals":{` + ours + `}}`,
			"secretsmanager:PutResourcePolicy on " + secret + ` if {"Bool":{"secretsmanager:BlockPublicPolicy":["true"]},"StringEquals":{` + ours + `}}`,
			"secretsmanager:PutSecretValue on " + secret + ` if {"StringEquals":{` + ours + `}}`,
			"secretsmanager:TagResource on " + secret + ` if {` + tags + `,"StringEquals":{` + ours + `}}`,
			"secretsmanager:TagResource on " + secret + ` if {` + tags + `,"StringEquals":{"aws:RequestTag/keyturn:managed":["true"]}}`,
			"secretsmanager:UpdateSecret on " + secret + ` if {"StringEquals":{` + ours + `}}`,
			"secretsmanager:UpdateSecretVersionStage on " + secret + ` if {"StringEquals":{` + ours + `}}`,
		}},
		{"list-accounts-role.yaml", "Role", nil, []string{
			"organizations:DescribeOrganization on *", "organizations:ListAccountsForParent on " + ou, "organizations:ListAccountsForParent on " + root,
			"organizations:ListOrganizationalUnitsForParent on " + ou, "organizations:ListOrganizationalUnitsForParent on " + root, "organizations:ListParents on " + ou, "organizations:ListRoots on *",
		}},
	} {
		t.Run(c.template+" "+c.role, func(t *testing.T) {
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, grants(t, c.template, c.role, c.more...)); diff != "" {
				t.Errorf("(-wanted +granted)\n%s", diff)
			}
		})
	}
}

// TestSecretTags: what keyturn tags its secrets with is what the role in the accounts may tag, and not one tag more.
func TestSecretTags(t *testing.T) {
	want := []string{rotator.TagManaged, rotator.TagRotation, rotator.TagUserID, rotator.TagOldKey, rotator.TagNewKey}
	for _, s := range granted(t, resolve(t, "member-role.yaml"), "Role") {
		if !slices.Contains(s.Action, "secretsmanager:TagResource") {
			continue
		}
		if diff := cmp.Diff(want, []string(s.Condition["ForAllValues:StringEquals"]["aws:TagKeys"])); diff != "" {
			t.Errorf("%s: %s", s.Sid, diff)
		}
	}
}

// TestBotRole: the bot has no way to IAM and STS, writes no secret and sends no mail.
func TestBotRole(t *testing.T) {
	for _, g := range grants(t, "keyturn.yaml", "BotRole", everyParameter...) {
		service, rest, _ := strings.Cut(g, ":")
		switch {
		case slices.Contains([]string{"iam", "sts", "ses", "sqs", "organizations", "lambda"}, service),
			service == "secretsmanager" && !strings.HasPrefix(rest, "GetSecretValue "), service == "kms" && !strings.HasPrefix(rest, "Decrypt "):
			t.Errorf("the bot may %s", g)
		}
	}
}

// TestKMS: customer-managed keys are used through a service alone, and those of new secrets for our secrets alone.
func TestKMS(t *testing.T) {
	via := func(service, key string) string {
		return "kms:Decrypt on arn:aws:kms:eu-central-1:444455556666:key/" + key + ` if {"StringEquals":{"kms:ViaService":["` + service + `.eu-central-1.amazonaws.com"]}}`
	}
	for _, role := range []string{"BotRole", "SchedulerRole", "RotatorRole"} {
		got := slices.DeleteFunc(grants(t, "keyturn.yaml", role, everyParameter...), func(g string) bool { return !strings.HasPrefix(g, "kms:") })
		want := []string{via("secretsmanager", "slack"), via("dynamodb", "table")}
		if role == "SchedulerRole" {
			want = append(want, "kms:GenerateMac on arn:aws:kms:eu-central-1:444455556666:key/audit")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", role, diff)
		}
	}
	const ours = `"StringEquals":{"kms:ViaService":["secretsmanager.eu-central-1.amazonaws.com"]},"StringLike":{"kms:EncryptionContext:SecretARN":["arn:aws:secretsmanager:eu-central-1:777788889999:secret:keyturn/*"]}}`
	var want []string
	for _, a := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
		want = append(want, a+` on arn:aws:kms:eu-central-1:444455556666:key/secrets if {`+ours,
			a+` on arn:aws:kms:eu-central-1:777788889999:key/* if {"ForAnyValue:StringEquals":{"kms:ResourceAliases":["alias/keyturn"]},`+ours)
	}
	got := slices.DeleteFunc(grants(t, "member-role.yaml", "Role", memberParameters...), func(g string) bool { return !strings.HasPrefix(g, "kms:") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("new secrets: %s", diff)
	}
}

// TestOrganizationWithoutRole: a delegated administrator lists the accounts itself, and assumes no role for it.
func TestOrganizationWithoutRole(t *testing.T) {
	got := slices.DeleteFunc(grants(t, "keyturn.yaml", "SchedulerRole"), func(g string) bool {
		return !strings.HasPrefix(g, "organizations:") && !strings.Contains(g, "list-accounts")
	})
	var want []string
	for _, a := range []string{"ListAccountsForParent", "ListOrganizationalUnitsForParent"} {
		want = append(want, "organizations:"+a+" on arn:aws:organizations::*:ou/o-a1b2c3d4e5/*", "organizations:"+a+" on arn:aws:organizations::*:root/o-a1b2c3d4e5/*")
	}
	want = append(want, "organizations:DescribeOrganization on *", "organizations:ListRoots on *", "organizations:ListParents on arn:aws:organizations::*:ou/o-a1b2c3d4e5/*")
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTrust: each role lets in one principal, of one account, with a condition.
func TestTrust(t *testing.T) {
	outside := func(role string, condition map[string]texts) statement {
		return statement{
			Sid: "Revision1", Effect: "Allow", Principal: map[string]any{"AWS": "arn:aws:iam::444455556666:role/" + role}, Action: texts{"sts:AssumeRole"},
			Condition: map[string]map[string]texts{"StringEquals": condition},
		}
	}
	service := func(name string) statement {
		return statement{Effect: "Allow", Principal: map[string]any{"Service": name}, Action: texts{"sts:AssumeRole"}}
	}
	schedules := service("scheduler.amazonaws.com")
	schedules.Condition = map[string]map[string]texts{"StringEquals": {
		"aws:SourceAccount": {central}, "aws:SourceArn": {"arn:aws:scheduler:eu-central-1:444455556666:schedule-group/keyturn"},
	}}
	org := map[string]texts{"aws:PrincipalOrgID": {"o-a1b2c3d4e5"}}
	both := map[string]texts{"aws:PrincipalOrgID": {"o-a1b2c3d4e5"}, "sts:ExternalId": {"choose-one"}}
	for _, c := range []struct {
		template, role string
		more           []string
		want           statement
	}{
		{"keyturn.yaml", "BotRole", nil, service("lambda.amazonaws.com")},
		{"keyturn.yaml", "SchedulerRole", nil, service("lambda.amazonaws.com")},
		{"keyturn.yaml", "RotatorRole", nil, service("lambda.amazonaws.com")},
		{"keyturn.yaml", "ScheduleRole", nil, schedules},
		{"member-role.yaml", "ReadRole", nil, outside("keyturn-scheduler", org)},
		{"member-role.yaml", "ReadRole", []string{"ExternalId", "choose-one"}, outside("keyturn-scheduler", both)},
		{"member-role.yaml", "Role", nil, outside("keyturn-rotator", org)},
		{"member-role.yaml", "Role", []string{"ExternalId", "choose-one", "Prefix", "second"}, outside("second-rotator", both)},
		{"list-accounts-role.yaml", "Role", nil, outside("keyturn-scheduler", org)},
		{"list-accounts-role.yaml", "Role", []string{"ExternalId", "choose-one"}, outside("keyturn-scheduler", both)},
	} {
		t.Run(fmt.Sprint(c.template, " ", c.role, " ", c.more), func(t *testing.T) {
			doc, err := resolve(t, c.template, c.more...).TrustPolicy(c.role)
			if err != nil {
				t.Fatal(err)
			}
			if len(doc) > 2048 {
				t.Errorf("it has %d characters; IAM takes 2,048", len(doc))
			}
			if diff := cmp.Diff([]statement{c.want}, statements(t, doc)); diff != "" {
				t.Error(diff)
			}
		})
	}
	// The stack trusts and is trusted by the names that each side gives.
	main, there := resolve(t, "keyturn.yaml"), resolve(t, "member-role.yaml")
	if main["SchedulerRole"].Get("RoleName") != "keyturn-scheduler" || main["RotatorRole"].Get("RoleName") != "keyturn-rotator" ||
		there["ReadRole"].Get("RoleName") != "keyturn-member-read" || there["Role"].Get("RoleName") != "keyturn-member" ||
		resolve(t, "list-accounts-role.yaml")["Role"].Get("RoleName") != "keyturn-list-accounts" {
		t.Error("the roles have other names than those that trust them say")
	}
}
