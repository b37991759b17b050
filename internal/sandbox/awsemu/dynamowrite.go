package awsemu

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// written is an item that a request may write. attributes are its key, or the whole item.
type written struct {
	table      string
	attributes map[string]any
	key        map[string]any // its key attributes alone
	id         string         // table and key, the same for the same item
}

// writes finds the items that a request may write, in their order, and of a transaction those too that it reads.
func (r *request) writes() (out []written) {
	add := func(table string, in map[string]any) {
		if len(in) > 0 {
			out = append(out, written{table: table, attributes: in})
		}
	}
	add(r.table(), object(any(r.in), "Key"))
	add(r.table(), object(any(r.in), "Item"))
	batch := object(any(r.in), "RequestItems")
	for _, table := range slices.Sorted(maps.Keys(batch)) {
		list, _ := batch[table].([]any)
		for _, x := range list {
			add(table, object(object(x, "PutRequest"), "Item"))
			add(table, object(object(x, "DeleteRequest"), "Key"))
		}
	}
	for _, p := range r.parts() {
		add(p.table, object(any(p.in), "Key"))
		add(p.table, object(any(p.in), "Item"))
	}
	return out
}

// writeItems passes a write on. If a table has a stream, each item is read before and after, under a lock of its own, so that its
// records come in the order of its changes and a write that changed nothing makes none.
func writeItems(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	items := s.streamed(r)
	for _, unlock := range s.lockItems(items) {
		defer unlock()
	}
	before, f := s.images(r, items)
	if f != nil {
		return nil, f
	}
	p, f := s.behind(r, r.operation, r.body)
	if f != nil || p.status != http.StatusOK || len(items) == 0 {
		return p, f
	}
	after, f := s.images(r, items)
	if f != nil {
		return nil, f
	}
	for i, w := range items {
		s.dynamo.emit(s, r, w, before[i], after[i])
	}
	return p, nil
}

// streamed are the items of a request whose tables have streams, each once. An item without its key is left out: DynamoDB
// refuses it.
func (s *Server) streamed(r *request) (out []written) {
	for _, w := range r.writes() {
		sc, known := r.schemas[w.table]
		if !known || !s.dynamo.hasStream(w.table) {
			continue
		}
		w.key = map[string]any{}
		for _, k := range sc.keys {
			if v := w.attributes[k]; v != nil {
				w.key[k] = v
			}
		}
		id, _ := json.Marshal([]any{w.table, w.key}) // names come sorted
		w.id = string(id)
		same := func(o written) bool { return o.id == w.id }
		if len(w.key) == len(sc.keys) && !slices.ContainsFunc(out, same) {
			out = append(out, w)
		}
	}
	return out
}

// lockItems takes the locks of items, always in the same order.
func (s *Server) lockItems(items []written) (unlock []func()) {
	var ids []string
	for _, w := range items {
		ids = append(ids, w.id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.dynamo.mu.Lock()
		l := s.dynamo.items[id]
		if l == nil {
			l = &sync.Mutex{}
			s.dynamo.items[id] = l
		}
		s.dynamo.mu.Unlock()
		l.Lock()
		unlock = append(unlock, l.Unlock)
	}
	return unlock
}

// images reads items as they are now: nil for one that is not there.
func (s *Server) images(r *request, items []written) ([]map[string]any, *failure) {
	var out []map[string]any
	for _, w := range items {
		var got struct{ Item map[string]any }
		in := map[string]any{"TableName": w.table, "Key": w.key, "ConsistentRead": true}
		if _, f := s.lookUp(r, "GetItem", in, &got); f != nil { // an error of DynamoDB's the write will get too
			return nil, f
		}
		out = append(out, got.Item)
	}
	return out, nil
}
