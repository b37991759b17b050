package aws

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
)

func TestAdminPolicies(t *testing.T) {
	const aws = "arn:aws:iam::aws:policy/"
	for name, c := range map[string]struct {
		own, group []string
		want       []string
	}{
		"none":              {[]string{aws + "ReadOnlyAccess"}, []string{aws + "SecurityAudit"}, nil},
		"attached":          {[]string{aws + "AdministratorAccess", aws + "ReadOnlyAccess"}, nil, []string{"AdministratorAccess"}},
		"by a group":        {nil, []string{aws + "IAMFullAccess"}, []string{"IAMFullAccess"}},
		"both, each once":   {[]string{aws + "PowerUserAccess"}, []string{aws + "PowerUserAccess", "arn:aws-us-gov:iam::aws:policy/AdministratorAccess"}, []string{"AdministratorAccess", "PowerUserAccess"}},
		"one's own by name": {[]string{"arn:aws:iam::200000000002:policy/AdministratorAccess"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			w.AddGroup(prod, "Workers")
			w.SetGroupPolicies(prod, "Workers", c.group...)
			w.AddUser(prod, awsemu.User{Name: "worker", Groups: []string{"Workers"}, PolicyARNs: c.own})
			w.SetPageLimit(1)
			got, err := w.iam(t).AdminPolicies(t.Context(), "worker")
			if diff := cmp.Diff(rotation.AdminPolicies{Names: c.want}, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// A role of before may not ask: that is said, and is no failure. Everything else is.
func TestAdminPoliciesNotKnown(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.SetFault(awsemu.Fault{Operation: "ListAttachedUserPolicies", Code: "AccessDenied", Status: 403, Times: -1})
	got, err := w.iam(t).AdminPolicies(t.Context(), user)
	if err != nil || got.Problem == "" || got.Names != nil {
		t.Errorf("%+v %v", got, err)
	}
	w.ClearFaults()
	w.SetFault(awsemu.Fault{Operation: "ListAttachedGroupPolicies", Code: "AccessDenied", Status: 403, Times: -1})
	w.AddGroup(prod, "Workers")
	w.AddUser(prod, awsemu.User{Name: "worker", Groups: []string{"Workers"}, PolicyARNs: []string{"arn:aws:iam::aws:policy/IAMFullAccess"}})
	got, err = w.iam(t).AdminPolicies(t.Context(), "worker")
	if diff := cmp.Diff(rotation.AdminPolicies{Names: []string{"IAMFullAccess"}, Problem: "keyturn's role may not list policies"}, got); err != nil || diff != "" {
		t.Error("what is known is lost with what is not:", err, diff)
	}
	w.ClearFaults()
	if _, err := w.iam(t).AdminPolicies(t.Context(), "nobody"); err == nil {
		t.Error("a user who is not there has no policies")
	}
}
