package awsemu

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// event is a record as Lambda gets it.
type event struct {
	EventID, EventName, EventVersion, EventSource, AwsRegion, EventSourceARN string
	Dynamodb                                                                 struct {
		ApproximateCreationDateTime    float64
		Keys, NewImage, OldImage       map[string]map[string]any
		SequenceNumber, StreamViewType string
		SizeBytes                      int
	}
}

func (f *tables) events(after int) (out []event) {
	f.t.Helper()
	for _, r := range f.StreamRecords("keyturn", after) {
		var e event
		if err := json.Unmarshal(r.JSON, &e); err != nil || e.EventName != r.Name {
			f.t.Fatalf("%v: %s", err, r.JSON)
		}
		out = append(out, e)
	}
	return out
}

func (e event) short() string {
	value := func(m map[string]map[string]any) any {
		if m == nil {
			return "-"
		}
		return m["v"]["S"]
	}
	return fmt.Sprint(e.EventName, " ", e.Dynamodb.Keys["pk"]["S"], " ", value(e.Dynamodb.OldImage), "→", value(e.Dynamodb.NewImage))
}

func TestStream(t *testing.T) {
	f := startTables(t, "NEW_AND_OLD_IMAGES")
	key := func(pk string) map[string]ddb.AttributeValue {
		return map[string]ddb.AttributeValue{"pk": s(pk)}
	}
	update := func(pk, v string) error {
		return try(f.c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: ptr("keyturn"), Key: key(pk), UpdateExpression: ptr("SET v = :v"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":v": s(v)}}))
	}
	ok(0, f.put("a", "1"))(t)
	ok(0, f.put("a", "1"))(t) // changes nothing
	ok(0, f.put("a", "2"))(t)
	ok(0, update("a", "2"))(t) // changes nothing
	ok(0, update("a", "3"))(t)
	ok(0, update("b", "1"))(t)
	_, err := f.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("keyturn"), Item: key("a"), ConditionExpression: ptr("attribute_not_exists(pk)")})
	refusedWith(t, err, "ConditionalCheckFailedException", 400)
	ok(f.c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"keyturn": {
		{DeleteRequest: &ddb.DeleteRequest{Key: key("a")}}, {PutRequest: &ddb.PutRequest{Item: map[string]ddb.AttributeValue{"pk": s("c"), "v": s("9")}}}, {DeleteRequest: &ddb.DeleteRequest{Key: key("nothing")}},
	}}}))(t)
	for range 2 {
		ok(f.c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("keyturn"), Key: key("b")}))(t)
	}
	var got []string
	all := f.events(0)
	for _, e := range all {
		got = append(got, e.short())
	}
	want := []string{"INSERT a -→1", "MODIFY a 1→2", "MODIFY a 2→3", "INSERT b -→1", "REMOVE a 3→-", "INSERT c -→9", "REMOVE b 1→-"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	ids, last := map[string]bool{}, ""
	for _, e := range all {
		if e.Dynamodb.SequenceNumber <= last || ids[e.EventID] {
			t.Errorf("%s follows %s", e.Dynamodb.SequenceNumber, last)
		}
		last, ids[e.EventID] = e.Dynamodb.SequenceNumber, true
	}
	e := all[1]
	if e.EventVersion != "1.1" || e.EventSource != "aws:dynamodb" || e.AwsRegion != region || e.EventSourceARN != f.StreamARN(member, "keyturn") ||
		e.Dynamodb.StreamViewType != "NEW_AND_OLD_IMAGES" || e.Dynamodb.SizeBytes != 3+5+5 || e.Dynamodb.ApproximateCreationDateTime == 0 || len(e.EventID) != 32 {
		t.Errorf("%+v", e)
	}
	if got := f.events(5); len(got) != 2 || got[0].short() != want[5] || f.StreamRecords("keyturn", 7) != nil || f.StreamRecords("nothing", 0) != nil {
		t.Errorf("after the fifth: %+v", got)
	}
}

func TestViews(t *testing.T) {
	for view, want := range map[string]string{"KEYS_ONLY": "MODIFY a -→-", "NEW_IMAGE": "MODIFY a -→2", "OLD_IMAGE": "MODIFY a 1→-", "NEW_AND_OLD_IMAGES": "MODIFY a 1→2"} {
		f := startTables(t, "")
		ok(0, f.put("a", "1"))(t)
		f.SetStream("keyturn", view)
		ok(0, f.put("a", "2"))(t)
		if got := f.events(0); len(got) != 1 || got[0].short() != want {
			t.Errorf("%s: %+v, want %s", view, got, want)
		}
		f.SetStream("keyturn", "")
		ok(0, f.put("a", "3"))(t)
		if got := f.StreamRecords("keyturn", 0); got != nil {
			t.Errorf("switched off: %+v", got)
		}
	}
}

// TestStreamOfManyWriters: the records of each item tell its history without a gap.
func TestStreamOfManyWriters(t *testing.T) {
	f := startTables(t, "NEW_AND_OLD_IMAGES")
	var mu sync.Mutex
	told := 0
	f.OnStream(func(table string) {
		n := len(f.StreamRecords(table, 0)) // what it tells of is there
		mu.Lock()
		defer mu.Unlock()
		told = max(told, n)
	})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 12 {
				_ = f.put(fmt.Sprint("k", i%3), fmt.Sprint(w, ".", i))
				if i%4 == 3 {
					_, _ = f.c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: ptr("keyturn"), Key: map[string]ddb.AttributeValue{"pk": s(fmt.Sprint("k", w%3))}})
				}
			}
		})
	}
	wg.Wait()
	limited, cancel := context.WithTimeout(ctx, 30*time.Second) // batches that wait for each other would wait for ever
	defer cancel()
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				var batch []ddb.WriteRequest
				for k := range 3 {
					item := map[string]ddb.AttributeValue{"pk": s(fmt.Sprint("k", k)), "v": s(fmt.Sprint("batch", w, i))}
					batch = append(batch, ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: item}})
				}
				if w%2 == 0 {
					slices.Reverse(batch)
				}
				if _, err := f.c.BatchWriteItem(limited, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"keyturn": batch}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	last := map[string]any{}
	for _, e := range f.events(0) {
		pk := fmt.Sprint(e.Dynamodb.Keys["pk"]["S"])
		var before, after any
		if e.Dynamodb.OldImage != nil {
			before = e.Dynamodb.OldImage["v"]["S"]
		}
		if e.Dynamodb.NewImage != nil {
			after = e.Dynamodb.NewImage["v"]["S"]
		}
		if before != last[pk] {
			t.Fatalf("%s: %v follows %v", pk, e.short(), last[pk])
		}
		last[pk] = after
	}
	if n := len(f.StreamRecords("keyturn", 0)); told != n {
		t.Errorf("told of %d records of %d", told, n)
	}
	items := map[string]bool{}
	for _, r := range f.StreamRecords("keyturn", 0) {
		items[r.Item] = true
	}
	if len(items) != 3 {
		t.Errorf("%d items: %v", len(items), items)
	}
}

func TestKeysOfTwoAttributes(t *testing.T) {
	f := startTables(t, "")
	ok(0, createTestTable(f.c, "t2", "NEW_IMAGE"))(t)
	put := func(item map[string]ddb.AttributeValue) {
		_, _ = f.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: ptr("t2"), Item: item})
	}
	put(map[string]ddb.AttributeValue{"pk": s("a"), "sk": s("1"), "x": &ddb.AttributeValueMemberBOOL{Value: true}})
	put(map[string]ddb.AttributeValue{"pk": s("a"), "sk": s("2")})
	put(map[string]ddb.AttributeValue{"pk": s("a")}) // has no key, and makes no record
	var got []string
	for _, r := range f.StreamRecords("t2", 0) {
		got = append(got, r.Name+" "+r.Item)
	}
	want := []string{`INSERT ["t2",{"pk":{"S":"a"},"sk":{"S":"1"}}]`, `INSERT ["t2",{"pk":{"S":"a"},"sk":{"S":"2"}}]`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if r := f.StreamRecords("t2", 0)[0]; !strings.Contains(string(r.JSON), `"Keys":{"pk":{"S":"a"},"sk":{"S":"1"}}`) {
		t.Errorf("%s", r.JSON)
	}
}

func TestItemsAreCompared(t *testing.T) {
	item := func(v string) (out map[string]any) {
		if v != "" && json.Unmarshal([]byte(v), &out) != nil {
			t.Fatal(v)
		}
		return out
	}
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{`{"a":{"SS":["x","y"]}}`, `{"a":{"SS":["y","x"]}}`, true},
		{`{"a":{"L":[{"S":"x"},{"S":"y"}]}}`, `{"a":{"L":[{"S":"y"},{"S":"x"}]}}`, false},
		{`{"a":{"M":{"b":{"NS":["1","2"]}}}}`, `{"a":{"M":{"b":{"NS":["2","1"]}}}}`, true},
		{`{"a":{"S":"x"}}`, `{"a":{"B":"x"}}`, false},
		{`{"a":{"S":"x"}}`, ``, false},
		{``, ``, true},
	} {
		if got := sameItem(item(tc.a), item(tc.b)); got != tc.same {
			t.Errorf("%s and %s: %v", tc.a, tc.b, got)
		}
	}
	for v, want := range map[string]int{
		`{"a":{"S":"xyz"}}`: 4, `{"ä":{"S":"ö"}}`: 4, `{"a":{"N":"1234"}}`: 5, `{"a":{"BOOL":true}}`: 2, `{"a":{"NULL":true}}`: 2, `{"a":{"B":"AAAA"}}`: 4,
		`{"a":{"SS":["xy","z"]}}`: 4, `{"a":{"NS":["12"]}}`: 4, `{"a":{"BS":["AAA="]}}`: 3, `{"a":{"L":[{"S":"x"}]}}`: 6, `{"a":{"M":{"b":{"S":"x"}}}}`: 7,
	} {
		if got := itemSize(item(v)); got != want {
			t.Errorf("%s: %d bytes, want %d", v, got, want)
		}
	}
}
