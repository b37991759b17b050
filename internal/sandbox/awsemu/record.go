package awsemu

import (
	"fmt"
	"slices"
)

// CallRecord is a permission that was asked for: by a call that was authenticated, whether or not a fault kept it from being
// performed, or by a service on the caller's behalf. Equal ones are one record.
type CallRecord struct {
	Principal string // ARN of the role, of the user, or of the account's root
	Account   string // of the principal
	Action    string // service:Name, as in a policy
	Resource  string // ARN, or "*"
	Via       string // the service that asked on the caller's behalf: secretsmanager.REGION.amazonaws.com; "": the caller itself
	Free      bool   // needs no permission
	Allowed   bool
	Why       string  // of a refusal
	Grants    []Grant // the statements that allowed it; none where the role has no policies
	Count     int
}

// Grant is a statement of a role's identity policy that allowed something, and which of its patterns did.
type Grant struct {
	Policy    string // the name under which it was set
	Statement int    // its place in the policy, counted from 0
	Sid       string
	Action    string // the pattern that matched; "" where the statement has NotAction
	Resource  string // the pattern that matched; "" where it has NotResource
}

// Calls returns what was asked for since the start or ResetCalls, in the order in which each came up first. Unlike Counters
// it goes by permission, not by operation: a batch of SQS is sqs:SendMessage, and creating a secret with tags is two records.
func (s *Server) Calls() []CallRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]CallRecord, len(s.records))
	for i, r := range s.records {
		out[i] = *r
		out[i].Grants = slices.Clone(r.Grants)
	}
	return out
}

// ResetCalls forgets all records.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records, s.recorded = nil, map[string]*CallRecord{}
}

// keep records one question and its answer.
func (s *Server) keep(r *request, a ask, v verdict) {
	c := CallRecord{
		Principal: s.principalARN(r.who), Account: r.who.account, Action: a.action, Resource: a.resource, Via: a.via, Free: a.free,
		Allowed: v.allowed && v.fail == nil, Why: v.why, Grants: v.grants,
	}
	if v.fail != nil {
		c.Why = v.fail.message
	}
	key := fmt.Sprintf("%q", []any{c.Principal, c.Action, c.Resource, c.Via, c.Why, c.Grants})
	if s.recorded[key] == nil {
		s.recorded[key] = &c
		s.records = append(s.records, &c)
	}
	s.recorded[key].Count++
}

// recordAsks records all that a call asks for, up to what is refused.
func (s *Server) recordAsks(r *request) {
	for _, a := range s.asks(r) {
		v := s.judge(r, a)
		s.keep(r, a, v)
		if !v.allowed {
			return
		}
	}
}
