package aws

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAllowing(t *testing.T) {
	const (
		arn   = "arn:aws:iam::200000000002:user/jobs/billing-export"
		ours  = `{"Sid":"KeyturnOwner","Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":"*"}`
		their = `{"Sid":"Backup","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::200000000002:role/backup"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}`
	)
	doc := func(statements string) string { return `{"Version":"2012-10-17","Statement":` + statements + `}` }
	for _, tc := range []struct {
		name, policy string
		changed      bool
		statements   int
		err          bool
	}{
		{"none", "", true, 1, false},
		{"as it should be", doc("[" + ours + "]"), false, 1, false},
		{"one statement without a list", doc(ours), false, 1, false},
		{"other order and lists", doc(`[{"Resource":["*"],"Action":["secretsmanager:DescribeSecret","secretsmanager:GetSecretValue"],"Principal":{"AWS":["` + arn + `"]},"Effect":"Allow"}]`), false, 1, false},
		{"beside another's", doc("[" + their + "," + ours + "]"), false, 2, false},
		{"only another's, which stays", doc("[" + their + "]"), true, 2, false},
		{"another user", doc("[" + strings.ReplaceAll(ours, "billing", "other") + "," + their + "]"), true, 2, false},
		{"the ID of a user who was deleted", doc("[" + strings.ReplaceAll(ours, arn, "AIDADELETED") + "]"), true, 1, false},
		{"with a condition", doc("[" + strings.Replace(ours, `"Resource"`, `"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Resource"`, 1) + "]"), true, 1, false},
		{"denied", doc("[" + strings.Replace(ours, "Allow", "Deny", 1) + "]"), true, 1, false},
		{"one action less", doc("[" + strings.Replace(ours, `,"secretsmanager:DescribeSecret"`, "", 1) + "]"), true, 1, false},
		{"no JSON", "{", false, 0, true},
		{"no statements", doc(`"x"`), false, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, changed, err := allowing(tc.policy, arn)
			if (err != nil) != tc.err || changed != tc.changed {
				t.Fatalf("changed %v, error %v", changed, err)
			}
			if err != nil {
				return
			}
			if !changed && got != tc.policy {
				t.Errorf("it changed: %s", got)
			}
			if _, again, err := allowing(got, arn); again || err != nil {
				t.Errorf("the result would be changed again: %s", got)
			}
			var p struct{ Statement json.RawMessage }
			if err := json.Unmarshal([]byte(got), &p); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(p.Statement), `"Effect"`); n != tc.statements {
				t.Errorf("%d statements: %s", n, got)
			}
			if strings.Contains(tc.policy, "Backup") != strings.Contains(got, "Backup") {
				t.Errorf("another's statement is gone: %s", got)
			}
		})
	}
	if _, _, err := allowing("", ""); err == nil {
		t.Error("a policy for nobody")
	}
}

func TestSameKMSKey(t *testing.T) {
	const arn, alias = "arn:aws:kms:eu-central-1:200000000002:key/1234-ab", "arn:aws:kms:eu-central-1:200000000002:alias/keyturn"
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"", defaultKMSKey, true}, {arn, arn, true}, {arn, "1234-ab", true}, {alias, "alias/keyturn", true},
		{"", arn, false}, {arn, "", false}, {arn, alias, false}, {arn, "1234-ac", false}, {arn, strings.Replace(arn, "eu-central-1", "eu-west-1", 1), false},
	} {
		if sameKMSKey(tc.a, tc.b) != tc.want || sameKMSKey(tc.b, tc.a) != tc.want {
			t.Errorf("%q and %q: same %v", tc.a, tc.b, !tc.want)
		}
	}
}
