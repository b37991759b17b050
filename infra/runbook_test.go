package infra

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pattern are the parameters of the four templates of AWS's pattern.
const pattern = `S3BucketName S3BucketPrefix IAMRoleName ExecutionRoleName InventoryExecutionRoleName DryRunFlag OrgListAccount OrgListRole
	StoreSecretsInCentralAccount CredentialReplicationRegions RunLambdaInVPC VpcId VpcCidr SubnetId AdminEmailAddress ResourceOwnerTag AWSOrgID
	EnvironmentName EmailTemplateAudit EmailTemplateEnforce SMTPUserParamName SMTPPasswordParamName IAMExemptionGroup RotationPeriod InactiveBuffer
	InactivePeriod RecoveryGracePeriod PrimaryAccountID AccountExecutionRoleName RotationExecutionRoleName InfraestructureAccountIDDEV
	InfraestructureAccountIDPRD pVpcId pSubnetId pVPCCidr pCreateSESEndpoint pCreateSSMEndpoint pCreateSTSEndpoint pCreateS3GatewayEndpoint
	pCreateSecretsManagerEndpoint`

func runbook(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRunbookNamesEverything: somebody who meets a name in AWS finds it in the runbook.
func TestRunbookNamesEverything(t *testing.T) {
	text := runbook(t)
	_, params, _ := strings.Cut(text, "\n## Parameters\n")
	params, _, _ = strings.Cut(params, "\n## ")
	for _, name := range templates {
		for p := range load(t, name).Parameters {
			if !strings.Contains(params, "`"+p+"`") {
				t.Errorf("the section on parameters does not name %s of %s", p, name)
			}
		}
	}
	rs := resolve(t, "keyturn.yaml")
	alarms := ofType(rs, "AWS::CloudWatch::Alarm")
	for _, id := range alarms {
		if row := fmt.Sprintf("| `%s` | ", rs[id].Get("AlarmName")); strings.Count(text, row) != 1 {
			t.Errorf("no row of the table of alarms begins with %s", row)
		}
	}
	if !strings.Contains(text, fmt.Sprintf("%d alarms", len(alarms))) {
		t.Errorf("the section on costs does not count %d alarms", len(alarms))
	}
	for _, id := range ofType(rs, "AWS::SQS::Queue") {
		if name := fmt.Sprint(rs[id].Get("QueueName")); id != "AccountsQueue" && !strings.Contains(text, "| `"+name+"` | ") {
			t.Errorf("nothing says what a message in %s means", name)
		}
	}
	for _, id := range ofType(rs, "AWS::Lambda::Function") {
		if name := fmt.Sprint(rs[id].Get("FunctionName")); !strings.Contains(text, "| `"+name+"` | ") {
			t.Errorf("nothing says what %s does", name)
		}
	}
	_, old, _ := strings.Cut(text, "\n## From the pattern\n")
	for p := range strings.FieldsSeq(pattern) {
		if !strings.Contains(old, "`"+p+"`") {
			t.Errorf("nothing says what became of the pattern's parameter %s", p)
		}
	}
}

// TestRunbookIsTrue: what the runbook names is there: parameters in commands, files, targets, sections.
func TestRunbookIsTrue(t *testing.T) {
	text := runbook(t)
	known := map[string]bool{"CodeKey": true}
	for _, name := range templates {
		for p := range load(t, name).Parameters {
			known[p] = true
		}
	}
	for p := range strings.FieldsSeq(pattern) {
		known[p] = true
	}
	for _, m := range regexp.MustCompile("`([A-Z][a-z]+[A-Za-z]*)=").FindAllStringSubmatch(text, -1) {
		if !known[m[1]] {
			t.Errorf("there is no parameter %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`infra/([a-z.-]+\.(?:sh|yaml|md)|params\.example)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("there is no infra/%s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`infra/deploy\.sh ([a-z]+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"main", "accounts", "members", "member"}, m[1]) {
			t.Errorf("deploy.sh has no target %s", m[1])
		}
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchors[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !anchors[m[1]] {
			t.Errorf("there is no section #%s among %v", m[1], slices.Sorted(maps.Keys(anchors)))
		}
	}
}

// TestExampleParameters: the example file has what has no default, so that nobody begins with an error.
func TestExampleParameters(t *testing.T) {
	b, err := os.ReadFile("params.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, given := range params {
		for p := range given {
			if p != "CodeKey" && p != "TemplateUrl" && !strings.Contains(string(b), "\n"+p+"=") {
				t.Errorf("params.example has no %s, which %s needs", p, name)
			}
		}
	}
}
