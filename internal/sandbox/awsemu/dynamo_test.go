package awsemu

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

type tables struct {
	*emu
	behind *fakeDynamo
	c      *dynamodb.Client
}

// startTables is an emulator with the table t before a fake server.
func startTables(t *testing.T, view string) *tables {
	f := &tables{behind: newFakeDynamo(t)}
	f.emu = startWith(t, Options{DynamoDB: DynamoDB{URL: f.behind.url, Account: member}})
	f.c = dynamodb.NewFromConfig(f.in(member))
	ok(0, createTestTable(f.c, "keyturn", view))(t)
	return f
}

func s(v string) ddb.AttributeValue { return &ddb.AttributeValueMemberS{Value: v} }

func (f *tables) put(pk, v string) error {
	return try(f.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("keyturn"), Item: map[string]ddb.AttributeValue{"pk": s(pk), "v": s(v)}}))
}

func (f *tables) get(pk string) map[string]ddb.AttributeValue {
	f.t.Helper()
	return ok(f.c.GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s(pk)}}))(f.t).Item
}

func TestTablesBehind(t *testing.T) {
	f := startTables(t, "")
	ok(0, f.put("a", "1"))(t)
	if diff := cmp.Diff(map[string]ddb.AttributeValue{"pk": s("a"), "v": s("1")}, f.get("a"), cmp.AllowUnexported(ddb.AttributeValueMemberS{})); diff != "" {
		t.Error(diff)
	}
	_, err := f.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("keyturn"), Item: map[string]ddb.AttributeValue{"pk": s("a")}, ConditionExpression: ptr("attribute_not_exists(pk)")})
	var failed *ddb.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	if slices.Contains(f.behind.calls[3:], "DescribeTable") {
		t.Errorf("the table was looked at again: %v", f.behind.calls)
	}
	_, err = f.c.GetItem(ctx, &dynamodb.GetItemInput{TableName: ptr("nothing"), Key: map[string]ddb.AttributeValue{"pk": s("a")}})
	refusedWith(t, err, "ResourceNotFoundException", 400)
	creds := ok(f.in(member).Credentials.Retrieve(ctx))(t)
	q := raw{service: "dynamodb", target: "DynamoDB_20120810.ListTables", body: "{}", contentType: "application/x-amz-json-1.0", id: creds.AccessKeyID, secret: creds.SecretAccessKey, token: creds.SessionToken}
	res := ok(http.DefaultClient.Do(q.request(t, f.URL())))(t)
	defer res.Body.Close()
	if body := ok(io.ReadAll(res.Body))(t); res.Header.Get("X-Amz-Crc32") != fmt.Sprint(crc32.ChecksumIEEE(body)) || res.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("%s with %v", body, res.Header)
	}
	if n := f.calls(member, "dynamodb", "PutItem"); n != 2 {
		t.Errorf("%d calls counted", n)
	}
}

func TestWhatTheFrontRefuses(t *testing.T) {
	f := startTables(t, "")
	scan := func(c *dynamodb.Client) error {
		return try(c.Scan(ctx, &dynamodb.ScanInput{TableName: ptr("keyturn")}))
	}
	transact := func() error {
		return try(f.c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{{Put: &ddb.Put{TableName: ptr("keyturn"), Item: map[string]ddb.AttributeValue{"pk": s("a")}}}}}))
	}
	refusedWith(t, scan(f.c), "ValidationException", 400)
	refusedWith(t, transact(), "ValidationException", 400)
	refusedWith(t, try(f.c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: ptr("x")})), "ValidationException", 400)
	refusedWith(t, scan(dynamodb.NewFromConfig(f.in(other))), "ResourceNotFoundException", 400)
	refusedWith(t, scan(dynamodb.NewFromConfig(f.as("AKIANOBODY0000000000", "x"))), "UnrecognizedClientException", 400)
	f.SetRoleDeny(member, "keyturn-member", "dynamodb:Scan")
	refusedWith(t, scan(f.c), "AccessDeniedException", 400)
	f.SetRoleDeny(member, "keyturn-member")
	f.SetDynamoDB(DynamoDB{URL: f.behind.url, AllowScan: true, AllowTransactions: true})
	ok(0, scan(f.c))(t)
	ok(0, transact())(t)
	f.SetDynamoDB(DynamoDB{})
	refusedWith(t, scan(f.c), "InvalidSignatureException", 400)
}

func TestFaultsOfDynamoDB(t *testing.T) {
	f := startTables(t, "NEW_IMAGE")
	ok(0, f.put("a", "0"))(t)
	for _, tc := range []struct {
		name      string
		fault     Fault
		code      string // "": no answer
		status    int
		performed bool
	}{
		{"throttled", Fault{Kind: FaultThrottle}, "ProvisionedThroughputExceededException", 400, false},
		{"broken", Fault{Kind: FaultError}, "InternalServerError", 500, false},
		{"dropped before", Fault{Kind: FaultDropBefore}, "", 0, false},
		{"the answer is lost", Fault{Kind: FaultDrop}, "", 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(f.StreamRecords("keyturn", 0))
			tc.fault.Service = "dynamodb"
			f.SetFault(tc.fault)
			err := f.put("a", tc.name)
			if tc.code != "" {
				refusedWith(t, err, tc.code, tc.status)
			} else if err == nil {
				t.Error("was answered")
			}
			v, _ := f.get("a")["v"].(*ddb.AttributeValueMemberS)
			if made := len(f.StreamRecords("keyturn", 0)) - before; (v.Value == tc.name) != tc.performed || (made == 1) != tc.performed {
				t.Errorf("is %s, %d records", v.Value, made)
			}
		})
	}
	f.SetFault(Fault{Service: "dynamodb", Operation: "PutItem", Kind: FaultHang})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := f.c.PutItem(short, &dynamodb.PutItemInput{TableName: ptr("keyturn"), Item: map[string]ddb.AttributeValue{"pk": s("b")}})
	if !errors.Is(err, context.DeadlineExceeded) || f.get("b") != nil {
		t.Errorf("hangs: %v", err)
	}
	f.OnCall(func(c Call) Action {
		if c.Phase == After && c.Operation == "PutItem" {
			return Abort
		}
		return Proceed
	})
	if f.put("c", "1") == nil || f.get("c") == nil {
		t.Error("aborted after it was performed")
	}
	f.OnCall(nil)
	f.behind.break_ = func(operation string) bool { return operation == "PutItem" }
	refusedWith(t, f.put("d", "1"), "InternalServerError", 500)
}

func TestDescriptionsOfTables(t *testing.T) {
	f := startTables(t, "NEW_IMAGE")
	describe := func() *ddb.TableDescription {
		t.Helper()
		return ok(f.c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: ptr("keyturn")}))(t).Table
	}
	const arn = "arn:aws:dynamodb:eu-central-1:200000000002:table/keyturn"
	d := describe()
	if *d.TableArn != arn || *d.GlobalSecondaryIndexes[0].IndexArn != arn+"/index/due" || d.StreamSpecification == nil ||
		d.StreamSpecification.StreamViewType != "NEW_IMAGE" || *d.LatestStreamArn != f.StreamARN(member, "keyturn") || *d.LatestStreamArn != arn+"/stream/"+*d.LatestStreamLabel {
		t.Errorf("%+v", d)
	}
	update := func(on bool, view ddb.StreamViewType) error {
		return try(f.c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: ptr("keyturn"), StreamSpecification: &ddb.StreamSpecification{StreamEnabled: &on, StreamViewType: view}}))
	}
	ok(0, update(false, ""))(t)
	if d = describe(); d.StreamSpecification != nil || d.LatestStreamArn != nil || f.StreamARN(member, "keyturn") != "" {
		t.Errorf("switched off: %+v", d)
	}
	ok(0, update(true, "NEW_AND_OLD_IMAGES"))(t)
	if d = describe(); d.StreamSpecification.StreamViewType != "NEW_AND_OLD_IMAGES" {
		t.Errorf("switched on: %+v", d)
	}
	refusedWith(t, update(true, "SOME_IMAGES"), "ValidationException", 400)

	ttl := func() *ddb.TimeToLiveDescription {
		t.Helper()
		return ok(f.c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: ptr("keyturn")}))(t).TimeToLiveDescription
	}
	if d := ttl(); d.TimeToLiveStatus != "DISABLED" {
		t.Errorf("%+v", d)
	}
	set := func(attribute string, on bool) error {
		return try(f.c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: ptr("keyturn"), TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &on}}))
	}
	ok(0, set("ttl", true))(t)
	if d := ttl(); d.TimeToLiveStatus != "ENABLED" || *d.AttributeName != "ttl" {
		t.Errorf("%+v", d)
	}
	ok(0, set("ttl", false))(t)
	if d := ttl(); d.TimeToLiveStatus != "DISABLED" {
		t.Errorf("%+v", d)
	}
	refusedWith(t, set("", true), "ValidationException", 400)
	_, err := f.c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: ptr("nothing")})
	refusedWith(t, err, "ResourceNotFoundException", 400)
	ok(f.c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: ptr("keyturn")}))(t)
	if f.StreamARN(member, "keyturn") != "" {
		t.Error("the stream outlives its table")
	}
	if names := ok(f.c.ListTables(ctx, &dynamodb.ListTablesInput{}))(t).TableNames; len(names) != 0 {
		t.Errorf("tables %v", names)
	}
}

// TestFunctionOnATable runs under a policy as a template has it.
func TestFunctionOnATable(t *testing.T) {
	f := startTables(t, "NEW_IMAGE")
	f.AddRole(member, "function", "")
	const table = "arn:aws:dynamodb:eu-central-1:200000000002:table/keyturn"
	ok(0, f.SetRolePolicy(member, "function", "store", allow("dynamodb:GetItem "+table, "dynamodb:Query "+table+"/index/*", "dynamodb:PutItem "+table)))(t)
	c := dynamodb.NewFromConfig(f.session(member, "function"))
	query := func(index *string) error {
		return try(c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("keyturn"), IndexName: index, KeyConditionExpression: ptr("pk = :p"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":p": s("a")}}))
	}
	ok(0, query(ptr("due")))(t)
	refusedWith(t, query(nil), "AccessDeniedException", 400)
	_, err := c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s("a")}})
	refusedWith(t, err, "AccessDeniedException", 400)
	f.c = c
	ok(0, f.put("a", "1"))(t) // what the front reads for the stream needs no permission of the caller's
	if n := len(f.StreamRecords("keyturn", 0)); n != 1 {
		t.Errorf("%d records", n)
	}
}
