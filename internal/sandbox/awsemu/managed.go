package awsemu

import (
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// managed are the policies of AWS that give a user something to do here (AWS Managed Policy Reference). Another one that is
// attached to a user or a group is listed, and gives nothing.
var managed = map[string]*iampolicy.Policy{
	"AmazonS3ReadOnlyAccess": mustParse(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"], "Resource": "*"}]}`),
}

func mustParse(document string) *iampolicy.Policy {
	p, err := iampolicy.ParsePermissions([]byte(document), conditionKey)
	if err != nil {
		panic("awsemu: " + err.Error())
	}
	return p
}

// attached are the policies of a user, and of its groups, that the emulator has, by name.
func (a *account) attached(u *user) map[string]*iampolicy.Policy {
	arns := slices.Clone(u.PolicyARNs)
	for _, g := range u.Groups {
		arns = append(arns, a.policies[strings.ToLower(g)]...)
	}
	out := map[string]*iampolicy.Policy{}
	for _, arn := range arns {
		if _, name, ok := strings.Cut(arn, ":iam::aws:policy/"); ok && managed[name] != nil {
			out[name] = managed[name]
		}
	}
	return out
}
