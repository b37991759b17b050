package awsemu

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type protocol int

const (
	queryProtocol protocol = iota
	jsonProtocol
	restProtocol
	s3Protocol
)

// operation performs one call: under the server's lock, unless it is one of DynamoDB's.
type operation func(*Server, *request) (any, *failure)

var operations = map[string]map[string]operation{
	"sts": stsOperations, "iam": iamOperations, "organizations": orgOperations,
	"secretsmanager": smOperations, "kms": kmsOperations, "ses": sesOperations, "sqs": sqsOperations, "dynamodb": dynamoOperations,
	"s3": s3Operations,
}

// targets are what the services that speak JSON are called in X-Amz-Target.
var targets = map[string]string{
	"organizations": "AWSOrganizationsV20161128", "secretsmanager": "secretsmanager", "kms": "TrentService",
	"sqs": "AmazonSQS", "dynamodb": "DynamoDB_20120810",
}

// contentTypes of the answers in JSON; the others are 1.1.
var contentTypes = map[string]string{"sqs": "application/x-amz-json-1.0", "dynamodb": "application/x-amz-json-1.0"}

// versions of the services that speak the query protocol.
var versions = map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}

// namespaces of the answers in XML.
var namespaces = map[string]string{"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/", "s3": "http://s3.amazonaws.com/doc/2006-03-01/"}

// route finds service and protocol from the headers alone.
func (s *Server) route(r *request) *failure {
	h := r.http.Header.Get("Authorization")
	switch {
	case r.http.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(r.http.Header.Get("Content-Type"), "application/x-amz-json"):
		r.proto = jsonProtocol
	case strings.HasPrefix(r.http.URL.Path, "/v2/email/"):
		r.proto = restProtocol
	}
	if h == "" {
		return refused(r, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	var problem string
	if r.auth, problem = parseAuthorization(h); problem != "" {
		return refused(r, "IncompleteSignature", "%s", problem)
	}
	r.region, r.service = r.auth.region, r.auth.service
	switch r.service {
	case "iam", "sts":
		r.proto = queryProtocol
	case "organizations", "secretsmanager", "kms", "sqs":
		r.proto = jsonProtocol
	case "dynamodb":
		r.proto = jsonProtocol
		if s.dynamo.options().URL == "" {
			return refused(r, "SignatureDoesNotMatch", "This emulator has no DynamoDB behind it: see SetDynamoDB.")
		}
	case "ses":
		r.proto = restProtocol
	case "s3":
		r.proto = s3Protocol
	default:
		return refused(r, "SignatureDoesNotMatch", "Credential should be scoped to a service that this emulator has, not to '%s'.", r.service)
	}
	return nil
}

// decode reads the body and finds the operation.
func (r *request) decode() *failure {
	switch r.proto {
	case queryProtocol:
		return r.decodeForm()
	case restProtocol:
		r.operation = sesOperation(r.http)
	case s3Protocol:
		r.operation = s3Operation(r.http)
		return nil
	default:
		prefix, name, _ := strings.Cut(r.http.Header.Get("X-Amz-Target"), ".")
		if prefix == targets[r.service] {
			r.operation = name
		}
	}
	r.in = map[string]any{}
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.body, &r.in); err != nil || r.in == nil {
		return failf(400, "SerializationException", "The body is no JSON object.")
	}
	return nil
}

func (r *request) decodeForm() *failure {
	text := string(r.body)
	if r.http.Method == http.MethodGet {
		text = r.http.URL.RawQuery
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return failf(400, "MalformedQueryString", "The query string contains a syntax error.")
	}
	r.form, r.operation = form, form.Get("Action")
	if r.operation == "" {
		return failf(400, "MissingAction", "The request must contain the parameter Action.")
	}
	if v := form.Get("Version"); v != versions[r.service] {
		return failf(400, "InvalidAction", "Could not find operation %s for version %s", r.operation, v)
	}
	return nil
}

// has reports whether a parameter was given.
func (r *request) has(name string) bool {
	if r.proto == queryProtocol {
		return r.form.Has(name)
	}
	return r.in[name] != nil
}

// str reads a string of a JSON body or a form.
func (r *request) str(name string) string {
	if r.proto == queryProtocol {
		return r.form.Get(name)
	}
	v, _ := r.in[name].(string)
	return v
}

// num reads a whole number, or otherwise where it is missing. What is no such number is out of every range.
func (r *request) num(name string, otherwise int) int {
	if !r.has(name) {
		return otherwise
	}
	if r.proto == queryProtocol {
		n, err := strconv.ParseInt(r.form.Get(name), 10, 32)
		if err != nil {
			return math.MinInt32
		}
		return int(n)
	}
	v, ok := r.in[name].(float64)
	if !ok || v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
		return math.MinInt32
	}
	return int(v)
}

func (r *request) bool(name string) bool {
	if r.proto == queryProtocol {
		return r.form.Get(name) == "true"
	}
	v, _ := r.in[name].(bool)
	return v
}

// strs reads a list of strings of a JSON body.
func strs(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// object reads an object in an object of a JSON body.
func object(v any, name string) map[string]any {
	m, _ := v.(map[string]any)
	o, _ := m[name].(map[string]any)
	return o
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}
