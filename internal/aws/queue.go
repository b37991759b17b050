package aws

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Queue is an SQS queue as its sender sees it. It is safe for concurrent use.
type Queue struct {
	url    string
	client queueCalls
}

// Queue returns the queue of a URL, which is reached with our own credentials.
func (c *Client) Queue(url string) *Queue { return &Queue{url, newQueue(c.cfg)} }

// mostEntries is how many messages one call takes (SQS API, SendMessageBatch). A hundred small ones are far below its size.
const mostEntries = 10

// Send sends every body as a message of its own. An error means that some may not have been sent: sent says how many were,
// and sending all of them again is right where the receiver takes a message twice.
func (q *Queue) Send(ctx context.Context, bodies []string) (sent int, err error) {
	for len(bodies) > 0 {
		n := min(len(bodies), mostEntries)
		ok, err := q.batch(ctx, bodies[:n])
		if sent += ok; err != nil {
			return sent, err
		}
		bodies = bodies[n:]
	}
	return sent, nil
}

// batch sends up to ten messages. Those that SQS did not take for a reason of its own are sent again.
func (q *Queue) batch(ctx context.Context, bodies []string) (sent int, err error) {
	todo := make([]types.SendMessageBatchRequestEntry, len(bodies))
	for i, b := range bodies {
		todo[i] = types.SendMessageBatchRequestEntry{Id: awssdk.String(strconv.Itoa(i)), MessageBody: awssdk.String(b)}
	}
	for range attempts {
		out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: todo})
		if err != nil {
			return sent, failed("send to the queue "+q.url, err)
		}
		sent += len(out.Successful)
		var again []types.SendMessageBatchRequestEntry
		for _, f := range out.Failed {
			i, err := strconv.Atoi(awssdk.ToString(f.Id))
			if f.SenderFault || err != nil || i < 0 || i >= len(bodies) {
				return sent, fmt.Errorf("send to the queue %s: %s", q.url, awssdk.ToString(f.Code))
			}
			again = append(again, types.SendMessageBatchRequestEntry{Id: f.Id, MessageBody: awssdk.String(bodies[i])})
		}
		if todo = again; len(todo) == 0 {
			return sent, nil
		}
	}
	return sent, fmt.Errorf("send to the queue %s: %d messages were not taken", q.url, len(todo))
}

// Check finds out whether the queue is there, and how many messages wait in it.
func (q *Queue) Check(ctx context.Context) (waiting int, err error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return 0, failed("look at the queue "+q.url, err)
	}
	n, err := strconv.Atoi(out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	if err != nil {
		return 0, errors.New("look at the queue " + q.url + ": SQS does not say how many messages wait")
	}
	return n, nil
}
