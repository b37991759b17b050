package awsemu

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// dynamoAsks: a table is judged by its ARN, a query of an index by the index's. A batch asks for each of its tables, and a
// transaction for what each of its parts would ask.
func dynamoAsks(s *Server, r *request) []ask {
	about := func(action, table, index string) ask {
		resource := s.tableARN(r, table)
		if index != "" {
			resource += "/index/" + index
		}
		return ask{action: "dynamodb:" + action, resource: resource, shown: resource, context: func() iampolicy.Context { return r.dynamoContext(table, index) }}
	}
	switch r.operation {
	case "ListTables", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return []ask{{action: r.action(), resource: "*", shown: "*"}}
	case "BatchGetItem", "BatchWriteItem":
		var out []ask
		items := object(any(r.in), "RequestItems")
		for _, t := range slices.Sorted(maps.Keys(items)) {
			out = append(out, about(r.operation, t, ""))
		}
		if len(out) == 0 {
			out = append(out, about(r.operation, "", ""))
		}
		return out
	case "TransactGetItems", "TransactWriteItems":
		var out []ask
		for _, p := range r.parts() {
			out = append(out, about(map[string]string{"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}[p.kind], p.table, ""))
		}
		return out
	}
	return []ask{about(r.operation, r.table(), r.str("IndexName"))}
}

// table is the name of the table that a request is about, which may be written as its ARN.
func (r *request) table() string { return tableName(r.str("TableName")) }

func tableName(name string) string {
	if _, after, ok := strings.Cut(name, ":table/"); ok {
		return after
	}
	return name
}

func (s *Server) tableARN(r *request, table string) string {
	owner := r.who.account
	if parts := strings.Split(r.str("TableName"), ":"); len(parts) == 6 {
		owner = parts[4]
	}
	return s.arn("dynamodb", owner, "table/"+table)
}

// transactionPart is one part of a transaction.
type transactionPart struct {
	kind, table string
	in          map[string]any
}

func (r *request) parts() (out []transactionPart) {
	list, _ := r.in["TransactItems"].([]any)
	for _, x := range list {
		for _, kind := range []string{"Get", "Put", "Update", "Delete", "ConditionCheck"} {
			if in := object(x, kind); in != nil {
				out = append(out, transactionPart{kind, tableName(text(in, "TableName")), in})
			}
		}
	}
	return out
}

func (r *request) dynamoContext(table, index string) iampolicy.Context {
	c := iampolicy.Context{}
	give(c, "dynamodb:returnvalues", r.str("ReturnValues"))
	give(c, "dynamodb:select", r.str("Select"))
	give(c, "dynamodb:returnconsumedcapacity", r.str("ReturnConsumedCapacity"))
	if keys := r.leading(table, index); len(keys) > 0 {
		c["dynamodb:leadingkeys"] = keys
	}
	return c
}

// leading are the values of the partition key that a request names. Where they cannot be read, an empty one stands for them:
// no policy allows that by accident.
func (r *request) leading(table, index string) (out []string) {
	sc, known := r.schemas[table]
	if !known || len(sc.keys) == 0 {
		return []string{""}
	}
	hash := sc.keys[0]
	if index != "" {
		hash = sc.indexes[index]
	}
	add := func(attributes map[string]any) {
		value := ""
		for _, v := range object(any(attributes), hash) {
			value, _ = v.(string)
		}
		out = append(out, value)
	}
	switch r.operation {
	case "GetItem", "UpdateItem", "DeleteItem":
		add(object(any(r.in), "Key"))
	case "PutItem":
		add(object(any(r.in), "Item"))
	case "Query":
		out = append(out, r.queried(hash))
	case "BatchGetItem":
		keys, _ := object(object(any(r.in), "RequestItems"), table)["Keys"].([]any)
		for _, k := range keys {
			m, _ := k.(map[string]any)
			add(m)
		}
	case "BatchWriteItem", "TransactGetItems", "TransactWriteItems":
		for _, w := range r.writes() {
			if w.table == table {
				add(w.attributes)
			}
		}
	}
	return out
}

var equality = regexp.MustCompile(`([#\w.-]+)\s*=\s*(:[\w-]+)`)

// queried finds what a query demands the partition key to be. "": it was not found.
func (r *request) queried(hash string) string {
	names, values := object(any(r.in), "ExpressionAttributeNames"), object(any(r.in), "ExpressionAttributeValues")
	for _, m := range equality.FindAllStringSubmatch(r.str("KeyConditionExpression"), -1) {
		name := m[1]
		if n := text(names, name); n != "" {
			name = n
		}
		if name != hash {
			continue
		}
		for _, v := range object(any(values), m[2]) {
			value, _ := v.(string)
			return value
		}
	}
	return ""
}

// prepare looks at the tables of a request before it is judged, because that may take a call to the server behind.
func (s *Server) prepare(r *request) {
	if r.service != "dynamodb" {
		return
	}
	r.schemas = map[string]schema{}
	tables := []string{r.table()}
	for t := range object(any(r.in), "RequestItems") {
		tables = append(tables, t)
	}
	for _, p := range r.parts() {
		tables = append(tables, p.table)
	}
	for _, t := range tables {
		if sc, ok, _ := s.schemaOf(r, t); ok {
			r.schemas[t] = sc
		}
	}
}
