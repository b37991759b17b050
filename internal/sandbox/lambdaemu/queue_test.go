package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

// target is a stand-in for a function. It keeps the events that it got.
type target struct {
	answer func(n int, event []byte) (Result, error) // n counts from 1

	mu     sync.Mutex
	events []string
}

func (*target) ARN() string { return "arn:aws:lambda:eu-west-1:123456789012:function:worker" }

func (f *target) InvokeWhenFree(ctx context.Context, event []byte) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	f.mu.Lock()
	f.events = append(f.events, string(event))
	n := len(f.events)
	f.mu.Unlock()
	r, err := f.answer(n, event)
	if r.RequestID == "" {
		r.RequestID = fmt.Sprintf("request-%d", n)
	}
	return r, err
}

func (f *target) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events)
}

func always(payload string) func(int, []byte) (Result, error) {
	return func(int, []byte) (Result, error) { return Result{Payload: []byte(payload)}, nil }
}

var functionError = Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no","errorType":"errorString"}`)}

const queueARN = "arn:aws:sqs:eu-west-1:123456789012:accounts"

// memoryQueue is a queue whose returned messages are visible at once.
type memoryQueue struct {
	mu              sync.Mutex
	visible, hidden []Message
	received        map[string]int
	done, returned  []string
}

func newQueue(ids ...string) *memoryQueue {
	q := &memoryQueue{received: map[string]int{}}
	for _, id := range ids {
		q.visible = append(q.visible, Message{ID: id, Receipt: "receipt of " + id, Body: "body of " + id})
	}
	return q
}

func (q *memoryQueue) Take(most int) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.visible))
	taken := slices.Clone(q.visible[:n])
	q.visible = q.visible[n:]
	for i := range taken {
		q.received[taken[i].ID]++
		taken[i].Attributes = map[string]string{"ApproximateReceiveCount": fmt.Sprint(q.received[taken[i].ID])}
	}
	q.hidden = append(q.hidden, taken...)
	return taken
}

func (q *memoryQueue) end(receipt string, to *[]string) Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.hidden, func(m Message) bool { return m.Receipt == receipt })
	m := q.hidden[i]
	q.hidden = slices.Delete(q.hidden, i, i+1)
	*to = append(*to, m.ID)
	slices.Sort(*to)
	return m
}

func (q *memoryQueue) Done(receipt string) { q.end(receipt, &q.done) }

func (q *memoryQueue) Return(receipt string) {
	m := q.end(receipt, &q.returned)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.visible = append(q.visible, m)
}

func TestQueueAnswers(t *testing.T) {
	all := []string{"a", "b", "c"}
	for name, tc := range map[string]struct {
		report bool
		result Result
		failed []string
	}{
		"everything done":     {true, Result{Payload: []byte(`{"batchItemFailures":[]}`)}, nil},
		"null":                {true, Result{Payload: []byte(`null`)}, nil},
		"nothing":             {true, Result{}, nil},
		"empty object":        {true, Result{Payload: []byte(` {} `)}, nil},
		"null list":           {true, Result{Payload: []byte(`{"batchItemFailures":null}`)}, nil},
		"other key":           {true, Result{Payload: []byte(`{"BatchItemFailures":[{"itemIdentifier":"a"}]}`)}, nil},
		"one":                 {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"b"}]}`)}, []string{"b"}},
		"one twice":           {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}`)}, []string{"b"}},
		"all":                 {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}`)}, all},
		"unknown":             {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"x"}]}`)}, all},
		"empty identifier":    {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":""}]}`)}, all},
		"null identifier":     {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":null}]}`)}, all},
		"identifier's name":   {true, Result{Payload: []byte(`{"batchItemFailures":[{"ItemIdentifier":"a"}]}`)}, all},
		"a number":            {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":1}]}`)}, all},
		"null item":           {true, Result{Payload: []byte(`{"batchItemFailures":[null]}`)}, all},
		"no list":             {true, Result{Payload: []byte(`{"batchItemFailures":"a"}`)}, all},
		"a receipt":           {true, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"receipt of a"}]}`)}, all},
		"not JSON":            {true, Result{Payload: []byte(`done`)}, all},
		"not an object":       {true, Result{Payload: []byte(`"done"`)}, all},
		"function error":      {true, functionError, all},
		"no reports: error":   {false, functionError, all},
		"no reports: answers": {false, Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"b"}]}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(all...)
			f := &target{answer: func(int, []byte) (Result, error) { return tc.result, nil }}
			m := must(NewQueueMapping(QueueOptions{Target: f, Source: q, ARN: queueARN, ReportBatchItemFailures: tc.report}))
			n, err := m.Poll(t.Context())
			if err != nil || n != len(all)-len(tc.failed) || f.count() != 1 {
				t.Errorf("%d done in %d invocations, %v", n, f.count(), err)
			}
			var done []string
			for _, id := range all {
				if !slices.Contains(tc.failed, id) {
					done = append(done, id)
				}
			}
			if diff := cmp.Diff([][]string{done, tc.failed}, [][]string{q.done, q.returned}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueueEvent(t *testing.T) {
	q := newQueue("a", "b", "c")
	q.visible[0].Body = "test"
	f := &target{answer: func(n int, _ []byte) (Result, error) {
		if n == 1 {
			return functionError, nil
		}
		return Result{}, nil
	}}
	m := must(NewQueueMapping(QueueOptions{Target: f, Source: q, ARN: queueARN, BatchSize: 3}))
	for range 2 {
		if _, err := m.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var got events.SQSEvent
	if err := json.Unmarshal([]byte(f.events[1]), &got); err != nil || len(got.Records) != 3 {
		t.Fatalf("%s %v", f.events[1], err)
	}
	want := events.SQSMessage{
		MessageId: "a", ReceiptHandle: "receipt of a", Body: "test", Md5OfBody: "098f6bcd4621d373cade4e832627b4f6",
		Attributes:        map[string]string{"ApproximateReceiveCount": "2", "SentTimestamp": "0", "SenderId": "AIDAEXAMPLE", "ApproximateFirstReceiveTimestamp": "0"},
		MessageAttributes: map[string]events.SQSMessageAttribute{}, EventSource: "aws:sqs", EventSourceARN: queueARN, AWSRegion: "eu-west-1",
	}
	if diff := cmp.Diff(want, got.Records[0]); diff != "" {
		t.Error(diff)
	}
}

// TestQueueBatches counts batches and how many of them are under way at once.
func TestQueueBatches(t *testing.T) {
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprint("m", i))
	}
	q := newQueue(ids...)
	var mu sync.Mutex
	running, most := 0, 0
	both := make(chan struct{})
	f := &target{answer: func(n int, _ []byte) (Result, error) {
		mu.Lock()
		running++
		if most = max(most, running); running == 2 && n <= 2 {
			close(both)
		}
		mu.Unlock()
		if n <= 2 {
			<-both // the first two meet
		}
		mu.Lock()
		running--
		mu.Unlock()
		return functionError, nil
	}}
	m := must(NewQueueMapping(QueueOptions{Target: f, Source: q, ARN: queueARN, BatchSize: 2, MaximumConcurrency: 2}))
	if n, err := m.Poll(t.Context()); n != 0 || err != nil {
		t.Errorf("%d done, %v", n, err)
	}
	// What came back is not taken again by the same Poll.
	if f.count() != 4 || most != 2 || len(q.visible) != 7 {
		t.Errorf("%d batches, %d at once, %d visible", f.count(), most, len(q.visible))
	}
}

func TestQueueErrors(t *testing.T) {
	q := newQueue("a", "b")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	m := must(NewQueueMapping(QueueOptions{Target: &target{answer: always("{}")}, Source: q, ARN: queueARN}))
	if n, err := m.Poll(ended); n != 0 || !errors.Is(err, context.Canceled) || len(q.visible) != 2 {
		t.Errorf("%d done, %v, %d visible", n, err, len(q.visible))
	}
	for name, o := range map[string]QueueOptions{
		"no target":   {Source: q, ARN: queueARN},
		"no source":   {Target: &target{}, ARN: queueARN},
		"no ARN":      {Target: &target{}, Source: q},
		"batches":     {Target: &target{}, Source: q, ARN: queueARN, BatchSize: 11},
		"concurrency": {Target: &target{}, Source: q, ARN: queueARN, MaximumConcurrency: 1},
	} {
		if _, err := NewQueueMapping(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestQueueRun hands over what is there at the start, and again at each Notify.
func TestQueueRun(t *testing.T) {
	q := newQueue("a")
	met := make(chan string)
	f := &target{answer: func(_ int, event []byte) (Result, error) {
		met <- string(event)
		return Result{}, nil
	}}
	m := must(NewQueueMapping(QueueOptions{Target: f, Source: q, ARN: queueARN}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	if e := <-met; !strings.Contains(e, `"messageId":"a"`) {
		t.Error(e)
	}
	q.mu.Lock()
	q.visible = append(q.visible, Message{ID: "b", Receipt: "r"})
	q.mu.Unlock()
	m.Notify()
	if e := <-met; !strings.Contains(e, `"messageId":"b"`) {
		t.Error(e)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
