package lambdaemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// StreamOptions is how a stream mapping is made. Target and ARN are required.
type StreamOptions struct {
	Target                Target
	ARN                   string   // of the stream
	BatchSize             int      // 0: 100
	ParallelizationFactor int      // lanes of the one shard, 1 to 10; 0: 1
	Filters               []string // up to five patterns, of which one must match; none: everything passes

	ReportBatchItemFailures    bool
	BisectBatchOnFunctionError bool
	MaximumRetryAttempts       int           // after the first attempt; -1: without end, which is AWS's default
	MaximumRecordAge           time.Duration // 0: without limit
	// OnFailure gets the JSON of the on-failure destination for each batch that is given up. Nil: it is lost.
	OnFailure func(record json.RawMessage)

	Now func() time.Time // for record ages and timestamps; nil: the real time
	// Sequential hands the lanes over one after the other instead of all at once.
	Sequential bool
	// Duplicates is how often each batch is handed over again after it was done, as if the checkpoint had been lost.
	Duplicates int
	// Shuffle mixes the records of different items in a lane; those of one item keep their order. Nil: as they were offered.
	Shuffle *rand.Rand
}

// StreamMapping hands the records of a DynamoDB stream to a function.
type StreamMapping struct {
	o       StreamOptions
	filters []*filter
	region  string
	shard   string
	polling sync.Mutex
	wake    chan struct{}

	mu    sync.Mutex
	lanes []*lane
	stats StreamStats
}

// StreamStats counts records since the mapping was made.
type StreamStats struct {
	Offered   int
	Filtered  int // matched no filter and were dropped
	Done      int
	Discarded int // given up: retries exhausted or too old
	Waiting   int // now
}

type lane struct {
	queue []streamRecord
	work  []*batch // before the queue; the first one is in progress
}

// batch is handed over as it is until it is done, cut, split or given up.
type batch struct {
	records  []streamRecord
	retries  int // that count against MaximumRetryAttempts
	invokes  int
	repeated int
	last     Result
}

type streamRecord struct {
	raw      json.RawMessage
	sequence string
	item     string // the key, in one form
	created  time.Time
}

// NewStreamMapping refuses what CreateEventSourceMapping refuses.
func NewStreamMapping(o StreamOptions) (*StreamMapping, error) {
	o.BatchSize = or(o.BatchSize, 100)
	o.ParallelizationFactor = or(o.ParallelizationFactor, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.Target == nil || o.ARN == "":
		return nil, errors.New("a stream mapping needs a target and the stream's ARN")
	case o.BatchSize < 1 || o.BatchSize > 10000:
		return nil, fmt.Errorf("a batch size of %d: 1 to 10,000", o.BatchSize)
	case o.ParallelizationFactor < 1 || o.ParallelizationFactor > 10:
		return nil, fmt.Errorf("a parallelization factor of %d: 1 to 10", o.ParallelizationFactor)
	case o.MaximumRetryAttempts < -1 || o.MaximumRetryAttempts > 10000:
		return nil, fmt.Errorf("%d retry attempts: -1 to 10,000", o.MaximumRetryAttempts)
	case len(o.Filters) > 5:
		return nil, fmt.Errorf("%d filters: up to five", len(o.Filters))
	case o.MaximumRecordAge < 0 || o.MaximumRecordAge > 7*24*time.Hour:
		return nil, fmt.Errorf("a record age of %s: up to a week", o.MaximumRecordAge)
	}
	m := &StreamMapping{o: o, region: regionOf(o.ARN), wake: make(chan struct{}, 1)}
	m.shard = fmt.Sprintf("shardId-%020d-%08x", 1, hash(o.ARN))
	for _, pattern := range o.Filters {
		f, err := parseFilter(pattern)
		if err != nil {
			return nil, err
		}
		m.filters = append(m.filters, f)
	}
	for range o.ParallelizationFactor {
		m.lanes = append(m.lanes, &lane{})
	}
	return m, nil
}

// Offer puts a stream record in, as GetRecords or an event has it; what Lambda adds (eventSourceARN and the like) is added.
// A record that matches no filter is dropped and counted. An error says that this is no stream record.
func (m *StreamMapping) Offer(record json.RawMessage) error {
	r, err := m.read(record)
	if err != nil {
		return fmt.Errorf("read a stream record: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Offered++
	if len(m.filters) > 0 && !slices.ContainsFunc(m.filters, func(f *filter) bool { return f.matches(r.raw) }) {
		m.stats.Filtered++
		return nil
	}
	l := m.lanes[hash(r.item)%uint32(len(m.lanes))]
	l.queue = append(l.queue, r)
	select {
	case m.wake <- struct{}{}:
	default: // Run is awake already
	}
	return nil
}

// Stats counts what happened so far.
func (m *StreamMapping) Stats() StreamStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	for _, l := range m.lanes {
		s.Waiting += len(l.queue)
		for _, b := range l.work {
			s.Waiting += len(b.records)
		}
	}
	return s
}

// read takes a record apart by JSON's exact names: Go's fields would take others too.
func (m *StreamMapping) read(record json.RawMessage) (streamRecord, error) {
	var fields, change map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		return streamRecord{}, err
	}
	if fields["dynamodb"] == nil {
		return streamRecord{}, errors.New("it has no change")
	}
	if err := json.Unmarshal(fields["dynamodb"], &change); err != nil {
		return streamRecord{}, fmt.Errorf("dynamodb: %w", err)
	}
	var name string
	var keys map[string]map[string]string
	var r streamRecord
	var created float64 // seconds
	for _, part := range []struct {
		from map[string]json.RawMessage
		name string
		into any
	}{{fields, "eventName", &name}, {change, "Keys", &keys}, {change, "SequenceNumber", &r.sequence}, {change, "ApproximateCreationDateTime", &created}} {
		if part.from[part.name] == nil {
			continue
		}
		if err := json.Unmarshal(part.from[part.name], part.into); err != nil {
			return streamRecord{}, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	switch {
	case !slices.Contains([]string{"INSERT", "MODIFY", "REMOVE"}, name):
		return streamRecord{}, fmt.Errorf("the event name is %q", name)
	case len(keys) == 0:
		return streamRecord{}, errors.New("it has no keys")
	case r.sequence == "":
		return streamRecord{}, errors.New("it has no sequence number")
	}
	for name, value := range map[string]string{"eventID": randomHex(16), "eventVersion": "1.1", "eventSource": "aws:dynamodb",
		"awsRegion": m.region, "eventSourceARN": m.o.ARN} {
		if fields[name] == nil {
			fields[name], _ = json.Marshal(value)
		}
	}
	item, err := json.Marshal(keys) // sorted by name
	if err != nil {
		return streamRecord{}, err
	}
	if r.raw, err = json.Marshal(fields); err != nil {
		return streamRecord{}, err
	}
	r.item, r.created = string(item), m.o.Now()
	if created > 0 {
		r.created = time.UnixMilli(int64(created * 1000))
	}
	return r, nil
}

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}
