package rotator

import (
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestTheSecretKeepsItsName: a workload reads its key under the name that it was given. The next rotation stores the next key
// there too, although the user was renamed meanwhile.
func TestTheSecretKeepsItsName(t *testing.T) {
	l := newLife(t)
	l.open()
	l.approve()
	first := l.until("closed", state(rotation.Closed))
	u := l.aws.users[userName]
	delete(l.aws.users, userName)
	u.Name, u.ARN = "invoices", "arn:aws:iam::111122223333:user/invoices"
	l.aws.users[u.Name] = u
	l.pass(100 * rotation.Day)
	plan := rotation.Plan(*u, l.rules.policy, &first, false, l.Now())
	r, err := rotation.Open(rotation.Subject{User: *u, Owner: owner.Email, Policy: l.rules.policy}, plan[0], &first, rotation.System, "", l.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.save(r)
	l.approve()
	r = l.until("installing", state(rotation.Installing))
	if r.New.SecretARN != first.New.SecretARN || r.New.SecretName != first.New.SecretName || len(l.aws.secrets) != 1 {
		t.Fatalf("the next key is in %s, and readers look into %s", r.New.SecretName, first.New.SecretName)
	}
	v := l.aws.vault(first.New.SecretARN)
	if id, _, _ := readValue(NewMaterial(v.values[v.current()])); id != r.New.ID || v.policy != u.ARN {
		t.Errorf("AWSCURRENT holds %s, the policy names %s", id, v.policy)
	}
}
