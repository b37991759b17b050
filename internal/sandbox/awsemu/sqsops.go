package awsemu

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var sqsOperations = map[string]operation{
	"SendMessage": sendMessage, "SendMessageBatch": sendMessageBatch, "ReceiveMessage": receiveMessage,
	"DeleteMessage": deleteMessage, "DeleteMessageBatch": deleteMessageBatch, "ChangeMessageVisibility": changeVisibility,
	"GetQueueAttributes": getQueueAttributes, "GetQueueUrl": getQueueURL,
}

// queryErrors are what SQS calls its errors in the header X-Amzn-Query-Error, which the SDK takes for the code. Those that are
// not listed have one name.
var queryErrors = map[string]string{
	"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"AccessDeniedException":        "AccessDenied",
}

// batched are the operations on many messages that ask for the permission of the operation on one.
var batched = map[string]string{"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}

func sqsAsks(s *Server, r *request) []ask {
	acct, name := s.queueOf(r)
	q := ask{action: r.action(), resource: s.arn("sqs", acct, name)}
	if single := batched[r.operation]; single != "" {
		q.action = "sqs:" + single
	}
	q.shown = q.resource
	return []ask{q}
}

// queueOf reads which queue a request is about: its URL ends in account and name, whatever host it has.
func (s *Server) queueOf(r *request) (acct, name string) {
	if r.operation == "GetQueueUrl" {
		if acct = r.str("QueueOwnerAWSAccountId"); acct == "" {
			acct = r.who.account
		}
		return acct, r.str("QueueName")
	}
	parts := strings.Split(r.str("QueueUrl"), "/")
	if len(parts) < 2 {
		return r.who.account, ""
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// queue finds the queue of a request. The emulator's queues have no policies, so those of another account are out of reach.
func (s *Server) queue(r *request) (*account, *queue, *failure) {
	acct, name := s.queueOf(r)
	a := s.accounts[acct]
	if r.operation != "GetQueueUrl" && !r.has("QueueUrl") {
		return nil, nil, failf(400, "MissingParameter", "The request must contain the parameter QueueUrl.")
	}
	if a == nil || a.queues[name] == nil {
		return nil, nil, failf(400, "QueueDoesNotExist", "The specified queue does not exist.")
	}
	if acct != r.who.account {
		return nil, nil, s.denied(r, s.asks(r)[0], "because no resource-based policy allows the action")
	}
	s.sweep(a, a.queues[name], s.opts.Wall())
	return a, a.queues[name], nil
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// checkMessage returns what is wrong with a message: its code, or "".
func (q *queue) checkMessage(m map[string]any) (code, why string) {
	body, _ := m["MessageBody"].(string)
	legal := func(c rune) bool {
		return c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xd7ff || c >= 0xe000 && c <= 0xfffd || c >= 0x10000
	}
	delay, isNumber := m["DelaySeconds"].(float64)
	switch {
	case body == "":
		return "MissingParameter", "The request must contain the parameter MessageBody."
	case !utf8.ValidString(body) || strings.ContainsFunc(body, func(c rune) bool { return !legal(c) }):
		return "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF."
	case messageSize(m) > q.MaxMessage:
		return "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than " + strconv.Itoa(q.MaxMessage) + " bytes."
	case m["DelaySeconds"] != nil && (!isNumber || delay < 0 || delay > 900):
		return "InvalidParameterValue", "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
	case m["MessageDeduplicationId"] != nil:
		return "InvalidParameterValue", "The request includes a parameter that is not valid for this queue type."
	}
	return "", ""
}

// messageSize is the body's bytes and those of the attributes' names, types and values.
func messageSize(m map[string]any) int {
	body, _ := m["MessageBody"].(string)
	n := len(body)
	for name, v := range object(any(m), "MessageAttributes") {
		a, _ := v.(map[string]any)
		n += len(name) + len(text(a, "DataType")) + len(text(a, "StringValue")) + len(text(a, "BinaryValue"))*3/4
	}
	return n
}

func (s *Server) send(r *request, q *queue, m map[string]any) *message {
	delay, _ := m["DelaySeconds"].(float64)
	now := s.opts.Wall()
	return s.push(q, &message{body: text(m, "MessageBody"), sender: s.whoID(r.who), attributes: object(any(m), "MessageAttributes"),
		sent: now, visible: now.Add(time.Duration(delay) * time.Second)})
}

func sendMessage(s *Server, r *request) (any, *failure) {
	_, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	if code, why := q.checkMessage(r.in); code != "" {
		return nil, failf(400, code, "%s", why)
	}
	m := s.send(r, q, r.in)
	return map[string]any{"MessageId": m.id, "MD5OfMessageBody": md5Hex(m.body)}, nil
}

// receiveMessage answers at once, however long the request would wait.
func receiveMessage(s *Server, r *request) (any, *failure) {
	a, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	most, timeout := r.num("MaxNumberOfMessages", 1), r.num("VisibilityTimeout", int(q.VisibilityTimeout/time.Second))
	switch {
	case most < 1 || most > 10:
		return nil, failf(400, "InvalidParameterValue", "Value for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
	case timeout < 0 || timeout > 43200:
		return nil, failf(400, "InvalidParameterValue", "Value for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.")
	}
	wanted := slices.Concat(strs(r.in["AttributeNames"]), strs(r.in["MessageSystemAttributeNames"]))
	list := []any{}
	for _, m := range s.receive(a, q, most, time.Duration(timeout)*time.Second, s.opts.Wall()) {
		out := map[string]any{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body, "MD5OfBody": md5Hex(m.body)}
		if attributes := pick(m.system(), wanted); len(attributes) > 0 {
			out["Attributes"] = attributes
		}
		if len(m.attributes) > 0 && len(strs(r.in["MessageAttributeNames"])) > 0 {
			out["MessageAttributes"] = m.attributes
		}
		list = append(list, out)
	}
	return map[string]any{"Messages": list}, nil
}

// pick keeps the attributes that were asked for.
func pick(all map[string]string, wanted []string) map[string]string {
	out := maps.Clone(all)
	maps.DeleteFunc(out, func(k, _ string) bool { return !slices.Contains(wanted, k) && !slices.Contains(wanted, "All") })
	return out
}

// deleteMessage: a receipt that is not the latest one any more is taken, and deletes nothing.
func deleteMessage(s *Server, r *request) (any, *failure) {
	_, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	if !q.handle(r.str("ReceiptHandle")) {
		return nil, failf(400, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	}
	q.remove(r.str("ReceiptHandle"))
	return nil, nil
}

func changeVisibility(s *Server, r *request) (any, *failure) {
	_, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	now, timeout := s.opts.Wall(), r.num("VisibilityTimeout", -1)
	m := q.held(r.str("ReceiptHandle"))
	switch {
	case timeout < 0 || timeout > 43200:
		return nil, failf(400, "InvalidParameterValue", "Value for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.")
	case !q.handle(r.str("ReceiptHandle")):
		return nil, failf(400, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	case m == nil:
		return nil, failf(400, "InvalidParameterValue", "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.")
	case !now.Before(m.visible):
		return nil, failf(400, "MessageNotInflight", "The message is not in flight.")
	}
	m.visible = now.Add(time.Duration(timeout) * time.Second)
	return nil, nil
}

func getQueueURL(s *Server, r *request) (any, *failure) {
	a, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	return map[string]any{"QueueUrl": s.queueURL(a.ID, q.Name)}, nil
}

func getQueueAttributes(s *Server, r *request) (any, *failure) {
	a, q, f := s.queue(r)
	if f != nil {
		return nil, f
	}
	now, waiting, flying, delayed := s.opts.Wall(), 0, 0, 0
	for _, m := range q.messages {
		switch {
		case !now.Before(m.visible):
			waiting++
		case m.receives > 0:
			flying++
		default:
			delayed++
		}
	}
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	all := map[string]string{
		"QueueArn": s.arn("sqs", a.ID, q.Name), "VisibilityTimeout": seconds(q.VisibilityTimeout), "MessageRetentionPeriod": seconds(q.Retention),
		"MaximumMessageSize": strconv.Itoa(q.MaxMessage), "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
		"ApproximateNumberOfMessages": strconv.Itoa(waiting), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(flying),
		"ApproximateNumberOfMessagesDelayed": strconv.Itoa(delayed),
		"CreatedTimestamp":                   strconv.FormatInt(q.made.Unix(), 10), "LastModifiedTimestamp": strconv.FormatInt(q.made.Unix(), 10),
	}
	if q.DeadLetter != "" && q.MaxReceives > 0 {
		all["RedrivePolicy"] = `{"deadLetterTargetArn":"` + s.arn("sqs", a.ID, q.DeadLetter) + `","maxReceiveCount":` + strconv.Itoa(q.MaxReceives) + `}`
	}
	out := map[string]any{}
	if found := pick(all, strs(r.in["AttributeNames"])); len(found) > 0 {
		out["Attributes"] = found
	}
	return out, nil
}
