package awsemu

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// fakeDynamo is a server that speaks as much of DynamoDB's protocol as the front needs: tables with one key attribute pk (and
// sk if the table's name ends in 2), writes by key, one condition, and an update that sets :v.
type fakeDynamo struct {
	t   testing.TB
	url string

	mu     sync.Mutex
	tables map[string]map[string]map[string]any // items by table and key
	calls  []string
	break_ func(operation string) bool
}

func newFakeDynamo(t testing.TB) *fakeDynamo {
	f := &fakeDynamo{t: t, tables: map[string]map[string]map[string]any{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func fakeKey(attributes map[string]any) string {
	b, _ := json.Marshal([]any{attributes["pk"], attributes["sk"]})
	return string(b)
}

func (f *fakeDynamo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.Header.Get("X-Amz-Date") == "" || json.Unmarshal(body, &in) != nil {
		f.t.Errorf("%s: %v %s", operation, r.Header, body)
	}
	f.calls = append(f.calls, operation)
	if f.break_ != nil && f.break_(operation) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	out, code := f.answer(operation, in)
	if code != "" {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": "x"}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *fakeDynamo) answer(operation string, in map[string]any) (any, string) {
	name := text(in, "TableName")
	describe := map[string]any{"TableName": name, "TableStatus": "ACTIVE", "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/" + name,
		"KeySchema":              []any{map[string]any{"AttributeName": "pk", "KeyType": "HASH"}},
		"GlobalSecondaryIndexes": []any{map[string]any{"IndexName": "due", "IndexArn": "arn:aws:dynamodb:us-east-1:000000000000:table/" + name + "/index/due", "KeySchema": []any{map[string]any{"AttributeName": "duepk", "KeyType": "HASH"}}}}}
	if strings.HasSuffix(name, "2") {
		describe["KeySchema"] = []any{map[string]any{"AttributeName": "sk", "KeyType": "RANGE"}, map[string]any{"AttributeName": "pk", "KeyType": "HASH"}}
	}
	table := f.tables[name]
	if operation == "CreateTable" {
		f.tables[name] = map[string]map[string]any{}
		if in["StreamSpecification"] != nil {
			return nil, "ValidationException"
		}
		return map[string]any{"TableDescription": describe}, ""
	}
	if name != "" && table == nil {
		return nil, "ResourceNotFoundException"
	}
	key, item := object(any(in), "Key"), object(any(in), "Item")
	old := table[fakeKey(key)]
	if item != nil {
		old = table[fakeKey(item)]
	}
	if in["ConditionExpression"] == "attribute_not_exists(pk)" && old != nil {
		return nil, "ConditionalCheckFailedException"
	}
	switch operation {
	case "DescribeTable":
		return map[string]any{"Table": describe}, ""
	case "DeleteTable", "UpdateTable":
		delete(f.tables, map[string]string{"DeleteTable": name}[operation])
		return map[string]any{"TableDescription": describe}, ""
	case "ListTables":
		return map[string]any{"TableNames": slices.Sorted(maps.Keys(f.tables))}, ""
	case "GetItem":
		if old == nil {
			return map[string]any{}, ""
		}
		return map[string]any{"Item": old}, ""
	case "PutItem":
		table[fakeKey(item)] = item
	case "UpdateItem":
		next := maps.Clone(key)
		maps.Copy(next, old)
		if v := object(any(in), "ExpressionAttributeValues"); v != nil {
			next["v"] = v[":v"]
		}
		table[fakeKey(key)] = next
	case "DeleteItem":
		delete(table, fakeKey(key))
	case "BatchWriteItem":
		for t, v := range object(any(in), "RequestItems") {
			for _, x := range v.([]any) {
				if item := object(object(x, "PutRequest"), "Item"); item != nil {
					f.tables[t][fakeKey(item)] = item
				}
				delete(f.tables[t], fakeKey(object(object(x, "DeleteRequest"), "Key")))
			}
		}
	}
	return map[string]any{}, ""
}

func createTestTable(c *dynamodb.Client, name, view string) error {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: "PAY_PER_REQUEST",
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: ptr("pk"), AttributeType: "S"}}, KeySchema: []ddb.KeySchemaElement{{AttributeName: ptr("pk"), KeyType: "HASH"}}}
	if strings.HasSuffix(name, "2") {
		in.AttributeDefinitions = append(in.AttributeDefinitions, ddb.AttributeDefinition{AttributeName: ptr("sk"), AttributeType: "S"})
		in.KeySchema = append(in.KeySchema, ddb.KeySchemaElement{AttributeName: ptr("sk"), KeyType: "RANGE"})
	}
	if view != "" {
		in.StreamSpecification = &ddb.StreamSpecification{StreamEnabled: ptr(true), StreamViewType: ddb.StreamViewType(view)}
	}
	_, err := c.CreateTable(ctx, in)
	return err
}
