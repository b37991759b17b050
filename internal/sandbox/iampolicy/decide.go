package iampolicy

// Request is one question: may this be done to that?
type Request struct {
	Action   string // service:Name
	Resource string // an ARN; "*" for actions that have no resource. A trust policy does not look at it
	Context  Context

	// Who asks, for a trust policy: the names that an AWS principal goes by (ARNs and its account ID), or a service's name.
	Principals []string
	Service    string
}

// Decision is what policies say.
type Decision int

// The decisions. The zero value denies.
const (
	NoMatch    Decision = iota // nothing allows it
	Allowed                    // something allows it and nothing denies it
	DeniedByIt                 // something denies it, whatever else allows
)

// Match is a statement that decided, and by which of its patterns.
type Match struct {
	Statement  int    // index in the policy
	Sid        string // "" if it has none
	Action     string // the pattern; "" for NotAction
	Resource   string // the pattern; "" for NotResource and in trust policies
	Principals []Principal
}

// Decide says what one policy says. The matches are all statements that deny, or else all that allow, each by its first
// patterns that match.
func (p *Policy) Decide(r Request) (Decision, []Match) {
	var allow, deny []Match
	for i, s := range p.Statements {
		m, ok := s.applies(r)
		if !ok {
			continue
		}
		m.Statement, m.Sid = i, s.Sid
		if s.Effect == Allow {
			allow = append(allow, m)
		} else {
			deny = append(deny, m)
		}
	}
	switch {
	case len(deny) > 0:
		return DeniedByIt, deny
	case len(allow) > 0:
		return Allowed, allow
	default:
		return NoMatch, nil
	}
}

// applies reports whether a statement speaks of the request. Actions are compared without their case, resources with it.
func (s Statement) applies(r Request) (m Match, ok bool) {
	if s.Principals != nil {
		if m.Principals = meant(s.Principals, r); len(m.Principals) == 0 {
			return m, false
		}
	}
	if m.Action, ok = first(s.actions, nil, r.Action, true); ok != (s.Actions != nil) {
		return m, false
	}
	if s.Principals == nil {
		if m.Resource, ok = first(s.resources, r.Context, r.Resource, false); ok != (s.Resources != nil) {
			return m, false
		}
	}
	for _, c := range s.Conditions {
		if !c.holds(r.Context) {
			return m, false
		}
	}
	return m, true
}

// first returns the text of the first pattern that matches.
func first(patterns []pattern, c Context, text string, fold bool) (string, bool) {
	for _, p := range patterns {
		if p.match(c, text, fold) {
			return p.text, true
		}
	}
	return "", false
}
