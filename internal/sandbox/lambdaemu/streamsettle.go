package lambdaemu

import "slices"

// settle acts on an answer. It says how many records left the stream, and which batch is to be given up.
//
// Under ReportBatchItemFailures the first record that the answer names is the checkpoint: what is before it is done, and
// everything from it on is handed over again, also what succeeded. A batch that failed as a whole is split in two if
// BisectBatchOnFunctionError is set. Neither split takes from the retries (developer guide, "Retain discarded records for a
// DynamoDB event source"); a failure without progress does, and so does one with progress if bisecting is off. Exhausted
// retries give up the whole batch as it is then.
func (m *StreamMapping) settle(l *lane, b *batch, r Result) (moved int, lost *batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b.invokes++
	b.last = r
	failedAt := m.failedAt(b, r)
	if failedAt == len(b.records) {
		if b.repeated < m.o.Duplicates {
			b.repeated++
			return 0, nil
		}
		l.work = l.work[1:]
		m.stats.Done += len(b.records)
		return len(b.records), nil
	}
	whole := failedAt < 0
	if whole && m.o.BisectBatchOnFunctionError && len(b.records) > 1 {
		half := (len(b.records) + 1) / 2
		first := &batch{records: b.records[:half:half], retries: b.retries, invokes: b.invokes, last: r}
		second := &batch{records: b.records[half:], retries: b.retries, invokes: b.invokes, last: r}
		l.work = append([]*batch{first, second}, l.work[1:]...)
		return 0, nil
	}
	if failedAt > 0 {
		b.records = b.records[failedAt:]
		m.stats.Done += failedAt
		moved = failedAt
	}
	if failedAt <= 0 || !m.o.BisectBatchOnFunctionError {
		b.retries++
	}
	if m.o.MaximumRetryAttempts >= 0 && b.retries > m.o.MaximumRetryAttempts {
		l.work = l.work[1:]
		return moved + len(b.records), b
	}
	return moved, nil
}

// failedAt is the position of the first failed record, their number if all are done, and -1 if the batch failed as a whole.
func (m *StreamMapping) failedAt(b *batch, r Result) int {
	if r.FunctionError != "" {
		return -1
	}
	if !m.o.ReportBatchItemFailures {
		return len(b.records)
	}
	failed, whole := batchFailures(r.Payload, func(id string) bool {
		return slices.ContainsFunc(b.records, func(r streamRecord) bool { return r.sequence == id })
	})
	if whole {
		return -1
	}
	if i := slices.IndexFunc(b.records, func(r streamRecord) bool { return failed[r.sequence] }); i >= 0 {
		return i
	}
	return len(b.records)
}
