package awsemu

import (
	"path"
	"slices"
	"strings"
	"time"
)

// principal is who signed a request.
type principal struct {
	account string
	role    string // name of an assumed role
	session string
	key     *key // of a user, of the root user, or of the bootstrap principal
}

// user is the IAM user who signed, nil if it was none.
func (p *principal) user() *user {
	if p.key == nil {
		return nil
	}
	return p.key.user
}

// session is what AssumeRole gave out.
type session struct {
	id, secret, token   string
	account, role, name string
	expires             time.Time
}

// authenticate finds the credentials and computes the signature again. A deleted, an inactive and an unknown key are
// refused with the same code, as by AWS.
func (s *Server) authenticate(r *request) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := refused(r, "InvalidClientTokenId", "The security token included in the request is invalid.")
	token := r.http.Header.Get("X-Amz-Security-Token")
	if ses := s.sessions[r.auth.id]; ses != nil {
		if token != ses.token {
			return unknown
		}
		if !s.opts.Wall().Before(ses.expires) {
			return refused(r, "ExpiredToken", "The security token included in the request is expired")
		}
		r.who = &principal{account: ses.account, role: ses.role, session: ses.name}
		return s.checkSignature(r, ses.secret)
	}
	k := s.keys[r.auth.id]
	if k == nil || k.Inactive || token != "" {
		return unknown
	}
	if k.hidden > 0 {
		k.hidden--
		return unknown
	}
	r.who = &principal{account: k.account, key: k}
	if f := s.checkSignature(r, k.Secret); f != nil {
		return f
	}
	region := r.region
	if r.service == "iam" || r.service == "organizations" {
		region = s.global()
	}
	k.use(s.opts.Now(), r.service, region)
	return nil
}

// allowed is what may be done: a role's session everything in its account that is not denied to the role, root and the
// bootstrap principal everything, a plain user what needs no policy of its own: to ask who it is, and what a secret's
// resource policy allows it. A resource policy's Deny binds everyone.
func (s *Server) allowed(r *request) *failure {
	if r.service == "sts" && r.operation == "GetCallerIdentity" {
		return nil
	}
	action := r.service + ":" + r.operation
	acct := s.accounts[r.who.account]
	if acct == nil || acct.State != "ACTIVE" {
		return s.denied(r, action, "because the account is not active")
	}
	var verdict string
	if x := s.resource(r, acct); x != nil && x.policy != nil {
		verdict = x.policy.verdict(s.identities(r.who), action)
	}
	switch {
	case verdict == "Deny":
		return s.denied(r, action, "with an explicit deny in a resource-based policy")
	case r.who.user() != nil:
		if verdict == "Allow" {
			return nil
		}
		return s.denied(r, action, "because no identity-based policy allows the "+action+" action")
	case r.who.role != "":
		ro := acct.roles[r.who.role]
		if ro == nil {
			return s.denied(r, action, "because the role is gone")
		}
		if ro.denies(action) {
			return s.denied(r, action, "with an explicit deny in an identity-based policy")
		}
	}
	if r.service == "organizations" && !acct.Management && !acct.Delegated && r.operation != "DescribeOrganization" {
		return refused(r, "AccessDenied", "You don't have permissions to access this resource.")
	}
	return nil
}

// resource is the secret that a request is about.
func (s *Server) resource(r *request, a *account) *secret {
	if r.service != "secretsmanager" || r.str("SecretId") == "" {
		return nil
	}
	return a.secret(r.str("SecretId"), s.opts.Now())
}

func (ro *role) denies(action string) bool {
	return slices.ContainsFunc(ro.deny, func(pattern string) bool { return matches(pattern, action) })
}

// matches compares an action with a pattern of a policy. Case does not count.
func matches(pattern, action string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}

func (s *Server) denied(r *request, action, why string) *failure {
	on := "*"
	switch r.service {
	case "iam":
		on = s.arn("iam", r.who.account, "user/"+r.str("UserName"))
	case "secretsmanager":
		on = r.str("SecretId") + r.str("Name")
	}
	return refused(r, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s", s.whoARN(r.who), action, on, why)
}

func (s *Server) whoARN(p *principal) string {
	switch {
	case p.role != "":
		return s.arn("sts", p.account, "assumed-role/"+path.Base(p.role)+"/"+p.session)
	case p.key.user != nil:
		return s.userARN(p.account, p.key.user)
	case p.key.root:
		return s.arn("iam", p.account, "root")
	default:
		return s.arn("iam", p.account, "user/bootstrap")
	}
}

// whoID is the caller's unique ID.
func (s *Server) whoID(p *principal) string {
	switch {
	case p.role != "":
		if ro := s.accounts[p.account].roles[p.role]; ro != nil {
			return ro.id + ":" + p.session
		}
		return stableID("AROA", p.account+"/"+p.role) + ":" + p.session
	case p.key.user != nil:
		return p.key.user.UserID
	case p.key.root:
		return p.account
	default:
		return stableID("AIDA", p.account+"/bootstrap")
	}
}

// identities are the names under which a resource policy may mean the caller. A user goes by its unique ID: policies keep
// that, not the name.
func (s *Server) identities(p *principal) []string {
	if u := p.user(); u != nil {
		return []string{u.UserID}
	}
	ids := []string{s.whoARN(p)}
	if p.role != "" {
		ids = append(ids, s.arn("iam", p.account, "role/"+p.role), s.arn("iam", p.account, "root"), p.account)
	}
	return ids
}
