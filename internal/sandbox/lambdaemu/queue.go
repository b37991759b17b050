package lambdaemu

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
)

// Queue is the source of a queue mapping.
type Queue interface {
	// Take gives up to most visible messages and hides them.
	Take(most int) []Message
	// Done deletes a message, as DeleteMessage does.
	Done(receipt string)
	// Return makes a message visible again, as the end of its visibility timeout does.
	Return(receipt string)
}

// Message is a message of SQS. Attributes are its system attributes, such as ApproximateReceiveCount.
type Message struct {
	ID, Receipt, Body string
	Attributes        map[string]string
}

// QueueOptions is how a queue mapping is made. Target, Source and ARN are required.
type QueueOptions struct {
	Target Target
	Source Queue
	ARN    string // of the queue
	// BatchSize is at most 10 (no batching window is emulated); 0: 10.
	BatchSize int
	// MaximumConcurrency is how many batches are in flight at once, 2 to 1,000; 0: 5, with which Lambda starts.
	MaximumConcurrency      int
	ReportBatchItemFailures bool
}

// QueueMapping hands the messages of a queue to a function.
type QueueMapping struct {
	o       QueueOptions
	polling sync.Mutex
	wake    chan struct{}
}

// NewQueueMapping refuses what CreateEventSourceMapping refuses.
func NewQueueMapping(o QueueOptions) (*QueueMapping, error) {
	o.BatchSize = or(o.BatchSize, 10)
	switch {
	case o.Target == nil || o.Source == nil || o.ARN == "":
		return nil, errors.New("a queue mapping needs a target, a source and the queue's ARN")
	case o.BatchSize < 1 || o.BatchSize > 10:
		return nil, fmt.Errorf("a batch size of %d: 1 to 10 without a batching window", o.BatchSize)
	case o.MaximumConcurrency != 0 && (o.MaximumConcurrency < 2 || o.MaximumConcurrency > 1000):
		return nil, fmt.Errorf("a maximum concurrency of %d: 2 to 1000", o.MaximumConcurrency)
	}
	o.MaximumConcurrency = or(o.MaximumConcurrency, 5)
	return &QueueMapping{o: o, wake: make(chan struct{}, 1)}, nil
}

// Poll takes every message that is visible now, hands them over in batches, waits for the answers and acts on them. It says
// how many messages are done. Messages that come back are left to the next Poll. An error is one of the invocation itself
// (ctx ended, the function is closed), never one of the function.
func (m *QueueMapping) Poll(ctx context.Context) (done int, err error) {
	m.polling.Lock()
	defer m.polling.Unlock()
	var batches [][]Message
	for {
		batch := m.o.Source.Take(m.o.BatchSize)
		if len(batch) == 0 {
			break
		}
		batches = append(batches, batch)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, m.o.MaximumConcurrency)
	for _, batch := range batches {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			n, e := m.handOver(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			done += n
			err = errors.Join(err, e)
		})
	}
	wait.Wait()
	return done, err
}

// Notify wakes Run: there may be something to take.
func (m *QueueMapping) Notify() {
	select {
	case m.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Run polls once now and once for each Notify until ctx ends, and returns ctx's error or that of a Poll.
func (m *QueueMapping) Run(ctx context.Context) error {
	m.Notify()
	return loop(ctx, m.wake, func() error {
		_, err := m.Poll(ctx)
		return err
	})
}

func loop(ctx context.Context, wake <-chan struct{}, poll func() error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
			if err := poll(); err != nil {
				return err
			}
		}
	}
}

// handOver is one batch: all of it comes back unless the function says otherwise.
func (m *QueueMapping) handOver(ctx context.Context, batch []Message) (done int, err error) {
	event, err := m.event(batch)
	var r Result
	if err == nil {
		r, err = m.o.Target.InvokeWhenFree(ctx, event)
	}
	ids := map[string]bool{}
	for _, msg := range batch {
		ids[msg.ID] = true
	}
	whole := err != nil || r.FunctionError != ""
	var failed map[string]bool
	if !whole && m.o.ReportBatchItemFailures {
		failed, whole = batchFailures(r.Payload, func(id string) bool { return ids[id] })
	}
	for _, msg := range batch {
		if whole || failed[msg.ID] {
			m.o.Source.Return(msg.Receipt)
			continue
		}
		m.o.Source.Done(msg.Receipt)
		done++
	}
	return done, err
}

type sqsRecord struct {
	MessageID         string            `json:"messageId"`
	ReceiptHandle     string            `json:"receiptHandle"`
	Body              string            `json:"body"`
	Attributes        map[string]string `json:"attributes"`
	MessageAttributes struct{}          `json:"messageAttributes"`
	MD5OfBody         string            `json:"md5OfBody"`
	EventSource       string            `json:"eventSource"`
	EventSourceARN    string            `json:"eventSourceARN"`
	AWSRegion         string            `json:"awsRegion"`
}

func (m *QueueMapping) event(batch []Message) ([]byte, error) {
	var event struct {
		Records []sqsRecord `json:"Records"`
	}
	for _, msg := range batch {
		// SQS gives these four with every message; a source that has no clock or sender leaves them out.
		attributes := map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "0", "SenderId": "AIDAEXAMPLE", "ApproximateFirstReceiveTimestamp": "0"}
		maps.Copy(attributes, msg.Attributes)
		sum := md5.Sum([]byte(msg.Body))
		event.Records = append(event.Records, sqsRecord{MessageID: msg.ID, ReceiptHandle: msg.Receipt, Body: msg.Body,
			Attributes: attributes, MD5OfBody: hex.EncodeToString(sum[:]), EventSource: "aws:sqs", EventSourceARN: m.o.ARN,
			AWSRegion: regionOf(m.o.ARN)})
	}
	b, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write an SQS event: %w", err)
	}
	return b, nil
}
