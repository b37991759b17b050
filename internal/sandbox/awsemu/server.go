package awsemu

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Server is the emulated AWS. Its methods are safe for concurrent use.
type Server struct {
	opts Options

	mu            sync.Mutex
	serial        int
	accounts      map[string]*account
	units         map[string]*unit
	order         []string // account IDs as they were added
	keys          map[string]*key
	sessions      map[string]*session
	handed        []string // every secret that was ever given out
	mails         []Mail
	faults        []*fault
	counters      map[CallKey]int
	lag           int
	reportPolls   int
	pageLimit     int
	missingDenied bool
	seq           int
	onCall        func(Call) Action
	records       []*CallRecord
	recorded      map[string]*CallRecord
	dynamo        *dynamoFront

	http *http.Server
	url  string
	once sync.Once
	done chan struct{}
	wait sync.WaitGroup
}

// New returns a server without accounts.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	return &Server{
		opts: o, accounts: map[string]*account{}, units: map[string]*unit{}, keys: map[string]*key{},
		sessions: map[string]*session{}, counters: map[CallKey]int{}, recorded: map[string]*CallRecord{}, dynamo: newDynamoFront(o.DynamoDB),
		done: make(chan struct{}),
	}
}

// Start listens on a free port of the loopback interface.
func (s *Server) Start() (string, error) { return s.StartAt("127.0.0.1:0") }

// StartAt listens on addr.
func (s *Server) StartAt(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen on %s: %w", addr, err)
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.wait.Go(func() { _ = s.http.Serve(l) })
	return s.url, nil
}

// URL is where the server listens.
func (s *Server) URL() string { return s.url }

// Close ends the server and every call that hangs. It may be called again.
func (s *Server) Close() error {
	s.once.Do(func() {
		close(s.done)
		s.dynamo.cancel()
	})
	var err error
	if s.http != nil {
		err = s.http.Close()
	}
	s.wait.Wait()
	s.dynamo.client.CloseIdleConnections()
	return err
}

// mostBody is more than the largest request that AWS takes here: a mail with attachments is not among them. The services that
// take larger ones have limits of their own.
const mostBody = 1 << 20

var largeBodies = map[string]int64{"sqs": 8 << 20, "dynamodb": 16 << 20}

// request is one call on its way through the server.
type request struct {
	http      *http.Request
	auth      authorization
	body      []byte
	service   string
	region    string
	operation string
	proto     protocol
	form      url.Values     // query protocol
	in        map[string]any // JSON protocols
	who       *principal
	schemas   map[string]schema // of DynamoDB's tables, by name
	changed   []string          // tables with new records in their streams
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{http: hr, proto: queryProtocol}
	fail := s.route(r)
	var err error
	limit := max(mostBody, largeBodies[r.service])
	if r.body, err = io.ReadAll(http.MaxBytesReader(w, hr.Body, limit)); err != nil {
		var large *http.MaxBytesError
		if !errors.As(err, &large) {
			return // the client left
		}
		fail = failf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is larger than %d bytes.", limit)
	}
	var out any
	if fail == nil {
		out, fail = s.serve(r)
	}
	if fail != nil && fail.drop {
		panic(http.ErrAbortHandler)
	}
	s.answer(w, r, out, fail)
}

// serve authenticates, counts, lets hooks and faults have their say, and performs.
func (s *Server) serve(r *request) (any, *failure) {
	if fail := r.decode(); fail != nil {
		return nil, fail
	}
	if fail := s.authenticate(r); fail != nil {
		return nil, fail
	}
	op, ok := operations[r.service][r.operation]
	if !ok {
		return nil, unknownOperation(r)
	}
	s.prepare(r)
	call, hook, f := s.note(r)
	if hook != nil && hook(call) == Abort {
		return nil, dropped
	}
	out, fail := s.perform(r, op, f)
	if fail != nil && fail.drop {
		return nil, fail
	}
	call.Phase, call.Failed = After, fail != nil
	if hook = s.hook(); hook != nil && hook(call) == Abort || f != nil && f.Kind == FaultDrop {
		return nil, dropped
	}
	return out, fail
}

func (s *Server) perform(r *request, op operation, f *Fault) (any, *failure) {
	if f != nil {
		if fail := s.strike(r, f); fail != nil {
			return nil, fail
		}
	}
	if r.service == "dynamodb" {
		return s.performBehind(r, op)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fail := s.allowed(r); fail != nil {
		return nil, fail
	}
	return op(s, r)
}

// performBehind performs a call that waits for another server, without the lock, and says so if it changed what has a stream.
func (s *Server) performBehind(r *request, op operation) (any, *failure) {
	s.mu.Lock()
	fail := s.allowed(r)
	s.mu.Unlock()
	if fail != nil {
		return nil, fail
	}
	out, fail := op(s, r)
	for _, table := range slices.Compact(slices.Sorted(slices.Values(r.changed))) {
		s.dynamo.tell(table)
	}
	return out, fail
}
