package infra

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/infra/template"
	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/rotator"
)

func TestFunctions(t *testing.T) {
	rs := resolve(t, "keyturn.yaml", "Architecture", "x86_64")
	want := map[string]struct {
		role, id string
		timeout  int
	}{"Bot": {"bot", "BotRole", 10}, "Scheduler": {"scheduler", "SchedulerRole", 900}, "Rotator": {"rotator", "RotatorRole", 120}}
	if got := ofType(rs, "AWS::Lambda::Function"); len(got) != len(want) {
		t.Errorf("functions: %v", got)
	}
	for id, w := range want {
		f := rs[id]
		vars, _ := f.Get("Environment", "Variables").(map[string]any)
		wantVars := map[string]any{"KEYTURN_ROLE": w.role, "KEYTURN_TABLE": "keyturn", "KEYTURN_SECRETS_REVISION": 1}
		if id == "Scheduler" {
			wantVars["GOGC"] = "60"
			wantVars["KEYTURN_QUEUE_URL"] = "https://sqs.eu-central-1.amazonaws.com/444455556666/keyturn-accounts"
		}
		if diff := cmp.Diff(wantVars, vars); diff != "" {
			t.Errorf("%s: environment: %s", id, diff)
		}
		if f.Get("Runtime") != "provided.al2023" || f.Get("Handler") != "bootstrap" || fmt.Sprint(f.Get("Architectures")) != "[x86_64]" || number(f.Get("Timeout")) != w.timeout {
			t.Errorf("%s: %v", id, f.Properties)
		}
		if role := fmt.Sprint(rs[w.id].Get("RoleName")); f.Get("Role") != "arn:aws:iam::444455556666:role/"+role || role != "keyturn-"+w.role {
			t.Errorf("%s: role %v", id, f.Get("Role"))
		}
		if group := f.Get("LoggingConfig", "LogGroup"); group != "/aws/lambda/keyturn-"+w.role {
			t.Errorf("%s: it logs to %v", id, group)
		}
	}
	if lease := rotator.DefaultLease; time.Duration(number(rs["Rotator"].Get("Timeout")))*time.Second >= lease {
		t.Errorf("the rotator may run on when its claim of %v is over", lease)
	}
	if rs["Bot"].Get("ReservedConcurrentExecutions") != 20 || rs["Rotator"].Get("ReservedConcurrentExecutions") != 10 {
		t.Error("nothing throttles the bot or the rotator")
	}
	free := resolve(t, "keyturn.yaml", "BotConcurrency", "-1", "RotatorConcurrency", "0")
	if free["Bot"].Get("ReservedConcurrentExecutions") != nil || free["Rotator"].Get("ReservedConcurrentExecutions") != 0 {
		t.Error("-1 does not reserve nothing, or 0 does not stop the rotator")
	}
}

// TestFunctionURL: since October 2025 an address without AWS's own authentication needs both permissions.
func TestFunctionURL(t *testing.T) {
	rs := resolve(t, "keyturn.yaml")
	if rs["BotUrl"].Get("AuthType") != "NONE" || rs["BotUrl"].Get("TargetFunctionArn") != rs["BotUrlPermission"].Get("FunctionName") {
		t.Errorf("the address: %v", rs["BotUrl"].Properties)
	}
	const bot = "arn:aws:lambda:eu-central-1:444455556666:function:keyturn-bot"
	var got []any
	for _, id := range ofType(rs, "AWS::Lambda::Permission") {
		got = append(got, rs[id].Properties)
	}
	want := []any{
		map[string]any{"FunctionName": bot, "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true},
		map[string]any{"FunctionName": bot, "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who may call functions from outside: %s", diff)
	}
}

func TestTable(t *testing.T) {
	table := resolve(t, "keyturn.yaml")["Table"]
	keys := func(v any) string {
		list, _ := v.([]any)
		out := ""
		for _, k := range list {
			m, _ := k.(map[string]any)
			out += fmt.Sprint(m["AttributeName"], " ", m["KeyType"], " ")
		}
		return out
	}
	if got := keys(table.Get("KeySchema")); got != "pk HASH sk RANGE " {
		t.Errorf("keys: %s", got)
	}
	got := map[string]string{}
	indexes, _ := table.Get("GlobalSecondaryIndexes").([]any)
	for _, i := range indexes {
		m, _ := i.(map[string]any)
		p, _ := m["Projection"].(map[string]any)
		got[fmt.Sprint(m["IndexName"])] = keys(m["KeySchema"]) + fmt.Sprint(p["ProjectionType"])
	}
	want, defined := map[string]string{}, []string{"pk", "sk"}
	for _, i := range []string{"due", "owner", "account", "list"} {
		want[i] = i + "pk HASH " + i + "sk RANGE KEYS_ONLY"
		defined = append(defined, i+"pk", i+"sk")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("indexes: %s", diff)
	}
	attributes, _ := table.Get("AttributeDefinitions").([]any)
	var have []string
	for _, a := range attributes {
		m, _ := a.(map[string]any)
		if have = append(have, fmt.Sprint(m["AttributeName"])); m["AttributeType"] != "S" {
			t.Errorf("attribute %v", m)
		}
	}
	if diff := cmp.Diff(defined, have); diff != "" {
		t.Errorf("attributes: %s", diff)
	}
	for path, want := range map[string]any{
		"BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true, "StreamSpecification.StreamViewType": "NEW_IMAGE",
		"TimeToLiveSpecification.AttributeName": "ttl", "TimeToLiveSpecification.Enabled": true,
		"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": true, "SSESpecification.SSEEnabled": true, "SSESpecification.KMSMasterKeyId": nil,
	} {
		if got := at(table, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if table.DeletionPolicy != "Retain" || table.UpdateReplacePolicy != "Retain" {
		t.Errorf("the table goes with its stack: %s, %s", table.DeletionPolicy, table.UpdateReplacePolicy)
	}
	const key = "arn:aws:kms:eu-central-1:444455556666:key/1"
	if got := at(resolve(t, "keyturn.yaml", "TableKmsKeyArn", key)["Table"], "SSESpecification.KMSMasterKeyId"); got != key {
		t.Errorf("its own key: %v", got)
	}
	// A table that is there already, such as a restored one.
	const stream = "arn:aws:dynamodb:eu-central-1:444455556666:table/restored/stream/2"
	rs := resolve(t, "keyturn.yaml", "TableName", "restored", "TableStreamArn", stream)
	if _, made := rs["Table"]; made || rs["RotationsStream"].Get("EventSourceArn") != stream || rs["Bot"].Get("Environment", "Variables", "KEYTURN_TABLE") != "restored" {
		t.Error("a table that is there is not used")
	}
}

func TestQueues(t *testing.T) {
	rs := resolve(t, "keyturn.yaml")
	queues := ofType(rs, "AWS::SQS::Queue")
	if len(queues) != 4 {
		t.Errorf("queues: %v", queues)
	}
	for _, id := range queues {
		if rs[id].Get("SqsManagedSseEnabled") != true {
			t.Errorf("%s is not encrypted", id)
		}
		if id != "AccountsQueue" && number(rs[id].Get("MessageRetentionPeriod")) != 14*24*3600 {
			t.Errorf("%s: what failed is lost before somebody is back from a holiday", id)
		}
	}
	q, dead := rs["AccountsQueue"], rs["AccountsDeadLetters"]
	if q.Get("RedrivePolicy", "deadLetterTargetArn") != "arn:aws:sqs:eu-central-1:444455556666:keyturn-accounts-failed" || q.Get("RedrivePolicy", "maxReceiveCount") != 5 {
		t.Errorf("what happens to accounts that fail: %v", q.Get("RedrivePolicy"))
	}
	if diff := cmp.Diff(map[string]any{"redrivePermission": "byQueue", "sourceQueueArns": []any{"arn:aws:sqs:eu-central-1:444455556666:keyturn-accounts"}}, dead.Get("RedriveAllowPolicy")); diff != "" {
		t.Errorf("whose dead letters: %s", diff)
	}
	visible, tries := number(q.Get("VisibilityTimeout")), number(q.Get("RedrivePolicy", "maxReceiveCount"))
	if visible < 6*number(rs["Scheduler"].Get("Timeout")) {
		t.Errorf("a message comes back after %d s, which is less than six times the function's timeout", visible)
	}
	if kept := number(q.Get("MessageRetentionPeriod")); kept < visible*tries {
		t.Errorf("a message is lost after %d s, before its %d tries are over", kept, tries)
	}
}

func TestMappings(t *testing.T) {
	rs := resolve(t, "keyturn.yaml", "ScanConcurrency", "7")
	const failures = "arn:aws:sqs:eu-central-1:444455556666:keyturn-stream-failed"
	for id, w := range map[string]struct{ function, filter string }{
		"RotationsStream": {"keyturn-rotator", `{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"kind":{"S":["rotation"]},"wake":{"S":["1"]}}}}`},
		"RequestsStream":  {"keyturn-scheduler", `{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"kind":{"S":["request"]}}}}`},
	} {
		if !json.Valid([]byte(w.filter)) {
			t.Fatalf("%s: the filter is no JSON", id)
		}
		want := map[string]any{
			"FunctionName": w.function, "EventSourceArn": "arn:aws:dynamodb:eu-central-1:444455556666:table/keyturn/stream/1", "StartingPosition": "TRIM_HORIZON",
			"BatchSize": 10, "ParallelizationFactor": 10, "MaximumRetryAttempts": 5, "MaximumRecordAgeInSeconds": 86400, "BisectBatchOnFunctionError": true,
			"FunctionResponseTypes": []any{"ReportBatchItemFailures"}, "FilterCriteria": map[string]any{"Filters": []any{map[string]any{"Pattern": w.filter}}},
			"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": failures}},
		}
		if diff := cmp.Diff(want, rs[id].Properties); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	want := map[string]any{
		"FunctionName": "keyturn-scheduler", "EventSourceArn": "arn:aws:sqs:eu-central-1:444455556666:keyturn-accounts", "BatchSize": 1,
		"FunctionResponseTypes": []any{"ReportBatchItemFailures"}, "ScalingConfig": map[string]any{"MaximumConcurrency": 7},
	}
	if diff := cmp.Diff(want, rs["AccountsMapping"].Properties); diff != "" {
		t.Error(diff)
	}
	if got := ofType(rs, "AWS::Lambda::EventSourceMapping"); len(got) != 3 {
		t.Errorf("mappings: %v (a stream takes at most two)", got)
	}
}

func TestSchedules(t *testing.T) {
	rs := resolve(t, "keyturn.yaml", "ScheduleState", "DISABLED", "ScanSchedule", "cron(0 6 * * ? *)", "ScheduleTimezone", "Europe/Berlin")
	const failures = "arn:aws:sqs:eu-central-1:444455556666:keyturn-schedule-failed"
	inputs := map[string]string{"ScanEveryDay": `{"task":"scan","run":"<aws.scheduler.scheduled-time>"}`, "Tick": `{"task":"tick"}`}
	if got := ofType(rs, "AWS::Scheduler::Schedule"); len(got) != len(inputs) {
		t.Errorf("schedules: %v", got)
	}
	for id, input := range inputs {
		s := rs[id]
		if s.Get("State") != "DISABLED" || s.Get("ScheduleExpressionTimezone") != "Europe/Berlin" || s.Get("GroupName") != "keyturn" {
			t.Errorf("%s: %v", id, s.Properties)
		}
		if s.Get("Target", "Input") != input || !json.Valid([]byte(input)) {
			t.Errorf("%s: it says %v", id, s.Get("Target", "Input"))
		}
		if s.Get("Target", "Arn") != "arn:aws:lambda:eu-central-1:444455556666:function:keyturn-scheduler" || s.Get("Target", "DeadLetterConfig", "Arn") != failures ||
			s.Get("Target", "RoleArn") != "arn:aws:iam::444455556666:role/keyturn-schedules" || number(s.Get("Target", "RetryPolicy", "MaximumRetryAttempts")) < 1 {
			t.Errorf("%s: %v", id, s.Get("Target"))
		}
	}
	// Lambda takes a scheduled run and answers before it is done: what the function itself failed goes another way.
	if rs["SchedulerInvokes"].Get("DestinationConfig", "OnFailure", "Destination") != failures {
		t.Error("a scan that the function failed is noted nowhere")
	}
	if got, want := rs["ScanEveryDay"].Get("ScheduleExpression"), "cron(0 6 * * ? *)"; got != want {
		t.Errorf("the scan comes at %v", got)
	}
	if _, ok := rs["SchedulerSilentAlarm"]; ok {
		t.Error("a region that waits has an alarm that rings for ever")
	}
}

func TestLogs(t *testing.T) {
	rs := resolve(t, "keyturn.yaml", "LogRetentionDays", "90")
	groups := ofType(rs, "AWS::Logs::LogGroup")
	if len(groups) != 3 {
		t.Errorf("log groups: %v", groups)
	}
	for _, id := range groups {
		if rs[id].Get("RetentionInDays") != 90 {
			t.Errorf("%s keeps logs for ever", id)
		}
	}
}

func TestAlarms(t *testing.T) {
	none, topic, mail := resolve(t, "keyturn.yaml"), resolve(t, "keyturn.yaml", "AlarmTopicArn", "arn:aws:sns:eu-central-1:444455556666:oncall", "AlarmEmail", "a@example.com"),
		resolve(t, "keyturn.yaml", "AlarmEmail", "a@example.com")
	watched := map[string]bool{}
	for _, id := range ofType(none, "AWS::CloudWatch::Alarm") {
		a := none[id]
		watched[fmt.Sprint(a.Get("Namespace"), " ", a.Get("MetricName"), " ", a.Get("Dimensions"))] = true
		if a.Get("AlarmActions") != nil {
			t.Errorf("%s: %v", id, a.Get("AlarmActions"))
		}
		if fmt.Sprint(topic[id].Get("AlarmActions")) != "[arn:aws:sns:eu-central-1:444455556666:oncall]" || fmt.Sprint(mail[id].Get("AlarmActions")) != "[arn:aws:sns:eu-central-1:444455556666:keyturn-alarms]" {
			t.Errorf("%s tells nobody: %v, %v", id, topic[id].Get("AlarmActions"), mail[id].Get("AlarmActions"))
		}
		if a.Get("Namespace") == metric.Namespace {
			if !slices.Contains(metric.Names, metric.Name(fmt.Sprint(a.Get("MetricName")))) {
				t.Errorf("%s watches %v, which nothing writes", id, a.Get("MetricName"))
			}
			if a.Get("Statistic") != "Sum" {
				t.Errorf("%s: keyturn counts events, so they are summed", id)
			}
		}
	}
	if len(ofType(topic, "AWS::SNS::Topic")) != 0 || len(ofType(mail, "AWS::SNS::Topic")) != 1 || mail["AlarmTopic"].Get("Subscription").([]any)[0].(map[string]any)["Endpoint"] != "a@example.com" {
		t.Error("the topic of an address")
	}
	want := []string{}
	for _, q := range []string{"accounts-failed", "stream-failed", "schedule-failed"} {
		want = append(want, "AWS/SQS ApproximateNumberOfMessagesVisible [map[Name:QueueName Value:keyturn-"+q+"]]")
	}
	for f, metrics := range map[string][]string{"bot": {"Errors", "Throttles", "Duration"}, "scheduler": {"Errors", "Throttles", "IteratorAge", "Invocations"}, "rotator": {"Errors", "Throttles", "IteratorAge"}} {
		for _, m := range metrics {
			want = append(want, "AWS/Lambda "+m+" [map[Name:FunctionName Value:keyturn-"+f+"]]")
		}
	}
	for _, m := range []metric.Name{metric.StuckRotations, metric.ScanFailures, metric.StepFailures, metric.DeliveryFailures, metric.UnknownRecords} {
		want = append(want, metric.Namespace+" "+string(m)+" <nil>")
	}
	for _, w := range want {
		if !watched[w] {
			t.Errorf("nothing watches %s", w)
		}
	}
	if len(watched) != len(want) {
		t.Errorf("%d alarms, and %d are expected: %v", len(watched), len(want), watched)
	}
}

// at is a property by a dotted path.
func at(r template.Resource, path string) any {
	return r.Get(splitDots(path)...)
}
