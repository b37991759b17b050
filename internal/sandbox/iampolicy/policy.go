package iampolicy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Policy is a policy that was understood. It does not change and is safe for concurrent use.
type Policy struct {
	Statements []Statement
}

// Effect is what a statement does.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one statement, as it was written. Of Actions and NotActions one is empty, and so with the others.
type Statement struct {
	Sid                     string
	Effect                  Effect
	Actions, NotActions     []string
	Resources, NotResources []string    // of permissions
	Principals              []Principal // of a trust policy
	Conditions              []Condition

	actions, resources []pattern
}

// parser reads one document.
type parser struct {
	trust bool
	keys  Keys
	vars  bool
}

// ParsePermissions reads an identity policy. The error says what is wrong, or what this package does not understand.
func ParsePermissions(doc []byte, keys Keys) (*Policy, error) {
	return (&parser{keys: keys}).parse(doc)
}

// ParseTrust reads the trust policy of a role.
func ParseTrust(doc []byte, keys Keys) (*Policy, error) {
	return (&parser{trust: true, keys: keys}).parse(doc)
}

func (p *parser) parse(doc []byte) (*Policy, error) {
	v, err := decode(doc)
	if err != nil {
		return nil, err
	}
	top, ok := v.(object)
	if !ok {
		return nil, errors.New("a policy is a JSON object")
	}
	var statements []any
	for _, m := range top {
		switch m.name {
		case "Version":
			// Without a version, and with the older one, variables are plain text.
			if m.value != "2012-10-17" && m.value != "2008-10-17" {
				return nil, fmt.Errorf("the policy version %v is not known", m.value)
			}
			p.vars = m.value == "2012-10-17"
		case "Id":
			if _, ok := m.value.(string); !ok {
				return nil, errors.New("the element Id must be a string")
			}
		case "Statement":
			if statements, ok = m.value.([]any); !ok {
				statements = []any{m.value}
			}
		default:
			return nil, fmt.Errorf("the element %q is not known", m.name)
		}
	}
	if len(statements) == 0 {
		return nil, errors.New("the policy has no statement")
	}
	out, sids := &Policy{}, map[string]bool{}
	for i, v := range statements {
		s, err := p.statement(v)
		if err == nil && s.Sid != "" && sids[s.Sid] {
			err = errors.New("its Sid is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		sids[s.Sid] = true
		out.Statements = append(out.Statements, s)
	}
	return out, nil
}

var sid = regexp.MustCompile(`^[A-Za-z0-9]*$`)

func (p *parser) statement(v any) (s Statement, err error) {
	fields, ok := v.(object)
	if !ok {
		return s, errors.New("a statement is a JSON object")
	}
	for _, f := range fields {
		switch f.name {
		case "Sid":
			if s.Sid, ok = f.value.(string); !ok || !sid.MatchString(s.Sid) {
				err = fmt.Errorf("%v: letters and digits only", f.value)
			}
		case "Effect":
			e, _ := f.value.(string)
			if s.Effect = Effect(e); s.Effect != Allow && s.Effect != Deny {
				err = fmt.Errorf("%v is neither Allow nor Deny", f.value)
			}
		case "Action":
			s.Actions, err = texts(f.value, false)
		case "NotAction":
			s.NotActions, err = texts(f.value, false)
		case "Resource":
			s.Resources, err = texts(f.value, false)
		case "NotResource":
			s.NotResources, err = texts(f.value, false)
		case "Principal":
			s.Principals, err = parsePrincipals(f.value)
		case "Condition":
			s.Conditions, err = parseConditions(f.value, p.vars, p.keys)
		default:
			err = errors.New("the element is not known")
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return s, p.complete(&s)
}

// complete checks what a statement must and must not have, and compiles its patterns.
func (p *parser) complete(s *Statement) error {
	switch {
	case s.Effect == "":
		return errors.New("it has no Effect")
	case (s.Actions == nil) == (s.NotActions == nil):
		return errors.New("it must have either Action or NotAction")
	case p.trust && s.Principals == nil:
		return errors.New("it has no Principal")
	case p.trust && (s.Resources != nil || s.NotResources != nil):
		return errors.New("a trust policy has no Resource")
	case !p.trust && s.Principals != nil:
		return errors.New("permissions have no Principal")
	case !p.trust && (s.Resources == nil) == (s.NotResources == nil):
		return errors.New("it must have either Resource or NotResource")
	}
	for _, a := range append(s.Actions, s.NotActions...) {
		service, name, ok := strings.Cut(a, ":")
		if a != "*" && (!ok || name == "" || !serviceName.MatchString(service) || !actionName.MatchString(name)) {
			return fmt.Errorf("%q is no action: a service, a colon, and a name that may have wildcards", a)
		}
		c, err := grammar{wild: true}.compile(a)
		if err != nil {
			return err
		}
		s.actions = append(s.actions, c)
	}
	for _, r := range append(s.Resources, s.NotResources...) {
		c, err := grammar{wild: true, vars: p.vars, keys: p.keys}.compile(r)
		if err != nil {
			return err
		}
		if r != "*" {
			if err := c.checkARN(true); err != nil {
				return err
			}
		}
		s.resources = append(s.resources, c)
	}
	return nil
}

var (
	serviceName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	actionName  = regexp.MustCompile(`^[A-Za-z0-9*?]+$`)
)
