package awsemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// Quotas of IAM, in characters without white space. The trust policy's can be raised to 8,192, the other one cannot.
const (
	longestTrust  = 2048
	longestInline = 10240
)

// SetRolePolicy gives a role an identity policy, or replaces the one of that name. A role to which this was done once may do
// what its policies allow and nothing else; SetRoleDeny still denies. The error says what is wrong with the document, or what
// of it the emulator does not understand: then nothing changed.
func (s *Server) SetRolePolicy(acct, role, name string, document []byte) (err error) {
	s.with(acct, func(a *account) {
		ro := must(a.roles[role], "role", role)
		p, perr := iampolicy.ParsePermissions(document, conditionKey)
		if perr != nil {
			err = fmt.Errorf("policy %s of role %s in %s: %w", name, role, acct, perr)
			return
		}
		size := compact(document)
		for n, text := range ro.written {
			if n != name {
				size += compact([]byte(text))
			}
		}
		if size > longestInline {
			err = fmt.Errorf("policy %s of role %s in %s: the role's policies have %d characters, and may have %d", name, role, acct, size, longestInline)
			return
		}
		if ro.policies == nil {
			ro.policies, ro.written = map[string]*iampolicy.Policy{}, map[string]string{}
		}
		ro.policies[name], ro.written[name] = p, string(document)
	})
	return err
}

// RemoveRolePolicy takes a policy away. A role that has none left may do nothing.
func (s *Server) RemoveRolePolicy(acct, role, name string) {
	s.with(acct, func(a *account) {
		ro := must(a.roles[role], "role", role)
		delete(ro.policies, name)
		delete(ro.written, name)
	})
}

// RolePolicies returns the identity policies of a role by name, parsed: what is granted, for a test to compare with Calls.
func (s *Server) RolePolicies(acct, role string) (out map[string]*iampolicy.Policy) {
	s.with(acct, func(a *account) { out = maps.Clone(must(a.roles[role], "role", role).policies) })
	return out
}

// SetRoleTrust says who may assume a role, in place of the external ID of AddRole. Like IAM it refuses principals that do not
// exist.
func (s *Server) SetRoleTrust(acct, role string, document []byte) (err error) {
	s.with(acct, func(a *account) {
		ro := must(a.roles[role], "role", role)
		p, perr := iampolicy.ParseTrust(document, conditionKey)
		if perr == nil {
			perr = s.principalsExist(p)
		}
		if n := compact(document); perr == nil && n > longestTrust {
			perr = fmt.Errorf("it has %d characters, and may have %d", n, longestTrust)
		}
		if perr != nil {
			err = fmt.Errorf("trust policy of role %s in %s: %w", role, acct, perr)
			return
		}
		ro.trust, ro.trustText = p, string(document)
	})
	return err
}

func (s *Server) principalsExist(p *iampolicy.Policy) error {
	for _, st := range p.Statements {
		for _, n := range st.Principals {
			if n.Service {
				continue
			}
			if _, ok := s.principalOf(n.Name); !ok {
				return fmt.Errorf("there is no principal %s", n.Name)
			}
		}
	}
	return nil
}

// SetRoleTags replaces a role's tags: aws:PrincipalTag to its sessions, aws:ResourceTag to who assumes it.
func (s *Server) SetRoleTags(acct, role string, tags map[string]string) {
	s.with(acct, func(a *account) { must(a.roles[role], "role", role).tags = maps.Clone(tags) })
}

// Credentials are those of a session.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// RoleCredentials opens a session of a role as Lambda does for a function, which gives the session its name. The session
// lasts until the server is closed or ExpireSessions. A trust policy that does not let Lambda in is an error.
func (s *Server) RoleCredentials(acct, role, function string) (c Credentials, err error) {
	s.with(acct, func(a *account) {
		ro := must(a.roles[role], "role", role)
		if ro.trust != nil {
			context := iampolicy.Context{
				"aws:sourceaccount": {acct}, "aws:sourcearn": {s.arn("lambda", acct, "function:"+function)},
				"aws:principalisawsservice": {"true"}, "aws:principalservicename": {lambda},
			}
			if d, _ := ro.trust.Decide(iampolicy.Request{Action: "sts:AssumeRole", Service: lambda, Context: context}); d != iampolicy.Allowed {
				err = fmt.Errorf("role %s in %s: its trust policy does not let %s assume it", role, acct, lambda)
				return
			}
		}
		ses := s.open(a, role, function)
		ses.lasting = true
		c = Credentials{ses.id, ses.secret, ses.token}
	})
	return c, err
}

const lambda = "lambda.amazonaws.com"

// open makes a session, which has expired yet.
func (s *Server) open(a *account, role, name string) *session {
	ses := &session{
		id: "ASIA" + s.random(idAlphabet, 16), secret: s.newSecret(), token: "token-" + s.random(secretAlphabet, 40),
		account: a.ID, role: role, name: name,
	}
	s.sessions[ses.id] = ses
	return ses
}

// compact counts the characters of a document without its white space.
func compact(document []byte) int {
	var b bytes.Buffer
	if json.Compact(&b, document) != nil {
		return len(strings.Join(strings.Fields(string(document)), ""))
	}
	return b.Len()
}
