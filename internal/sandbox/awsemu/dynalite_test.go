package awsemu

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
)

// TestBeforeARealServer has the front before dynalite: expressions, conditions, numbers, sets and long items, with a stream.
func TestBeforeARealServer(t *testing.T) {
	behind := ok(dynalite.Start(t.Context()))(t)
	t.Cleanup(func() {
		if err := behind.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &tables{emu: startWith(t, Options{DynamoDB: DynamoDB{URL: behind.URL()}})}
	f.c = dynamodb.NewFromConfig(f.in(member))
	ok(0, createTestTable(f.c, "keyturn", "NEW_AND_OLD_IMAGES"))(t)
	for d := (*dynamodb.DescribeTableOutput)(nil); d == nil || d.Table.TableStatus != "ACTIVE"; {
		d = ok(f.c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: ptr("keyturn")}))(t)
		if *d.Table.LatestStreamArn != f.StreamARN(member, "keyturn") || *d.Table.TableArn != "arn:aws:dynamodb:eu-central-1:200000000002:table/keyturn" {
			t.Fatalf("%+v", d.Table)
		}
	}
	long := strings.Repeat("x", 60_000)
	put := func(version string, more ddb.AttributeValue) error {
		return try(f.c.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: ptr("keyturn"), Item: map[string]ddb.AttributeValue{"pk": s("a"), "v": s(version), "long": s(long), "more": more},
			ConditionExpression: ptr("attribute_not_exists(pk) OR #v < :v"), ExpressionAttributeNames: map[string]string{"#v": "v"}, ExpressionAttributeValues: map[string]ddb.AttributeValue{":v": s(version)},
		}))
	}
	ok(0, put("1", &ddb.AttributeValueMemberSS{Value: []string{"x", "y"}}))(t)
	var failed *ddb.ConditionalCheckFailedException
	if err := put("1", &ddb.AttributeValueMemberN{Value: "7"}); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	ok(0, put("2", &ddb.AttributeValueMemberN{Value: "7.50"}))(t)
	set := func(expression string) error {
		return try(f.c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s("a")}, UpdateExpression: &expression, ExpressionAttributeValues: map[string]ddb.AttributeValue{":n": &ddb.AttributeValueMemberN{Value: "7.5"}}}))
	}
	ok(0, set("SET more = :n"))(t) // the same number
	ok(0, set("SET more = more + :n"))(t)
	out := ok(f.c.Query(ctx, &dynamodb.QueryInput{TableName: ptr("keyturn"), KeyConditionExpression: ptr("pk = :p"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":p": s("a")}}))(t)
	if n, _ := out.Items[0]["more"].(*ddb.AttributeValueMemberN); n == nil || n.Value != "15" {
		t.Errorf("%+v", out.Items[0]["more"])
	}
	ok(f.c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s("a")}}))(t)
	var got []string
	for _, e := range f.events(0) {
		got = append(got, e.short())
	}
	if want := []string{"INSERT a -→1", "MODIFY a 1→2", "MODIFY a 2→2", "REMOVE a 2→-"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err := f.c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s("a")}, UpdateExpression: ptr("SET")})
	refusedWith(t, err, "ValidationException", 400)
}
