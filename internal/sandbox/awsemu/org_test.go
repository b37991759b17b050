package awsemu

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/google/go-cmp/cmp"
)

func TestAccountsComeInPagesOf20(t *testing.T) {
	e := start(t)
	for i := range 42 {
		e.AddAccount(Account{ID: fmt.Sprintf("5%011d", i), Name: "x", ParentID: "r-acme"})
	}
	c := e.org()
	var pages []int
	for p := organizations.NewListAccountsPaginator(c, &organizations.ListAccountsInput{}); p.HasMorePages(); {
		pages = append(pages, len(ok(p.NextPage(ctx))(t).Accounts))
	}
	for p := organizations.NewListAccountsForParentPaginator(c, &organizations.ListAccountsForParentInput{ParentId: ptr("r-acme"), MaxResults: ptr(int32(20))}); p.HasMorePages(); {
		pages = append(pages, len(ok(p.NextPage(ctx))(t).Accounts))
	}
	if diff := cmp.Diff([]int{20, 20, 5, 20, 20, 3}, pages); diff != "" {
		t.Error(diff)
	}
	_, err := c.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: ptr(int32(21))})
	refusedWith(t, err, "InvalidInputException", 400)
	_, err = c.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: ptr("guessed")})
	refusedWith(t, err, "InvalidInputException", 400)
}

func TestTree(t *testing.T) {
	e := start(t)
	for i := range 22 {
		e.AddOU("ou-acme-prod00001", fmt.Sprintf("ou-acme-team%05d", i), "team")
	}
	c := e.org()
	roots := ok(c.ListRoots(ctx, &organizations.ListRootsInput{}))(t).Roots
	if len(roots) != 1 || *roots[0].Id != "r-acme" || *roots[0].Arn != "arn:aws:organizations::100000000001:root/o-emulated00/r-acme" {
		t.Errorf("roots: %+v", roots)
	}
	n := 0
	for p := organizations.NewListOrganizationalUnitsForParentPaginator(c, &organizations.ListOrganizationalUnitsForParentInput{ParentId: ptr("ou-acme-prod00001")}); p.HasMorePages(); {
		n += len(ok(p.NextPage(ctx))(t).OrganizationalUnits)
	}
	if n != 22 {
		t.Errorf("%d units", n)
	}
	if got := ok(c.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: ptr("ou-acme-team00000")}))(t).OrganizationalUnits; got == nil || len(got) != 0 {
		t.Errorf("an empty list is %v", got)
	}
	if u := ok(c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: ptr("ou-acme-prod00001")}))(t).OrganizationalUnit; *u.Name != "Production" {
		t.Errorf("unit: %+v", u)
	}
	for child, want := range map[string]types.Parent{
		member:              {Id: ptr("ou-acme-prod00001"), Type: types.ParentTypeOrganizationalUnit},
		mgmt:                {Id: ptr("r-acme"), Type: types.ParentTypeRoot},
		"ou-acme-prod00001": {Id: ptr("r-acme"), Type: types.ParentTypeRoot},
	} {
		got := ok(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: &child}))(t).Parents
		if len(got) != 1 || *got[0].Id != *want.Id || got[0].Type != want.Type {
			t.Errorf("parents of %s: %+v", child, got)
		}
	}
	e.MoveAccount(member, "r-acme")
	if got := ok(c.ListParents(ctx, &organizations.ListParentsInput{ChildId: ptr(member)}))(t).Parents; *got[0].Id != "r-acme" {
		t.Errorf("after a move: %+v", got)
	}
}

func TestAccountStates(t *testing.T) {
	e := start(t)
	c := e.org()
	e.SetAccountState(member, "SUSPENDED")
	a := ok(c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: ptr(member)}))(t).Account
	if a.State != types.AccountStateSuspended || a.Status != "" || *a.Email != "member@acme.example" {
		t.Errorf("Status was retired, State is read: %+v", a)
	}
	e.RemoveAccount(member)
	_, err := c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: ptr(member)})
	refusedWith(t, err, "AccountNotFoundException", 400)
	if got := ok(c.ListAccounts(ctx, &organizations.ListAccountsInput{}))(t).Accounts; len(got) != 2 {
		t.Errorf("%d accounts", len(got))
	}
}

func TestWhatOrganizationsRefuses(t *testing.T) {
	e := start(t)
	c := e.org()
	for name, tc := range map[string]struct {
		code string
		call func() error
	}{
		"unknown parent": {"ParentNotFoundException", func() error {
			_, err := c.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: ptr("ou-acme-nothing000")})
			return err
		}},
		"bad parent": {"InvalidInputException", func() error {
			_, err := c.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: ptr("production")})
			return err
		}},
		"unknown unit": {"OrganizationalUnitNotFoundException", func() error {
			_, err := c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: ptr("ou-acme-nothing000")})
			return err
		}},
		"a root is no unit": {"InvalidInputException", func() error {
			_, err := c.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: ptr("r-acme")})
			return err
		}},
		"unknown account": {"AccountNotFoundException", func() error {
			_, err := c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: ptr("999999999999")})
			return err
		}},
		"bad account": {"InvalidInputException", func() error {
			_, err := c.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: ptr("12")})
			return err
		}},
		"unknown child": {"ChildNotFoundException", func() error {
			_, err := c.ListParents(ctx, &organizations.ListParentsInput{ChildId: ptr("999999999999")})
			return err
		}},
		"bad child": {"InvalidInputException", func() error {
			_, err := c.ListParents(ctx, &organizations.ListParentsInput{ChildId: ptr("r-acme")})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) { refusedWith(t, tc.call(), tc.code, 400) })
	}
}

func TestWhoMayAskOrganizations(t *testing.T) {
	e := start(t)
	e.AddAccount(Account{ID: "400000000004", ParentID: "r-acme", Delegated: true})
	e.AddRole("400000000004", "keyturn-member", "")
	for account, allowed := range map[string]bool{mgmt: true, "400000000004": true, member: false} {
		c := organizations.NewFromConfig(e.in(account))
		_, err := c.ListAccounts(ctx, &organizations.ListAccountsInput{})
		if allowed != (err == nil) {
			t.Errorf("%s: %v", account, err)
		}
		if !allowed {
			refusedWith(t, err, "AccessDeniedException", 400)
		}
		o := ok(c.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{}))(t).Organization // every member may
		if *o.MasterAccountId != mgmt || *o.MasterAccountEmail != "cloud@acme.example" {
			t.Errorf("organization: %+v", o)
		}
	}
	lonely := New(Options{})
	lonely.AddAccount(Account{ID: member})
	ok(lonely.Start())(t)
	defer lonely.Close()
	f := &emu{Server: lonely, t: t}
	_, err := organizations.NewFromConfig(f.as(lonely.Bootstrap(member))).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	refusedWith(t, err, "AWSOrganizationsNotInUseException", 400)
}
