package awsemu

import (
	"path"
	"regexp"
	"strings"
	"time"
)

var stsOperations = map[string]operation{"GetCallerIdentity": getCallerIdentity, "AssumeRole": assumeRole}

var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
)

func getCallerIdentity(s *Server, r *request) (any, *failure) {
	return []node{leaf("Arn", s.whoARN(r.who)), leaf("UserId", s.whoID(r.who)), leaf("Account", r.who.account)}, nil
}

const (
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
	longestChained  = time.Hour
)

// assumeRole opens a session. That a role is not there, trusts somebody else, wants another external ID, or that its account
// is closed, is all the same AccessDenied.
func assumeRole(s *Server, r *request) (any, *failure) {
	arn, name := r.str("RoleArn"), r.str("RoleSessionName")
	length := time.Duration(r.num("DurationSeconds", 3600)) * time.Second
	parts := strings.SplitN(arn, ":", 6)
	const constraint = "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "
	switch {
	case arn == "":
		return nil, missing(r, "RoleArn")
	case len(arn) < 20 || len(arn) > 2048 || len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/"):
		return nil, invalid(r, "%s is invalid", arn)
	case name == "":
		return nil, missing(r, "RoleSessionName")
	case !sessionName.MatchString(name):
		return nil, invalid(r, constraint+"Member must satisfy regular expression pattern: [\\w+=,.@-]*, and have 2 to 64 characters", name, "roleSessionName")
	case r.has("ExternalId") && (!externalID.MatchString(r.str("ExternalId")) || len(r.str("ExternalId")) > 1224):
		return nil, invalid(r, constraint+"Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*, and have 2 to 1224 characters", r.str("ExternalId"), "externalId")
	case r.has("Policy") || r.has("PolicyArns.member.1.arn") || r.has("Tags.member.1.Key") || r.has("SourceIdentity"):
		return nil, invalid(r, "This emulator knows no session policies, session tags and source identities.")
	case length < shortestSession:
		return nil, invalid(r, constraint+"Member must have value greater than or equal to 900", r.str("DurationSeconds"), "durationSeconds")
	case length > longestSession:
		return nil, invalid(r, constraint+"Member must have value less than or equal to 43200", r.str("DurationSeconds"), "durationSeconds")
	}
	a, roleName := s.accounts[parts[4]], strings.TrimPrefix(parts[5], "role/")
	var ro *role
	if a != nil && a.State == "ACTIVE" && parts[1] == s.opts.Partition {
		ro = a.roles[roleName]
	}
	switch {
	case ro == nil || r.who.key != nil && r.who.key.root || ro.trust == nil && ro.externalID != "" && r.str("ExternalId") != ro.externalID:
		return nil, refused(r, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", s.whoARN(r.who), arn)
	case r.who.role != "" && length > longestChained:
		return nil, invalid(r, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case length > ro.longest:
		return nil, invalid(r, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	ses := s.open(a, roleName, name)
	ses.expires = s.opts.Wall().Add(length).Truncate(time.Second)
	return []node{
		tree("AssumedRoleUser", leaf("AssumedRoleId", ro.id+":"+name), leaf("Arn", s.arn("sts", a.ID, "assumed-role/"+path.Base(roleName)+"/"+name))),
		tree("Credentials", leaf("AccessKeyId", ses.id), leaf("SecretAccessKey", ses.secret), leaf("SessionToken", ses.token),
			leaf("Expiration", stamp(ses.expires))),
	}, nil
}
