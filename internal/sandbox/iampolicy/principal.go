package iampolicy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Principal is whom a statement of a trust policy means.
type Principal struct {
	Service bool   // an AWS service; else an AWS principal
	Name    string // "*", an account ID, an ARN, or a service's name
}

var (
	accountID        = regexp.MustCompile(`^\d{12}$`)
	accountPrincipal = regexp.MustCompile(`^(\d{12}|arn:[a-z-]+:iam::\d{12}:root)$`)
	awsPrincipal     = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):(iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)|sts::\d{12}:assumed-role/[\w+=,.@-]+/[\w+=,.@-]+)$`)
	servicePrincipal = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$`)
)

// Account reports whether the principal is a whole account: it then leaves the decision to that account's own policies.
func (p Principal) Account() bool { return !p.Service && accountPrincipal.MatchString(p.Name) }

func parsePrincipals(v any) ([]Principal, error) {
	if v == "*" {
		return []Principal{{Name: "*"}}, nil
	}
	kinds, ok := v.(object)
	if !ok || len(kinds) == 0 {
		return nil, errors.New(`it must be "*" or an object`)
	}
	var out []Principal
	for _, k := range kinds {
		names, err := texts(k.value, false)
		if err != nil {
			return nil, fmt.Errorf("principals of %s: %w", k.name, err)
		}
		for _, n := range names {
			switch {
			case k.name == "AWS" && (n == "*" || accountID.MatchString(n) || awsPrincipal.MatchString(n)):
			case k.name == "Service" && servicePrincipal.MatchString(n):
			default:
				return nil, fmt.Errorf("the %s principal %q is not supported", k.name, n)
			}
			out = append(out, Principal{Service: k.name == "Service", Name: n})
		}
	}
	return out, nil
}

// meant returns the principals of a statement that the request's caller goes by.
func meant(principals []Principal, r Request) (out []Principal) {
	for _, p := range principals {
		if p.Service {
			if r.Service != "" && p.Name == r.Service {
				out = append(out, p)
			}
			continue
		}
		if r.Service == "" && (p.Name == "*" || slices.Contains(r.Principals, p.Name)) {
			out = append(out, p)
		}
	}
	return out
}
