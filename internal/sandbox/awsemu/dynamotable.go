package awsemu

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// describeTable adds what the server behind does not know: the stream, and whose table it is.
func describeTable(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	p, f := s.behind(r, r.operation, r.body)
	if f != nil {
		return nil, f
	}
	return s.amend(r, p, "Table"), nil
}

// amend rewrites the description of a table, which stands under name. An answer that is none stays as it is.
func (s *Server) amend(r *request, p *passed, name string) *passed {
	var out map[string]map[string]any
	if p.status != http.StatusOK || json.Unmarshal(p.body, &out) != nil || out[name] == nil {
		return p
	}
	table := text(out[name], "TableName")
	s.dynamo.mu.Lock()
	if st := s.dynamo.streams[table]; st != nil {
		out[name]["StreamSpecification"] = map[string]any{"StreamEnabled": true, "StreamViewType": st.view}
		out[name]["LatestStreamLabel"], out[name]["LatestStreamArn"] = st.label, s.streamARN(r.who.account, table)
	}
	s.dynamo.mu.Unlock()
	body, err := json.Marshal(out)
	if err != nil {
		return p
	}
	if old := text(out[name], "TableArn"); old != "" { // the indexes' ARNs begin with it
		body = bytes.ReplaceAll(body, []byte(`"`+old), []byte(`"`+s.arn("dynamodb", r.who.account, "table/"+table)))
	}
	return &passed{p.status, body}
}

// createTable makes the table behind, and the stream here.
func createTable(s *Server, r *request) (any, *failure) { return s.changeTable(r, "TableDescription") }

func updateTable(s *Server, r *request) (any, *failure) { return s.changeTable(r, "TableDescription") }

func (s *Server) changeTable(r *request, name string) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	wanted := object(any(r.in), "StreamSpecification")
	view := text(wanted, "StreamViewType")
	if on, _ := wanted["StreamEnabled"].(bool); !on {
		view = ""
	} else if !slices.Contains(views, view) {
		return nil, failf(400, "ValidationException", "One or more parameter values were invalid: StreamViewType is not valid")
	}
	delete(r.in, "StreamSpecification")
	body, err := json.Marshal(r.in)
	if err != nil {
		return nil, behindFailed(err)
	}
	operation := r.operation
	if operation == "UpdateTable" && len(r.in) == 1 { // nothing but the stream
		operation, name = "DescribeTable", "Table"
	}
	p, f := s.behind(r, operation, body)
	if f != nil || p.status != http.StatusOK {
		return p, f
	}
	s.dynamo.mu.Lock()
	delete(s.dynamo.schemas, r.table()) // indexes may have changed
	s.dynamo.mu.Unlock()
	if wanted != nil {
		s.SetStream(r.table(), view)
	}
	p = s.amend(r, p, name)
	if name == "Table" {
		p.body = bytes.Replace(p.body, []byte(`{"Table":`), []byte(`{"TableDescription":`), 1)
	}
	return p, nil
}

func deleteTable(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	p, f := s.behind(r, r.operation, r.body)
	if f != nil || p.status != http.StatusOK {
		return p, f
	}
	s.dynamo.mu.Lock()
	delete(s.dynamo.schemas, r.table())
	delete(s.dynamo.streams, r.table())
	delete(s.dynamo.ttl, r.table())
	s.dynamo.mu.Unlock()
	return s.amend(r, p, "TableDescription"), nil
}

// SetTTL makes DescribeTimeToLive say that a table has a time to live, by an attribute; "": none. Nothing ever expires here.
func (s *Server) SetTTL(table, attribute string) {
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	s.dynamo.ttl[table] = attribute
}

func describeTTL(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	p, f := s.behind(r, "DescribeTable", tableBody(r))
	if f != nil || p.status != http.StatusOK {
		return p, f
	}
	s.dynamo.mu.Lock()
	defer s.dynamo.mu.Unlock()
	if attribute := s.dynamo.ttl[r.table()]; attribute != "" {
		return map[string]any{"TimeToLiveDescription": map[string]any{"AttributeName": attribute, "TimeToLiveStatus": "ENABLED"}}, nil
	}
	return map[string]any{"TimeToLiveDescription": map[string]any{"TimeToLiveStatus": "DISABLED"}}, nil
}

func updateTTL(s *Server, r *request) (any, *failure) {
	if f := s.refuseDynamo(r); f != nil {
		return nil, f
	}
	want := object(any(r.in), "TimeToLiveSpecification")
	attribute := text(want, "AttributeName")
	if attribute == "" {
		return nil, failf(400, "ValidationException", "TimeToLiveSpecification must name an attribute")
	}
	p, f := s.behind(r, "DescribeTable", tableBody(r))
	if f != nil || p.status != http.StatusOK {
		return p, f
	}
	if on, _ := want["Enabled"].(bool); on {
		s.SetTTL(r.table(), attribute)
	} else {
		s.SetTTL(r.table(), "")
	}
	return map[string]any{"TimeToLiveSpecification": want}, nil
}

func tableBody(r *request) []byte {
	body, _ := json.Marshal(map[string]any{"TableName": r.str("TableName")})
	return body
}
