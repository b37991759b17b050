package awsemu

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// DynamoDB says who keeps the tables: the emulator stands before a server that speaks DynamoDB's protocol. It checks
// signatures and policies, counts, lets faults and hooks have their say, passes the requests on, and makes the streams that
// the server behind has not.
type DynamoDB struct {
	URL               string // of the server; "": there is no DynamoDB
	Account           string // whose tables they are: others find none; "": each account sees all tables as its own
	AllowScan         bool   // else Scan and PartiQL are refused
	AllowTransactions bool   // else TransactGetItems and TransactWriteItems are refused
}

// SetDynamoDB changes the server behind, and forgets what was known of the tables and streams of another one.
func (s *Server) SetDynamoDB(d DynamoDB) {
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	if d.URL != s.dynamo.DynamoDB.URL {
		s.dynamo.forget()
	}
	s.dynamo.DynamoDB = d
}

// dynamoFront is the state of the front. Its lock is never held while the server behind is asked.
type dynamoFront struct {
	client *http.Client
	ctx    context.Context // ends with the server
	cancel func()

	mu sync.Mutex
	DynamoDB
	schemas  map[string]schema
	streams  map[string]*stream
	ttl      map[string]string      // attribute by table
	items    map[string]*sync.Mutex // locks, by table and key
	onStream func(table string)
}

func newDynamoFront(d DynamoDB) *dynamoFront {
	f := &dynamoFront{DynamoDB: d, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}, items: map[string]*sync.Mutex{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.forget()
	return f
}

func (f *dynamoFront) forget() {
	f.schemas, f.streams, f.ttl = map[string]schema{}, map[string]*stream{}, map[string]string{}
}

func (f *dynamoFront) options() DynamoDB {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.DynamoDB
}

var dynamoOperations = map[string]operation{
	"GetItem": passOn, "BatchGetItem": passOn, "Query": passOn, "ListTables": passOn, "Scan": passOn, "TransactGetItems": passOn,
	"PutItem": writeItems, "UpdateItem": writeItems, "DeleteItem": writeItems, "BatchWriteItem": writeItems, "TransactWriteItems": writeItems,
	"DescribeTable": describeTable, "CreateTable": createTable, "UpdateTable": updateTable, "DeleteTable": deleteTable,
	"DescribeTimeToLive": describeTTL, "UpdateTimeToLive": updateTTL,
	"ExecuteStatement": refuseStatement, "BatchExecuteStatement": refuseStatement, "ExecuteTransaction": refuseStatement,
}

// passed is an answer of the server behind.
type passed struct {
	status int
	body   []byte
}

// passOn hands a request on as it came.
func passOn(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	return s.behind(r, r.operation, r.body)
}

// refuseDynamo refuses what keyturn must not do, and what is another account's.
func (s *Server) refuseDynamo(r *request) *failure {
	o := s.dynamo.options()
	switch {
	case o.Account != "" && o.Account != r.who.account:
		return failf(400, "ResourceNotFoundException", "Requested resource not found")
	case r.operation == "Scan" && !o.AllowScan:
		return failf(400, "ValidationException", "This emulator refuses Scan: keyturn reads by key and by index (DynamoDB.AllowScan allows it)")
	case strings.HasPrefix(r.operation, "Transact") && !o.AllowTransactions:
		return failf(400, "ValidationException", "This emulator refuses %s: keyturn has no transactions (DynamoDB.AllowTransactions allows them)", r.operation)
	}
	return nil
}

func refuseStatement(s *Server, r *request) (any, *failure) {
	return nil, failf(400, "ValidationException", "This emulator has no PartiQL")
}

// behind asks the server behind. It looks at the form of the signature alone, so the caller's is good for every question.
// Whether the caller waits any longer does not matter: what was begun is finished.
func (s *Server) behind(r *request, operation string, body []byte) (*passed, *failure) {
	req, err := http.NewRequestWithContext(s.dynamo.ctx, http.MethodPost, s.dynamo.options().URL, bytes.NewReader(body))
	if err != nil {
		return nil, behindFailed(err)
	}
	for _, h := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v := r.http.Header.Get(h); v != "" {
			req.Header.Set(h, v)
		}
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", targets["dynamodb"]+"."+operation)
	res, err := s.dynamo.client.Do(req)
	if err != nil {
		return nil, behindFailed(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, behindFailed(err)
	}
	return &passed{res.StatusCode, out}, nil
}

func behindFailed(err error) *failure {
	return failf(http.StatusInternalServerError, "InternalServerError", "the server behind the emulator: %v", err)
}

// lookUp puts a question of the front's own to the server behind, and reads its answer. ok is false if that is an error.
func (s *Server) lookUp(r *request, operation string, in any, out any) (ok bool, f *failure) {
	body, err := json.Marshal(in)
	if err != nil {
		return false, behindFailed(err)
	}
	p, f := s.behind(r, operation, body)
	if f != nil || p.status != http.StatusOK {
		return false, f
	}
	if err := json.Unmarshal(p.body, out); err != nil {
		return false, behindFailed(fmt.Errorf("read the answer of %s: %w", operation, err))
	}
	return true, nil
}

// schema is the names of a table's key attributes, and of its indexes' partition keys.
type schema struct {
	keys    []string // partition key first
	indexes map[string]string
}

// schemaOf looks at a table once. ok is false for a table that is not there.
func (s *Server) schemaOf(r *request, table string) (sc schema, ok bool, f *failure) {
	s.dynamo.mu.Lock()
	sc, ok = s.dynamo.schemas[table]
	s.dynamo.mu.Unlock()
	if ok || table == "" {
		return sc, ok, nil
	}
	type key struct{ AttributeName, KeyType string }
	var out struct {
		Table struct {
			KeySchema              []key
			GlobalSecondaryIndexes []struct {
				IndexName string
				KeySchema []key
			}
		}
	}
	if ok, f = s.lookUp(r, "DescribeTable", map[string]any{"TableName": table}, &out); !ok {
		return sc, false, f
	}
	sc.indexes = map[string]string{}
	for _, k := range out.Table.KeySchema {
		if k.KeyType == "HASH" {
			sc.keys = append([]string{k.AttributeName}, sc.keys...)
		} else {
			sc.keys = append(sc.keys, k.AttributeName)
		}
	}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		for _, k := range i.KeySchema {
			if k.KeyType == "HASH" {
				sc.indexes[i.IndexName] = k.AttributeName
			}
		}
	}
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	s.dynamo.schemas[table] = sc
	return sc, true, nil
}
