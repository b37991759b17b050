package infra

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestRehearsal follows the runbook word by word: its own commands, in its order, in a copy of the checkout, by bash. AWS and
// Slack are emulators, the AWS CLI and CloudFormation are stand-ins; scripts, zip, templates, policies and functions are real.
func TestRehearsal(t *testing.T) {
	b := newRehearsal(t)

	t.Log("step 3: the Slack secrets, each read from the terminal")
	out := b.follow("central", world.Token+"\n"+world.Signing+"\n", b.step(3))
	for _, name := range []string{"keyturn-slack-token", "keyturn-slack-signing"} {
		if i, ok := b.AWS.Secret(home, name); !ok || !strings.Contains(out, i.ARN) {
			t.Fatalf("the ARN of %s is not printed:\n%s", name, out)
		}
	}

	t.Log("step 4: configuration and parameters")
	out = b.follow("central", "", b.step(4))
	if !strings.Contains(out, "+ aws cloudformation deploy --stack-name keyturn ") || !strings.Contains(out, "nothing was called on AWS") || len(b.stacks) > 0 {
		t.Fatalf("the dry run:\n%s", out)
	}

	t.Log("steps 5 to 7: the stacks")
	out = b.follow("central", "", b.step(5))
	if b.manifest() == "" || strings.Count(b.manifest(), b.url+"/slack/") != 3 {
		t.Fatalf("what Slack is given:\n%s", out)
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/slack/commands": http.StatusUnauthorized} {
		if got := b.get(path); got != want {
			t.Errorf("%s answers %d, want %d", path, got, want)
		}
	}
	b.follow("management", "", b.step(6))
	if out = b.follow("management", "", b.step(7)); !strings.HasSuffix(out, "[]\n") {
		t.Errorf("accounts without their roles: %s", out)
	}

	t.Log("step 9: doctor")
	if out = b.follow("central", "", b.step(9)); strings.Count(out, `{"ok":true,"checks":`) != 3 || strings.Contains(out, `"ok":false`) {
		t.Fatalf("not everything is in order:\n%s\n%s", out, b.log.String())
	}

	t.Log("the first scan")
	blocks := b.section("The first scan")
	if out = b.ask(blocks[0]); !strings.Contains(out, `"accounts":3,"sent":3`) {
		t.Fatalf("the scan: %s", out)
	}
	b.pump()
	if m := b.Slack.Messages(world.Channel); len(m) != 3 || !strings.Contains(m[2].Text, "scan") {
		t.Errorf("%d messages in the channel, want two reports and a summary\n%s", len(m), b.log.String())
	}
	if out = b.ask(blocks[1]); !strings.Contains(out, `{"ok":true,"checks":`) || !strings.Contains(out, "account "+world.Prod+" (1 of 3), to rotate") {
		t.Errorf("the rotator, which knows the accounts now: %s", out)
	}
	r := b.Slack.As(world.OnCall).Command("due")
	if r.Err != nil || !strings.Contains(string(r.Body), "No key is due") {
		t.Errorf("/keys due in mode audit: %v %s", r.Err, r.Body)
	}

	t.Log("changing the Slack secrets")
	blocks = b.section("Changing the Slack secrets")
	doctor := func() bool {
		return strings.Contains(b.ask(`ask bot '{"task":"doctor"}'`), `"name":"Slack token","ok":true`)
	}
	for _, c := range []struct {
		value         string
		before, after bool
	}{{"xoxb-another", true, false}, {world.Token, false, true}} {
		b.follow("central", c.value+"\n", blocks[0])
		if doctor() != c.before {
			t.Errorf("an environment that is running has read the secret again")
		}
		b.follow("central", "", blocks[1])
		if doctor() != c.after {
			t.Errorf("a new environment has not read the secret")
		}
	}

	t.Log("dead letters")
	blocks = b.section("Dead letters")
	const poison = `{"run":"of nobody","part":0,"account":{"ID":"200000000002"}}`
	b.queues["keyturn-accounts"].Put(poison)
	b.queues["keyturn-stream-failed"].Put("where it was given up")
	for range 5 {
		b.pump()
	}
	prelude := b.follow("central", "", blocks[0])
	if !strings.Contains(prelude, "of nobody") {
		t.Errorf("what lies in the queue of dead letters: %s\n%s", prelude, b.log.String())
	}
	out = b.follow("central", "", b.asking(), strings.ReplaceAll(blocks[0], "peek keyturn-accounts-failed", ""), blocks[1])
	if !strings.Contains(out, `{"woken":0}`) || len(b.queues["keyturn-stream-failed"].Messages()) != 0 || len(b.queues["keyturn-accounts-failed"].Messages()) != 0 ||
		len(b.queues["keyturn-accounts"].Messages()) != 1 {
		t.Errorf("after sending back and throwing away: %s", out)
	}

	t.Log("stop")
	for _, m := range regexp.MustCompile("(?m)^\\| .* \\| `(aws lambda put-function-concurrency [^`]*)` \\|").FindAllStringSubmatch(b.text, -1) {
		b.follow("central", "", m[1])
	}
	b.follow("central", "", b.section("Stop")[0])
	if b.disabled != 2 || b.reserved["keyturn-bot"] != "0" || b.reserved["keyturn-rotator"] != "0" {
		t.Errorf("stopped are %d schedules, and functions %v", b.disabled, b.reserved)
	}
	if out := b.refused("central", b.asking(), `ask rotator '{"task":"doctor"}'`); !strings.Contains(out, "TooManyRequestsException") {
		t.Errorf("a function that is stopped: %s", out)
	}

	t.Log("remove")
	for _, m := range regexp.MustCompile("`(aws cloudformation delete-stack --stack-name keyturn[a-z-]*)`").FindAllStringSubmatch(b.text, -1) {
		b.follow(map[bool]string{true: "central", false: "management"}[strings.HasSuffix(m[1], " keyturn")], "", m[1])
	}
	if len(b.stacks) != 0 {
		t.Errorf("stacks are left: %v", b.stacks)
	}
}

// section returns the blocks of commands of a section.
func (b *rehearsal) section(name string) []string {
	_, text, ok := strings.Cut(b.text, "\n## "+name+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	if !ok {
		b.t.Fatalf("the runbook has no section %s", name)
	}
	return commands(text)
}

// step returns all commands of a step of the section on deployment.
func (b *rehearsal) step(n int) string {
	_, text, _ := strings.Cut(b.text, "\n## Deploy\n")
	_, text, ok := strings.Cut(text, "\n"+string(rune('0'+n))+". ")
	text = regexp.MustCompile(`(?s)\n(\d\. |[a-z#A-Z]).*`).ReplaceAllString("\n"+text, "")
	blocks := commands(text)
	if !ok || len(blocks) == 0 {
		b.t.Fatalf("the runbook has no step %d with commands", n)
	}
	return strings.NewReplacer("BUCKET_OF_THIS_ACCOUNT", "example-keyturn-artifacts").Replace(strings.Join(blocks, "\n"))
}

// commands returns the blocks of indented lines.
func commands(text string) (out []string) {
	in := false
	for line := range strings.SplitSeq(text, "\n") {
		code := strings.HasPrefix(line, "    ")
		switch {
		case code && in:
			out[len(out)-1] += "\n" + line
		case code:
			out = append(out, line)
		}
		in = code
	}
	return out
}

// asking is the definition of ask.
func (b *rehearsal) asking() string {
	first, _, _ := strings.Cut(b.step(9), "\n")
	return first
}

// ask runs commands that ask the functions.
func (b *rehearsal) ask(script string) string {
	return b.follow("central", "", b.asking(), script)
}

// follow runs commands as somebody with credentials of an account, who types what stands in typed. All of them must succeed.
func (b *rehearsal) follow(profile, typed string, scripts ...string) string {
	b.t.Helper()
	out, err := b.bash(profile, typed, scripts...)
	if err != nil {
		b.t.Fatalf("%v\n%s\n%s", err, strings.Join(scripts, "\n"), out)
	}
	return out
}

func (b *rehearsal) refused(profile string, scripts ...string) string {
	b.t.Helper()
	out, err := b.bash(profile, "", scripts...)
	if err == nil {
		b.t.Errorf("it succeeded:\n%s", strings.Join(scripts, "\n"))
	}
	return out
}

func (b *rehearsal) bash(profile, typed string, scripts ...string) (string, error) {
	cmd := exec.CommandContext(b.t.Context(), "bash", "-e", "-o", "pipefail", "-c", strings.Join(scripts, "\n"))
	cmd.Dir, cmd.Stdin = b.dir, strings.NewReader(typed)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(b.dir, "bin")+":"+os.Getenv("PATH"), "GO="+filepath.Join(b.dir, "bin", "go"), "EDITOR=aws fill in",
		"AWS_REGION="+world.Region, "AWS_DEFAULT_REGION="+world.Region, "AWS_PROFILE="+profile, "AWS_ENDPOINT_URL=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// manifest is what deploy.sh wrote for Slack.
func (b *rehearsal) manifest() string {
	text, err := os.ReadFile(filepath.Join(b.dir, "dist", "slack-manifest.yaml"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *rehearsal) get(path string) int {
	b.t.Helper()
	method := http.MethodPost
	if path == "/healthz" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(""))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// fill fills in what the examples leave open, as somebody does with an editor.
func (b *rehearsal) fill(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	token, _ := b.AWS.Secret(home, "keyturn-slack-token")
	signing, _ := b.AWS.Secret(home, "keyturn-slack-signing")
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	filled := strings.NewReplacer(
		"arn:aws:secretsmanager:eu-central-1:444455556666:secret:keyturn-slack-token-AbCdEf", token.ARN,
		"arn:aws:secretsmanager:eu-central-1:444455556666:secret:keyturn-slack-signing-GhIjKl", signing.ARN,
		"111122223333", world.Management, "444455556666", home, "o-a1b2c3d4e5", "o-emulated00", "r-ab12", "r-acme",
		"ou-ab12-3cd4ef56", "ou-acme-prod00001", "C0123456789", world.Channel, "T0123456789", world.Team, "U0123456789", world.OnCall, "S0123456789", world.SecOps, "C0987654321", world.ProdRoom,
		"https://slack.com/api/", b.Slack.APIURL(), "security@example.com", world.From, "EmailIdentity=example.com", "EmailIdentity="+world.From,
		"CodeBucket=", "Architecture="+arch+"\nCodeBucket=",
	).Replace(string(text))
	return os.WriteFile(path, []byte(filled), 0o600)
}
