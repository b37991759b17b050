package infra

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stubAWS notes every call and answers like AWS. FAIL names a call that fails, HAVE that the object lies in the bucket.
const stubAWS = `#!/usr/bin/env bash
printf '%s' "aws" >>"$CALLS" && printf ' %s' "$@" >>"$CALLS" && printf ' [%s]\n' "$AWS_REGION" >>"$CALLS"
[ "${FAIL:-}" != "$1 $2" ] || { echo "an error of AWS" >&2 && exit 255; }
case "$1 $2" in
"sts get-caller-identity") echo "${ACCOUNT:-444455556666}" ;;
"s3api head-object") [ -n "${HAVE:-}" ] ;;
"cloudformation describe-stacks") echo https://abc.lambda-url.eu-central-1.on.aws/ ;;
"cloudformation describe-stack-events") echo "Bot	the reason of the failure" ;;
esac
`

// stubGo notes every call and builds a program that notes what it is asked.
const stubGo = `#!/usr/bin/env bash
printf '%s' "go GOOS=${GOOS:-} GOARCH=${GOARCH:-} CGO_ENABLED=${CGO_ENABLED:-}" >>"$CALLS" && printf ' %s' "$@" >>"$CALLS" && printf '\n' >>"$CALLS"
while [ $# -gt 0 ]; do
	[ "$1" != -o ] || to=$2
	[ "$1" != run ] || zip=yes
	shift
done
mkdir -p "$(dirname "$to")"
if [ "${zip:-}" = yes ]; then
	echo zip >"$to"
	echo "$to  4 bytes  sha256 0123abcd"
	exit 0
fi
cat >"$to" <<'BINARY'
#!/usr/bin/env bash
printf '%s' "keyturn table=$KEYTURN_TABLE" >>"$CALLS" && printf ' %s' "$@" >>"$CALLS" && printf '\n' >>"$CALLS"
[ -z "${BADCONFIG:-}" ] || { echo "keyturn.yaml:3: policy: is missing" >&2 && exit 1; }
BINARY
chmod +x "$to"
`

// bench is a folder in which the scripts are tried.
type bench struct {
	t   *testing.T
	dir string
	env []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	for name, content := range map[string]string{"bin/aws": stubAWS, "bin/go": stubGo} {
		b.write(name, content)
		if err := os.Chmod(filepath.Join(b.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range map[string]string{"keyturn.yaml": "config.example.yaml", "keyturn.params": "params.example"} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		b.write(name, string(content))
	}
	b.env = []string{
		"PATH=" + filepath.Join(b.dir, "bin") + ":/usr/bin:/bin", "GO=" + filepath.Join(b.dir, "bin/go"), "CALLS=" + filepath.Join(b.dir, "calls"),
		"HOME=" + b.dir, "AWS_REGION=eu-central-1",
	}
	return b
}

func (b *bench) write(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(name string) string {
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	return string(content)
}

// run runs a script of this folder. The folders of this machine are shown as INFRA and DIR.
func (b *bench) run(script string, args ...string) (out, errOut string, exit int) {
	b.t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(b.t.Context(), path, args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil {
		var x *exec.ExitError
		if !errors.As(err, &x) {
			b.t.Fatal(err)
		}
		exit = x.ExitCode()
	}
	return b.short(o.String()), b.short(e.String()), exit
}

func (b *bench) short(s string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.NewReplacer(b.dir, "DIR", here, "INFRA").Replace(s)
}

func (b *bench) calls() []string {
	s := strings.TrimSpace(b.short(b.read("calls")))
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

const (
	goBuild = "go GOOS=linux GOARCH=%s CGO_ENABLED=0 build -trimpath -buildvcs=false -tags lambda.norpc,functions -ldflags -s -w -buildid= -o DIR/dist/%s/bootstrap ./cmd/keyturn"
	goZip   = "go GOOS= GOARCH= CGO_ENABLED= run ./infra/zip -o DIR/dist/keyturn-%s.zip -config DIR/keyturn.yaml DIR/dist/%s/bootstrap"
	whoami  = "aws sts get-caller-identity --query Account --output text [eu-central-1]"
	deploy  = "aws cloudformation deploy --stack-name %s --template-file INFRA/%s --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset --parameter-overrides %s [eu-central-1]"
)

const mainParams = "Prefix=keyturn OrganizationId=o-a1b2c3d4e5 ManagementAccountId=111122223333 " +
	"SlackTokenSecretArn=arn:aws:secretsmanager:eu-central-1:444455556666:secret:keyturn-slack-token-AbCdEf " +
	"SlackSigningSecretArn=arn:aws:secretsmanager:eu-central-1:444455556666:secret:keyturn-slack-signing-GhIjKl " +
	"EmailFrom=security@example.com EmailIdentity=example.com ScheduleState=DISABLED ScanSchedule=cron(0 6 * * ? *) ScheduleTimezone=Europe/Berlin AlarmEmail=oncall@example.com " +
	"CodeBucket=example-keyturn-artifacts CodeKey=keyturn/0123abcd.zip"

func TestDeployMain(t *testing.T) {
	b := newBench(t)
	out, errOut, exit := b.run("deploy.sh", "main")
	if exit != 0 {
		t.Fatal(errOut)
	}
	want := []string{
		whoami,
		"go GOOS= GOARCH= CGO_ENABLED=0 build -trimpath -o DIR/dist/keyturn ./cmd/keyturn",
		"keyturn table=keyturn --config DIR/keyturn.yaml config check",
		fmt.Sprintf(goBuild, "arm64", "arm64"), fmt.Sprintf(goZip, "arm64", "arm64"),
		"aws s3api head-object --bucket example-keyturn-artifacts --key keyturn/0123abcd.zip [eu-central-1]",
		"aws s3 cp --only-show-errors DIR/dist/keyturn-arm64.zip s3://example-keyturn-artifacts/keyturn/0123abcd.zip [eu-central-1]",
		fmt.Sprintf(deploy, "keyturn", "keyturn.yaml", mainParams),
		"aws cloudformation describe-stacks --stack-name keyturn --output text --query Stacks[0].Outputs[?OutputKey=='FunctionUrl'].OutputValue [eu-central-1]",
	}
	if diff := cmp.Diff(want, b.calls()); diff != "" {
		t.Errorf("calls: %s", diff)
	}
	for i := 1; i <= 6; i++ {
		if !strings.Contains(errOut, fmt.Sprintf("== %d/6 ", i)) {
			t.Errorf("step %d is not announced:\n%s", i, errOut)
		}
	}
	const url = "https://abc.lambda-url.eu-central-1.on.aws/"
	if !strings.Contains(errOut, "Function URL: "+url) || strings.Count(out, url+"slack/") != 3 || strings.Contains(out, "$") || strings.Contains(out, "#  ") {
		t.Errorf("what a person takes to Slack:\n%s\n%s", errOut, out)
	}
	if b.read("dist/slack-manifest.yaml") != out {
		t.Error("the manifest on the screen and in the file differ")
	}
}

func TestDeployAgain(t *testing.T) {
	b := newBench(t)
	b.write("keyturn.params", b.read("keyturn.params")+"Architecture=x86_64\nPrefix=second\n")
	b.write("keyturn.yaml", strings.ReplaceAll(b.read("keyturn.yaml"), "keyturn-", "second-"))
	b.write("keyturn.params", strings.ReplaceAll(b.read("keyturn.params"), "secret:keyturn-", "secret:second-"))
	b.env = append(b.env, "HAVE=yes", "AWS_ENDPOINT_URL=http://127.0.0.1:9")
	_, errOut, exit := b.run("deploy.sh", "main", "--bucket", "other", "--stack", "mine")
	if exit != 0 {
		t.Fatal(errOut)
	}
	all := strings.Join(b.calls(), "\n")
	for _, want := range []string{"GOARCH=amd64", "head-object --bucket other", "--stack-name mine", "Prefix=second ", "Architecture=x86_64 ", "CodeBucket=other"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if strings.Contains(all, "s3 cp") || !strings.Contains(errOut, "is there already") {
		t.Error("what lies in the bucket was sent again")
	}
	if !strings.Contains(errOut, "everything goes to http://127.0.0.1:9") {
		t.Errorf("a rehearsal does not say that it is one:\n%s", errOut)
	}
}

func TestDeployRoles(t *testing.T) {
	const trust = "Prefix=keyturn CentralAccountId=444455556666 OrganizationId=o-a1b2c3d4e5"
	for target, want := range map[string][]string{
		"accounts": {whoami, fmt.Sprintf(deploy, "keyturn-list-accounts", "list-accounts-role.yaml", trust)},
		"member":   {whoami, fmt.Sprintf(deploy, "keyturn-member", "member-role.yaml", trust+" SecretsRegion=eu-central-1")},
	} {
		t.Run(target, func(t *testing.T) {
			b := newBench(t)
			b.env = append(b.env, "ACCOUNT="+management)
			if _, errOut, exit := b.run("deploy.sh", target); exit != 0 {
				t.Fatal(errOut)
			}
			if diff := cmp.Diff(want, b.calls()); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("members", func(t *testing.T) {
		for region, suffix := range map[string]string{"eu-central-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn"} {
			b := newBench(t)
			b.env = append(b.env, "AWS_REGION="+region)
			if _, errOut, exit := b.run("deploy.sh", "members", "--bucket", "theirs"); exit != 0 {
				t.Fatal(errOut)
			}
			calls := b.calls()
			if len(calls) != 4 {
				t.Fatalf("calls: %v", calls)
			}
			_, key, _ := strings.Cut(strings.TrimSuffix(calls[2], " ["+region+"]"), "s3://theirs/")
			if !strings.HasPrefix(key, "keyturn/member-role-") || len(key) != len("keyturn/member-role-.yaml")+64 {
				t.Errorf("the template's key is %q", key)
			}
			want := "TargetOUs=r-ab12 CentralAccountId=444455556666 OrganizationId=o-a1b2c3d4e5 SecretsRegion=eu-central-1 TemplateUrl=https://theirs.s3." + region + "." + suffix + "/" + key
			if !strings.Contains(calls[3], "--stack-name keyturn-stackset --template-file INFRA/stackset.yaml") || !strings.Contains(calls[3], want) {
				t.Errorf("%s\nhas no %s", calls[3], want)
			}
		}
	})
}

// TestDeployTemplates: mail templates of one's own go into the zip.
func TestDeployTemplates(t *testing.T) {
	b := newBench(t)
	b.write("keyturn.yaml", strings.Replace(b.read("keyturn.yaml"), "email: {from", "email: {templates: /var/task/templates, from", 1))
	_, errOut, exit := b.run("deploy.sh", "main")
	if exit != 1 || !strings.Contains(errOut, "say with --templates") {
		t.Errorf("exit status %d: %s", exit, errOut)
	}
	if _, errOut, exit = b.run("deploy.sh", "main", "--templates", "mails"); exit != 0 {
		t.Fatal(errOut)
	}
	want := "go GOOS= GOARCH= CGO_ENABLED= run ./infra/zip -o DIR/dist/keyturn-arm64.zip -config DIR/keyturn.yaml -templates DIR/mails DIR/dist/arm64/bootstrap"
	if all := strings.Join(b.calls(), "\n"); !strings.Contains(all, want) {
		t.Errorf("no %q in\n%s", want, all)
	}
}

// TestDeployDryRun: a dry run checks and builds, prints the calls so that a shell can take them, and makes none.
func TestDeployDryRun(t *testing.T) {
	b := newBench(t)
	if err := os.Remove(filepath.Join(b.dir, "bin/aws")); err != nil {
		t.Fatal(err)
	}
	out, errOut, exit := b.run("deploy.sh", "main", "--dry-run")
	if exit != 0 {
		t.Fatal(errOut)
	}
	for _, c := range b.calls() {
		if strings.HasPrefix(c, "aws") {
			t.Errorf("it called %s", c)
		}
	}
	for _, want := range []string{"+ aws sts get-caller-identity", "+ aws s3 cp --only-show-errors DIR/dist/keyturn-arm64.zip s3://example-keyturn-artifacts/keyturn/0123abcd.zip\n",
		"+ aws cloudformation deploy --stack-name keyturn ", `ScanSchedule=cron\(0\ 6\ \*\ \*\ \?\ \*\)`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if b.read("dist/slack-manifest.yaml") != "" || !strings.Contains(errOut, "nothing was called on AWS") {
		t.Errorf("it wrote what only a deployment knows, or does not say that it was none:\n%s", errOut)
	}
}

func TestDeployRefuses(t *testing.T) {
	edit := func(file, old, new string) func(*bench) {
		return func(b *bench) {
			if !strings.Contains(b.read(file), old) {
				b.t.Fatalf("%s has no %q", file, old)
			}
			b.write(file, strings.ReplaceAll(b.read(file), old, new))
		}
	}
	set := func(env ...string) func(*bench) { return func(b *bench) { b.env = append(b.env, env...) } }
	for _, c := range []struct {
		name string
		args []string
		edit func(*bench)
		want string // on standard error
		exit int
	}{
		{"no target", nil, set(), "usage:", 2},
		{"an unknown target", []string{"mian"}, set(), "usage:", 2},
		{"an unknown option", []string{"main", "--dryrun"}, set(), "usage:", 2},
		{"an option without its value", []string{"main", "--params"}, set(), "--params needs a value", 1},
		{"no region", []string{"main"}, set("AWS_REGION="), "export AWS_REGION", 1},
		{"no parameters", []string{"main", "--params", "none"}, set(), "copy infra/params.example", 1},
		{"no AWS CLI", []string{"main"}, func(b *bench) { _ = os.Remove(filepath.Join(b.dir, "bin/aws")) }, "AWS CLI is not installed", 1},
		{"no Go", []string{"main"}, set("GO=nogo"), "Go is not installed", 1},
		{"no configuration", []string{"main", "--config", "none"}, set(), "copy infra/config.example.yaml", 1},
		{"a line that is none", []string{"main"}, edit("keyturn.params", "Prefix=", "Prefix "), `keyturn.params:6: "Prefix keyturn"`, 1},
		{"a misspelt parameter", []string{"main"}, edit("keyturn.params", "Prefix=", "Perfix="), `keyturn.params:6: no template has a parameter "Perfix"`, 1},
		{"a parameter that is computed", []string{"main"}, edit("keyturn.params", "Prefix=", "CodeKey="), "CodeKey is computed", 1},
		{"missing parameters", []string{"main"}, edit("keyturn.params", "\nEmail", "\n#Email"), "lacks EmailFrom EmailIdentity: infra/keyturn.yaml says", 1},
		{"an empty parameter", []string{"accounts"}, edit("keyturn.params", "CentralAccountId=444455556666", "CentralAccountId="), "lacks CentralAccountId", 1},
		{"no bucket", []string{"main"}, edit("keyturn.params", "CodeBucket=", "#"), "no bucket is named", 1},
		{"an architecture that is none", []string{"main"}, edit("keyturn.params", "Prefix=keyturn", "Architecture=amd64"), "Architecture is arm64 or x86_64", 1},
		{"another secret", []string{"main"}, edit("keyturn.yaml", "token-AbCdEf", "token-XbCdEf"), "keyturn.yaml does not say token: arn:aws:secretsmanager:eu-central-1:444455556666:secret:keyturn-slack-token-AbCdEf, as SlackTokenSecretArn of keyturn.params does", 1},
		{"another sender", []string{"main"}, edit("keyturn.yaml", "from: security@", "from: other@"), "does not say from: security@example.com, as EmailFrom", 1},
		{"another role", []string{"main"}, edit("keyturn.params", "Prefix=keyturn", "Prefix=second"), "does not say member_role: second-member", 1},
		{"one role for both", []string{"main"}, edit("keyturn.yaml", "member-read ", "member "), "does not say scan_role: keyturn-member-read", 1},
		{"another management account", []string{"main"}, edit("keyturn.yaml", "111122223333", "111122224444"), "does not say management_account: 111122223333", 1},
		{"a secret of another region", []string{"main"}, set("AWS_REGION=eu-west-1"), "SlackTokenSecretArn of keyturn.params is in the region eu-central-1, and the functions will be in eu-west-1", 1},
		{"secrets for another region", []string{"main"}, edit("keyturn.params", "SecretsRegion=eu-central-1", "SecretsRegion=eu-west-1"), "SecretsRegion of keyturn.params is in the region eu-west-1", 1},
		{"another external ID", []string{"main"}, edit("keyturn.params", "Prefix=keyturn", "ExternalId=choose-one"), "does not say external_id: choose-one, as ExternalId", 1},
		{"another account than the central one", []string{"main"}, set("ACCOUNT=777788889999"), "the central account, which is 444455556666 as CentralAccountId", 1},
		{"a bad configuration", []string{"main"}, set("BADCONFIG=1"), "correct DIR/keyturn.yaml first", 1},
		{"not logged in", []string{"main"}, set("FAIL=sts get-caller-identity"), "log in first", 1},
		{"the management account", []string{"main"}, set("ACCOUNT=" + management), "leave ManagementAccountId empty", 1},
		{"another account than the management account", []string{"accounts"}, set(), "log in there", 1},
		{"the upload", []string{"main"}, set("FAIL=s3 cp"), "is the bucket there, in eu-central-1", 1},
		{"the stack", []string{"main"}, set("FAIL=cloudformation deploy"), "the reason of the failure", 1},
		{"the stack, and what to do", []string{"main"}, set("FAIL=cloudformation deploy"), "aws cloudformation delete-stack --stack-name keyturn", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			c.edit(b)
			_, errOut, exit := b.run("deploy.sh", c.args...)
			if exit != c.exit || !strings.Contains(errOut, c.want) {
				t.Errorf("exit status %d, want %d; no %q in\n%s", exit, c.exit, c.want, errOut)
			}
			for _, call := range b.calls() {
				if strings.Contains(call, "cloudformation deploy") && !strings.Contains(c.name, "the stack") {
					t.Errorf("it deployed all the same: %s", call)
				}
			}
		})
	}
}

func TestPackage(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  []string
		archs []string
	}{{"both", nil, []string{"arm64", "amd64"}}, {"one", []string{"-a", "amd64"}, []string{"amd64"}}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			out, errOut, exit := b.run("package.sh", c.args...)
			if exit != 0 {
				t.Fatal(errOut)
			}
			var want []string
			for _, a := range c.archs {
				want = append(want, fmt.Sprintf(goBuild, a, a), fmt.Sprintf(goZip, a, a))
				if !strings.Contains(out, "DIR/dist/keyturn-"+a+".zip  4 bytes  sha256 ") {
					t.Errorf("it does not say what it made: %s", out)
				}
			}
			if diff := cmp.Diff(want, b.calls()); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, c := range []struct {
		name, want string
		args       []string
		exit       int
	}{
		{"an architecture that is none", "write arm64, amd64 or all", []string{"-a", "x86_64"}, 1},
		{"no configuration", "copy infra/config.example.yaml", []string{"-c", "none.yaml"}, 1},
		{"an unknown flag", "usage:", []string{"-x"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			if _, errOut, exit := b.run("package.sh", c.args...); exit != c.exit || !strings.Contains(errOut, c.want) {
				t.Errorf("exit status %d: %s", exit, errOut)
			}
		})
	}
}
