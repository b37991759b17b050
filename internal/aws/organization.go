package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// stateUnknown is the state of an account for which Organizations names none: it is not scanned. The field Status, which
// older answers have beside it, was retired on 2026-09-09 and is never read.
const stateUnknown = "UNKNOWN"

// organization opens Organizations, through the management role if there is one.
func (c *Client) organization(ctx context.Context) (organizationCalls, error) {
	if c.opts.ManagementRole == "" {
		return newOrganization(c.cfg), nil
	}
	cfg, err := c.assume(ctx, role{c.opts.ManagementAccount, c.opts.ManagementRole})
	if err != nil {
		return organizationCalls{}, err
	}
	return newOrganization(cfg), nil
}

// managementAccount is asked once.
func (c *Client) managementAccount(ctx context.Context) (rotation.AccountID, error) {
	c.mu.Lock()
	id := c.management
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	client, err := c.organization(ctx)
	if err != nil {
		return "", err
	}
	out, err := client.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return "", failed("describe the organization", err)
	}
	if out.Organization == nil || awssdk.ToString(out.Organization.MasterAccountId) == "" {
		return "", errors.New("describe the organization: the answer names no management account")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.management = rotation.AccountID(*out.Organization.MasterAccountId)
	return c.management, nil
}

// Accounts implements scheduler.Organization. A unit may be written as its ID or as its path from the root.
func (c *Client) Accounts(ctx context.Context, includeOUs []string) ([]scheduler.Account, error) {
	client, err := c.organization(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	w := walk{client: client, units: map[string]bool{}, seen: map[rotation.AccountID]bool{}}
	if w.management, err = c.managementAccount(ctx); err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	starts, err := w.starts(ctx, includeOUs)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	for _, path := range starts {
		if err := w.below(ctx, path); err != nil {
			return nil, fmt.Errorf("list the accounts: %w", err)
		}
	}
	return w.found, nil
}

// walk goes through the tree of units, from the top, each unit once.
type walk struct {
	client     organizationCalls
	management rotation.AccountID
	units      map[string]bool
	seen       map[rotation.AccountID]bool
	found      []scheduler.Account
}

// starts returns the paths from which to walk: the roots, or the units that are asked for.
func (w *walk) starts(ctx context.Context, include []string) ([]string, error) {
	var out []string
	for _, ou := range include {
		ou = strings.Trim(ou, "/")
		path, err := w.pathOf(ctx, ou[strings.LastIndexByte(ou, '/')+1:])
		if err != nil {
			return nil, err
		}
		if ou != path && strings.Contains(ou, "/") {
			return nil, fmt.Errorf("the organizational unit %s is now at %s: correct organization.include_ous", ou, path)
		}
		out = append(out, path)
	}
	if len(include) > 0 {
		return out, nil
	}
	pages := organizations.NewListRootsPaginator(w.client.ListRoots, &organizations.ListRootsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("list the roots", err)
		}
		for _, r := range page.Roots {
			out = append(out, awssdk.ToString(r.Id))
		}
	}
	return out, nil
}

// pathOf returns a unit's path from the root.
func (w *walk) pathOf(ctx context.Context, ou string) (string, error) {
	path := ou
	for id := ou; !strings.HasPrefix(id, "r-"); {
		out, err := w.client.ListParents(ctx, &organizations.ListParentsInput{ChildId: &id})
		if err != nil {
			return "", unit(ou, err)
		}
		if len(out.Parents) != 1 || awssdk.ToString(out.Parents[0].Id) == "" {
			return "", fmt.Errorf("organizational unit %s: it has %d parents", id, len(out.Parents))
		}
		id = *out.Parents[0].Id
		path = id + "/" + path
	}
	return path, nil
}

// unit says which unit a call was about.
func unit(id string, err error) error {
	switch code(err) {
	case "ChildNotFoundException", "ParentNotFoundException", "OrganizationalUnitNotFoundException", "InvalidInputException":
		return failed(fmt.Sprintf("there is no organizational unit %s in the organization: correct organization.include_ous", id), err)
	default:
		return failed("organizational unit "+id, err)
	}
}

// below finds the accounts of a unit and of those nested in it.
func (w *walk) below(ctx context.Context, path string) error {
	id := path[strings.LastIndexByte(path, '/')+1:]
	if w.units[id] {
		return nil
	}
	w.units[id] = true
	accounts := organizations.NewListAccountsForParentPaginator(w.client.ListAccountsForParent, &organizations.ListAccountsForParentInput{ParentId: &id})
	for accounts.HasMorePages() {
		page, err := accounts.NextPage(ctx)
		if err != nil {
			return unit(id, err)
		}
		for _, a := range page.Accounts {
			w.add(a, path)
		}
	}
	units := organizations.NewListOrganizationalUnitsForParentPaginator(w.client.ListUnits, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &id})
	for units.HasMorePages() {
		page, err := units.NextPage(ctx)
		if err != nil {
			return unit(id, err)
		}
		for _, u := range page.OrganizationalUnits {
			if err := w.below(ctx, path+"/"+awssdk.ToString(u.Id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) add(a types.Account, path string) {
	id := rotation.AccountID(awssdk.ToString(a.Id))
	if w.seen[id] {
		return
	}
	w.seen[id] = true
	state := string(a.State)
	if state == "" {
		state = stateUnknown
	}
	w.found = append(w.found, scheduler.Account{
		ID: id, Name: awssdk.ToString(a.Name), Email: awssdk.ToString(a.Email), OUPath: path, State: state, Management: id == w.management,
	})
}
