package lambdaemu

import (
	"encoding/json"
	"time"
)

// discarded is what the on-failure destination of a DynamoDB stream gets (developer guide, "Retain discarded records").
type discarded struct {
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		Invokes     int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext *responseContext `json:"responseContext,omitempty"` // nil: it was never invoked
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           struct {
		ShardID string `json:"shardId"`
		Start   string `json:"startSequenceNumber"`
		End     string `json:"endSequenceNumber"`
		First   string `json:"approximateArrivalOfFirstRecord"`
		Last    string `json:"approximateArrivalOfLastRecord"`
		Size    int    `json:"batchSize"`
		ARN     string `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
}

type responseContext struct {
	StatusCode    int    `json:"statusCode"`
	Version       string `json:"executedVersion"`
	FunctionError string `json:"functionError,omitempty"` // partial failures are no function error
}

// giveUp counts a batch as discarded and tells the on-failure destination where it lay in the stream; the records themselves
// are not in the message.
func (m *StreamMapping) giveUp(b *batch, condition string) {
	m.mu.Lock()
	m.stats.Discarded += len(b.records)
	m.mu.Unlock()
	if m.o.OnFailure == nil {
		return
	}
	first, last := b.records[0], b.records[len(b.records)-1]
	d := discarded{Version: "1.0", Timestamp: m.o.Now().UTC().Format("2006-01-02T15:04:05.000Z")}
	d.RequestContext.RequestID = or(b.last.RequestID, newRequestID())
	d.RequestContext.FunctionARN = m.o.Target.ARN()
	d.RequestContext.Condition = condition
	d.RequestContext.Invokes = b.invokes
	if b.invokes > 0 {
		d.ResponseContext = &responseContext{StatusCode: 200, Version: version, FunctionError: b.last.FunctionError}
	}
	d.Batch.ShardID, d.Batch.ARN, d.Batch.Size = m.shard, m.o.ARN, len(b.records)
	d.Batch.Start, d.Batch.End = first.sequence, last.sequence
	d.Batch.First, d.Batch.Last = first.created.UTC().Format(time.RFC3339), last.created.UTC().Format(time.RFC3339)
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers
	}
	m.o.OnFailure(raw)
}
