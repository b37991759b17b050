package awsemu

import (
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// ask is one question that a call puts to the policies. The actions, resources and condition keys are those of AWS's Service
// Authorization Reference.
type ask struct {
	action   string
	resource string                   // ARN; "*" for an action without resource types
	context  func() iampolicy.Context // what only this call has to say; nil: nothing
	shown    string                   // how a refusal names the resource; "": not at all
	via      string                   // the service that asks on the caller's behalf
	free     bool                     // needs no permission
}

// asks finds out what a call asks. One that asks for several permissions must be given all of them.
func (s *Server) asks(r *request) []ask {
	switch r.service {
	case "iam":
		return iamAsks(s, r)
	case "sts":
		return stsAsks(s, r)
	case "organizations":
		return orgAsks(s, r)
	case "secretsmanager":
		return secretAsks(s, r)
	case "kms":
		return kmsAsks(s, r)
	case "ses":
		return sesAsks(s, r)
	case "sqs":
		return sqsAsks(s, r)
	case "dynamodb":
		return dynamoAsks(s, r)
	case "s3":
		return s3Asks(s, r)
	default:
		panic("awsemu: what does " + r.service + " ask?")
	}
}

func (r *request) action() string { return r.service + ":" + r.operation }

// iamAsks: what is about a user is about the user's ARN with its path. A user that is not there has none, and goes by its name.
func iamAsks(s *Server, r *request) []ask {
	a, q := s.accounts[r.who.account], ask{action: r.action(), resource: "*", shown: "*"}
	user := func(u *user, name string) {
		q.resource, q.shown = s.arn("iam", a.ID, "user/"+name), "user "+name
		if u != nil {
			q.resource, q.shown = s.userARN(a.ID, u), "user "+u.Name
			q.context = func() iampolicy.Context {
				c := iampolicy.Context{}
				tagged(c, u.Tags, "aws:resourcetag/", "iam:resourcetag/")
				return c
			}
		}
	}
	switch r.operation {
	case "ListUsers":
		q.shown = s.arn("iam", a.ID, "user/")
	case "GenerateCredentialReport", "GetCredentialReport":
	case "GetGroup", "ListAttachedGroupPolicies":
		name := r.str("GroupName")
		if n, ok := a.groups[strings.ToLower(name)]; ok {
			name = n
		}
		q.resource, q.shown = s.arn("iam", a.ID, "group"+a.groupPath(name)+name), "group "+name
	case "GetAccessKeyLastUsed":
		// The key's user is the resource. Of a key that is nobody's here, whoever may ask about all users is told so.
		if k := s.keys[r.str("AccessKeyId")]; k != nil && k.user != nil && k.account == a.ID {
			user(k.user, k.user.Name)
		} else {
			q.resource = s.arn("iam", a.ID, "user/*")
		}
		q.shown = "access key " + r.str("AccessKeyId")
	default:
		u, name := a.user(r.str("UserName")), r.str("UserName")
		if name == "" && r.who.user() != nil {
			u = r.who.user()
		}
		user(u, name)
	}
	return []ask{q}
}

func stsAsks(s *Server, r *request) []ask {
	if r.operation == "GetCallerIdentity" { // no policy can keep anybody from asking
		return []ask{{action: r.action(), resource: "*", free: true}}
	}
	arn := r.str("RoleArn")
	return []ask{{action: r.action(), resource: arn, shown: arn, context: func() iampolicy.Context {
		c := iampolicy.Context{}
		give(c, "sts:externalid", r.str("ExternalId"))
		give(c, "sts:rolesessionname", r.str("RoleSessionName"))
		if _, ro, _ := s.roleByARN(arn); ro != nil {
			tagged(c, ro.tags, "aws:resourcetag/", "iam:resourcetag/")
		}
		return c
	}}}
}

func orgAsks(s *Server, r *request) []ask {
	about := func(id string) string {
		kind := "account"
		switch {
		case strings.HasPrefix(id, "r-"):
			kind = "root"
		case strings.HasPrefix(id, "ou-"):
			kind = "ou"
		}
		return s.arn("organizations", s.management(), kind+"/"+organization+"/"+id)
	}
	q := ask{action: r.action(), resource: "*"}
	switch r.operation {
	case "ListAccountsForParent", "ListOrganizationalUnitsForParent":
		q.resource = about(r.str("ParentId"))
	case "DescribeAccount":
		q.resource = about(r.str("AccountId"))
	case "DescribeOrganizationalUnit":
		q.resource = about(r.str("OrganizationalUnitId"))
	case "ListParents":
		q.resource = about(r.str("ChildId"))
	}
	q.shown = q.resource
	return []ask{q}
}

// listed reports whether an account is in the organization.
func (s *Server) listed(account string) bool { return slices.Contains(s.order, account) }
