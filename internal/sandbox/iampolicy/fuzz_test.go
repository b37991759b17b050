package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse reads garbage. Neither reading nor deciding may panic; what was read decides the same each time; and with a
// statement that denies everything it denies.
func FuzzParse(f *testing.F) {
	for _, doc := range []string{
		`{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A","Effect":"Allow","Action":["iam:Get*","*"],"Resource":["*","arn:aws:iam::${aws:PrincipalAccount}:user/${aws:PrincipalTag/a, 'b'}*"],"Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*","${aws:username}"]},"Null":{"aws:region":true},"NumericLessThan":{"s3:max-keys":1}}}]}`,
		`{"Statement":{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:iam::1:user/${*}"}}`,
		`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["111122223333","*"],"Service":"lambda.amazonaws.com"},"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::*:*"},"Bool":{"aws:SecureTransport":"true"}}}}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:region":[1e9,true]}}}]}`,
	} {
		f.Add([]byte(doc), "iam:GetUser", "arn:aws:iam::111122223333:user/b", "b")
	}
	f.Fuzz(func(t *testing.T, doc []byte, action, resource, value string) {
		r := Request{Action: action, Resource: resource, Principals: []string{value, "111122223333"}, Context: Context{
			"aws:username": {value}, "aws:principalaccount": {"111122223333"}, "aws:tagkeys": {"a", value}, "aws:principalarn": {resource},
			"aws:principaltag/a": {value}, "aws:securetransport": {value}, "s3:max-keys": {value},
		}}
		for _, parse := range []func([]byte, Keys) (*Policy, error){ParsePermissions, ParseTrust} {
			p, err := parse(doc, testKeys)
			if (p == nil) == (err == nil) {
				t.Fatalf("both or neither of %v and %v", p, err)
			}
			if err != nil {
				continue
			}
			d, m := p.Decide(r)
			again, n := p.Decide(r)
			if d != again || cmp.Diff(m, n) != "" || (d == NoMatch) != (len(m) == 0) {
				t.Fatalf("%d by %v, then %d by %v", d, m, again, n)
			}
			if p.Statements[0].Principals == nil {
				no, err := ParsePermissions([]byte(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`), testKeys)
				if err != nil {
					t.Fatal(err)
				}
				p.Statements = append(p.Statements, no.Statements...)
				if d, _ := p.Decide(r); d != DeniedByIt {
					t.Fatalf("got %d with everything denied", d)
				}
			}
		}
	})
}
