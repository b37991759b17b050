package awsemu

import (
	"maps"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// verdict is the answer to one ask.
type verdict struct {
	allowed bool
	why     string   // of a refusal, as AWS words it; may be empty
	fail    *failure // a refusal in the service's own words
	grants  []Grant
}

// allowed puts what a call asks to the policies. note also records it.
func (s *Server) allowed(r *request) *failure {
	for _, a := range s.asks(r) {
		switch v := s.judge(r, a); {
		case v.fail != nil:
			return v.fail
		case !v.allowed:
			return s.denied(r, a, v.why)
		}
	}
	return nil
}

// judge decides one question, as AWS does inside an organization: a deny anywhere wins. A role's session may do what its
// identity policies allow; a role without any, the root user and the bootstrap principal may do everything; a user what those
// of its managed policies allow that are known here. In the same account a resource policy that names the caller itself is
// enough. A role's trust policy must allow the caller too.
func (s *Server) judge(r *request, a ask) verdict {
	if a.free {
		return verdict{allowed: true}
	}
	acct := s.accounts[r.who.account]
	if acct == nil || acct.State != "ACTIVE" {
		return verdict{why: "because the account is not active"}
	}
	resource, direct, trusted := s.resourceSays(r, a, acct)
	if resource == iampolicy.DeniedByIt {
		return verdict{why: "with an explicit deny in a resource-based policy"}
	}
	identity, grants, gone := s.identitySays(r, a, acct)
	switch {
	case gone:
		return verdict{why: "because the role is gone"}
	case identity == iampolicy.DeniedByIt:
		return verdict{why: "with an explicit deny in an identity-based policy"}
	case !trusted:
		return verdict{why: "because no resource-based policy allows the " + a.action + " action"}
	case identity == iampolicy.NoMatch && !direct:
		return verdict{why: "because no identity-based policy allows the " + a.action + " action"}
	case r.service == "organizations" && !acct.Management && !acct.Delegated && r.operation != "DescribeOrganization":
		return verdict{fail: refused(r, "AccessDenied", "You don't have permissions to access this resource.")}
	}
	return verdict{allowed: true, grants: grants}
}

// identitySays asks the caller's own policies. gone: the role of the session is no more.
func (s *Server) identitySays(r *request, a ask, acct *account) (d iampolicy.Decision, grants []Grant, gone bool) {
	var policies map[string]*iampolicy.Policy
	u, ro := r.who.user(), acct.roles[r.who.role]
	switch {
	case u != nil:
		policies = acct.attached(u)
	case r.who.role == "":
		return iampolicy.Allowed, nil, false
	case ro == nil:
		return iampolicy.NoMatch, nil, true
	case ro.denies(a.action):
		return iampolicy.DeniedByIt, nil, false
	case ro.policies == nil:
		return iampolicy.Allowed, nil, false
	default:
		policies = ro.policies
	}
	d, grants = decide(iampolicy.Request{Action: a.action, Resource: a.resource, Context: s.callContext(r, a)}, policies)
	return d, grants, false
}

// decide is what identity policies say together: one that denies is enough, whatever else allows. They are asked in the order
// of their names, so that what is recorded does not depend on chance.
func decide(q iampolicy.Request, policies map[string]*iampolicy.Policy) (d iampolicy.Decision, grants []Grant) {
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		decision, matches := policies[name].Decide(q)
		if decision == iampolicy.DeniedByIt {
			return decision, nil
		}
		d = max(d, decision)
		for _, m := range matches {
			grants = append(grants, Grant{Policy: name, Statement: m.Statement, Sid: m.Sid, Action: m.Action, Resource: m.Resource})
		}
	}
	return d, grants
}

// resourceSays asks the policy of the resource: of a secret, or the trust policy of a role. direct: it allows the caller
// itself, in the same account, so that no other policy need allow it. trusted is false where the resource must allow it and
// does not.
func (s *Server) resourceSays(r *request, a ask, acct *account) (d iampolicy.Decision, direct, trusted bool) {
	if a.action == "sts:AssumeRole" {
		return s.trustSays(r, a)
	}
	x := s.resource(r, acct)
	if x == nil || x.policy == nil || a.via != "" {
		return iampolicy.NoMatch, false, true
	}
	itself, account := s.identities(r.who)
	if x.policy.verdict(append(slices.Clone(itself), account...), a.action) == "Deny" {
		return iampolicy.DeniedByIt, false, true
	}
	return iampolicy.NoMatch, x.policy.verdict(itself, a.action) == "Allow", true
}

func (s *Server) trustSays(r *request, a ask) (d iampolicy.Decision, direct, trusted bool) {
	target, ro, ok := s.roleByARN(a.resource)
	if !ok || ro == nil || ro.trust == nil {
		return iampolicy.NoMatch, false, true // assumeRole finds out what is wrong
	}
	names := []string{s.whoARN(r.who), s.principalARN(r.who), s.arn("iam", r.who.account, "root"), r.who.account}
	d, matches := ro.trust.Decide(iampolicy.Request{Action: a.action, Context: s.callContext(r, a), Principals: names})
	if d != iampolicy.Allowed {
		return d, false, false
	}
	for _, m := range matches {
		direct = direct || target.ID == r.who.account && slices.ContainsFunc(m.Principals, func(p iampolicy.Principal) bool { return !p.Account() })
	}
	return iampolicy.Allowed, direct, true
}

// roleByARN finds a role. ok is false for what is no role's ARN here.
func (s *Server) roleByARN(arn string) (*account, *role, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[1] != s.opts.Partition || parts[2] != "iam" || s.accounts[parts[4]] == nil || !strings.HasPrefix(parts[5], "role/") {
		return nil, nil, false
	}
	a := s.accounts[parts[4]]
	return a, a.roles[strings.TrimPrefix(parts[5], "role/")], true
}

// denied words a refusal as AWS does.
func (s *Server) denied(r *request, a ask, why string) *failure {
	message := "User: " + s.whoARN(r.who) + " is not authorized to perform: "
	switch {
	case r.service == "sts": // says nothing about why
		return refused(r, "AccessDenied", "%s%s on resource: %s", message, a.action, a.shown)
	case r.service == "sqs":
		return refused(r, "AccessDenied", "%s%s on resource: %s %s", message, strings.ToLower(a.action), a.shown, strings.ToLower(why))
	case a.shown == "":
		return refused(r, "AccessDenied", "%s%s %s", message, a.action, why)
	}
	return refused(r, "AccessDenied", "%s%s on resource: %s %s", message, a.action, a.shown, why)
}
