package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Template is a template as it is written, intrinsic functions in their long form. It is not changed by Resolve and may be
// used by several goroutines.
type Template struct {
	Name       string // of the file, for errors
	Parameters map[string]Parameter
	Metadata   any
	Conditions map[string]any
	Mappings   map[string]any
	Resources  map[string]Declared
	Outputs    map[string]any
}

// Parameter is a declared parameter.
type Parameter struct {
	Type        string
	Description string
	Default     *string // nil: it must be given
	Pattern     string
	Allowed     []string
	MinLength   int
	MinValue    *float64
	MaxValue    *float64
}

// Declared is a resource as it is written.
type Declared struct {
	Type                string
	Condition           string
	DependsOn           []string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Properties          map[string]any
}

// Load reads a template from a file.
func Load(path string) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return Parse(filepath.Base(path), data)
}

// Parse reads a template. Unknown sections, unknown attributes of a resource and keys that stand twice are errors.
func Parse(name string, data []byte) (*Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("%s: the file is empty", name)
	}
	v, err := value(doc.Content[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: a template is a mapping", name)
	}
	t := &Template{Name: name, Parameters: map[string]Parameter{}, Resources: map[string]Declared{}}
	var errs []error
	for section, v := range top {
		errs = append(errs, t.section(section, v))
	}
	if len(t.Resources) == 0 {
		errs = append(errs, errors.New("it has no resources"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (t *Template) section(name string, v any) error {
	m, isMap := v.(map[string]any)
	switch name {
	case "AWSTemplateFormatVersion":
		if v != "2010-09-09" {
			return fmt.Errorf("the AWSTemplateFormatVersion is %v; it must be the string 2010-09-09", v)
		}
		return nil
	case "Description":
		if s, ok := v.(string); !ok || len(s) > 1024 {
			return errors.New("the Description is a text of at most 1024 bytes")
		}
		return nil
	case "Metadata":
		t.Metadata = v
		return nil
	}
	if !isMap {
		return fmt.Errorf("%s: it is a mapping", name)
	}
	switch name {
	case "Conditions":
		t.Conditions = m
	case "Mappings":
		t.Mappings = m
	case "Outputs":
		t.Outputs = m
	case "Parameters":
		for k, v := range m {
			p, err := parameter(v)
			if err != nil {
				return fmt.Errorf("parameter %s: %w", k, err)
			}
			t.Parameters[k] = p
		}
	case "Resources":
		for k, v := range m {
			r, err := declared(v)
			if err != nil {
				return fmt.Errorf("resource %s: %w", k, err)
			}
			t.Resources[k] = r
		}
	default:
		return fmt.Errorf("%s: there is no such section, or it is not understood here", name)
	}
	return nil
}

func parameter(v any) (Parameter, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return Parameter{}, errors.New("it is a mapping")
	}
	var p Parameter
	for k, v := range m {
		text := fmt.Sprint(v)
		n, isNumber := number(v)
		switch k {
		case "Type":
			p.Type = text
		case "Description":
			p.Description = text
		case "Default":
			p.Default = &text
		case "AllowedPattern":
			p.Pattern = text
		case "AllowedValues":
			l, _ := v.([]any)
			for _, a := range l {
				p.Allowed = append(p.Allowed, fmt.Sprint(a))
			}
		case "MinLength", "MinValue", "MaxValue":
			if !isNumber {
				return Parameter{}, fmt.Errorf("%s: %v is not a number", k, v)
			}
			switch k {
			case "MinLength":
				p.MinLength = int(n)
			case "MinValue":
				p.MinValue = &n
			default:
				p.MaxValue = &n
			}
		default:
			return Parameter{}, fmt.Errorf("%s: it is not understood here", k)
		}
	}
	switch p.Type {
	case "String", "Number", "CommaDelimitedList":
		return p, nil
	default:
		return Parameter{}, fmt.Errorf("type %q: it is not understood here", p.Type)
	}
}

func declared(v any) (Declared, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return Declared{}, errors.New("it is a mapping")
	}
	r := Declared{Properties: map[string]any{}}
	for k, v := range m {
		text, isText := v.(string)
		switch {
		case k == "Properties":
			if r.Properties, ok = v.(map[string]any); !ok {
				return Declared{}, errors.New("its Properties are a mapping")
			}
		case k == "DependsOn" && isText:
			r.DependsOn = []string{text}
		case k == "DependsOn":
			l, _ := v.([]any)
			for _, d := range l {
				r.DependsOn = append(r.DependsOn, fmt.Sprint(d))
			}
		case k == "Type" && isText:
			r.Type = text
		case k == "Condition" && isText:
			r.Condition = text
		case k == "DeletionPolicy" && isText:
			r.DeletionPolicy = text
		case k == "UpdateReplacePolicy" && isText:
			r.UpdateReplacePolicy = text
		default:
			return Declared{}, fmt.Errorf("%s: a resource has no such attribute, or it is not understood here", k)
		}
	}
	if r.Type == "" {
		return Declared{}, errors.New("it has no Type")
	}
	return r, nil
}

// number reads a YAML number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}
