package awsemu

import (
	"maps"
	"time"
)

var dropped = &failure{drop: true}

type fault struct {
	Fault
	seen, hit int
}

// SetFault adds a fault. Where several match a call, the one that was added first hits it.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{Fault: f})
}

// ClearFaults takes all faults away.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// faultFor counts a call for every fault that matches it, and returns the first one that is due.
func (s *Server) faultFor(c Call) (due *Fault) {
	for _, f := range s.faults {
		if f.Service != "" && f.Service != c.Service || f.Operation != "" && f.Operation != c.Operation || f.AccountID != "" && f.AccountID != c.Account {
			continue
		}
		f.seen++
		if due != nil || f.seen < max(f.Nth, 1) || f.Times >= 0 && f.hit >= max(f.Times, 1) {
			continue
		}
		f.hit++
		due = &f.Fault
	}
	return due
}

// strike lets a fault hit a call before it is performed. nil: perform it.
func (s *Server) strike(r *request, f *Fault) *failure {
	switch f.Kind {
	case FaultDropBefore:
		return dropped
	case FaultThrottle:
		return throttled(r)
	case FaultError:
		if f.Code == "" {
			return broken(r)
		}
		return &failure{code: f.Code, message: f.Message, status: f.Status}
	case FaultHang:
		select {
		case <-s.done:
		case <-r.http.Context().Done():
		}
		return dropped
	case FaultLatency:
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.done:
			return dropped
		}
	case FaultDrop: // comes after it was performed
	}
	return nil
}

// SetConsistencyDelay is for keys that are created from now on: the next calls authentications with each of them fail, and
// as many listings of its user do not show it.
func (s *Server) SetConsistencyDelay(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = calls
}

// SetReportDelay makes the next polls calls after GenerateCredentialReport find the report in progress. 0 is the default: the
// call after the one that started it finds it complete.
func (s *Server) SetReportDelay(polls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reportPolls = polls
}

// SetPageLimit makes lists of all services come in pages of n at most, as AWS may at any time. 0: the services' own sizes.
func (s *Server) SetPageLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageLimit = n
}

// SetMissingKeyDenied makes GetAccessKeyLastUsed answer AccessDenied, and not NoSuchEntity, for a key that is not there. AWS
// documented NoSuchEntity once and no error now.
func (s *Server) SetMissingKeyDenied(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missingDenied = on
}

// note counts and records a call that is about to be performed.
func (s *Server) note(r *request) (Call, func(Call) Action, *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	c := Call{Seq: s.seq, Account: r.who.account, Service: r.service, Operation: r.operation, Role: r.who.role,
		User: s.subject(r), Secret: secretNamed(r)}
	s.counters[CallKey{c.Account, c.Service, c.Operation}]++
	s.recordAsks(r)
	return c, s.onCall, s.faultFor(c)
}

// Counters returns how often what was called since the start or ResetCounters, by the account of the caller. Calls that were
// not authenticated are not counted.
func (s *Server) Counters() map[CallKey]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counters)
}

// ResetCounters sets all counters to zero.
func (s *Server) ResetCounters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters = map[CallKey]int{}
}

// OnCall sets a function that is called before a call is performed and after it, before the answer; after a call that a fault
// kept from an answer it is called only if the call was performed. nil takes it away.
func (s *Server) OnCall(f func(Call) Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onCall = f
}

func (s *Server) hook() func(Call) Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onCall
}
