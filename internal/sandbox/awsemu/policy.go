package awsemu

import (
	"encoding/json"
	"slices"
	"strings"
)

// policy is a secret's resource policy. AWS keeps the unique IDs of the users that it names: a user of the same name that is
// made later is another one, and a renamed user keeps its access.
type policy struct {
	text       string
	statements []statement
	bound      map[string]bound // by ARN in text
}

type bound struct{ account, id string }

type statement struct {
	Effect              string
	Principal           any
	Action              any
	Resource            any
	NotPrincipal        any
	NotAction           any
	Condition           any
	principals, actions []string
}

const longestPolicy = 20480

// parsePolicy reads a policy. The user principals become unique IDs.
func (s *Server) parsePolicy(text string) (*policy, *failure) {
	malformed := func(why string) (*policy, *failure) {
		return nil, failf(400, "MalformedPolicyDocumentException", "%s", why)
	}
	var doc struct{ Statement json.RawMessage }
	if len(text) > longestPolicy || json.Unmarshal([]byte(text), &doc) != nil {
		return malformed("This resource policy contains a syntax error.")
	}
	p := &policy{text: text, bound: map[string]bound{}}
	if json.Unmarshal(doc.Statement, &p.statements) != nil {
		var one statement
		if json.Unmarshal(doc.Statement, &one) != nil {
			return malformed("This resource policy contains a syntax error.")
		}
		p.statements = []statement{one}
	}
	if len(p.statements) == 0 {
		return malformed("This resource policy contains no statement.")
	}
	for i := range p.statements {
		st := &p.statements[i]
		st.actions = oneOrMany(st.Action)
		switch {
		case st.Condition != nil || st.NotPrincipal != nil || st.NotAction != nil:
			return malformed("This emulator does not evaluate Condition, NotPrincipal or NotAction.")
		case st.Effect != "Allow" && st.Effect != "Deny", len(st.actions) == 0, len(oneOrMany(st.Resource)) == 0, st.Principal == nil:
			return malformed("This resource policy contains a syntax error.")
		}
		if f := s.bind(p, st); f != nil {
			return nil, f
		}
	}
	return p, nil
}

// bind finds whom a statement's principals mean.
func (s *Server) bind(p *policy, st *statement) *failure {
	if st.Principal == "*" {
		st.principals = []string{"*"}
		return nil
	}
	m, _ := st.Principal.(map[string]any)
	for _, arn := range oneOrMany(m["AWS"]) {
		name, ok := s.principalOf(arn)
		if !ok {
			return failf(400, "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal.")
		}
		if name.id != "" {
			p.bound[arn] = name
			arn = name.id
		}
		st.principals = append(st.principals, arn)
	}
	if len(m) == 0 {
		return failf(400, "MalformedPolicyDocumentException", "This resource policy contains a syntax error.")
	}
	return nil
}

// principalOf checks that a principal exists. Of a user it returns the unique ID.
func (s *Server) principalOf(arn string) (bound, bool) {
	if arn == "*" || s.accounts[arn] != nil {
		return bound{}, true
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != s.opts.Partition || s.accounts[parts[4]] == nil {
		return bound{}, false
	}
	a := s.accounts[parts[4]]
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "sts" && kind == "assumed-role", parts[2] == "iam" && parts[5] == "root":
		return bound{}, true
	case parts[2] != "iam":
		return bound{}, false
	case kind == "role":
		return bound{}, a.roles[rest] != nil
	}
	u := a.user(rest[strings.LastIndexByte(rest, '/')+1:])
	if kind != "user" || u == nil || s.userARN(a.ID, u) != arn {
		return bound{}, false
	}
	return bound{a.ID, u.UserID}, true
}

// public reports whether the policy allows anything to everyone.
func (p *policy) public() bool {
	return slices.ContainsFunc(p.statements, func(st statement) bool { return st.Effect == "Allow" && slices.Contains(st.principals, "*") })
}

// verdict is what the policy says to a caller who goes by ids: Deny, Allow or nothing.
func (p *policy) verdict(ids []string, action string) (v string) {
	for _, st := range p.statements {
		who := slices.ContainsFunc(st.principals, func(n string) bool { return n == "*" || slices.Contains(ids, n) })
		if who && slices.ContainsFunc(st.actions, func(a string) bool { return matches(a, action) }) && v != "Deny" {
			v = st.Effect
		}
	}
	return v
}

// shown is the policy as it is read: as it was written, unless a user that it names was renamed or is gone. The first is
// shown with its new ARN, the second with its unique ID.
func (s *Server) shown(p *policy) string {
	instead := map[string]string{}
	for arn, b := range p.bound {
		now := b.id
		if a := s.accounts[b.account]; a != nil && a.byID[b.id] != nil {
			now = s.userARN(b.account, a.byID[b.id])
		}
		if now != arn {
			instead[arn] = now
		}
	}
	var doc map[string]any
	if len(instead) == 0 || json.Unmarshal([]byte(p.text), &doc) != nil {
		return p.text
	}
	list, _ := doc["Statement"].([]any)
	if list == nil {
		list = []any{doc["Statement"]}
	}
	for _, st := range list {
		m := object(st, "Principal")
		names := oneOrMany(m["AWS"])
		for i, n := range names {
			if other, ok := instead[n]; ok {
				names[i] = other
			}
		}
		if len(names) == 1 {
			m["AWS"] = names[0]
		} else if len(names) > 1 {
			m["AWS"] = names
		}
	}
	b, _ := json.Marshal(doc)
	return string(b)
}

func oneOrMany(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return strs(v)
}
