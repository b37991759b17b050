package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/scheduler"
)

// tree adds 45 accounts in units of three levels, more than a page of them in one unit, and more than a page of units.
func (w *world) tree() {
	w.AddOU("r-acme", "ou-acme-work0001", "Workloads")
	w.AddOU("ou-acme-work0001", "ou-acme-prod0001", "Production")
	w.AddOU("ou-acme-prod0001", "ou-acme-pay00001", "Payments")
	for i := range 25 {
		w.AddOU("r-acme", fmt.Sprintf("ou-acme-team%04d", i), "Team")
	}
	for i := range 43 {
		parent := "ou-acme-work0001"
		switch {
		case i < 23:
			parent = "ou-acme-pay00001"
		case i < 30:
			parent = "ou-acme-prod0001"
		case i == 30:
			parent = "ou-acme-team0024"
		}
		w.AddAccount(awsemu.Account{ID: fmt.Sprintf("3%011d", i), Name: fmt.Sprintf("a-%d", i), Email: fmt.Sprintf("a%d@acme.example", i), ParentID: parent})
	}
}

func TestAccounts(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.tree()
	const (
		work = "r-acme/ou-acme-work0001"
		pay  = work + "/ou-acme-prod0001/ou-acme-pay00001"
	)
	for _, tc := range []struct {
		name    string
		include []string
		want    int
	}{
		{"everything, all pages, nested units", nil, 45},
		{"the root by its ID", []string{"r-acme"}, 45},
		{"a unit with those nested in it", []string{"ou-acme-prod0001"}, 30},
		{"a nested unit alone", []string{"ou-acme-pay00001"}, 23},
		{"by its path", []string{pay}, 23},
		{"nested in each other, counted once", []string{"ou-acme-pay00001", "ou-acme-work0001", "ou-acme-prod0001"}, 42},
		{"two apart", []string{"ou-acme-pay00001", "ou-acme-team0024"}, 24},
		{"an empty one", []string{"ou-acme-team0000"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := w.client().Accounts(t.Context(), tc.include)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[rotation.AccountID]scheduler.Account{}
			for _, a := range got {
				if _, twice := seen[a.ID]; twice {
					t.Errorf("%s is there twice", a.ID)
				}
				seen[a.ID] = a
			}
			if len(seen) != tc.want {
				t.Fatalf("%d accounts, want %d", len(seen), tc.want)
			}
			if a, ok := seen["300000000000"]; ok {
				want := scheduler.Account{ID: "300000000000", Name: "a-0", Email: "a0@acme.example", OUPath: pay, State: "ACTIVE"}
				if diff := cmp.Diff(want, a); diff != "" {
					t.Error(diff)
				}
			}
			for _, a := range got {
				if a.Management != (a.ID == home) {
					t.Errorf("%s: management %v", a.ID, a.Management)
				}
			}
		})
	}
}

func TestAccountsRefuse(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.tree()
	for name, tc := range map[string]struct{ ou, says string }{
		"an unknown unit":       {"ou-acme-nowhere1", "there is no organizational unit ou-acme-nowhere1"},
		"an unknown root":       {"r-none", "there is no organizational unit r-none"},
		"a path that is not so": {"r-acme/ou-acme-pay00001", "is now at r-acme/ou-acme-work0001/ou-acme-prod0001/ou-acme-pay00001"},
		"an empty name":         {"", "there is no organizational unit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.client().Accounts(t.Context(), []string{"ou-acme-prod0001", tc.ou})
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %q", err, tc.says)
			}
		})
	}
}

// Pattern's fault 10: nested units crash the inventory, and Status was retired.
func TestAccountStates(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.SetAccountState(prod, "SUSPENDED")
	w.AddAccount(awsemu.Account{ID: "400000000004", ParentID: "r-acme"})
	w.SetAccountState("400000000004", "")
	got, err := w.client().Accounts(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	states := map[rotation.AccountID]string{}
	for _, a := range got {
		states[a.ID] = a.State
	}
	want := map[rotation.AccountID]string{home: "ACTIVE", prod: "SUSPENDED", "400000000004": "UNKNOWN"}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
}

func TestManagementRole(t *testing.T) {
	w := start(t, awsemu.Options{})
	id, secret := w.Bootstrap(prod) // we live in a member account
	w.AddRole(home, "keyturn-list-accounts", "")
	other := func(o *Options) { o.Config.Credentials = static(id, secret) }
	if _, err := w.client(other).Accounts(t.Context(), nil); err == nil {
		t.Error("a member account listed the organization without the role")
	}
	role := func(o *Options) {
		other(o)
		o.ManagementRole, o.ManagementAccount = "keyturn-list-accounts", home
	}
	got, err := w.client(role).Accounts(t.Context(), nil)
	if err != nil || len(got) != 2 {
		t.Errorf("%d accounts, error %v", len(got), err)
	}
	_, err = w.client(role, func(o *Options) { o.ManagementAccount = "" }).Accounts(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "must name a role and an account") {
		t.Errorf("error %v", err)
	}
}

func TestAccountsThrottled(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.SetFault(awsemu.Fault{Service: "organizations", Operation: "ListAccountsForParent", Kind: awsemu.FaultThrottle, Times: 2})
	if got, err := w.client().Accounts(t.Context(), nil); err != nil || len(got) != 2 {
		t.Errorf("%d accounts, error %v", len(got), err)
	}
	w.SetFault(awsemu.Fault{Service: "organizations", Operation: "ListAccountsForParent", Kind: awsemu.FaultThrottle, Times: -1})
	if got, err := w.client().Accounts(t.Context(), nil); err == nil {
		t.Errorf("half a list: %v", got)
	}
}
