package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
	"github.com/keyturn/keyturn/internal/store/dynamo"
)

// wire stands between a client and the server. f answers a call; send passes it on.
type wire func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error)

// Do implements aws.HTTPClient.
func (f wire) Do(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	return f(op, body, func() (*http.Response, error) {
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return dynalite.HTTP().Do(again)
	})
}

// through puts a wire before the server.
func through(w wire) func(*dynamo.Options, *dynamodb.Options) {
	return func(_ *dynamo.Options, c *dynamodb.Options) { c.HTTPClient = w }
}

// noRetries makes a client that gives up at once.
func noRetries(_ *dynamo.Options, c *dynamodb.Options) { c.Retryer = aws.NopRetryer{} }

// atOnce makes a client that retries without waiting.
func atOnce(_ *dynamo.Options, c *dynamodb.Options) {
	c.Retryer = impatient{c.Retryer}
}

var writes = []string{"PutItem", "UpdateItem", "DeleteItem"}

var errLost = errors.New("the connection was lost")

// fault loses one write: before or after the server has done it. From then on all is lost, as for a process that died, unless
// it is only the answer that is lost.
type fault struct {
	at       int  // the number of the write, counted from 1; 0 is none
	done     bool // the server does it
	dies     bool // and nothing works from then on
	mu       sync.Mutex
	seen     int
	happened bool
}

func (f *fault) wire(op string, _ []byte, send func() (*http.Response, error)) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock() // one after the other: writes have numbers
	if f.happened && f.dies {
		return nil, errLost
	}
	if slices.Contains(writes, op) {
		f.seen++
		if f.seen == f.at {
			f.happened = true
			if f.done {
				if _, err := send(); err != nil {
					return nil, err
				}
			}
			return nil, errLost
		}
	}
	return send()
}

// answer makes an answer of an error as DynamoDB writes it.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"REQUEST1"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// raw reads every item of a partition.
func raw(ctx context.Context, table, pk string) ([]map[string]types.AttributeValue, error) {
	out, err := server.Client().Query(ctx, &dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

func str(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// impatient retries as often, without waiting.
type impatient struct{ aws.Retryer }

// RetryDelay implements aws.Retryer.
func (impatient) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// once calls f before the n-th call of an operation.
func once(op string, n int, f func()) wire {
	var mu sync.Mutex
	seen := 0
	return func(o string, _ []byte, send func() (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		now := false
		if o == op {
			seen++
			now = seen == n
		}
		mu.Unlock()
		if now {
			f()
		}
		return send()
	}
}

// remove deletes an item.
func remove(t *testing.T, table string, it map[string]types.AttributeValue) {
	t.Helper()
	_, err := server.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: map[string]types.AttributeValue{"pk": it["pk"], "sk": it["sk"]}})
	must(t, err)
}

// tctx is for calls within properties, which have no context of their own.
var tctx = context.Background()

// set changes an attribute of an item behind the store's back.
func set(t *testing.T, table, pk, sk, name string, value any) {
	t.Helper()
	var v types.AttributeValue
	switch x := value.(type) {
	case int:
		v = &types.AttributeValueMemberN{Value: strconv.Itoa(x)}
	case string:
		v = &types.AttributeValueMemberS{Value: x}
	case []byte:
		v = &types.AttributeValueMemberB{Value: x}
	}
	_, err := server.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
		UpdateExpression: aws.String("SET #a = :v"), ConditionExpression: aws.String("attribute_exists(pk)"),
		ExpressionAttributeNames: map[string]string{"#a": name}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": v},
	})
	must(t, err)
}
