package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Errors are all the errors of a file.
type Errors struct {
	File string
	List []Problem
}

// Problem is one error of a file. Line is 0 when it belongs to no line.
type Problem struct {
	Line int
	Key  string // like policy[1].quiet_period
	Text string
}

func (e *Errors) Error() string {
	var b strings.Builder
	for i, p := range e.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
		if p.Key != "" {
			b.WriteString(p.Key + ": ")
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// mostBytes bounds a configuration file.
const mostBytes = 1 << 20

// Parse reads a configuration. name is the file's name, for errors, which are all returned at once as *Errors.
func Parse(name string, data []byte) (Config, error) {
	errs := &Errors{File: name}
	if len(data) > mostBytes {
		errs.List = []Problem{{Text: fmt.Sprintf("the file has %d bytes; a configuration has at most %d", len(data), mostBytes)}}
		return Config{}, errs
	}
	var r raw
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil {
		if errors.Is(err, io.EOF) {
			errs.List = []Problem{{Text: "the file is empty. The README has a complete configuration to begin with"}}
			return Config{}, errs
		}
		errs.List = Problems(err)
		return Config{}, errs
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		errs.List = []Problem{{Text: "there is more than one YAML document in the file"}}
		return Config{}, errs
	}
	v := validator{}
	c := v.config(r)
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err == nil {
		if empty := Empty(&doc); len(empty) > 0 { // YAML would drop them in silence, and a rule without them says more than it shows
			v.problems = append(Problems(&yaml.TypeError{Errors: empty}), v.problems...)
		}
	}
	if len(v.problems) > 0 {
		errs.List = v.problems
		return Config{}, errs
	}
	return c, nil
}

var (
	atLine       = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): (?s:(.*))$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type \w+\.(\S+)$`)
	twiceField   = regexp.MustCompile(`^mapping key "([^"]+)" already defined at line (\d+)$`)
)

// sections says in the file's words what yaml calls by its Go type.
var sections = map[string]string{
	"raw": "the file", "rawOrganization": "organization", "rawSecrets": "secrets", "rawSlack": "slack", "rawEmail": "email", "rawStore": "store", "rawAudit": "audit",
}

func noSuchKey(key, goType string) string {
	if section, ok := sections[goType]; ok {
		return section + " has no such key; " + didYouMean(key, keysOf[goType])
	}
	return "there is no such key here"
}

// Problems turns yaml's errors into sentences.
func Problems(err error) []Problem {
	lines := []string{err.Error()}
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		lines = te.Errors
	}
	var out []Problem
	for _, l := range lines {
		p := Problem{Text: strings.TrimPrefix(l, "yaml: ")}
		if m := atLine.FindStringSubmatch(l); m != nil {
			fmt.Sscan(m[1], &p.Line)
			p.Text = m[2]
		}
		if m := unknownField.FindStringSubmatch(p.Text); m != nil {
			p.Key, p.Text = m[1], noSuchKey(m[1], m[2])
		} else if m := twiceField.FindStringSubmatch(p.Text); m != nil {
			p.Key, p.Text = m[1], "stands in line "+m[2]+" already"
		}
		out = append(out, p)
	}
	return out
}

var keysOf = map[string][]string{
	"raw":             {"organization", "policy", "owner_tag", "secrets", "slack", "email", "store", "listen", "scan_every", "tick_every", "approvals", "calendars", "freezes", "audit"},
	"rawOrganization": {"management_role", "management_account", "member_role", "scan_role", "external_id", "include_ous", "exclude_accounts", "exempt_group", "include_management"},
	"rawSecrets":      {"location", "name", "kms_key", "replicate_to"},
	"rawSlack":        {"token", "signing_secret", "default_channel", "teams", "api_url", "routes", "digest_from"},
	"rawEmail":        {"from", "via", "templates"},
	"rawStore":        {"sqlite", "dynamodb"},
	"rawAudit":        {"mac_key"},
}
