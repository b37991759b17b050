package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/app/policytest"
)

// What is asked in the tests, of the configuration that they have.
const cases = `people:
  ann: {slack: U0ANN, email: ann@example.com, groups: [S0SECOPS]}
  owner: {slack: U0OWNER, email: owner@example.com}
  chief: {slack: U0CHIEF}
  stranger: {slack: U0ELSE, team: T0OTHER}
keys:
  billing: {account: "111122223333", ou: r-ab12/ou-prod, user: billing-export, tags: {owner: owner@example.com}, age: 95d}
  report: {account: "111122223333", ou: r-ab12/ou-prod, user: report-reader}
cases:
  - name: two approve a key of production
    key: billing
    person: owner
    approved_by: [ann]
    expect: {allowed: true, enough: true}
  - name: nothing is deactivated on a Friday
    key: billing
    at: 2026-11-27T10:00:00+01:00
    expect: {deactivate_at: "2026-12-01T09:00:00+01:00", because: working hours}
`

// wrongCases expect what is not so.
const wrongCases = cases + `  - name: "one is \e[31menough"
    key: billing
    person: owner
    expect: {enough: true, takes: 1, needs_reason: false}
  - name: anybody may break the glass
    key: billing
    person: stranger
    does: break_glass
    expect: {allowed: true, says: as user}
  - name: nobody approves twice
    key: billing
    person: ann
    approved_by: [ann]
    expect: {allowed: true}
  - name: who may not has approved
    key: billing
    person: ann
    approved_by: [stranger]
    expect: {allowed: true}
  - name: reports are turned over on Fridays
    key: report
    at: 2026-11-27T10:00:00+01:00
    expect: {mode: approve, policy: "policy[2]", channel: C0PROD, rotate_after: 30d, deactivate_at: "2026-11-30T10:00:00+01:00", because: weekend}
`

// casesIn writes files of cases into a folder, by their names.
func casesIn(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// shown replaces folders that differ from run to run.
func shown(s string, dirs ...string) string {
	for _, d := range dirs {
		s = strings.ReplaceAll(s, d+string(filepath.Separator), "")
	}
	return s
}

func TestConfigTest(t *testing.T) {
	path := cfgOf(t, "sqlite: keyturn.db")
	dir := casesIn(t, map[string]string{"good.yaml": cases, "wrong.yaml": wrongCases})
	good, wrong := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "wrong.yaml")
	for _, c := range []struct {
		golden string
		args   []string
		status int
	}{
		{"config-test.txt", []string{good}, exitOK},
		{"config-test-wrong.txt", []string{good, wrong}, exitFailed},
		{"config-test-wrong.jsonl", []string{"--json", wrong}, exitFailed},
	} {
		t.Run(c.golden, func(t *testing.T) {
			out, errOut, status := says(t, path, append([]string{"config", "test"}, c.args...)...)
			if status != c.status {
				t.Errorf("exit %d", status)
			}
			golden(t, c.golden, shown(out+errOut, dir, filepath.Dir(path)))
		})
	}
}

// TestConfigTestBeside: without a file the one beside the configuration is read, and where there is none it is said how one begins.
func TestConfigTestBeside(t *testing.T) {
	path := cfgOf(t, "sqlite: keyturn.db")
	out, errOut, status := says(t, path, "config", "test")
	if status != exitFailed || out != "" || !strings.Contains(errOut, "there are no cases to test") || !strings.Contains(errOut, filepath.Join(filepath.Dir(path), "keyturn.cases.yaml")) || !strings.HasSuffix(errOut, policytest.Example+"\n") {
		t.Errorf("exit %d\n%s%s", status, out, errOut)
	}
	must(t, os.WriteFile(filepath.Join(filepath.Dir(path), "keyturn.cases.yaml"), []byte(policytest.Example), 0o600))
	out, errOut, status = says(t, path, "config", "test")
	if status != exitOK || out != "ok    the owner may approve\n1 case is as expected\n" || errOut != "" {
		t.Errorf("exit %d\n%s%s", status, out, errOut)
	}
}

// TestConfigTestMistakes: what is wrong with any file is said before a case is tested, and what is wrong with the
// configuration before any of that.
func TestConfigTestMistakes(t *testing.T) {
	path := cfgOf(t, "sqlite: keyturn.db")
	dir := casesIn(t, map[string]string{
		"good.yaml": cases, "misspelt.yaml": strings.Replace(cases, "approved_by", "aproved_by", 1), "empty.yaml": "", "bad.yaml": "organisation: {}\n",
	})
	for name, c := range map[string]struct {
		config string
		files  []string
		says   []string
	}{
		"files":            {path, []string{"good.yaml", "misspelt.yaml", "none.yaml", "empty.yaml"}, []string{`misspelt.yaml:13: a case has no "aproved_by"; did you mean "approved_by"?`, "there is no file of cases none.yaml", "empty.yaml: the file is empty"}},
		"a folder":         {path, []string{"."}, []string{"read the cases:"}},
		"configuration":    {filepath.Join(dir, "bad.yaml"), []string{"misspelt.yaml"}, []string{`bad.yaml:1: organisation: the file has no such key; did you mean "organization"?`}},
		"no configuration": {filepath.Join(dir, "none.yaml"), nil, []string{"there is no configuration file"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"config", "test"}
			for _, f := range c.files {
				args = append(args, filepath.Join(dir, f))
			}
			out, errOut, status := says(t, c.config, args...)
			if status != exitFailed || out != "" {
				t.Errorf("exit %d\n%s", status, out)
			}
			for _, want := range c.says {
				if !strings.Contains(shown(errOut, dir), want) {
					t.Errorf("nothing says %q:\n%s", want, errOut)
				}
			}
		})
	}
}

// TestConfigTestNeedsNothing: cases are tested where there is neither AWS nor Slack nor a store, as in a pipeline.
func TestConfigTestNeedsNothing(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	dir := casesIn(t, map[string]string{"cases.yaml": policytest.Example})
	config := "../../infra/config.example.yaml"
	if out, errOut, status := says(t, config, "config", "test", filepath.Join(dir, "cases.yaml")); status != exitOK {
		t.Errorf("exit %d\n%s%s", status, out, errOut)
	}
	if out, errOut, status := says(t, config, "config", "test", "../../infra/config.cases.yaml"); status != exitOK || errOut != "" {
		t.Errorf("exit %d\n%s%s", status, out, errOut)
	}
	if out, errOut, status := says(t, config, "config", "check"); status != exitOK || !strings.Contains(out, "config.example.yaml is valid: 2 rules") || !strings.Contains(out, "store table env:KEYTURN_TABLE") {
		t.Errorf("exit %d\n%s%s", status, out, errOut)
	}
}

// TestConfigTestJSON: every line is an object of its own, and a case without a person has no verdict.
func TestConfigTestJSON(t *testing.T) {
	path := cfgOf(t, "sqlite: keyturn.db")
	dir := casesIn(t, map[string]string{"good.yaml": cases})
	out, errOut, status := says(t, path, "config", "test", "--json", filepath.Join(dir, "good.yaml"))
	if status != exitOK || errOut != "" {
		t.Fatalf("exit %d\n%s", status, errOut)
	}
	var got []tested
	for line := range strings.Lines(out) {
		var one tested
		must(t, json.Unmarshal([]byte(line), &one))
		got = append(got, one)
	}
	if len(got) != 2 || !got[0].OK || got[0].Verdict == nil || got[0].Verdict.Answer != yes || got[1].Verdict != nil || got[1].Line != 15 {
		t.Errorf("%+v", got)
	}
}
