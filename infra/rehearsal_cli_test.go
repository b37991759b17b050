package infra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// cli are the commands of the AWS CLI that the runbook and deploy.sh use, with the options that they use, as the CLI spells
// them: "!" takes no value, "*" takes several. Those of every command are in ofEvery.
var cli = map[string]string{
	"cloudformation activate-organizations-access": "",
	"cloudformation delete-stack":                  "stack-name",
	"cloudformation deploy":                        "stack-name template-file capabilities* no-fail-on-empty-changeset! parameter-overrides*",
	"cloudformation describe-stack-events":         "stack-name",
	"cloudformation describe-stacks":               "stack-name",
	"cloudformation list-stack-instances":          "stack-set-name call-as",
	"dynamodb delete-table":                        "table-name",
	"dynamodb describe-table":                      "table-name",
	"dynamodb restore-table-to-point-in-time":      "source-table-name target-table-name restore-date-time",
	"dynamodb update-continuous-backups":           "table-name point-in-time-recovery-specification",
	"dynamodb update-table":                        "table-name stream-specification deletion-protection-enabled! no-deletion-protection-enabled!",
	"dynamodb update-time-to-live":                 "table-name time-to-live-specification",
	"dynamodb wait":                                "table-name",
	"iam update-access-key":                        "user-name access-key-id status",
	"iam update-assume-role-policy":                "role-name policy-document",
	"lambda get-policy":                            "function-name",
	"lambda invoke":                                "function-name payload",
	"kms create-key":                               "key-usage key-spec description",
	"lambda put-function-concurrency":              "function-name reserved-concurrent-executions",
	"lambda update-function-code":                  "function-name s3-bucket s3-key",
	"lambda update-function-configuration":         "function-name description",
	"lambda wait":                                  "function-name",
	"logs tail":                                    "follow!",
	"organizations describe-organization":          "",
	"organizations list-roots":                     "",
	"s3 cp":                                        "only-show-errors!",
	"s3 mb":                                        "",
	"s3api head-object":                            "bucket key",
	"scheduler get-schedule":                       "group-name name",
	"scheduler update-schedule":                    "cli-input-json state",
	"secretsmanager create-secret":                 "name secret-string",
	"secretsmanager delete-secret":                 "secret-id",
	"secretsmanager put-secret-value":              "secret-id secret-string",
	"secretsmanager replicate-secret-to-regions":   "secret-id add-replica-regions*",
	"sqs get-queue-url":                            "queue-name",
	"sqs purge-queue":                              "queue-url",
	"sqs receive-message":                          "queue-url max-number-of-messages visibility-timeout message-attribute-names*",
	"sqs start-message-move-task":                  "source-arn",
	"sts get-caller-identity":                      "",
}

const ofEvery = "query output cli-read-timeout"

// TestRunbookCommands: every command of the AWS CLI in the runbook and in deploy.sh is one that it has, with options that it
// has. What the table has and nobody uses is an error too, so that it stays true.
func TestRunbookCommands(t *testing.T) {
	script, err := os.ReadFile("deploy.sh")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	nested := regexp.MustCompile(`\$\((aws [^()]*)\)`)
	for line := range strings.SplitSeq(strings.ReplaceAll(runbook(t)+"\n"+string(script), "\\\n", " "), "\n") {
		for _, m := range nested.FindAllStringSubmatch(line, -1) {
			check(t, used, m[1])
		}
		line = nested.ReplaceAllString(line, "X")
		for _, part := range regexp.MustCompile("[`|;)]|&&").Split(line, -1) {
			if at := regexp.MustCompile(`(^|\s)aws `).FindStringIndex(part); at != nil {
				check(t, used, strings.TrimSpace(part[at[0]:]))
			}
		}
	}
	for op, options := range cli {
		for o := range strings.FieldsSeq("  " + options) {
			if !used[op+" "+strings.TrimRight(o, "!*")] {
				t.Errorf("nothing uses %s --%s", op, o)
			}
		}
		if !used[op] {
			t.Errorf("nothing uses %s", op)
		}
	}
}

func check(t *testing.T, used map[string]bool, command string) {
	t.Helper()
	m := regexp.MustCompile(`^aws ([a-z0-9-]+ [a-z0-9-]+)(.*)$`).FindStringSubmatch(command)
	if m == nil {
		return // prose: "the AWS CLI (command aws)"
	}
	options, ok := cli[m[1]]
	if !ok {
		t.Errorf("the CLI has no %s, or the table of this test lacks it: %s", m[1], command)
		return
	}
	used[m[1]] = true
	for _, o := range regexp.MustCompile(`\s--([a-z0-9-]+)`).FindAllStringSubmatch(m[2], -1) {
		if !slices.ContainsFunc(strings.Fields(options+" "+ofEvery), func(k string) bool { return strings.TrimRight(k, "!*") == o[1] }) {
			t.Errorf("%s has no option --%s, or the table of this test lacks it", m[1], o[1])
		}
		used[m[1]+" "+o[1]] = true
	}
}

// cliEnv makes the test binary the AWS CLI: it takes its command to the rehearsal at that address.
const cliEnv = "KEYTURN_REHEARSAL"

// TestMain is the AWS CLI if it is called as such.
func TestMain(m *testing.M) {
	if at := os.Getenv(cliEnv); at != "" {
		os.Exit(commandLine(at, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// asked is a command as the CLI takes it to the rehearsal, and answered what comes back.
type asked struct {
	Args            []string
	Dir, Profile    string
	Region, Region1 string // as versions 2 and 1 of the CLI look for it
	Stdin           []byte
}

type answered struct {
	Out, Err string
	Exit     int
}

func commandLine(at string, args []string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 255
	}
	q := asked{Args: args, Profile: os.Getenv("AWS_PROFILE"), Region: os.Getenv("AWS_REGION"), Region1: os.Getenv("AWS_DEFAULT_REGION")}
	var err error
	if q.Dir, err = os.Getwd(); err != nil {
		return fail(err)
	}
	if slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, ":///dev/stdin") }) {
		if q.Stdin, err = io.ReadAll(os.Stdin); err != nil {
			return fail(err)
		}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return fail(err)
	}
	resp, err := http.Post(at, "application/json", bytes.NewReader(body)) //nolint:noctx // the process ends with it
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close() //nolint:errcheck // the process ends with it
	var a answered
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return fail(err)
	}
	fmt.Print(a.Out)
	fmt.Fprint(os.Stderr, a.Err)
	return a.Exit
}

// ServeHTTP performs a command of the CLI.
func (b *rehearsal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var q asked
	var a answered
	err := json.NewDecoder(r.Body).Decode(&q)
	account, known := map[string]string{"central": home, "management": world.Management}[q.Profile]
	if err == nil && (!known || q.Region != world.Region || q.Region1 != world.Region) {
		err = fmt.Errorf("no credentials %q, or region %q, %q", q.Profile, q.Region, q.Region1)
	}
	var c call
	if err == nil {
		c, err = parse(q)
	}
	if err == nil {
		a.Out, err = b.run(account, c)
	}
	if err != nil {
		a.Err, a.Exit = "An error occurred: "+err.Error()+"\n", 255
	}
	_ = json.NewEncoder(w).Encode(a)
}

// call is a command of the CLI. Several values of an option stand on lines of their own.
type call struct {
	op    string // service and operation
	flags map[string]string
	rest  []string
	dir   string // where it was called
}

func parse(q asked) (call, error) {
	if len(q.Args) < 2 {
		return call{}, fmt.Errorf("a command needs a service and an operation: %q", q.Args)
	}
	c := call{op: q.Args[0] + " " + q.Args[1], flags: map[string]string{}, dir: q.Dir}
	options, ok := cli[c.op]
	if !ok && c.op != "fill in" {
		return c, fmt.Errorf("there is no %s among %v", c.op, slices.Sorted(maps.Keys(cli)))
	}
	kinds := map[string]byte{}
	for o := range strings.FieldsSeq(options + " " + ofEvery) {
		kinds[strings.TrimRight(o, "!*")] = o[len(o)-1]
	}
	for args := q.Args[2:]; len(args) > 0; {
		name, is := strings.CutPrefix(args[0], "--")
		if !is {
			c.rest, args = append(c.rest, args[0]), args[1:]
			continue
		}
		kind, ok := kinds[name]
		n := 1
		switch {
		case !ok:
			return c, fmt.Errorf("Unknown options: --%s", name) //nolint:staticcheck // as the CLI says it
		case kind == '*':
			for n < len(args) && !strings.HasPrefix(args[n], "--") {
				n++
			}
		case kind != '!':
			n = 2
		}
		if n > len(args) {
			return c, fmt.Errorf("argument --%s: expected one argument", name)
		}
		value := strings.Join(args[1:n], "\n")
		args = args[n:]
		if path, ok := strings.CutPrefix(strings.Replace(value, "fileb://", "file://", 1), "file://"); ok {
			content := q.Stdin
			if path != "/dev/stdin" {
				var err error
				if content, err = os.ReadFile(filepath.Join(q.Dir, path)); err != nil {
					return c, err
				}
			}
			value = string(content)
		}
		c.flags[name] = value
	}
	return c, nil
}
