package dynamo_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

var _ storetest.Store = (*dynamo.Store)(nil)

var (
	server *dynalite.Server
	tables atomic.Int64
	ever   calls // every call of every store of these tests
)

// allowed are the operations of the store. The roles' policies grant these and no others.
var allowed = []string{"BatchGetItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "UpdateItem"}

func TestMain(m *testing.M) {
	var err error
	if server, err = dynalite.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if got := slices.Sorted(maps.Keys(ever.all())); flag.Lookup("test.run").Value.String() == "" && code == 0 && !slices.Equal(got, allowed) {
		fmt.Fprintf(os.Stderr, "FAIL: the store called %v, not %v\n", got, allowed)
		code = 1
	}
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		code = 1
	}
	os.Exit(code)
}

// TestOperations looks for calls that no test makes: the store has no transaction and no scan, and asks for no more rights.
func TestOperations(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	found := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`client\.([A-Z]\w*)\(`).FindAllStringSubmatch(string(b), -1) {
			found[m[1]] = true
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, allowed) {
		t.Errorf("the store's code calls %v, not %v", got, allowed)
	}
}

// calls counts operations.
type calls struct {
	mu sync.Mutex
	by map[string]int
}

func (c *calls) add(op string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[op]++
}

func (c *calls) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

// reset forgets what was counted, and returns it.
func (c *calls) reset() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.by
	c.by = nil
	return was
}

// table makes a table of its own for a test.
func table(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("keyturn-%d", tables.Add(1))
	if err := server.Table(t.Context(), dynamo.Schema(name)); err != nil {
		t.Fatal(err)
	}
	return name
}

// open opens a store on a table, whose calls are checked and counted.
func open(t *testing.T, table string, change ...func(*dynamo.Options, *dynamodb.Options)) (*dynamo.Store, *calls) {
	t.Helper()
	counted := &calls{}
	o := dynamo.Options{Table: table}
	o.Client = server.Client(func(c *dynamodb.Options) {
		c.APIOptions = append(c.APIOptions, watch(t, counted))
		for _, f := range change {
			f(&o, c)
		}
	})
	return dynamo.New(o), counted
}

// watch counts calls and checks what DynamoDB checks and dynalite does not.
func watch(t *testing.T, counted *calls) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("watch", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			op := awsmiddleware.GetOperationName(ctx)
			counted.add(op)
			ever.add(op)
			for _, fault := range strict(in.Parameters) {
				t.Errorf("%s: %s", op, fault)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	}
}

// strict finds what DynamoDB would refuse, and items that are larger than the store's own limit.
func strict(params any) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	keys := func(it map[string]types.AttributeValue) {
		for name, v := range it {
			most := 0
			switch {
			case strings.HasSuffix(name, "pk"):
				most = 2048
			case strings.HasSuffix(name, "sk"):
				most = 1024
			default:
				continue
			}
			if s, ok := v.(*types.AttributeValueMemberS); !ok || s.Value == "" || len(s.Value) > most {
				add("key %s is %.60v", name, v)
			}
		}
	}
	values := func(vs map[string]types.AttributeValue) {
		if vs != nil && len(vs) == 0 {
			add("no values")
		}
		for name, v := range vs {
			if s, ok := v.(*types.AttributeValueMemberS); ok && (s.Value == "" || strings.Contains(name, "k") && len(s.Value) > 2048) {
				add("value %s is %.60q", name, s.Value)
			}
		}
	}
	switch in := params.(type) {
	case *dynamodb.PutItemInput:
		keys(in.Item)
		values(in.ExpressionAttributeValues)
		if n := bytesOf(in.Item); n > 64<<10 {
			add("an item of %d bytes", n)
		}
	case *dynamodb.UpdateItemInput:
		keys(in.Key)
		values(in.ExpressionAttributeValues)
	case *dynamodb.DeleteItemInput:
		keys(in.Key)
		values(in.ExpressionAttributeValues)
	case *dynamodb.GetItemInput:
		keys(in.Key)
		if !aws.ToBool(in.ConsistentRead) {
			add("it may read what was")
		}
	case *dynamodb.QueryInput:
		values(in.ExpressionAttributeValues)
		if in.IndexName == nil != aws.ToBool(in.ConsistentRead) {
			add("consistent: %v, of index %q", aws.ToBool(in.ConsistentRead), aws.ToString(in.IndexName))
		}
		if in.Limit != nil && *in.Limit < 1 {
			add("limit %d", *in.Limit)
		}
	case *dynamodb.BatchGetItemInput:
		for _, r := range in.RequestItems {
			if len(r.Keys) == 0 || len(r.Keys) > 100 || !aws.ToBool(r.ConsistentRead) {
				add("%d keys, consistent: %v", len(r.Keys), aws.ToBool(r.ConsistentRead))
			}
			for _, k := range r.Keys {
				keys(k)
			}
		}
	}
	return faults
}

// bytesOf counts an item as DynamoDB does, for the types that the store writes.
func bytesOf(it map[string]types.AttributeValue) int {
	n := 0
	for name, v := range it {
		n += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += len(v.Value)/2 + 1
		case *types.AttributeValueMemberL:
			n += 3 + len(v.Value) + bytesOf(map[string]types.AttributeValue{"": v.Value[0]})*len(v.Value)
		}
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
