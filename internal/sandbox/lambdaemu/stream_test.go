package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

const streamARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/keyturn/stream/2026-06-01T00:00:00.000"

// created is when every record of these tests was made.
var created = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func change(item string, sequence int) json.RawMessage {
	return fmt.Appendf(nil, `{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"pk":{"S":%q},"sk":{"S":"-"}},
		"NewImage":{"kind":{"S":"rotation"},"wake":{"S":"1"}},"SequenceNumber":"%d","SizeBytes":26,"StreamViewType":"NEW_IMAGE"}}`, created.Unix(), item, sequence)
}

// offered is a mapping with records 1 to n, each of an item of its own (i1, i2, ...).
func offered(t *testing.T, o StreamOptions, n int) *StreamMapping {
	t.Helper()
	o.ARN = streamARN
	if o.Now == nil {
		o.Now = func() time.Time { return created.Add(time.Minute) }
	}
	m, err := NewStreamMapping(o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := m.Offer(change(fmt.Sprint("i", i+1), i+1)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// sequences reads the sequence numbers of an event.
func sequences(event []byte) (s []string) {
	var e events.DynamoDBEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return []string{err.Error()}
	}
	for _, r := range e.Records {
		s = append(s, r.Change.SequenceNumber)
	}
	return s
}

// batches are the sequence numbers of all events that a target got, one string each.
func batches(f *target) (all []string) {
	for _, e := range f.events {
		all = append(all, strings.Join(sequences([]byte(e)), " "))
	}
	return all
}

// poisoned fails every batch that holds one of these records: as a whole, or with a report of all that fail.
func poisoned(report bool, bad ...string) func(int, []byte) (Result, error) {
	return func(_ int, event []byte) (Result, error) {
		var failures []string
		for _, s := range sequences(event) {
			if slices.Contains(bad, s) {
				failures = append(failures, fmt.Sprintf(`{"itemIdentifier":%q}`, s))
			}
		}
		if len(failures) > 0 && !report {
			return functionError, nil
		}
		slices.Reverse(failures) // their order does not matter
		return Result{Payload: fmt.Appendf(nil, `{"batchItemFailures":[%s]}`, strings.Join(failures, ","))}, nil
	}
}

func TestStreamBatches(t *testing.T) {
	for name, tc := range map[string]struct {
		o       StreamOptions
		answer  func(int, []byte) (Result, error)
		batches []string
		lost    []string // first, last and number of the batches that were given up, and after how many invocations
		stats   StreamStats
	}{
		"all done":                             {StreamOptions{BatchSize: 2}, always(`{}`), []string{"1 2", "3 4", "5"}, nil, StreamStats{Done: 5}},
		"answers do not count without reports": {StreamOptions{}, poisoned(true, "1"), []string{"1 2 3 4 5"}, nil, StreamStats{Done: 5}},
		"error, then exhausted": {StreamOptions{MaximumRetryAttempts: 2, BatchSize: 3}, poisoned(false, "2"),
			[]string{"1 2 3", "1 2 3", "1 2 3", "4 5"}, []string{"1-3 (3) after 3: Unhandled"}, StreamStats{Done: 2, Discarded: 3}},
		"no retries": {StreamOptions{BatchSize: 3}, poisoned(false, "2"),
			[]string{"1 2 3", "4 5"}, []string{"1-3 (3) after 1: Unhandled"}, StreamStats{Done: 2, Discarded: 3}},
		"bisect finds the poison": {StreamOptions{MaximumRetryAttempts: 1, BisectBatchOnFunctionError: true}, poisoned(false, "4"),
			[]string{"1 2 3 4 5", "1 2 3", "4 5", "4", "4", "5"}, []string{"4-4 (1) after 4: Unhandled"}, StreamStats{Done: 4, Discarded: 1}},
		"reports: the lowest is the checkpoint": {StreamOptions{MaximumRetryAttempts: 2, ReportBatchItemFailures: true}, poisoned(true, "3", "5"),
			[]string{"1 2 3 4 5", "3 4 5", "3 4 5"}, []string{"3-5 (3) after 3: "}, StreamStats{Done: 2, Discarded: 3}},
		"reports and bisect: progress takes no retry": {StreamOptions{MaximumRetryAttempts: 1, ReportBatchItemFailures: true, BisectBatchOnFunctionError: true}, poisoned(true, "3"),
			[]string{"1 2 3 4 5", "3 4 5", "3 4 5"}, []string{"3-5 (3) after 3: "}, StreamStats{Done: 2, Discarded: 3}},
		"reports: bad answer is the whole batch": {StreamOptions{ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, BatchSize: 2}, always(`{"batchItemFailures":[{"itemIdentifier":""}]}`),
			[]string{"1 2", "1", "2", "3 4", "3", "4", "5"}, []string{"1-1 (1) after 2: ", "2-2 (1) after 2: ", "3-3 (1) after 2: ", "4-4 (1) after 2: ", "5-5 (1) after 1: "}, StreamStats{Discarded: 5}},
		"reports: unknown number is the whole batch": {StreamOptions{ReportBatchItemFailures: true, BatchSize: 5}, always(`{"batchItemFailures":[{"itemIdentifier":"9"}]}`),
			[]string{"1 2 3 4 5"}, []string{"1-5 (5) after 1: "}, StreamStats{Discarded: 5}},
		"fails once": {StreamOptions{MaximumRetryAttempts: 1, ReportBatchItemFailures: true}, func(n int, e []byte) (Result, error) {
			if n == 1 {
				return poisoned(true, "1", "2")(n, e)
			}
			return Result{}, nil
		}, []string{"1 2 3 4 5", "1 2 3 4 5"}, nil, StreamStats{Done: 5}},
		"duplicates": {StreamOptions{BatchSize: 3, Duplicates: 1}, always(``), []string{"1 2 3", "1 2 3", "4 5", "4 5"}, nil, StreamStats{Done: 5}},
		"too old":    {StreamOptions{MaximumRecordAge: 30 * time.Second}, always(``), nil, []string{"1-5 (5) after 0: none"}, StreamStats{Discarded: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			var lost []string
			f := &target{answer: tc.answer}
			tc.o.Target = f
			tc.o.OnFailure = func(raw json.RawMessage) {
				var d discarded
				if err := json.Unmarshal(raw, &d); err != nil {
					t.Error(err)
				}
				functionError := "none"
				if d.ResponseContext != nil {
					functionError = d.ResponseContext.FunctionError
				}
				lost = append(lost, fmt.Sprintf("%s-%s (%d) after %d: %s", d.Batch.Start, d.Batch.End, d.Batch.Size, d.RequestContext.Invokes, functionError))
			}
			m := offered(t, tc.o, 5)
			moved, err := m.Drain(t.Context())
			if err != nil || moved != 5 {
				t.Errorf("%d moved, %v", moved, err)
			}
			if diff := cmp.Diff([][]string{tc.batches, tc.lost}, [][]string{batches(f), lost}); diff != "" {
				t.Error(diff)
			}
			tc.stats.Offered = 5
			if diff := cmp.Diff(tc.stats, m.Stats()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStreamOnePoll makes one attempt a Poll, so that a test can look at the world between attempts.
func TestStreamOnePoll(t *testing.T) {
	f := &target{answer: poisoned(true, "2")}
	m := offered(t, StreamOptions{Target: f, MaximumRetryAttempts: -1, ReportBatchItemFailures: true}, 3)
	for i, want := range []int{1, 0, 0} {
		if n, err := m.Poll(t.Context()); n != want || err != nil {
			t.Errorf("poll %d: %d moved, %v", i+1, n, err)
		}
	}
	if err := m.Offer(change("i4", 4)); err != nil { // it waits behind the batch that fails
		t.Fatal(err)
	}
	f.answer = always(``)
	for i, want := range []int{2, 1, 0} {
		if n, err := m.Poll(t.Context()); n != want || err != nil {
			t.Errorf("later poll %d: %d moved, %v", i+1, n, err)
		}
	}
	if diff := cmp.Diff([]string{"1 2 3", "2 3", "2 3", "2 3", "4"}, batches(f)); diff != "" {
		t.Error(diff)
	}
}

func TestStreamOnFailureRecord(t *testing.T) {
	var got string
	m := offered(t, StreamOptions{Target: &target{answer: always(`[]`)}, ReportBatchItemFailures: true, MaximumRetryAttempts: 1,
		OnFailure: func(r json.RawMessage) { got = string(r) }}, 2)
	m.o.Target = &target{answer: func(int, []byte) (Result, error) { return functionError, nil }}
	if _, err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `{"requestContext":{"requestId":"request-2","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:worker",` +
		`"condition":"RetryAttemptsExhausted","approximateInvokeCount":2},` +
		`"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},` +
		`"version":"1.0","timestamp":"2026-06-01T12:01:00.000Z",` +
		`"DDBStreamBatchInfo":{"shardId":"` + m.shard + `","startSequenceNumber":"1","endSequenceNumber":"2",` +
		`"approximateArrivalOfFirstRecord":"2026-06-01T12:00:00Z","approximateArrivalOfLastRecord":"2026-06-01T12:00:00Z",` +
		`"batchSize":2,"streamArn":"` + streamARN + `"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStreamAge(t *testing.T) {
	now := created.Add(time.Minute)
	var lost []string
	f := &target{answer: func(int, []byte) (Result, error) { return functionError, nil }}
	m := offered(t, StreamOptions{Target: f, MaximumRetryAttempts: -1, MaximumRecordAge: time.Hour, Now: func() time.Time { return now },
		OnFailure: func(r json.RawMessage) { lost = append(lost, string(r)) }}, 2)
	for range 3 {
		if n, err := m.Poll(t.Context()); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	young := strings.Replace(string(change("i3", 3)), fmt.Sprint(created.Unix()), fmt.Sprint(created.Add(time.Hour).Unix()), 1)
	if err := m.Offer([]byte(young)); err != nil {
		t.Fatal(err)
	}
	now = created.Add(time.Hour + time.Second)
	f.answer = always(``)
	if n, err := m.Poll(t.Context()); n != 3 || err != nil {
		t.Errorf("%d moved, %v", n, err)
	}
	if len(lost) != 1 || !strings.Contains(lost[0], `"condition":"RecordAgeExceeded","approximateInvokeCount":3`) {
		t.Errorf("lost %v", lost)
	}
	if b := batches(f); b[len(b)-1] != "3" {
		t.Errorf("batches %q", b)
	}
}

func TestStreamFilters(t *testing.T) {
	f := &target{answer: always(``)}
	m := offered(t, StreamOptions{Target: f, Filters: []string{`{"eventName":["REMOVE"]}`, rotationFilter}}, 1)
	asleep := strings.Replace(string(change("i2", 2)), `"wake"`, `"sleep"`, 1)
	removed := strings.Replace(asleep, "MODIFY", "REMOVE", 1)
	for _, r := range []string{asleep, removed} {
		if err := m.Offer([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := m.Drain(t.Context()); n != 2 || err != nil {
		t.Errorf("%d moved, %v", n, err)
	}
	if diff := cmp.Diff(StreamStats{Offered: 3, Filtered: 1, Done: 2}, m.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestStreamRefused(t *testing.T) {
	f := &target{answer: always(``)}
	m := offered(t, StreamOptions{Target: f}, 0)
	for _, record := range []string{``, `[]`, `{}`, `{"eventName":"MODIFY"}`, `{"eventName":"MODIFY","dynamodb":{"Keys":{"a":{"S":"b"}}}}`,
		`{"eventName":"UPDATE","dynamodb":{"Keys":{"a":{"S":"b"}},"SequenceNumber":"1"}}`,
		`{"eventName":"INSERT","dynamodb":{"Keys":{},"SequenceNumber":"1"}}`} {
		if err := m.Offer([]byte(record)); err == nil {
			t.Errorf("%s is taken", record)
		}
	}
	for name, o := range map[string]StreamOptions{
		"no target": {ARN: streamARN}, "no ARN": {Target: f}, "batch": {Target: f, ARN: streamARN, BatchSize: 10001},
		"lanes": {Target: f, ARN: streamARN, ParallelizationFactor: 11}, "retries": {Target: f, ARN: streamARN, MaximumRetryAttempts: -2},
		"filters": {Target: f, ARN: streamARN, Filters: slices.Repeat([]string{rotationFilter}, 6)},
		"filter":  {Target: f, ARN: streamARN, Filters: []string{`{"a":"b"}`}},
		"age":     {Target: f, ARN: streamARN, MaximumRecordAge: 8 * 24 * time.Hour},
	} {
		if _, err := NewStreamMapping(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	m = offered(t, StreamOptions{Target: f, Filters: slices.Repeat([]string{rotationFilter}, 5)}, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := m.Drain(ended); n != 0 || !errors.Is(err, context.Canceled) || m.Stats().Waiting != 1 {
		t.Errorf("%d moved, %v, %+v", n, err, m.Stats())
	}
	if n, err := m.Drain(t.Context()); n != 1 || err != nil {
		t.Errorf("after that: %d moved, %v", n, err)
	}
}

// TestStreamRecord sees what Lambda adds to a record, and that what was there stays as it was.
func TestStreamRecord(t *testing.T) {
	f := &target{answer: always(``)}
	m := offered(t, StreamOptions{Target: f}, 1)
	whole := `{"eventID":"x","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
		`"dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"n":{"N":"1.50"}},"SequenceNumber":"2","ApproximateCreationDateTime":1.5e9},"eventSourceARN":"arn:other"}`
	if err := m.Offer([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	var e events.DynamoDBEvent
	if err := json.Unmarshal([]byte(f.events[0]), &e); err != nil {
		t.Fatal(err)
	}
	if r := e.Records[0]; r.EventSource != "aws:dynamodb" || r.EventSourceArn != streamARN || r.AWSRegion != "eu-west-1" || r.EventVersion != "1.1" || r.EventID == "" {
		t.Errorf("%+v", r)
	}
	if r := e.Records[1]; r.EventSourceArn != "arn:other" || r.EventID != "x" || r.Change.NewImage["n"].Number() != "1.50" {
		t.Errorf("%+v", r)
	}
}

// TestStreamLanes keeps the order of each item while lanes run at once and records change places.
func TestStreamLanes(t *testing.T) {
	for name, o := range map[string]StreamOptions{
		"one lane":         {},
		"shuffled":         {Shuffle: rand.New(rand.NewPCG(1, 2))},
		"ten lanes":        {ParallelizationFactor: 10},
		"one by one":       {ParallelizationFactor: 10, Sequential: true},
		"all of it":        {ParallelizationFactor: 10, Shuffle: rand.New(rand.NewPCG(1, 2)), Sequential: true, Duplicates: 2},
		"shuffled batches": {BatchSize: 3, Shuffle: rand.New(rand.NewPCG(3, 4))},
	} {
		t.Run(name, func(t *testing.T) {
			f := &target{answer: always(``)}
			o.Target = f
			m := offered(t, o, 0)
			const items, each = 20, 5
			for n := range each {
				for i := range items {
					if err := m.Offer(change(fmt.Sprint("item", i), n*items+i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if n, err := m.Drain(t.Context()); n != items*each || err != nil {
				t.Fatalf("%d moved, %v", n, err)
			}
			last := map[string]int{}
			seen := map[int]int{}
			inOrder := true
			previous := -1
			for _, e := range f.events {
				for _, s := range sequences([]byte(e)) {
					var sequence int
					_, _ = fmt.Sscan(s, &sequence)
					item := fmt.Sprint("item", sequence%items)
					seen[sequence]++
					if o.Duplicates == 0 && sequence < last[item] {
						t.Errorf("%s went back from %d to %d", item, last[item], sequence)
					}
					last[item] = sequence
					inOrder = inOrder && sequence > previous
					previous = sequence
				}
			}
			for s, n := range seen {
				if n != 1+o.Duplicates {
					t.Errorf("record %d was seen %d times", s, n)
				}
			}
			if len(seen) != items*each || inOrder != (name == "one lane") {
				t.Errorf("%d records, in the order of the stream: %v", len(seen), inOrder)
			}
		})
	}
}

func TestStreamRun(t *testing.T) {
	met := make(chan string)
	f := &target{answer: func(_ int, event []byte) (Result, error) {
		met <- strings.Join(sequences(event), " ")
		return Result{}, nil
	}}
	m := offered(t, StreamOptions{Target: f}, 2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	if got := <-met; got != "1 2" {
		t.Error(got)
	}
	if err := m.Offer(change("i3", 3)); err != nil {
		t.Fatal(err)
	}
	if got := <-met; got != "3" {
		t.Error(got)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzOffer takes any record: it is refused or arrives.
func FuzzOffer(f *testing.F) {
	f.Add(string(change("a", 1)))
	f.Add(`{"eventName":"INSERT","dynamodb":{"Keys":{"a":{"B":"AA=="}},"SequenceNumber":"1","ApproximateCreationDateTime":1e300}}`)
	f.Add(`{"EventName":"INSERT","dynamodb":{"keys":{"a":{"S":"b"}},"SequenceNumber":"1"}}`)
	f.Fuzz(func(t *testing.T, record string) {
		to := &target{answer: always(``)}
		m := must(NewStreamMapping(StreamOptions{Target: to, ARN: streamARN, Filters: []string{`{"eventName":[{"exists":true}]}`}}))
		if m.Offer([]byte(record)) != nil {
			return
		}
		if n, err := m.Drain(t.Context()); err != nil || n != 1 || to.count() != 1 {
			t.Fatalf("%d moved in %d invocations, %v", n, to.count(), err)
		}
	})
}
