package awsemu

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

var iamOperations = map[string]operation{
	"ListUsers": listUsers, "GetUser": getUser, "ListUserTags": listUserTags, "ListAccessKeys": listAccessKeys,
	"CreateAccessKey": createAccessKey, "UpdateAccessKey": updateAccessKey, "DeleteAccessKey": deleteAccessKey,
	"GetAccessKeyLastUsed": getAccessKeyLastUsed, "GetGroup": getGroup, "ListGroupsForUser": listGroupsForUser,
	"GetLoginProfile": getLoginProfile, "ListAttachedUserPolicies": listAttachedUserPolicies,
	"ListAttachedGroupPolicies": listAttachedGroupPolicies,
	"GenerateCredentialReport":  generateReport, "GetCredentialReport": getReport,
}

var (
	userName     = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	existingName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`) // what a call may name
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func same(s string) string { return s }

func (s *Server) userNode(a *account, u *user, tags bool) node {
	n := tree("User", leaf("Path", u.Path), leaf("UserName", u.Name), leaf("UserId", u.UserID), leaf("Arn", s.userARN(a.ID, u)), leaf("CreateDate", stamp(u.CreatedAt)))
	if tags && len(u.Tags) > 0 {
		n.kids = append(n.kids, members("Tags", tagNodes(u.Tags, slices.Sorted(maps.Keys(u.Tags)))))
	}
	return n
}

func tagNodes(tags map[string]string, keys []string) []node {
	var out []node
	for _, k := range keys {
		out = append(out, tree("", leaf("Key", k), leaf("Value", tags[k])))
	}
	return out
}

// listUsers pages through the users below PathPrefix.
func listUsers(s *Server, r *request) (any, *failure) {
	a, prefix := s.accounts[r.who.account], r.str("PathPrefix")
	names := a.names
	if prefix != "" && prefix != "/" {
		names = nil
		for _, n := range a.names {
			if strings.HasPrefix(a.user(n).Path, prefix) {
				names = append(names, n)
			}
		}
	}
	names, more, f := page(s, r, names, same)
	if f != nil {
		return nil, f
	}
	var out []node
	for _, n := range names {
		out = append(out, s.userNode(a, a.user(n), false))
	}
	return append(more, members("Users", out)), nil
}

// user finds the user that a request names. Whoever is no user must name one.
func (s *Server) user(r *request) (*account, *user, *failure) {
	a, name := s.accounts[r.who.account], r.str("UserName")
	switch {
	case name == "" && !r.has("UserName"):
		if u := r.who.user(); u != nil {
			return a, u, nil
		}
		return a, nil, invalid(r, "Must specify userName when calling with non-User credentials")
	case !existingName.MatchString(name):
		return a, nil, invalid(r, "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	u := a.user(name)
	if u == nil {
		return a, nil, failf(404, "NoSuchEntity", "The user with name %s cannot be found.", name)
	}
	return a, u, nil
}

func getUser(s *Server, r *request) (any, *failure) {
	a, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	return []node{s.userNode(a, u, true)}, nil
}

func listUserTags(s *Server, r *request) (any, *failure) {
	_, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	keys, more, f := page(s, r, slices.Sorted(maps.Keys(u.Tags)), same)
	if f != nil {
		return nil, f
	}
	return append(more, members("Tags", tagNodes(u.Tags, keys))), nil
}

func (s *Server) groupNode(a *account, name string) node {
	return tree("Group", leaf("Path", a.groupPath(name)), leaf("GroupName", name), leaf("GroupId", stableID("AGPA", a.ID+"/"+name)),
		leaf("Arn", s.arn("iam", a.ID, "group"+a.groupPath(name)+name)), leaf("CreateDate", "2015-01-01T00:00:00Z"))
}

func (a *account) groupPath(name string) string {
	if p := a.paths[strings.ToLower(name)]; p != "" {
		return p
	}
	return "/"
}

func getGroup(s *Server, r *request) (any, *failure) {
	a, asked := s.accounts[r.who.account], r.str("GroupName")
	if !existingName.MatchString(asked) {
		return nil, invalid(r, "The specified value for groupName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	name, ok := a.groups[strings.ToLower(asked)]
	if !ok {
		return nil, failf(404, "NoSuchEntity", "The group with name %s cannot be found.", asked)
	}
	var in []string
	for _, n := range a.names {
		if slices.ContainsFunc(a.user(n).Groups, func(g string) bool { return strings.EqualFold(g, name) }) {
			in = append(in, n)
		}
	}
	in, more, f := page(s, r, in, same)
	if f != nil {
		return nil, f
	}
	var out []node
	for _, n := range in {
		out = append(out, s.userNode(a, a.user(n), false))
	}
	return append(more, s.groupNode(a, name), members("Users", out)), nil
}

func listGroupsForUser(s *Server, r *request) (any, *failure) {
	a, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	groups, more, f := page(s, r, slices.Sorted(slices.Values(u.Groups)), same)
	if f != nil {
		return nil, f
	}
	var out []node
	for _, g := range groups {
		out = append(out, s.groupNode(a, g))
	}
	return append(more, members("Groups", out)), nil
}

func getLoginProfile(s *Server, r *request) (any, *failure) {
	_, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	if !u.Console {
		return nil, failf(404, "NoSuchEntity", "Login Profile for User %s cannot be found.", u.Name)
	}
	return []node{tree("LoginProfile", leaf("UserName", u.Name), leaf("CreateDate", stamp(u.CreatedAt)), leaf("PasswordResetRequired", "false"))}, nil
}

func listAttachedUserPolicies(s *Server, r *request) (any, *failure) {
	_, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	return attachedPolicies(s, r, u.PolicyARNs)
}

func listAttachedGroupPolicies(s *Server, r *request) (any, *failure) {
	a, asked := s.accounts[r.who.account], r.str("GroupName")
	if _, ok := a.groups[strings.ToLower(asked)]; !ok {
		return nil, failf(404, "NoSuchEntity", "The group with name %s cannot be found.", asked)
	}
	return attachedPolicies(s, r, a.policies[strings.ToLower(asked)])
}

func attachedPolicies(s *Server, r *request, all []string) (any, *failure) {
	arns, more, f := page(s, r, slices.Sorted(slices.Values(all)), same)
	if f != nil {
		return nil, f
	}
	var out []node
	for _, arn := range arns {
		out = append(out, tree("", leaf("PolicyName", path.Base(arn)), leaf("PolicyArn", arn)))
	}
	return append(more, members("AttachedPolicies", out)), nil
}
