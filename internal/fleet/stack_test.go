package fleet

import (
	"encoding/json"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/infra/template"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
)

// stack is the main template as it is deployed with the usual parameters: what Lambda's emulator does is taken from it.
var stack = sync.OnceValues(func() (template.Resources, error) {
	tpl, err := template.Load(filepath.Join(folder, "keyturn.yaml"))
	if err != nil {
		return nil, err
	}
	return tpl.Resolve(template.Env{Account: central, Region: "eu-central-1", Attributes: attributes, Params: map[string]string{
		"CodeBucket": "bucket", "CodeKey": "key", "OrganizationId": org, "EmailFrom": "security@example.com", "EmailIdentity": "example.com",
		"SlackTokenSecretArn":   "arn:aws:secretsmanager:eu-central-1:500000000005:secret:token-AbCdEf",
		"SlackSigningSecretArn": "arn:aws:secretsmanager:eu-central-1:500000000005:secret:signing-AbCdEf",
	}})
})

func deployed(t testing.TB) template.Resources {
	t.Helper()
	res, err := stack()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// whole reads a whole number of a resource.
func whole(t testing.TB, id string, path ...string) int {
	t.Helper()
	b, err := json.Marshal(deployed(t)[id].Get(path...))
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := json.Unmarshal(b, &n); err != nil {
		t.Fatalf("%s %v: %s is not a whole number", id, path, b)
	}
	return n
}

// timeouts are those of the functions, by role.
func timeouts(t testing.TB) map[string]time.Duration {
	t.Helper()
	out := map[string]time.Duration{}
	for role, id := range map[string]string{"bot": "Bot", "scheduler": "Scheduler", "rotator": "Rotator"} {
		out[role] = time.Duration(whole(t, id, "Timeout")) * time.Second
	}
	return out
}

// receives is how often a message of the queue of accounts is tried.
func receives(t testing.TB) int {
	t.Helper()
	return whole(t, "AccountsQueue", "RedrivePolicy", "maxReceiveCount")
}

// mapping is an event source mapping of the table's stream.
func mapping(t testing.TB, id string) lambdaemu.StreamOptions {
	t.Helper()
	o := lambdaemu.StreamOptions{
		BatchSize: whole(t, id, "BatchSize"), ParallelizationFactor: whole(t, id, "ParallelizationFactor"),
		MaximumRetryAttempts: whole(t, id, "MaximumRetryAttempts"), ReportBatchItemFailures: true,
		BisectBatchOnFunctionError: deployed(t)[id].Get("BisectBatchOnFunctionError") == true,
	}
	filters, ok := deployed(t)[id].Get("FilterCriteria", "Filters").([]any)
	if !ok || len(filters) != 1 {
		t.Fatalf("%s has the filters %v", id, filters)
	}
	f, _ := filters[0].(map[string]any)
	pattern, ok := f["Pattern"].(string)
	if !ok {
		t.Fatalf("%s has the filter %v", id, filters[0])
	}
	o.Filters = []string{pattern}
	return o
}

// attributes are those that only AWS knows.
var attributes = map[string]string{"Table.StreamArn": "arn:aws:dynamodb:eu-central-1:" + central + ":table/keyturn/stream/2026-06-01T00:00:00.000"}
