package awsemu

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// StreamRecord is a record of a table's stream. It is kept as long as the server, not 24 hours.
type StreamRecord struct {
	Sequence int             // 1, 2, 3 ... in the table's stream
	Item     string          // which item: records of the same one come in the order of its changes
	Name     string          // INSERT, MODIFY or REMOVE
	JSON     json.RawMessage // as Lambda gets it in an event
}

// stream is the stream of a table.
type stream struct {
	view, label string
	records     []StreamRecord
}

var views = []string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}

// SetStream switches the stream of a table on, with what its records carry: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or
// NEW_AND_OLD_IMAGES. "" switches it off. Switched on again, a stream is empty. The table need not be there yet. A table that
// is created with a stream through the emulator has it by itself.
func (s *Server) SetStream(table, view string) {
	if view != "" && !slices.Contains(views, view) {
		panic("awsemu: no stream has the view " + view)
	}
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	if view == "" {
		delete(s.dynamo.streams, table)
		return
	}
	s.dynamo.streams[table] = &stream{view: view, label: s.opts.Wall().UTC().Format("2006-01-02T15:04:05.000")}
}

// StreamRecords returns the records of a table's stream that follow one: all with 0.
func (s *Server) StreamRecords(table string, after int) []StreamRecord {
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	st := s.dynamo.streams[table]
	if st == nil || after >= len(st.records) {
		return nil
	}
	return slices.Clone(st.records[max(after, 0):])
}

// OnStream sets a function that is called after a write through the emulator has made records, before the write is answered,
// from the goroutine of the request. It may call the server, but not wait for a write of the same item. Read the records by
// StreamRecords: of several writes at once the calls may come in any order. nil takes it away.
func (s *Server) OnStream(f func(table string)) {
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	s.dynamo.onStream = f
}

func (f *dynamoFront) tell(table string) {
	f.mu.Lock()
	call := f.onStream
	f.mu.Unlock()
	if call != nil {
		call(table)
	}
}

// StreamARN is the ARN of a table's stream; "" if it has none.
func (s *Server) StreamARN(acct, table string) string {
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	return s.streamARN(acct, table)
}

func (s *Server) streamARN(acct, table string) string {
	st := s.dynamo.streams[table]
	if st == nil {
		return ""
	}
	return s.arn("dynamodb", acct, "table/"+table+"/stream/"+st.label)
}

func (f *dynamoFront) hasStream(table string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streams[table] != nil
}

// firstSequence makes all sequence numbers of one length, so that they compare as texts too.
const firstSequence = 100000000000000000

// emit appends the record of a change. What did not change makes none.
func (f *dynamoFront) emit(s *Server, r *request, w written, before, after map[string]any) {
	name := "MODIFY"
	switch {
	case before == nil && after == nil, sameItem(before, after):
		return
	case before == nil:
		name = "INSERT"
	case after == nil:
		name = "REMOVE"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.streams[w.table]
	if st == nil { // switched off meanwhile
		return
	}
	n := len(st.records) + 1
	change := map[string]any{
		"ApproximateCreationDateTime": s.opts.Wall().Truncate(time.Second).Unix(), "Keys": w.key,
		"SequenceNumber": fmt.Sprint(firstSequence + n), "StreamViewType": st.view,
	}
	size := itemSize(w.key)
	if after != nil && (st.view == "NEW_IMAGE" || st.view == "NEW_AND_OLD_IMAGES") {
		change["NewImage"] = after
		size += itemSize(after)
	}
	if before != nil && (st.view == "OLD_IMAGE" || st.view == "NEW_AND_OLD_IMAGES") {
		change["OldImage"] = before
		size += itemSize(before)
	}
	change["SizeBytes"] = size
	body, _ := json.Marshal(map[string]any{
		"eventID": digest([]byte(w.table + fmt.Sprint(n)))[:32], "eventName": name, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
		"awsRegion": s.opts.Region, "dynamodb": change, "eventSourceARN": s.streamARN(r.who.account, w.table),
	})
	st.records = append(st.records, StreamRecord{Sequence: n, Item: w.id, Name: name, JSON: body})
	r.changed = append(r.changed, w.table)
}
