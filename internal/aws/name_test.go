package aws

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
)

func TestSecretName(t *testing.T) {
	for _, tc := range []struct {
		template, account, user, want string
		err                           string
	}{
		{"keyturn/{account}/{user}", prod, "billing-export", "keyturn/200000000002/billing-export", ""},
		{"{user}", prod, "a+b=c.d@e_f-g", "a+b=c.d@e_f-g", ""},
		{"keyturn/{account}/{user}", prod, "a,b,", "keyturn/200000000002/a/b/", ""},
		{"keyturn/{account}", prod, "a", "", "must contain {user}"},
		{"keyturn {user}", prod, "a", "", "Secrets Manager takes"},
		{"keyturn/{usr}/{user}", prod, "a", "", "Secrets Manager takes"},
		{"{account}/{user}", "1", "a", "", "not an account ID"},
		{"{account}/{user}", prod, "", "", "not the name of an IAM user"},
		{"{account}/{user}", prod, "a/b", "", "not the name of an IAM user"},
		{"{account}/{user}", prod, "{account}", "", "not the name of an IAM user"},
		{strings.Repeat("x", 500) + "{account}{user}", prod, "a", "", "at most 512"},
	} {
		got, err := SecretName(tc.template, rotation.AccountID(tc.account), rotation.UserName(tc.user))
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s, %s: %q, error %v", tc.template, tc.user, got, err)
		}
	}
}

// Pattern's fault 15: a comma makes an invalid name. Whatever the template and the users: the name is valid, and no two users
// share one.
func TestSecretNameProperty(t *testing.T) {
	templates := rapid.SampledFrom([]string{"keyturn/{account}/{user}", "{user}", "{user}{user}", "{account}{user}", "{user}/key", "a/{user}-{account}/{user}"})
	users := rapid.StringMatching(`[ab+=,.@_-]{1,8}|[A-Za-z0-9+=,.@_-]{1,64}`)
	accounts := rapid.StringMatching(`[0-9]{12}`)
	rapid.Check(t, func(t *rapid.T) {
		template := templates.Draw(t, "template")
		a1, a2 := rotation.AccountID(accounts.Draw(t, "account 1")), rotation.AccountID(accounts.Draw(t, "account 2"))
		u1, u2 := rotation.UserName(users.Draw(t, "user 1")), rotation.UserName(users.Draw(t, "user 2"))
		n1, err := SecretName(template, a1, u1)
		if err != nil {
			t.Fatal(err)
		}
		n2, err := SecretName(template, a1, u2)
		if err != nil {
			t.Fatal(err)
		}
		if (n1 == n2) != (u1 == u2) {
			t.Fatalf("%s and %s: %s and %s", u1, u2, n1, n2)
		}
		if !strings.Contains(template, "{account}") {
			return
		}
		if n3, err := SecretName(template, a2, u2); err != nil || (n1 == n3) != (a1 == a2 && u1 == u2) {
			t.Fatalf("%s %s and %s %s: %s and %s, %v", a1, u1, a2, u2, n1, n3, err)
		}
	})
}

// The whole name is looked up, so that a name which ends like another's random suffix is no trouble.
func TestSecretNameOverTheWire(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	for _, u := range []string{"a,b", "ci-runner", "ci", "x=y@z"} {
		w.AddUser(prod, awsemu.User{Name: u})
		name, err := SecretName("keyturn/{account}/{user}", prod, rotation.UserName(u))
		if err != nil {
			t.Fatal(err)
		}
		s, err := a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) { s.Name, s.UserARN = name, "arn:aws:iam::"+prod+":user/"+u }))
		if err != nil || s.Name != name {
			t.Errorf("%s: %+v, error %v", u, s, err)
		}
	}
	if n := len(w.Secrets(prod)); n != 4 {
		t.Errorf("%d secrets", n)
	}
}
