package function

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-lambda-go/events"
)

// stream reads what the records of the table's stream are about, works on all of it at once, each thing once, and answers
// which records have to come again. A stream begins again at the first of these, so what follows it comes again too: that
// does no harm, because work looks at things as they are by then.
func stream[T comparable](h *Handler, event []byte, read func(events.DynamoDBStreamRecord) (T, error), work func([]T) map[T]error) (any, error) {
	var all records
	if err := json.Unmarshal(event, &all); err != nil || len(all.Records) == 0 {
		return nil, h.unknown("records of the table's stream are expected: %s", clip(event))
	}
	var out events.DynamoDBEventResponse
	fail := func(number string) {
		out.BatchItemFailures = append(out.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: number})
	}
	about := map[string]T{} // by sequence number
	var numbers []string
	var todo []T
	for _, raw := range all.Records {
		var r events.DynamoDBEventRecord
		if err := json.Unmarshal(raw, &r); err != nil || r.EventSource != "aws:dynamodb" || r.Change.SequenceNumber == "" {
			return nil, h.unknown("a record of the table's stream is expected: %s", clip(raw)) // it cannot be named, so the whole batch comes again
		}
		thing, err := read(r.Change)
		if err != nil {
			h.unknown("a record of the table's stream: %w", err) //nolint:errcheck // it is counted and logged
			fail(r.Change.SequenceNumber)
			continue
		}
		about[r.Change.SequenceNumber] = thing
		numbers = append(numbers, r.Change.SequenceNumber)
		if !slices.Contains(todo, thing) {
			todo = append(todo, thing)
		}
	}
	failed := work(todo)
	for _, n := range numbers {
		if failed[about[n]] != nil {
			fail(n)
		}
	}
	return out, nil
}

// records is an event of records, whatever sent them.
type records struct {
	Records []json.RawMessage `json:"Records"`
}
