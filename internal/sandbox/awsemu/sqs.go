package awsemu

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Queue is a standard queue of SQS, as it is set up.
type Queue struct {
	Name              string
	VisibilityTimeout time.Duration // 0: 30 s
	MaxReceives       int           // beyond it a message goes to DeadLetter; 0: never
	DeadLetter        string        // name of a queue in the same account, which must be there
	MaxMessage        int           // bytes of a message; 0: 1 MiB, which SQS allows since August 2025
	Retention         time.Duration // 0: 4 days
}

// QueueMessage is a message as the holder of a queue sees it.
type QueueMessage struct {
	ID, Body string
	Receipt  string // of its latest receipt; "" if it was never received
	Receives int
	InFlight bool // received, and not visible yet
	Sent     time.Time
	// Attributes are its system attributes, as an event of Lambda has them.
	Attributes map[string]string
}

// QueueHandle is a queue in the hands of a test: it looks in, and takes messages as an event source mapping of Lambda does.
// None of that is a call: it is neither counted nor recorded, and no fault hits it.
type QueueHandle struct {
	s       *Server
	account string
	q       *queue
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

const (
	largestMessage = 1 << 20 // also the sum of a batch
	mostEntries    = 10
)

// AddQueue makes a queue. Times follow the protocol clock.
func (s *Server) AddQueue(acct string, c Queue) *QueueHandle {
	h := &QueueHandle{s: s, account: acct}
	s.with(acct, func(a *account) {
		if !queueName.MatchString(c.Name) {
			panic("awsemu: no standard queue can be called " + c.Name)
		}
		if c.DeadLetter != "" {
			must(a.queues[c.DeadLetter], "queue", c.DeadLetter)
		}
		if c.VisibilityTimeout == 0 {
			c.VisibilityTimeout = 30 * time.Second
		}
		if c.MaxMessage == 0 {
			c.MaxMessage = largestMessage
		}
		if c.Retention == 0 {
			c.Retention = 4 * 24 * time.Hour
		}
		h.q = &queue{Queue: c, made: s.opts.Wall()}
		a.queues[c.Name] = h.q
	})
	return h
}

// RemoveQueue deletes a queue with its messages.
func (s *Server) RemoveQueue(acct, name string) {
	s.with(acct, func(a *account) {
		must(a.queues[name], "queue", name)
		delete(a.queues, name)
	})
}

// URL is the queue's address, once the server listens.
func (h *QueueHandle) URL() string { return h.s.queueURL(h.account, h.q.Name) }

// ARN is the queue's ARN.
func (h *QueueHandle) ARN() string { return h.s.arn("sqs", h.account, h.q.Name) }

func (s *Server) queueURL(acct, name string) string { return s.url + "/" + acct + "/" + name }

func (h *QueueHandle) do(f func(a *account, now time.Time)) {
	h.s.with(h.account, func(a *account) {
		now := h.s.opts.Wall()
		h.s.sweep(a, h.q, now)
		f(a, now)
	})
}

// Put sends a message, and returns its ID.
func (h *QueueHandle) Put(body string) (id string) {
	h.do(func(_ *account, now time.Time) {
		id = h.s.push(h.q, &message{body: body, sender: h.account, sent: now, visible: now}).id
	})
	return id
}

// Take receives up to most messages, oldest first.
func (h *QueueHandle) Take(most int) (out []QueueMessage) {
	h.do(func(a *account, now time.Time) {
		for _, m := range h.s.receive(a, h.q, most, h.q.VisibilityTimeout, now) {
			out = append(out, m.shown(now))
		}
	})
	return out
}

// Done deletes a message that was taken. It reports whether the message was there and the receipt its latest one.
func (h *QueueHandle) Done(receipt string) (ok bool) {
	h.do(func(*account, time.Time) { ok = h.q.remove(receipt) })
	return ok
}

// Return makes a message that was taken visible again at once. One that was received as often as it may be goes to the
// dead-letter queue. It reports whether the message was there and the receipt its latest one.
func (h *QueueHandle) Return(receipt string) (ok bool) {
	h.do(func(a *account, now time.Time) {
		m := h.q.held(receipt)
		if ok = m != nil; ok {
			m.visible = now
			h.s.sweep(a, h.q, now)
		}
	})
	return ok
}

// Messages returns all messages, oldest first, those in flight too.
func (h *QueueHandle) Messages() (out []QueueMessage) {
	h.do(func(_ *account, now time.Time) {
		for _, m := range h.q.messages {
			out = append(out, m.shown(now))
		}
	})
	return out
}

// FailEntries makes those entries of batches fail whose bodies f picks: each by itself, as a failure of SQS. nil: none.
func (h *QueueHandle) FailEntries(f func(body string) bool) {
	h.do(func(*account, time.Time) { h.q.fails = f })
}

// queue is a queue with what is in it.
type queue struct {
	Queue
	made     time.Time
	messages []*message // as they were sent
	fails    func(string) bool
}

type message struct {
	id, body   string
	sender     string         // unique ID
	attributes map[string]any // as they were sent
	sent       time.Time
	first      time.Time
	receives   int
	visible    time.Time // from then on
	receipt    string
}

func (m *message) shown(now time.Time) QueueMessage {
	return QueueMessage{
		ID: m.id, Body: m.body, Receipt: m.receipt, Receives: m.receives, Sent: m.sent,
		InFlight: m.receives > 0 && now.Before(m.visible), Attributes: m.system(),
	}
}

func (s *Server) push(q *queue, m *message) *message {
	m.id = s.uuid()
	q.messages = append(q.messages, m)
	return m
}

// system are the attributes that SQS gives a message.
func (m *message) system() map[string]string {
	milliseconds := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	out := map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.receives), "SentTimestamp": milliseconds(m.sent), "SenderId": m.sender}
	if !m.first.IsZero() {
		out["ApproximateFirstReceiveTimestamp"] = milliseconds(m.first)
	}
	return out
}

func (s *Server) uuid() string {
	x := s.random("0123456789abcdef", 32)
	return fmt.Sprintf("%s-%s-%s-%s-%s", x[:8], x[8:12], x[12:16], x[16:20], x[20:])
}

// receive takes messages that are visible.
func (s *Server) receive(a *account, q *queue, most int, timeout time.Duration, now time.Time) (out []*message) {
	s.sweep(a, q, now)
	for _, m := range q.messages {
		if len(out) == most {
			break
		}
		if now.Before(m.visible) {
			continue
		}
		m.receives++
		if m.first.IsZero() {
			m.first = now
		}
		m.visible, m.receipt = now.Add(timeout), q.Name+"/"+m.id+"/"+s.random(secretAlphabet, 24)
		out = append(out, m)
	}
	return out
}

// sweep drops what is too old, and moves what was received too often and is visible again. SQS does so when it is asked for
// messages.
func (s *Server) sweep(a *account, q *queue, now time.Time) {
	dead := a.queues[q.DeadLetter]
	var kept []*message
	for _, m := range q.messages {
		switch {
		case !now.Before(m.sent.Add(q.Retention)):
		case dead != nil && q.MaxReceives > 0 && m.receives >= q.MaxReceives && !now.Before(m.visible):
			dead.messages = append(dead.messages, &message{id: m.id, body: m.body, sender: m.sender, attributes: m.attributes, sent: m.sent, visible: now})
		default:
			kept = append(kept, m)
		}
	}
	q.messages = kept
}

// held finds the message with that receipt as its latest one.
func (q *queue) held(receipt string) *message {
	for _, m := range q.messages {
		if receipt != "" && m.receipt == receipt {
			return m
		}
	}
	return nil
}

func (q *queue) remove(receipt string) bool {
	for i, m := range q.messages {
		if receipt != "" && m.receipt == receipt {
			q.messages = append(q.messages[:i:i], q.messages[i+1:]...)
			return true
		}
	}
	return false
}

// handle reports whether a text has the form of a receipt of this queue.
func (q *queue) handle(receipt string) bool {
	return strings.HasPrefix(receipt, q.Name+"/") && strings.Count(receipt, "/") == 2
}
