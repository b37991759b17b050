package fleet

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestWrongEvents sends each function what it does not take: the invocation fails with a clear line and a figure, and nothing
// is changed.
func TestWrongEvents(t *testing.T) {
	s := newStage(t, plan{})
	for _, tc := range []struct {
		name, event string
		fn          *lambdaemu.Function
		says        string
	}{
		{"a schedule at the bot", `{"task":"scan"}`, s.bot, "Function URL event"},
		{"payload 1.0 at the bot", `{"version":"1.0","path":"/slack/commands","httpMethod":"POST"}`, s.bot, "payload version 2.0"},
		{"no object", `[]`, s.bot, "Function URL event"},
		{"an unknown task", `{"task":"sweep"}`, s.scheduler, "no task \\\"sweep\\\""},
		{"an empty event", `{}`, s.scheduler, "takes a task"},
		{"records of another service", `{"Records":[{"eventSource":"aws:s3"}]}`, s.scheduler, "takes a task"},
		{"records that are none", `{"Records":[1,2]}`, s.scheduler, "takes a task"},
		{"a message without an ID", `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`, s.scheduler, "message of the queue"},
		{"a task at the rotator", `{"task":"tick"}`, s.rotator, "records of the table's stream"},
		{"a message at the rotator", `{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"}]}`, s.rotator, "record of the table's stream"},
		{"a record without a number", `{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{}}]}`, s.rotator, "record of the table's stream"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := tc.fn.Invoke(t.Context(), []byte(tc.event))
			if err != nil {
				t.Fatal(err)
			}
			if r.FunctionError == "" || !strings.Contains(r.Log, tc.says) || !strings.Contains(r.Log, `"UnknownRecords":1`) {
				t.Errorf("%q %s\n%s", r.FunctionError, r.Payload, r.Log)
			}
		})
	}
}

// TestPoison puts records and messages that no retry helps among good ones: these are done, those end where a person finds
// them.
func TestPoison(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	for _, body := range []string{`no JSON`, `{"run":"x"}`, `{"run":"x","part":0,"account":{"ID":"12"}}`} {
		s.accounts.Put(body)
	}
	s.scan()
	for range receives(t) {
		s.pump()
	}
	if n := len(s.dead.Messages()); n != 3 {
		t.Errorf("%d messages in the dead-letter queue, want 3", n)
	}
	for _, image := range []string{
		`{"kind":{"S":"rotation"},"wake":{"S":"1"}}`,
		`{"kind":{"S":"rotation"},"wake":{"S":"1"},"id":{"S":"nonsense"}}`,
	} {
		if err := s.rotations.Offer(json.RawMessage(`{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","eventVersion":"1.1","awsRegion":"eu-central-1",` +
			`"dynamodb":{"Keys":{"pk":{"S":"x"},"sk":{"S":"y"}},"NewImage":` + image + `,"SequenceNumber":"900000000000000000000","SizeBytes":1,"StreamViewType":"NEW_IMAGE"}}`)); err != nil {
			t.Fatal(err)
		}
	}
	m, ok := s.notice(world.Owner, old)
	if !ok {
		t.Fatalf("no notice\n%s", s.logs.tail())
	}
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.pump()
	if r, _ := s.find(old); r.State != rotation.Installing {
		t.Errorf("a good record among bad ones: %s\n%s", r.State, s.logs.tail())
	}
	if len(s.given) == 0 {
		t.Error("no record came to the on-failure destination")
	}
}

// TestNewerRecord: a record that a newer version wrote is never touched. Its record of the stream ends at the on-failure
// destination, with a figure, and everything else goes on.
func TestNewerRecord(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	r, _ := s.find(old)
	raw := s.raw()
	key := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "rotation#" + string(r.ID)}, "sk": &types.AttributeValueMemberS{Value: "head"},
	}
	got, err := raw.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key})
	if err != nil || len(got.Item) == 0 {
		t.Fatalf("%v %v", got, err)
	}
	body, ok := got.Item["body"].(*types.AttributeValueMemberS)
	if !ok {
		t.Fatalf("the body is %T", got.Item["body"])
	}
	newer := regexp.MustCompile(`"schema":[0-9]+`).ReplaceAllString(body.Value, `"schema":99`)
	if newer == body.Value {
		t.Fatal("the record names no schema")
	}
	got.Item["body"] = &types.AttributeValueMemberS{Value: newer}
	if _, err := raw.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: got.Item}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Touch(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	s.until(s.Clock.Now().Add(8 * rotation.Day)) // somebody has to be reminded
	for range 3 {
		s.tick()
	}
	if len(s.given) == 0 || !strings.Contains(s.logs.String(), "newer version") || !strings.Contains(s.logs.String(), `"UnknownRecords":1`) {
		t.Errorf("%d records given up\n%s", len(s.given), s.logs.tail())
	}
	m, _ := s.notice(world.Owner, old)
	if res := s.Slack.As(world.Owner).ClickButton(m, "Approve"); res.Err != nil {
		t.Errorf("a person who clicks gets no answer: %v", res.Err)
	}
	after, err := raw.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := after.Item["body"].(*types.AttributeValueMemberS); b == nil || b.Value != newer {
		t.Error("the record was touched")
	}
}

// TestAccountThatLeft: an account may leave the organization between the list and its message. That is a failed scan, whose
// rotations stand still, and no message that comes again for ever.
func TestAccountThatLeft(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	s.Clock.Advance(rotation.Day)
	s.writeClock(filepath.Dir(s.clockFile))
	if o := s.fire(`{"task":"scan","run":"later"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	s.AWS.RemoveAccount(world.Prod)
	s.scheduler.Recycle() // a process that has a session of the account yet finds out when it is over, or at the next scan
	s.pump()
	if r, _ := s.find(old); r.Frozen == nil {
		t.Errorf("the rotation goes on in an account that left: %s", r.State)
	}
	if n := len(s.accounts.Messages()) + len(s.dead.Messages()); n > 0 {
		t.Errorf("%d messages are left", n)
	}
	if l := s.logs.String(); !strings.Contains(l, `"ScanFailures":1`) || !strings.Contains(l, "account not scanned") {
		t.Error("no line and no figure says so")
	}
	told := false
	for _, m := range s.Slack.Messages(world.Channel) {
		told = told || strings.Contains(m.Text+string(m.RawBlocks), world.Prod)
	}
	if !told {
		t.Error("the summary does not name the account")
	}
}

// TestWrongDeployment starts functions that cannot work: each says what is wrong and how to mend it.
func TestWrongDeployment(t *testing.T) {
	exe := shipped(t)
	for _, tc := range []struct {
		name, config string
		env          []string
		says         string
	}{
		{"no role", "", []string{"KEYTURN_TABLE=x"}, "KEYTURN_ROLE is not set"},
		{"an unknown role", "", []string{"KEYTURN_ROLE=janitor"}, `KEYTURN_ROLE is \"janitor\"`},
		{"no queue", "", []string{"KEYTURN_ROLE=scheduler", "KEYTURN_TABLE=x"}, "KEYTURN_QUEUE_URL is not set"},
		{"no configuration", "-", []string{"KEYTURN_ROLE=bot", "KEYTURN_TABLE=x"}, "there is no configuration file"},
		{"a file as store", "sqlite", []string{"KEYTURN_ROLE=rotator", "KEYTURN_TABLE=x"}, "set store.dynamodb instead of store.sqlite"},
		{"no table's name", "", []string{"KEYTURN_ROLE=rotator"}, "KEYTURN_TABLE is not set"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, plan{})
			dir := t.TempDir()
			text := s.config()
			if tc.config == "sqlite" {
				text = strings.Replace(text, `dynamodb: "env:KEYTURN_TABLE"`, "sqlite: keys.db", 1)
			}
			if tc.config != "-" {
				if err := os.WriteFile(filepath.Join(dir, "keyturn.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			fn, err := lambdaemu.New(lambdaemu.Options{
				Name: "keyturn", Path: exe, TaskRoot: dir, Env: append(tc.env, "AWS_ENDPOINT_URL="+s.AWS.URL()), Region: world.Region, Log: s.logs,
				Credentials: func() lambdaemu.Credentials {
					c, err := s.AWS.RoleCredentials(central, "keyturn-rotator", "keyturn-rotator")
					if err != nil {
						t.Error(err)
					}
					return lambdaemu.Credentials(c)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer fn.Close() //nolint:errcheck // its processes are over with the test
			r, err := fn.Invoke(t.Context(), []byte(`{"Records":[]}`))
			if err != nil {
				t.Fatal(err)
			}
			if r.FunctionError == "" || !strings.Contains(r.Log, tc.says) {
				t.Errorf("%q\n%s", r.FunctionError, r.Log)
			}
		})
	}
}
