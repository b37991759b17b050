package awsemu

import (
	"slices"
	"strings"
)

const mostFilters = 10

// filterKeys are what ListSecrets filters by. The emulator's secrets belong to no other service.
var filterKeys = []string{"all", "description", "name", "owning-service", "primary-region", "tag-key", "tag-value"}

// listSecrets pages by 100 at most. Filters are joined by and, the values of one by or.
func listSecrets(s *Server, r *request) (any, *failure) {
	a := s.accounts[r.who.account]
	filters, _ := r.in["Filters"].([]any)
	if len(filters) > mostFilters {
		return nil, invalid(r, "1 validation error detected: Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to %d", mostFilters)
	}
	for _, f := range filters {
		m, _ := f.(map[string]any)
		if n := len(strs(m["Values"])); !slices.Contains(filterKeys, text(m, "Key")) || n < 1 || n > mostFilters {
			return nil, invalid(r, "1 validation error detected: Value at 'filters' failed to satisfy constraint: Member must satisfy enum value set: %v and have 1 to %d values", filterKeys, mostFilters)
		}
	}
	size, f := s.size(r, "MaxResults", 100, 100)
	if f != nil {
		return nil, f
	}
	var all []*secret
	for _, x := range a.sortedSecrets(s.opts.Now()) {
		if !x.deleted.IsZero() && !r.bool("IncludePlannedDeletion") {
			continue
		}
		if !slices.ContainsFunc(filters, func(f any) bool { m, _ := f.(map[string]any); return !x.matches(s, m) }) {
			all = append(all, x)
		}
	}
	items, next, ok := cut(all, r.str("NextToken"), size, func(x *secret) string { return x.name })
	if !ok {
		return nil, failf(400, "InvalidNextTokenException", "The NextToken value is invalid.")
	}
	list := []any{}
	for _, x := range items {
		list = append(list, x.describe("SecretVersionsToStages"))
	}
	out := map[string]any{"SecretList": list}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// matches applies one filter. A value that starts with an exclamation mark is negated.
func (x *secret) matches(s *Server, f map[string]any) bool {
	fields := x.fields(s, text(f, "Key"))
	for _, want := range strs(f["Values"]) {
		want, negated := strings.CutPrefix(want, "!")
		hit := slices.ContainsFunc(fields, func(have string) bool {
			switch text(f, "Key") {
			case "description":
				return strings.HasPrefix(strings.ToLower(have), strings.ToLower(want))
			case "all":
				return strings.Contains(strings.ToLower(have), strings.ToLower(want))
			default:
				return strings.HasPrefix(have, want)
			}
		})
		if hit != negated {
			return true
		}
	}
	return false
}

// fields are what a filter compares with.
func (x *secret) fields(s *Server, key string) (out []string) {
	add := func(k, v string) {
		if key == k || key == "all" {
			out = append(out, v)
		}
	}
	add("name", x.name)
	add("description", x.description)
	for k, v := range x.tags {
		add("tag-key", k)
		add("tag-value", v)
	}
	if len(x.replicas) > 0 {
		add("primary-region", s.opts.Region)
	}
	return out
}
