package awsemu

import "regexp"

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// entries reads the entries of a batch. What is wrong with the batch as a whole refuses all of them.
func (r *request) entries() ([]map[string]any, *failure) {
	list, _ := r.in["Entries"].([]any)
	switch {
	case len(list) == 0:
		return nil, failf(400, "EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(list) > mostEntries:
		return nil, failf(400, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", mostEntries, len(list))
	}
	var out []map[string]any
	seen := map[string]bool{}
	for _, e := range list {
		m, _ := e.(map[string]any)
		id := text(m, "Id")
		switch {
		case !entryID.MatchString(id):
			return nil, failf(400, "InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[id]:
			return nil, failf(400, "BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
		out = append(out, m)
	}
	return out, nil
}

// outcome collects what became of each entry.
type outcome struct{ good, bad []any }

func (o *outcome) fail(id, code, why string, sender bool) {
	o.bad = append(o.bad, map[string]any{"Id": id, "Code": code, "Message": why, "SenderFault": sender})
}

func (o *outcome) answer() map[string]any {
	return map[string]any{"Successful": append([]any{}, o.good...), "Failed": append([]any{}, o.bad...)}
}

// sendMessageBatch sends what can be sent: an entry that is wrong fails alone.
func sendMessageBatch(s *Server, r *request) (any, *failure) {
	_, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	entries, f := r.entries()
	if f != nil {
		return nil, f
	}
	total := 0
	for _, e := range entries {
		total += messageSize(e)
	}
	if total > largestMessage {
		return nil, failf(400, "BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", largestMessage, total)
	}
	var o outcome
	for _, e := range entries {
		id := text(e, "Id")
		if code, why := q.checkMessage(e); code != "" {
			o.fail(id, code, why, true)
			continue
		}
		if q.fails != nil && q.fails(text(e, "MessageBody")) {
			o.fail(id, "InternalError", "The request processing has failed because of an unknown error.", false)
			continue
		}
		m := s.send(r, q, e)
		o.good = append(o.good, map[string]any{"Id": id, "MessageId": m.id, "MD5OfMessageBody": md5Hex(m.body)})
	}
	return o.answer(), nil
}

func deleteMessageBatch(s *Server, r *request) (any, *failure) {
	_, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	entries, f := r.entries()
	if f != nil {
		return nil, f
	}
	var o outcome
	for _, e := range entries {
		id, receipt := text(e, "Id"), text(e, "ReceiptHandle")
		if !q.handle(receipt) {
			o.fail(id, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.", true)
			continue
		}
		q.remove(receipt)
		o.good = append(o.good, map[string]any{"Id": id})
	}
	return o.answer(), nil
}
