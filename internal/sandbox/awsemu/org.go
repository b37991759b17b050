package awsemu

import (
	"regexp"
	"slices"
	"strings"
)

const organization = "o-emulated00"

var orgOperations = map[string]operation{
	"DescribeOrganization": describeOrganization, "ListRoots": listRoots,
	"ListOrganizationalUnitsForParent": listUnits, "DescribeOrganizationalUnit": describeUnit,
	"ListAccounts": listAccounts, "ListAccountsForParent": listAccountsForParent,
	"DescribeAccount": describeAccount, "ListParents": listParents,
}

var (
	accountID = regexp.MustCompile(`^\d{12}$`)
	parentID  = regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`)
)

func describeOrganization(s *Server, r *request) (any, *failure) {
	id := s.management()
	if id == "" {
		return nil, failf(400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return map[string]any{"Organization": map[string]any{
		"Id": organization, "Arn": s.arn("organizations", id, "organization/"+organization), "FeatureSet": "ALL",
		"MasterAccountId": id, "MasterAccountEmail": s.accounts[id].Email,
		"MasterAccountArn": s.arn("organizations", id, "account/"+organization+"/"+id), "AvailablePolicyTypes": []any{},
	}}, nil
}

func listRoots(s *Server, r *request) (any, *failure) {
	out := []map[string]any{}
	for _, u := range s.children("") {
		out = append(out, map[string]any{"Id": u.id, "Name": u.name, "Arn": s.arn("organizations", s.management(), "root/"+organization+"/"+u.id), "PolicyTypes": []any{}})
	}
	return jsonPage(s, r, "Roots", out)
}

// parent finds the root or unit that a request names.
func (s *Server) parent(r *request) (string, *failure) {
	id := r.str("ParentId")
	switch {
	case s.units[id] != nil:
		return id, nil
	case !parentID.MatchString(id):
		return "", invalid(r, "You provided a value for ParentId that does not match the required pattern.")
	}
	return "", failf(400, "ParentNotFoundException", "You provided parent ID that does not match any root or organizational unit.")
}

func listUnits(s *Server, r *request) (any, *failure) {
	parent, f := s.parent(r)
	if f != nil {
		return nil, f
	}
	var out []map[string]any
	for _, u := range s.children(parent) {
		out = append(out, s.unitJSON(u))
	}
	return jsonPage(s, r, "OrganizationalUnits", out)
}

func describeUnit(s *Server, r *request) (any, *failure) {
	id := r.str("OrganizationalUnitId")
	u := s.units[id]
	switch {
	case u != nil && u.parent != "":
		return map[string]any{"OrganizationalUnit": s.unitJSON(u)}, nil
	case !parentID.MatchString(id) || strings.HasPrefix(id, "r-"):
		return nil, invalid(r, "You provided a value for OrganizationalUnitId that does not match the required pattern.")
	}
	return nil, failf(400, "OrganizationalUnitNotFoundException", "You specified an organizational unit that does not exist.")
}

func listAccounts(s *Server, r *request) (any, *failure) {
	var out []map[string]any
	for _, id := range s.order {
		out = append(out, s.accountJSON(s.accounts[id]))
	}
	return jsonPage(s, r, "Accounts", out)
}

func listAccountsForParent(s *Server, r *request) (any, *failure) {
	parent, f := s.parent(r)
	if f != nil {
		return nil, f
	}
	var out []map[string]any
	for _, id := range s.order {
		if s.accounts[id].ParentID == parent {
			out = append(out, s.accountJSON(s.accounts[id]))
		}
	}
	return jsonPage(s, r, "Accounts", out)
}

func describeAccount(s *Server, r *request) (any, *failure) {
	id := r.str("AccountId")
	if !accountID.MatchString(id) {
		return nil, invalid(r, "You provided a value for AccountId that does not match the required pattern.")
	}
	if !slices.Contains(s.order, id) {
		return nil, failf(400, "AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return map[string]any{"Account": s.accountJSON(s.accounts[id])}, nil
}

func listParents(s *Server, r *request) (any, *failure) {
	id, parent := r.str("ChildId"), ""
	switch {
	case slices.Contains(s.order, id):
		parent = s.accounts[id].ParentID
	case s.units[id] != nil && s.units[id].parent != "":
		parent = s.units[id].parent
	case !accountID.MatchString(id) && !(parentID.MatchString(id) && strings.HasPrefix(id, "ou-")):
		return nil, invalid(r, "You provided a value for ChildId that does not match the required pattern.")
	default:
		return nil, failf(400, "ChildNotFoundException", "You specified a child that does not exist.")
	}
	kind := "ORGANIZATIONAL_UNIT"
	if u := s.units[parent]; u != nil && u.parent == "" {
		kind = "ROOT"
	}
	return map[string]any{"Parents": []any{map[string]any{"Id": parent, "Type": kind}}}, nil
}

func (s *Server) management() string {
	for _, id := range s.order {
		if s.accounts[id].Management {
			return id
		}
	}
	return ""
}

// children returns the units below a parent, ordered by ID. The roots have none.
func (s *Server) children(parent string) []*unit {
	var out []*unit
	for _, u := range s.units {
		if u.parent == parent {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *unit) int { return strings.Compare(a.id, b.id) })
	return out
}

func (s *Server) unitJSON(u *unit) map[string]any {
	return map[string]any{"Id": u.id, "Name": u.name, "Arn": s.arn("organizations", s.management(), "ou/"+organization+"/"+u.id)}
}

// accountJSON has State and no Status: that field was retired on 2026-09-09.
func (s *Server) accountJSON(a *account) map[string]any {
	return map[string]any{
		"Id": a.ID, "Name": a.Name, "Email": a.Email, "State": a.State, "JoinedMethod": "CREATED", "JoinedTimestamp": 1500000000,
		"Arn": s.arn("organizations", s.management(), "account/"+organization+"/"+a.ID),
	}
}
