package awsemu

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestAWSCLI runs the AWS CLI against the emulator where there is one. Nothing depends on it.
func TestAWSCLI(t *testing.T) {
	aws, err := exec.LookPath("aws")
	if err != nil || exec.Command(aws, "--version").Run() != nil || testing.Short() {
		t.Skip("left out: no AWS CLI here, or -short")
	}
	e := start(t)
	for i := range 22 {
		e.AddAccount(Account{ID: fmt.Sprintf("5%011d", i), Name: "x", ParentID: "r-acme"})
	}
	e.AddUser(mgmt, User{Name: "alice", UserID: "AIDAALICE000000000000"})
	e.AddIdentity(mgmt, "security@acme.example", true)
	e.AddKMSKey(mgmt, KMSKey{Aliases: []string{"alias/keyturn"}})
	id, secret := e.Bootstrap(mgmt)
	run := func(args ...string) (map[string]any, string, error) {
		c := exec.Command(aws, append([]string{"--endpoint-url", e.URL(), "--region", region, "--output", "json"}, args...)...)
		home := t.TempDir()
		c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN=", "AWS_CONFIG_FILE="+home+"/c", "AWS_SHARED_CREDENTIALS_FILE="+home+"/s", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
		var out, bad strings.Builder
		c.Stdout, c.Stderr = &out, &bad
		err := c.Run()
		var v map[string]any
		if out.Len() > 0 && json.Unmarshal([]byte(out.String()), &v) != nil {
			t.Errorf("%v printed %s", args, out.String())
		}
		return v, bad.String(), err
	}
	for _, tc := range []struct {
		args  string
		want  string // in the answer
		error string // or in what it says is wrong
	}{
		{"iam create-access-key --user-name alice", `"Status":"Active"`, ""},
		{"iam get-user --user-name nobody", "", "(NoSuchEntity) when calling the GetUser operation: The user with name nobody cannot be found."},
		{"organizations list-accounts --query length(Accounts)|{n:@}", `"n":25`, ""},
		{"secretsmanager create-secret --name a --secret-string v --kms-key-id alias/keyturn", `"Name":"a"`, ""},
		{"sesv2 send-email --from-email-address security@acme.example --destination ToAddresses=a@b.example --content Simple={Subject={Data=s},Body={Text={Data=t}}}", `"MessageId":`, ""},
		{"s3api list-buckets", `"Buckets":[]`, ""},
		{"sts assume-role --role-session-name cli --role-arn " + keyturnMember, `"Arn":"arn:aws:sts::200000000002:assumed-role/keyturn-member/cli"`, ""},
	} {
		v, bad, err := run(strings.Fields(tc.args)...)
		out, _ := json.Marshal(v)
		if !strings.Contains(string(out), tc.want) || !strings.Contains(bad, tc.error) || (err != nil) != (tc.error != "") {
			t.Errorf("aws %s: %v\n%s%s", tc.args, err, out, bad)
		}
	}
	if n := len(e.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}
