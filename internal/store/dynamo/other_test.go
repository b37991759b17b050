package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/record"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// fillAll saves one of everything but a run, under account 1 and user 2.
func fillAll(t *testing.T, s *dynamo.Store) {
	t.Helper()
	ctx := t.Context()
	r := long(storetest.Rotation(1), 100, 900)
	r.State = rotation.Closed
	r, err := s.SaveRotation(ctx, r)
	must(t, err)
	r.Episode, r.State, r.History = 2, rotation.Awaiting, nil
	_, err = s.SaveRotation(ctx, long(r, 100, 900))
	must(t, err)
	must(t, s.SaveSnapshot(ctx, large(1, 1500)))
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: "1", UserID: "2"}))
	must(t, s.SaveRequest(ctx, rotation.Request{Account: "1", UserID: "2"}))
	must(t, s.SetState(ctx, "name", "value"))
}

// TestNewer: what a newer version wrote is neither read nor touched.
func TestNewer(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	ctx := t.Context()
	fillAll(t, s)
	r, err := s.GetRotation(ctx, storetest.Rotation(1).ID)
	must(t, err)
	account := large(1, 0).Account
	for _, k := range [][2]string{
		{dynamo.RotationPK(r.ID), "head"}, {"snapshot#" + string(account), "head"}, {"exemption#1", "2"}, {"request", "1#2"},
	} {
		set(t, name, k[0], k[1], "schema", record.Schema+1)
		set(t, name, k[0], k[1], "body", fmt.Sprintf(`{"schema":%d,"kind":"anything","data":[]}`, record.Schema+1))
		set(t, name, k[0], k[1], "version", 77)
	}
	before, err := raw(ctx, name, "request")
	must(t, err)
	fresh, _ := open(t, name)
	_, get := fresh.GetRotation(ctx, r.ID)
	_, save := s.SaveRotation(ctx, storetest.Note(r, "over it")) // it remembers the version before
	_, unread := fresh.SaveRotation(ctx, storetest.Note(r, "over it"))
	_, first := s.SaveRotation(ctx, storetest.Rotation(1))
	_, byKey := s.RotationByKey(ctx, r.Old.ID)
	_, _, list := s.ListRotations(ctx, store.Filter{}, store.Page{})
	_, episodes := s.ListEpisodes(ctx, r.ID)
	_, snapshot := s.GetSnapshot(ctx, account)
	_, _, snapshots := s.ListSnapshots(ctx, store.Page{})
	_, exemption := s.GetExemption(ctx, "1", "2")
	_, _, exemptions := s.ListExemptions(ctx, "", store.Page{})
	_, _, requests := s.ListRequests(ctx, store.Page{})
	for name, err := range map[string]error{
		"get": get, "save": save, "save without reading": unread, "first save": first, "by key": byKey, "list": list, "episodes": episodes,
		"snapshot": snapshot, "snapshots": snapshots, "save snapshot": s.SaveSnapshot(ctx, large(1, 1)),
		"exemption": exemption, "exemptions": exemptions, "save exemption": s.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: "1", UserID: "2"}),
		"delete exemption": s.DeleteExemption(ctx, "1", "2"),
		"requests":         requests, "save request": s.SaveRequest(ctx, rotation.Request{Account: "1", UserID: "2"}),
		"delete request": s.DeleteRequest(ctx, rotation.Request{Account: "1", UserID: "2"}),
	} {
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after, err := raw(ctx, name, "request")
	if err != nil || len(after) != 1 || str(after[0]["token"]) != str(before[0]["token"]) {
		t.Errorf("the request was touched: %v", err)
	}
}

// TestErrors: what DynamoDB says becomes what callers decide on, and a sentence for whoever has to mend it.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code string
		is   error
		text []string
	}{
		{"ProvisionedThroughputExceededException", store.ErrBusy, nil},
		{"ThrottlingException", store.ErrBusy, nil},
		{"RequestLimitExceeded", store.ErrBusy, nil},
		{"ResourceNotFoundException", nil, []string{"no table keyturn-none here", "store.dynamodb", "region", "deploy the stack"}},
		{"AccessDeniedException", nil, []string{"role's policy", "dynamodb:Query", "table keyturn-none"}},
		{"ValidationException", nil, []string{"Query: ValidationException: some words (request REQUEST1)"}},
	} {
		t.Run(c.code, func(t *testing.T) {
			s, _ := open(t, "keyturn-none", noRetries, through(func(string, []byte, func() (*http.Response, error)) (*http.Response, error) {
				return answer(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#`+c.code+`","message":"some words"}`), nil
			}))
			_, get := s.GetRotation(t.Context(), "1/2")
			_, _, list := s.ListRotations(t.Context(), store.Filter{}, store.Page{})
			_, _, due := s.Due(t.Context(), storetest.Noon, store.Page{})
			_, save := s.SaveRotation(t.Context(), storetest.Rotation(1))
			for name, err := range map[string]error{"get": get, "list": list, "due": due, "save": save, "touch": s.Touch(t.Context(), "1/2"), "check": s.Check(t.Context()), "state": s.SetState(t.Context(), "a", "b")} {
				if err == nil || c.is != nil && !errors.Is(err, c.is) || c.is == nil && errors.Is(err, store.ErrBusy) {
					t.Errorf("%s: %v", name, err)
				}
				for _, bad := range []error{store.ErrNotFound, store.ErrConflict, store.ErrNewer} {
					if errors.Is(err, bad) {
						t.Errorf("%s: %v is %v", name, err, bad)
					}
				}
			}
			for _, text := range c.text {
				if !strings.Contains(get.Error(), text) {
					t.Errorf("%v does not say %q", get, text)
				}
			}
		})
	}
}

// TestNoTable: dynalite's own words for a table that is not there.
func TestNoTable(t *testing.T) {
	t.Parallel()
	s, _ := open(t, "keyturn-none")
	if _, err := s.GetRotation(t.Context(), "1/2"); err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "deploy the stack") {
		t.Errorf("%v", err)
	}
}

// TestEndedMeanwhile: a context that ends in the middle of a call is what the call returns.
func TestEndedMeanwhile(t *testing.T) {
	t.Parallel()
	name := table(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, _ := open(t, name, through(func(string, []byte, func() (*http.Response, error)) (*http.Response, error) {
		cancel()
		return nil, errLost
	}))
	if _, err := s.GetRotation(ctx, "1/2"); !errors.Is(err, context.Canceled) || errors.Is(err, errLost) {
		t.Errorf("%v", err)
	}
}

// TestUnprocessed: a batch that comes in parts is asked for until it is whole, with pauses where nothing came, and not for ever.
func TestUnprocessed(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	ctx := t.Context()
	for i := range 6 {
		_, err := s.SaveRotation(ctx, storetest.Rotation(3*i))
		must(t, err)
	}
	for _, c := range []struct {
		name   string
		none   int // batches of which nothing comes
		pauses int
		is     error
	}{{"throttled for a while", 3, 3, nil}, {"throttled for good", 99, 7, store.ErrBusy}} {
		t.Run(c.name, func(t *testing.T) {
			none, pauses := c.none, 0
			reader, _ := open(t, name, through(func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
				if op == "BatchGetItem" && none > 0 {
					none--
					return answer(http.StatusOK, `{"Responses":{},"UnprocessedKeys":`+string(requestItems(body))+`}`), nil
				}
				return send()
			}))
			dynamo.SetPause(reader, func(_ context.Context, d time.Duration) error {
				if pauses++; d <= 0 || d > time.Second {
					t.Errorf("a pause of %v", d)
				}
				return nil
			})
			all, _, err := reader.RotationsByAccount(ctx, storetest.Rotation(0).Account, store.Page{})
			if !errors.Is(err, c.is) || c.is == nil && len(all) != 6 || pauses != c.pauses {
				t.Errorf("%d rotations after %d pauses, %v", len(all), pauses, err)
			}
		})
	}
	ended, cancel := context.WithCancel(ctx)
	reader, _ := open(t, name, through(func(op string, body []byte, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "BatchGetItem" {
			cancel()
			return answer(http.StatusOK, `{"Responses":{},"UnprocessedKeys":`+string(requestItems(body))+`}`), nil
		}
		return send()
	}))
	if _, _, err := reader.RotationsByAccount(ended, storetest.Rotation(0).Account, store.Page{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

// TestLargeBatch: a page whose records are too many bytes for one answer.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	s, counted := open(t, table(t))
	const n = 60
	for i := range n {
		r := storetest.Rotation(3 * i)
		r.Tags = map[string]string{"large": strings.Repeat("x", 40_000)}
		_, err := s.SaveRotation(t.Context(), r)
		must(t, err)
	}
	counted.reset()
	got, next, err := s.RotationsByAccount(t.Context(), storetest.Rotation(0).Account, store.Page{})
	if c := counted.reset(); err != nil || len(got) != n || next != "" || c["BatchGetItem"] < 2 {
		t.Errorf("%d of %d, %q, %v by %v", len(got), n, next, err, c)
	}
}

// TestCheck: dynalite knows no streams, and the rest is as it should be.
func TestCheck(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, _ := open(t, name)
	err := s.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "stream is off") || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("without a stream: %v", err)
	}
	name = fmt.Sprintf("keyturn-%d", tables.Add(1))
	bare := dynamo.Schema(name)
	bare.GlobalSecondaryIndexes, bare.AttributeDefinitions = bare.GlobalSecondaryIndexes[:1], bare.AttributeDefinitions[:4]
	must(t, server.Table(t.Context(), bare))
	s, _ = open(t, name)
	err = s.Check(t.Context())
	for _, text := range []string{"index owner is missing", "index account is missing", "index list is missing", "stream is off"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}

// TestCheckDescribed checks descriptions as DynamoDB makes them.
func TestCheckDescribed(t *testing.T) {
	t.Parallel()
	const (
		status = `"TableStatus":"ACTIVE"`
		keys   = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`
		stream = `"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`
	)
	attributes, indexes := []string{}, []string{}
	for _, a := range dynamo.Schema("t").AttributeDefinitions {
		attributes = append(attributes, `{"AttributeType":"S","AttributeName":"`+aws.ToString(a.AttributeName)+`"}`)
	}
	for _, i := range []string{"list", "account", "owner", "due"} { // in another order
		indexes = append(indexes, `{"IndexName":"`+i+`","IndexStatus":"ACTIVE","KeySchema":[{"AttributeName":"`+i+`pk","KeyType":"HASH"},{"AttributeName":"`+i+`sk","KeyType":"RANGE"}]}`)
	}
	good := "{" + strings.Join([]string{status, keys, stream, `"AttributeDefinitions":[` + strings.Join(attributes, ",") + "]", `"GlobalSecondaryIndexes":[` + strings.Join(indexes, ",") + "]"}, ",") + "}"
	for _, c := range []struct{ name, from, to, want string }{
		{"good", "", "", ""},
		{"old images, too", `NEW_IMAGE`, `NEW_AND_OLD_IMAGES`, ""},
		{"changing", status, `"TableStatus":"UPDATING"`, ""},
		{"not made yet", status, `"TableStatus":"CREATING"`, "it is CREATING, not ACTIVE: wait"},
		{"another table", keys, `"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]`, "its keys are id (?), not pk (S), sk (S)"},
		{"another type", `{"AttributeType":"S","AttributeName":"sk"}`, `{"AttributeType":"N","AttributeName":"sk"}`, "pk (S), sk (N)"},
		{"no index", `"IndexName":"due"`, `"IndexName":"due2"`, "the index due is missing"},
		{"another index", `{"AttributeName":"ownersk","KeyType":"RANGE"}`, `{"AttributeName":"pk","KeyType":"RANGE"}`, "the keys of index owner are ownerpk (S), pk (S)"},
		{"an index that is filled", `"IndexName":"list","IndexStatus":"ACTIVE"`, `"IndexName":"list","IndexStatus":"CREATING"`, "the index list is CREATING"},
		{"no stream", stream, `"StreamSpecification":{"StreamEnabled":false}`, "its stream is off"},
		{"the wrong stream", `NEW_IMAGE`, `KEYS_ONLY`, "its stream carries KEYS_ONLY"},
		{"nothing", good, "null", "no table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := strings.Replace(good, c.from, c.to, 1)
			if c.from != "" && said == good {
				t.Fatal("nothing was changed")
			}
			s, _ := open(t, "keyturn-described", through(func(op string, _ []byte, _ func() (*http.Response, error)) (*http.Response, error) {
				return answer(http.StatusOK, `{"Table":`+said+`}`), nil
			}))
			err := s.Check(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestSchema: pay per request, every index with keys alone, and a stream of new images.
func TestSchema(t *testing.T) {
	in := dynamo.Schema("t")
	if in.BillingMode != "PAY_PER_REQUEST" || in.StreamSpecification.StreamViewType != "NEW_IMAGE" || len(in.GlobalSecondaryIndexes) != 4 || len(in.AttributeDefinitions) != 10 {
		t.Errorf("%+v", in)
	}
	for _, i := range in.GlobalSecondaryIndexes {
		if i.Projection.ProjectionType != "KEYS_ONLY" {
			t.Errorf("%s projects %s", aws.ToString(i.IndexName), i.Projection.ProjectionType)
		}
	}
}
