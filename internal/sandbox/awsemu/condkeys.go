package awsemu

import (
	"maps"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// conditionKeys are the condition keys that the emulator's requests carry, where AWS's carry them (Service Authorization
// Reference and the guides of IAM, KMS, Secrets Manager, SES and DynamoDB). A policy with another one cannot be set.
var conditionKeys = map[string]iampolicy.Key{
	"aws:principalaccount": {}, "aws:principalarn": {}, "aws:principaltype": {}, "aws:userid": {}, "aws:username": {},
	"aws:principalorgid": {}, "aws:principalorgpaths": {Multi: true}, "aws:principalisawsservice": {}, "aws:principalservicename": {},
	"aws:resourceaccount": {}, "aws:resourceorgid": {}, "aws:resourceorgpaths": {Multi: true},
	"aws:requestedregion": {}, "aws:securetransport": {}, "aws:viaawsservice": {}, "aws:sourcearn": {}, "aws:sourceaccount": {},
	"aws:tagkeys": {Multi: true},

	"sts:externalid": {}, "sts:rolesessionname": {},

	"secretsmanager:name": {}, "secretsmanager:description": {}, "secretsmanager:kmskeyid": {}, "secretsmanager:kmskeyarn": {},
	"secretsmanager:secretid": {}, "secretsmanager:secretprimaryregion": {}, "secretsmanager:versionid": {},
	"secretsmanager:versionstage": {}, "secretsmanager:blockpublicpolicy": {}, "secretsmanager:recoverywindowindays": {},
	"secretsmanager:forcedeletewithoutrecovery": {},

	"kms:viaservice": {}, "kms:calleraccount": {}, "kms:encryptioncontextkeys": {Multi: true}, "kms:requestalias": {},
	"kms:resourcealiases": {Multi: true},

	"ses:apiversion": {}, "ses:fromaddress": {}, "ses:fromdisplayname": {}, "ses:feedbackaddress": {}, "ses:recipients": {Multi: true},

	"dynamodb:leadingkeys": {Multi: true}, "dynamodb:returnvalues": {}, "dynamodb:select": {}, "dynamodb:returnconsumedcapacity": {},
}

// taggedKeys are the condition keys whose names end in the name of a tag, or of an entry of an encryption context.
var taggedKeys = []string{
	"aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "iam:resourcetag/", "secretsmanager:resourcetag/", "kms:encryptioncontext:",
}

func conditionKey(name string) (iampolicy.Key, bool) {
	if k, ok := conditionKeys[name]; ok {
		return k, true
	}
	for _, prefix := range taggedKeys {
		if strings.HasPrefix(name, prefix) && len(name) > len(prefix) {
			return iampolicy.Key{}, true
		}
	}
	return iampolicy.Key{}, false
}

// give adds what a key is worth, if it is worth anything.
func give(c iampolicy.Context, key string, values ...string) {
	for _, v := range values {
		if v != "" {
			c[key] = append(c[key], v)
		}
	}
}

// tagged adds tags under the names of several keys.
func tagged(c iampolicy.Context, tags map[string]string, prefixes ...string) {
	for k, v := range tags {
		for _, p := range prefixes {
			c[p+strings.ToLower(k)] = []string{v}
		}
	}
}

// callContext is what every call says of itself: who asks, about whose resource, and how.
func (s *Server) callContext(r *request, a ask) iampolicy.Context {
	c := s.principalContext(r.who)
	owner := r.who.account
	if parts := strings.SplitN(a.resource, ":", 6); len(parts) == 6 && s.accounts[parts[4]] != nil {
		owner = parts[4]
	}
	region := r.region
	if r.service == "iam" || r.service == "organizations" {
		region = s.global()
	}
	give(c, "aws:resourceaccount", owner)
	give(c, "aws:requestedregion", region)
	give(c, "aws:securetransport", "true") // the loopback stands for TLS
	give(c, "aws:viaawsservice", strconv.FormatBool(a.via != ""))
	if path := s.orgPath(owner); path != "" {
		give(c, "aws:resourceorgid", organization)
		give(c, "aws:resourceorgpaths", path)
	}
	if a.context != nil {
		maps.Copy(c, a.context())
	}
	return c
}

// principalContext is what a caller brings along. A role's session goes by the role's ARN, and has no aws:username.
func (s *Server) principalContext(p *principal) iampolicy.Context {
	c := iampolicy.Context{}
	give(c, "aws:principalaccount", p.account)
	give(c, "aws:principalarn", s.principalARN(p))
	give(c, "aws:userid", s.whoID(p))
	give(c, "aws:principalisawsservice", "false")
	switch {
	case p.role != "":
		give(c, "aws:principaltype", "AssumedRole")
		if ro := s.accounts[p.account].roles[p.role]; ro != nil {
			tagged(c, ro.tags, "aws:principaltag/")
		}
	case p.user() != nil:
		give(c, "aws:principaltype", "User")
		give(c, "aws:username", p.user().Name)
		tagged(c, p.user().Tags, "aws:principaltag/")
	default:
		give(c, "aws:principaltype", "Account")
	}
	if path := s.orgPath(p.account); path != "" {
		give(c, "aws:principalorgid", organization)
		give(c, "aws:principalorgpaths", path)
	}
	return c
}

// orgPath is where an account is in the organization: o-x/r-x/ou-x/ou-y/. "": it is in none.
func (s *Server) orgPath(account string) string {
	a := s.accounts[account]
	if a == nil || s.management() == "" || !s.listed(account) {
		return ""
	}
	path := ""
	for id := a.ParentID; s.units[id] != nil; id = s.units[id].parent {
		path = id + "/" + path
	}
	return organization + "/" + path
}
