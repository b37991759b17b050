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
	lasting             bool // until the server is closed
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
		if !ses.lasting && !s.opts.Wall().Before(ses.expires) {
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

// principalARN is whoARN, but of a role's session it is the role's.
func (s *Server) principalARN(p *principal) string {
	if p.role != "" {
		return s.arn("iam", p.account, "role/"+p.role)
	}
	return s.whoARN(p)
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

// identities are the names under which a resource policy may mean the caller: itself, and its account, which leaves the
// decision to the account's own policies. A user goes by its unique ID: secrets' policies keep that, not the name.
func (s *Server) identities(p *principal) (itself, account []string) {
	if u := p.user(); u != nil {
		return []string{u.UserID}, nil
	}
	if p.role == "" {
		return []string{s.whoARN(p)}, nil
	}
	return []string{s.whoARN(p), s.principalARN(p)}, []string{s.arn("iam", p.account, "root"), p.account}
}
