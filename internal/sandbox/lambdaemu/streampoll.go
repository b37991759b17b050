package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
)

// Poll makes one attempt in each lane that has something: it hands over a batch, waits for the answer and acts on it. It says
// how many records left the stream, done or given up. A batch that failed waits for the next Poll, before what came after
// it. An error is one of the invocation itself (ctx ended, the function is closed), never one of the function; the batch
// stays, and no attempt is counted.
func (m *StreamMapping) Poll(ctx context.Context) (moved int, err error) {
	m.polling.Lock()
	defer m.polling.Unlock()
	if m.o.Sequential {
		for _, l := range m.lanes {
			n, e := m.pollLane(ctx, l)
			moved, err = moved+n, errors.Join(err, e)
		}
		return moved, err
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	for _, l := range m.lanes {
		wait.Go(func() {
			n, e := m.pollLane(ctx, l)
			mu.Lock()
			defer mu.Unlock()
			moved, err = moved+n, errors.Join(err, e)
		})
	}
	wait.Wait()
	return moved, err
}

// Drain polls until nothing waits. With endless retries a record that always fails keeps it busy until ctx ends.
func (m *StreamMapping) Drain(ctx context.Context) (moved int, err error) {
	for m.Stats().Waiting > 0 {
		n, err := m.Poll(ctx)
		moved += n
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// Run drains whenever something was offered, until ctx ends, and returns ctx's error or that of a Poll. It makes no pause
// between attempts.
func (m *StreamMapping) Run(ctx context.Context) error {
	return loop(ctx, m.wake, func() error {
		_, err := m.Drain(ctx)
		return err
	})
}

func (m *StreamMapping) pollLane(ctx context.Context, l *lane) (int, error) {
	b, expired := m.head(l)
	moved := 0
	for _, old := range expired {
		m.giveUp(old, "RecordAgeExceeded")
		moved += len(old.records)
	}
	if b == nil {
		return moved, nil
	}
	event, err := streamEvent(b.records)
	if err != nil {
		return moved, err
	}
	r, err := m.o.Target.InvokeWhenFree(ctx, event)
	if err != nil {
		return moved, err
	}
	n, lost := m.settle(l, b, r)
	if lost != nil {
		m.giveUp(lost, "RetryAttemptsExhausted")
	}
	return moved + n, nil
}

// head is the batch whose turn it is, nil if there is none, and before it what has become too old.
func (m *StreamMapping) head(l *lane) (b *batch, expired []*batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if len(l.work) == 0 {
			records := m.cut(l)
			if len(records) == 0 {
				return nil, expired
			}
			l.work = append(l.work, &batch{records: records})
		}
		b = l.work[0]
		fresh := slices.IndexFunc(b.records, func(r streamRecord) bool {
			return m.o.MaximumRecordAge == 0 || m.o.Now().Sub(r.created) <= m.o.MaximumRecordAge
		})
		if fresh == 0 {
			return b, expired
		}
		old := *b
		if fresh > 0 { // a stream is in the order of time: what is too old comes first
			old.records, b.records = b.records[:fresh], b.records[fresh:]
			return b, append(expired, &old)
		}
		expired = append(expired, &old)
		l.work = l.work[1:]
	}
}

// cut takes the next records out of the queue, at most BatchSize and what fits into an event.
func (m *StreamMapping) cut(l *lane) []streamRecord {
	if m.o.Shuffle != nil {
		l.queue = interleave(l.queue, m.o.Shuffle)
	}
	size, n := 0, 0
	for n < len(l.queue) && n < m.o.BatchSize {
		size += len(l.queue[n].raw) + 1
		if n > 0 && size > maxRequest-64*1024 {
			break
		}
		n++
	}
	records := l.queue[:n:n]
	l.queue = l.queue[n:]
	return records
}

// interleave draws an order in which each item's records keep theirs.
func interleave(records []streamRecord, random *rand.Rand) []streamRecord {
	items := make([]string, len(records))
	byItem := map[string][]streamRecord{}
	for i, r := range records {
		items[i] = r.item
		byItem[r.item] = append(byItem[r.item], r)
	}
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	mixed := make([]streamRecord, len(records))
	for i, item := range items {
		mixed[i] = byItem[item][0]
		byItem[item] = byItem[item][1:]
	}
	return mixed
}

func streamEvent(records []streamRecord) ([]byte, error) {
	var event struct {
		Records []json.RawMessage `json:"Records"`
	}
	for _, r := range records {
		event.Records = append(event.Records, r.raw)
	}
	return json.Marshal(event)
}
