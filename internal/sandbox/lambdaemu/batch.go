package lambdaemu

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
)

// Target is what mappings and schedules invoke: a *Function, or a stand-in for one.
type Target interface {
	ARN() string
	InvokeWhenFree(ctx context.Context, event []byte) (Result, error)
}

var _ Target = (*Function)(nil)

// batchFailures reads the answer to a batch under ReportBatchItemFailures. The whole batch has failed if an identifier is
// empty, missing, under another key or not of the batch, or if the answer has another form. An empty or null answer, or an
// empty or null list, means that all of it is done.
func batchFailures(payload []byte, known func(id string) bool) (failed map[string]bool, whole bool) {
	if payload = bytes.TrimSpace(payload); len(payload) == 0 {
		return nil, false
	}
	var answer map[string]json.RawMessage // and not a struct: JSON's names are exact, Go's fields are not
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, true
	}
	list, ok := answer["batchItemFailures"]
	if !ok {
		return nil, false
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, true
	}
	failed = map[string]bool{}
	for _, item := range items {
		var id string
		if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || !known(id) {
			return nil, true
		}
		failed[id] = true
	}
	return failed, false
}

// regionOf reads the region of an ARN.
func regionOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}
