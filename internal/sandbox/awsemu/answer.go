package awsemu

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"hash/crc32"
	"net/http"
	"strconv"
	"time"
)

// node is an element of an XML answer.
type node struct {
	name string
	text string
	kids []node
}

func leaf(name, text string) node         { return node{name: name, text: text} }
func tree(name string, kids ...node) node { return node{name: name, kids: kids} }

func (n node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.name + ">")
	n.inner(b)
	b.WriteString("</" + n.name + ">")
}

func (n node) inner(b *bytes.Buffer) {
	_ = xml.EscapeText(b, []byte(n.text))
	for _, k := range n.kids {
		k.write(b)
	}
}

func members(name string, items []node) node {
	n := node{name: name}
	for _, i := range items {
		i.name = "member"
		n.kids = append(n.kids, i)
	}
	return n
}

// document writes the outermost element, which names the service's namespace.
func document(service string, n node) []byte {
	var b bytes.Buffer
	b.WriteString("<" + n.name)
	if ns := namespaces[service]; ns != "" {
		b.WriteString(` xmlns="` + ns + `"`)
	}
	b.WriteString(">")
	n.inner(&b)
	b.WriteString("</" + n.name + ">\n")
	return b.Bytes()
}

// requestID is the same for all requests, so that texts which quote it can be compared.
const requestID = "00000000-0000-4000-8000-000000000000"

// answer writes what an operation returned in the protocol of the request.
func (s *Server) answer(w http.ResponseWriter, r *request, out any, f *failure) {
	w.Header().Set("Date", s.opts.Wall().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Amzn-Requestid", requestID)
	status, body := http.StatusOK, []byte(nil)
	switch {
	case r.proto == s3Protocol:
		status, body = s3Answer(r, out, f)
	case f != nil:
		status, body = refusal(w, r, f)
	case r.proto == queryProtocol:
		meta := tree("ResponseMetadata", leaf("RequestId", requestID))
		n := tree(r.operation+"Response", meta)
		if kids, ok := out.([]node); ok {
			n = tree(r.operation+"Response", tree(r.operation+"Result", kids...), meta)
		}
		body = document(r.service, n)
	default:
		if p, ok := out.(*passed); ok {
			status, body = p.status, p.body
			break
		}
		if out == nil {
			out = map[string]any{}
		}
		body, _ = json.Marshal(out)
	}
	if r.service == "dynamodb" {
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	switch r.proto {
	case queryProtocol:
		w.Header().Set("Content-Type", "text/xml")
	case s3Protocol:
		w.Header().Set("Content-Type", "application/xml")
	case restProtocol:
		w.Header().Set("Content-Type", "application/json")
	default:
		kind := "application/x-amz-json-1.1"
		if k := contentTypes[r.service]; k != "" {
			kind = k
		}
		w.Header().Set("Content-Type", kind)
	}
	if len(body) > oneRead {
		time.Sleep(settle)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// The SDK (smithy-go v1.28.8) closes the body of its request as soon as it sees an answer. If net/http's writer has yet to
// look for the end of that body, as may happen when the answer comes within microseconds, it takes the closed body for a
// failure and closes the connection, and what was not yet read of the answer is lost ("use of closed network connection").
// AWS is never that near. An answer that one read takes in is safe; a longer one is held back for a moment.
const (
	oneRead = 3 << 10
	settle  = 5 * time.Millisecond
)

func refusal(w http.ResponseWriter, r *request, f *failure) (int, []byte) {
	status := f.status
	if status < 200 || status > 599 {
		status = http.StatusBadRequest
	}
	switch {
	case r.proto == queryProtocol:
		kind := "Sender"
		if status >= 500 {
			kind = "Receiver"
		}
		return status, document(r.service, tree("ErrorResponse",
			tree("Error", leaf("Type", kind), leaf("Code", f.code), leaf("Message", f.message)), leaf("RequestId", requestID)))
	case r.proto == restProtocol:
		w.Header().Set("X-Amzn-Errortype", f.code)
		body, _ := json.Marshal(map[string]string{"message": f.message})
		return status, body
	}
	name := "Message"
	switch r.service {
	case "kms", "dynamodb":
		name = "message"
	case "sqs":
		name = "message"
		code, fault := f.code, "Sender"
		if q := queryErrors[code]; q != "" {
			code = q
		}
		if status >= 500 {
			fault = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", code+";"+fault)
	}
	fields := map[string]string{"__type": f.code}
	if f.message != "" {
		fields[name] = f.message
	}
	body, _ := json.Marshal(fields)
	return status, body
}
