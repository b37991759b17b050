package awsemu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

// queues is an emulator with a queue and its dead-letter queue. The protocol clock moves by hand, by less than AWS's five
// minutes at a time.
type queues struct {
	*emu
	wall       *clock
	work, dead *QueueHandle
	c          *sqs.Client
	url        string
}

func startQueues(t *testing.T) *queues {
	q := &queues{wall: &clock{now: time.Now()}}
	q.emu = startWith(t, Options{Wall: q.wall.Now})
	q.dead = q.AddQueue(member, Queue{Name: "dead"})
	q.work = q.AddQueue(member, Queue{Name: "work", VisibilityTimeout: time.Minute, MaxReceives: 2, DeadLetter: "dead"})
	q.c, q.url = sqs.NewFromConfig(q.in(member)), q.work.URL()
	return q
}

func (q *queues) take(most int32) []types.Message {
	q.t.Helper()
	return ok(q.c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: most, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}))(q.t).Messages
}

func TestMessages(t *testing.T) {
	q := startQueues(t)
	sent := ok(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("körper"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: ptr("String"), StringValue: ptr("b")}}}))(t)
	ok(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("later"), DelaySeconds: 60}))(t)
	got := q.take(10)
	if len(got) != 1 || *got[0].MessageId != *sent.MessageId || *got[0].Body != "körper" || got[0].Attributes["ApproximateReceiveCount"] != "1" || got[0].Attributes["SentTimestamp"] == "" || !strings.HasPrefix(got[0].Attributes["SenderId"], "AROA") {
		t.Fatalf("received %+v", got)
	}
	all := ok(q.c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"All"}}))(t).Attributes
	for k, want := range map[string]string{
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1", "VisibilityTimeout": "60",
		"QueueArn": "arn:aws:sqs:eu-central-1:200000000002:work", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:200000000002:dead","maxReceiveCount":2}`,
	} {
		if all[k] != want {
			t.Errorf("%s: %q, want %q", k, all[k], want)
		}
	}
	some := ok(q.c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"QueueArn"}}))(t).Attributes
	if diff := cmp.Diff(map[string]string{"QueueArn": q.work.ARN()}, some); diff != "" {
		t.Error(diff)
	}
	if u := ok(q.c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: ptr("work")}))(t); *u.QueueUrl != q.url {
		t.Errorf("URL %s, want %s", *u.QueueUrl, q.url)
	}

	first := got[0].ReceiptHandle
	q.wall.advance(time.Minute) // visible again, and so is the one that was delayed
	got = q.take(10)
	if len(got) != 2 || got[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %+v", got)
	}
	ok(q.c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: first}))(t) // not the latest receipt any more
	if n := len(q.work.Messages()); n != 2 {
		t.Errorf("an old receipt deletes: %d messages", n)
	}
	ok(q.c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: got[0].ReceiptHandle}))(t)
	ok(q.c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: got[0].ReceiptHandle}))(t) // again is fine
	ok(q.c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 0}))(t)
	if got = q.take(10); len(got) != 1 || *got[0].Body != "later" || got[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("made visible: %+v", got)
	}
	q.wall.advance(time.Minute)
	if got = q.take(10); len(got) != 0 {
		t.Errorf("a third time: %+v", got)
	}
	if d := q.dead.Messages(); len(d) != 1 || d[0].Body != "later" || d[0].Receives != 0 {
		t.Errorf("dead letters: %+v", d)
	}
	q.wall.advance(5 * day)
	if d := q.dead.Messages(); len(d) != 0 {
		t.Errorf("after the retention: %+v", d)
	}
}

// TestEventSource takes messages as Lambda does.
func TestEventSource(t *testing.T) {
	q := startQueues(t)
	for i := range 3 {
		q.work.Put(fmt.Sprint(i))
	}
	got := q.work.Take(2)
	if len(got) != 2 || got[0].Body != "0" || got[1].Body != "1" || got[0].Receives != 1 || !got[0].InFlight || got[0].Attributes["ApproximateReceiveCount"] != "1" || len(got[0].Attributes) != 4 {
		t.Fatalf("took %+v", got)
	}
	if !q.work.Done(got[0].Receipt) || q.work.Done(got[0].Receipt) || q.work.Done("") || q.work.Return("work/x/y") {
		t.Error("done once, and only what was taken")
	}
	if !q.work.Return(got[1].Receipt) {
		t.Error("was not returned")
	}
	got = q.work.Take(1)
	if got[0].Body != "1" || got[0].Receives != 2 {
		t.Errorf("took %+v", got)
	}
	q.work.Return(got[0].Receipt) // received as often as it may be
	if d := q.dead.Take(10); len(d) != 1 || d[0].ID != got[0].ID {
		t.Errorf("dead letters: %+v", d)
	}
	if m := q.work.Messages(); len(m) != 1 || m[0].Body != "2" || m[0].InFlight {
		t.Errorf("left %+v", m)
	}
	if n := len(q.Counters()); n != 0 {
		t.Errorf("counted: %v", q.Counters())
	}
}

func entries(bodies ...string) (out []types.SendMessageBatchRequestEntry) {
	for i, b := range bodies {
		out = append(out, types.SendMessageBatchRequestEntry{Id: ptr(fmt.Sprintf("e%d", i)), MessageBody: ptr(b)})
	}
	return out
}

func TestBatches(t *testing.T) {
	q := startQueues(t)
	q.work.FailEntries(func(body string) bool { return body == "unlucky" })
	out := ok(q.c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries("a", "unlucky", "bad \x01", "b")}))(t)
	var good, bad []string
	for _, e := range out.Successful {
		good = append(good, *e.Id)
	}
	for _, e := range out.Failed {
		bad = append(bad, fmt.Sprintf("%s %s %v", *e.Id, *e.Code, e.SenderFault))
	}
	if diff := cmp.Diff([]string{"e0", "e3"}, good) + cmp.Diff([]string{"e1 InternalError false", "e2 InvalidMessageContents true"}, bad); diff != "" {
		t.Error(diff)
	}
	got := q.take(10)
	deleted := ok(q.c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: ptr("x"), ReceiptHandle: got[0].ReceiptHandle}, {Id: ptr("y"), ReceiptHandle: ptr("garbage")}, {Id: ptr("z"), ReceiptHandle: got[1].ReceiptHandle},
	}}))(t)
	if len(deleted.Successful) != 2 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" || len(q.work.Messages()) != 0 {
		t.Errorf("%+v", deleted)
	}
	small := q.AddQueue(member, Queue{Name: "small", MaxMessage: 256 << 10})
	quarter, url := strings.Repeat("x", 256<<10), small.URL()
	out = ok(q.c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(quarter, quarter+"x")}))(t)
	if len(out.Successful) != 1 || len(out.Failed) != 1 || *out.Failed[0].Code != "InvalidParameterValue" {
		t.Errorf("%+v", out)
	}
	ok(q.c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries(slices.Repeat([]string{quarter}, 4)...)}))(t) // 1 MiB in sum
}

func TestWhatSQSRefuses(t *testing.T) {
	q := startQueues(t)
	batch := func(e []types.SendMessageBatchRequestEntry) error {
		return try(q.c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: e}))
	}
	named := func(ids ...string) (out []types.SendMessageBatchRequestEntry) {
		for _, id := range ids {
			out = append(out, types.SendMessageBatchRequestEntry{Id: ptr(id), MessageBody: ptr("x")})
		}
		return out
	}
	change := func(receipt string, timeout int32) error {
		return try(q.c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: &receipt, VisibilityTimeout: timeout}))
	}
	q.work.Put("x")
	old := q.work.Take(1)[0].Receipt
	q.wall.advance(time.Minute)
	for name, tc := range map[string]struct {
		err    error
		code   string
		status int
	}{
		"no queue": {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: ptr("http://x/200000000002/nothing"), MessageBody: ptr("x")})), "AWS.SimpleQueueService.NonExistentQueue", 400},
		"another account's": {func() error {
			c := sqs.NewFromConfig(q.in(other))
			return try(c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("x")}))
		}(), "AccessDenied", 403},
		"no such name":        {try(q.c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: ptr("nothing")})), "AWS.SimpleQueueService.NonExistentQueue", 400},
		"no URL":              {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: ptr("work"), MessageBody: ptr("x")})), "AWS.SimpleQueueService.NonExistentQueue", 400},
		"empty body":          {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("")})), "MissingParameter", 400},
		"control character":   {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("\x00")})), "InvalidMessageContents", 400},
		"long body":           {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr(strings.Repeat("x", 1<<20+1))})), "InvalidParameterValue", 400},
		"long delay":          {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("x"), DelaySeconds: 901})), "InvalidParameterValue", 400},
		"FIFO":                {try(q.c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("x"), MessageDeduplicationId: ptr("x")})), "InvalidParameterValue", 400},
		"empty batch":         {batch([]types.SendMessageBatchRequestEntry{}), "AWS.SimpleQueueService.EmptyBatchRequest", 400},
		"eleven entries":      {batch(entries(slices.Repeat([]string{"x"}, 11)...)), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400},
		"the same ID":         {batch(named("a", "a")), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400},
		"bad ID":              {batch(named("a.b")), "AWS.SimpleQueueService.InvalidBatchEntryId", 400},
		"long ID":             {batch(named(strings.Repeat("a", 81))), "AWS.SimpleQueueService.InvalidBatchEntryId", 400},
		"large batch":         {batch(entries(strings.Repeat("x", 1<<19), strings.Repeat("x", 1<<19), "x")), "AWS.SimpleQueueService.BatchRequestTooLong", 400},
		"many messages":       {try(q.c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 11})), "InvalidParameterValue", 400},
		"long timeout":        {try(q.c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, VisibilityTimeout: 43201})), "InvalidParameterValue", 400},
		"bad receipt":         {try(q.c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: ptr("garbage")})), "ReceiptHandleIsInvalid", 400},
		"bad receipt, change": {change("garbage", 1), "ReceiptHandleIsInvalid", 400},
		"gone":                {change("work/x/y", 1), "InvalidParameterValue", 400},
		"not in flight":       {change(old, 1), "AWS.SimpleQueueService.MessageNotInflight", 400},
		"change for too long": {change(old, 43201), "InvalidParameterValue", 400},
	} {
		t.Run(name, func(t *testing.T) { refusedWith(t, tc.err, tc.code, tc.status) })
	}
	var typed *types.QueueDoesNotExist
	_, err := q.c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: ptr("nothing")})
	if !errors.As(err, &typed) {
		t.Errorf("%v is no QueueDoesNotExist", err)
	}
}

func TestFaultsOfSQS(t *testing.T) {
	q := startQueues(t)
	send := func(cfg awssdk.Config) error {
		return try(sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr("x")}))
	}
	cfg := q.in(member)
	q.SetFault(Fault{Service: "sqs", Kind: FaultThrottle})
	refusedWith(t, send(cfg), "RequestThrottled", 400)
	q.SetFault(Fault{Service: "sqs", Kind: FaultError})
	refusedWith(t, send(cfg), "InternalFailure", 500)
	q.SetFault(Fault{Service: "sqs", Kind: FaultDrop})
	if send(cfg) == nil || len(q.work.Messages()) != 1 {
		t.Errorf("a lost answer: %+v", q.work.Messages())
	}
	patient := cfg.Copy()
	patient.Retryer = func() awssdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	q.SetFault(Fault{Service: "sqs", Kind: FaultThrottle})
	q.SetFault(Fault{Service: "sqs", Kind: FaultError, Nth: 2})
	ok(0, send(patient))(t)
	if n := q.calls(member, "sqs", "SendMessage"); n != 6 {
		t.Errorf("%d calls", n)
	}
	for name, f := range map[string]func(){
		"FIFO":           func() { q.AddQueue(member, Queue{Name: "a.fifo"}) },
		"no dead letter": func() { q.AddQueue(member, Queue{Name: "a", DeadLetter: "nothing"}) },
		"remove nothing": func() { q.RemoveQueue(member, "nothing") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			f()
		})
	}
	q.RemoveQueue(member, "work")
	refusedWith(t, send(cfg), "AWS.SimpleQueueService.NonExistentQueue", 400)
}
