package slackemu

import (
	"slices"
	"time"
)

// FaultKind says how a call goes wrong.
type FaultKind int

// The kinds of faults.
const (
	FaultError       FaultKind = iota + 1 // not performed; answers ok:false with Code
	FaultRateLimited                      // not performed; answers 429 with RetryAfter
	FaultHang                             // not performed; no answer until the caller gives up or the server closes
	FaultDrop                             // performed, then the connection is closed without an answer
	FaultDropBefore                       // not performed; the connection is closed without an answer
	FaultStatus                           // not performed; answers with Status and an HTML body
)

// Fault makes calls go wrong. Several faults may wait at once; the first that applies to a call is used.
type Fault struct {
	// Method is a Web API method, or "response_url"; empty means any.
	Method string
	// Channel limits the fault to calls that name this channel or user; a user also matches the direct message.
	Channel string
	// Nth is the first matching call that goes wrong, counted from 1; 0 means 1.
	Nth int
	// Times is how many calls go wrong: 0 one, -1 all.
	Times int
	Kind  FaultKind
	// Code is the error of FaultError, "internal_error" if empty.
	Code string
	// RetryAfter is rounded up to whole seconds, at least one.
	RetryAfter time.Duration
	// Status is the HTTP status of FaultStatus, 503 if zero.
	Status int
}

type armed struct {
	Fault
	seen int
}

// SetAckWithin changes how long the bot may take to acknowledge, which is three seconds: for tests that are about something
// else, on a machine that may be busy. Call it before anything is sent.
func (s *Server) SetAckWithin(d time.Duration) { s.ackWithin = d }

// SetFault arms a fault beside those that wait already.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armed{Fault: f})
}

// ClearFaults disarms all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// faultFor returns the fault for a call, or a zero Fault.
func (s *Server) faultFor(method string, p params) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.faults {
		if a.Method != "" && a.Method != method || a.Channel != "" && !slices.Contains(p.names(), a.Channel) &&
			!slices.Contains(p.names(), s.resolve(a.Channel)) {
			continue
		}
		a.seen++
		if from := max(a.Nth, 1); a.seen >= from && (a.Times < 0 || a.seen < from+max(a.Times, 1)) {
			return a.Fault
		}
	}
	return Fault{}
}

// Phase says whether a call is about to be performed or has been.
type Phase int

// The phases of a call. After comes only if the call was performed, whether or not it succeeded.
const (
	Before Phase = iota + 1
	After
)

// Action is what a hook decides.
type Action int

// Abort closes the connection without an answer.
const (
	Proceed Action = iota
	Abort
)

// Call is one call of the Web API. Seq counts calls from 1, and is the same Before and After.
type Call struct {
	Seq    int
	Method string
	Phase  Phase
}

// OnCall has f called around every call of the Web API, in the goroutine that serves it; nil removes it. f must be safe for
// concurrent use, and may use the server.
func (s *Server) OnCall(f func(Call) Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

func (s *Server) ask(c Call) Action {
	s.mu.Lock()
	f := s.hook
	s.mu.Unlock()
	if f == nil {
		return Proceed
	}
	return f(c)
}
