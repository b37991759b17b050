package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// shipped is the product as it is shipped, in a folder with a configuration, on the real clock.
type shipped struct {
	*journey
	exe string
	env []string
}

func newShipped(t *testing.T) *shipped {
	exe, err := keyturnBinary()
	if err != nil {
		t.Fatal(err)
	}
	j := newJourneyAt(t, time.Now().UTC().Truncate(time.Second), (*world.World).Seed)
	id, secret := j.Credentials()
	return &shipped{journey: j, exe: exe, env: append(os.Environ(),
		"AWS_ENDPOINT_URL="+j.AWS.URL(), "AWS_REGION="+world.Region, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"SLACK_BOT_TOKEN="+world.Token, "SLACK_SIGNING_SECRET="+world.Signing)}
}

// run runs a command to its end and returns its output and exit status.
func (s *shipped) run(args ...string) (out, errOut string, status int) {
	s.t.Helper()
	cmd := exec.Command(s.exe, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return o.String(), e.String(), ee.ExitCode()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return o.String(), e.String(), 0
}

// must runs a command that has to succeed.
func (s *shipped) must(args ...string) string {
	s.t.Helper()
	out, errOut, status := s.run(args...)
	if status != 0 {
		s.t.Fatalf("keyturn %s: exit %d\n%s\n%s", strings.Join(args, " "), status, out, errOut)
	}
	return out
}

// TestShippedBinary makes the way of the README with the binary that is shipped, against endpoints that are not AWS's and
// Slack's: check, doctor, dry run, serve, approve in Slack, status. Its house has no sandbox in it (see internal/house).
func TestShippedBinary(t *testing.T) {
	s := newShipped(t)
	if out := s.must("config", "check"); !strings.Contains(out, "is valid") {
		t.Errorf("config check: %s", out)
	}
	if out := s.must("doctor"); strings.Contains(out, "FAILED") || !strings.Contains(out, "acme-prod") {
		t.Errorf("doctor: %s", out)
	}
	dry := s.must("scan", "--dry-run", "--log", "off")
	if !strings.Contains(dry, "dry run: nothing was changed") || !strings.Contains(dry, world.Billing) || !strings.Contains(dry, world.TwoActive) {
		t.Errorf("the dry run does not say what would be done:\n%s", dry)
	}
	if n := len(s.Slack.Messages(world.Owner)) + len(s.Slack.Messages(world.Channel)) + len(s.AWS.Mails()); n != 0 {
		t.Errorf("a dry run told people %d things", n)
	}
	if out := s.must("status"); !strings.Contains(out, "nothing is open") {
		t.Errorf("status after a dry run: %s", out)
	}
	stop := s.serve()
	s.wait("a notice", func() bool { _, ok := s.notice(); return ok })
	if out := s.must("status", "--json", "--account", world.Prod); !strings.Contains(out, s.old) {
		t.Errorf("status beside serve: %s", out)
	}
	m, _ := s.notice()
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.wait("both keys live", func() bool {
		r, ok := s.find()
		return ok && r.State == rotation.Installing && !r.Untold()
	})
	if ks := s.AWS.Keys(world.Prod, world.Billing); len(ks) != 2 || ks[0].Inactive || ks[1].Inactive {
		t.Errorf("keys: %s", s.keys())
	}
	var one rotation.Rotation
	for line := range strings.Lines(s.must("status", "--json", "--owner", "billing@acme.example")) {
		var r rotation.Rotation
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if string(r.Old.ID) == s.old {
			one = r
		}
	}
	if one.State != rotation.Installing || one.New == nil {
		t.Errorf("status --json says %s", one.State)
	}
	s.must("scan", "--account", world.Prod, "--log", "off")
	s.must("tick", "--log", "off")
	stop()
	s.searchSecrets()
}

// serve starts keyturn serve and returns what ends it the way a supervisor does.
func (s *shipped) serve() (stop func()) {
	cmd := exec.Command(s.exe, "serve", "--debug")
	cmd.Dir, cmd.Env = s.dir, s.env
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatalf("serve said nothing: %v\n%s", err, s.tail())
	}
	_, rest, _ := strings.Cut(line, "http://")
	addr, _, _ := strings.Cut(rest, " ")
	s.Slack.SetBotURL("http://" + addr)
	ended := false
	s.t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		_ = log.Close()
	})
	return func() {
		ended = true
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			s.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("serve did not end in order: %v\n%s", err, s.tail())
		}
	}
}

// wait looks until ok says so. Only something that is stuck comes to its end.
func (s *shipped) wait(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			s.t.Fatalf("never %s\n%s", what, s.tail())
		case <-look.C:
		}
	}
}

// TestBadCommandLines: each gets a clear sentence and the exit status that says whose mistake it is.
func TestBadCommandLines(t *testing.T) {
	s := newShipped(t)
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"", 2, "keyturn --help lists the commands"},
		{"sacn", 2, "scan"},
		{"scan --acount 1", 2, "--account"},
		{"scan --account 12", 2, "12 digits"},
		{"scan --account 999999999999", 1, "999999999999"},
		{"status --config nowhere.yaml", 1, "there is no configuration file"},
		{"config check --config bad.yaml", 1, "bad.yaml:3: policy[0].quiet_period"},
	} {
		t.Run(c.args, func(t *testing.T) {
			s.write("bad.yaml", strings.Replace(s.Config("x.db"), "  - match", "  - quiet_period: 1h\n    match", 1))
			out, errOut, status := s.run(strings.Fields(c.args)...)
			if status != c.status || !strings.Contains(out+errOut, c.says) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", status, c.status, c.says, out, errOut)
			}
			if strings.Contains(errOut, "goroutine ") {
				t.Errorf("a stack trace: %s", errOut)
			}
		})
	}
}
