package awsemu

import (
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// secretAsks: a secret's ARN ends in six random characters, and a secret that is not there yet is judged by an ARN that ends
// so too. Who makes a secret with tags needs the permission to tag it.
func secretAsks(s *Server, r *request) []ask {
	a := s.accounts[r.who.account]
	q := ask{action: r.action(), context: func() iampolicy.Context { return s.secretContext(r, a) }}
	switch r.operation {
	case "ListSecrets":
		return []ask{{action: q.action, resource: "*"}}
	case "CreateSecret":
		q.resource, q.shown = s.comingARN(a, r.str("Name")), r.str("Name")
		if list, _ := r.in["Tags"].([]any); len(list) > 0 {
			t := q
			t.action = "secretsmanager:TagResource"
			return []ask{q, t}
		}
		return []ask{q}
	}
	id := r.str("SecretId")
	q.shown = id
	switch x := a.secret(id, s.opts.Now()); {
	case x != nil:
		q.resource = x.arn
	case strings.HasPrefix(id, "arn:"):
		q.resource = id
	default:
		q.resource = s.comingARN(a, id)
	}
	return []ask{q}
}

// comingARN is an ARN that a secret might get. It is the same each time, and no secret gets it.
func (s *Server) comingARN(a *account, name string) string {
	return s.arn("secretsmanager", a.ID, "secret:"+name+"-"+stableID("", name)[:6])
}

func (s *Server) secretContext(r *request, a *account) iampolicy.Context {
	c := iampolicy.Context{}
	tags := map[string]string{}
	list, _ := r.in["Tags"].([]any)
	for _, t := range list {
		m, _ := t.(map[string]any)
		tags[text(m, "Key")] = text(m, "Value")
		give(c, "aws:tagkeys", text(m, "Key"))
	}
	tagged(c, tags, "aws:requesttag/")
	give(c, "aws:tagkeys", strs(r.in["TagKeys"])...)
	give(c, "secretsmanager:description", r.str("Description"))
	give(c, "secretsmanager:secretprimaryregion", s.opts.Region)
	if id := r.str("KmsKeyId"); id != "" {
		give(c, "secretsmanager:kmskeyid", id)
		if k := s.kmsKey(a, id); k != nil {
			give(c, "secretsmanager:kmskeyarn", s.kmsARN(a, k, id))
		}
	}
	switch r.operation {
	case "CreateSecret":
		give(c, "secretsmanager:name", r.str("Name"))
		return c
	case "GetSecretValue":
		give(c, "secretsmanager:versionid", r.str("VersionId"))
		give(c, "secretsmanager:versionstage", r.str("VersionStage"))
	case "UpdateSecretVersionStage":
		give(c, "secretsmanager:versionstage", r.str("VersionStage"))
	case "PutResourcePolicy":
		if r.has("BlockPublicPolicy") {
			give(c, "secretsmanager:blockpublicpolicy", strconv.FormatBool(r.bool("BlockPublicPolicy")))
		}
	case "DeleteSecret":
		if r.has("RecoveryWindowInDays") {
			give(c, "secretsmanager:recoverywindowindays", strconv.Itoa(r.num("RecoveryWindowInDays", 0)))
		}
		give(c, "secretsmanager:forcedeletewithoutrecovery", strconv.FormatBool(r.bool("ForceDeleteWithoutRecovery")))
	}
	if x := a.secret(r.str("SecretId"), s.opts.Now()); x != nil {
		give(c, "secretsmanager:secretid", x.arn)
		tagged(c, x.tags, "aws:resourcetag/", "secretsmanager:resourcetag/")
	}
	return c
}
