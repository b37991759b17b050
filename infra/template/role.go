package template

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Resources are resolved resources by their logical ID.
type Resources map[string]Resource

// Resource is a resolved resource.
type Resource struct {
	Type                string
	Properties          map[string]any // strings, numbers, booleans, maps and lists
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// Get returns what stands at a path of properties, or nil.
func (r Resource) Get(path ...string) any {
	var v any = r.Properties
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func (rs Resources) role(id string) (Resource, error) {
	r, ok := rs[id]
	if !ok || r.Type != "AWS::IAM::Role" {
		return Resource{}, fmt.Errorf("there is no role %q", id)
	}
	return r, nil
}

// RolePolicies returns the documents of a role's inline policies. A role with managed policies, which do not stand in the
// template, is an error: its permissions would be others.
func (rs Resources) RolePolicies(id string) ([]json.RawMessage, error) {
	r, err := rs.role(id)
	if err != nil {
		return nil, err
	}
	if r.Get("ManagedPolicyArns") != nil || r.Get("PermissionsBoundary") != nil {
		return nil, fmt.Errorf("role %s has policies that are not in the template", id)
	}
	list, _ := r.Get("Policies").([]any)
	var out []json.RawMessage
	for i, p := range list {
		m, _ := p.(map[string]any)
		doc, err := document(m["PolicyDocument"])
		if err != nil {
			return nil, fmt.Errorf("role %s, policy %d: %w", id, i, err)
		}
		out = append(out, doc)
	}
	return out, nil
}

// TrustPolicy returns the document that says who may assume a role.
func (rs Resources) TrustPolicy(id string) (json.RawMessage, error) {
	r, err := rs.role(id)
	if err != nil {
		return nil, err
	}
	doc, err := document(r.Get("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, fmt.Errorf("role %s, trust policy: %w", id, err)
	}
	return doc, nil
}

// document is a policy as IAM would store it, without white space.
func document(v any) (json.RawMessage, error) {
	if m, ok := v.(map[string]any); !ok || m["Statement"] == nil {
		return nil, fmt.Errorf("it is no policy document: %v", v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
