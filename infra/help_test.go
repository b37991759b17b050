package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/infra/template"
)

// templates are the templates that are deployed.
var templates = []string{"keyturn.yaml", "member-role.yaml", "stackset.yaml", "list-accounts-role.yaml"}

const (
	central    = "444455556666"
	management = "111122223333"
	member     = "777788889999"
)

func load(t *testing.T, name string) *template.Template {
	t.Helper()
	tpl, err := template.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// params are parameters for each template, those without a default alone.
var params = map[string]map[string]string{
	"keyturn.yaml": {
		"CodeBucket": "artifacts", "CodeKey": "keyturn/1.zip", "OrganizationId": "o-a1b2c3d4e5",
		"SlackTokenSecretArn":   "arn:aws:secretsmanager:eu-central-1:444455556666:secret:slack-token-AbCdEf",
		"SlackSigningSecretArn": "arn:aws:secretsmanager:eu-central-1:444455556666:secret:slack-signing-GhIjKl",
		"EmailFrom":             "security@example.com", "EmailIdentity": "example.com",
	},
	"member-role.yaml":        {"CentralAccountId": central, "OrganizationId": "o-a1b2c3d4e5", "SecretsRegion": "eu-central-1"},
	"list-accounts-role.yaml": {"CentralAccountId": central, "OrganizationId": "o-a1b2c3d4e5"},
	"stackset.yaml": {
		"TemplateUrl": "https://artifacts.s3.eu-central-1.amazonaws.com/member-role.yaml", "TargetOUs": "r-ab12",
		"CentralAccountId": central, "OrganizationId": "o-a1b2c3d4e5", "SecretsRegion": "eu-central-1",
	},
}

var accounts = map[string]string{"keyturn.yaml": central, "member-role.yaml": member, "list-accounts-role.yaml": management, "stackset.yaml": management}

// resolve resolves a template with its parameters and those of more, given as name and value after each other.
func resolve(t *testing.T, name string, more ...string) template.Resources {
	t.Helper()
	rs, err := load(t, name).Resolve(envOf(name, more...))
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func envOf(name string, more ...string) template.Env {
	e := template.Env{
		Account: accounts[name], Region: "eu-central-1", Params: maps.Clone(params[name]),
		Attributes: map[string]string{"Table.StreamArn": "arn:aws:dynamodb:eu-central-1:444455556666:table/keyturn/stream/1", "BotUrl.FunctionUrl": "https://x.lambda-url.eu-central-1.on.aws/"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		e.Params[more[i]] = more[i+1]
	}
	return e
}

// ofType returns the IDs of the resources of a type.
func ofType(rs template.Resources, kind string) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(rs)) {
		if rs[id].Type == kind {
			out = append(out, id)
		}
	}
	return out
}

// statement is one statement of a policy document.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]any
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

// texts are one text or several.
type texts []string

// UnmarshalJSON reads both forms.
func (s *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

func statements(t *testing.T, docs ...json.RawMessage) []statement {
	t.Helper()
	var out []statement
	for _, d := range docs {
		var doc struct {
			Version   string
			Statement []statement
		}
		if err := json.Unmarshal(d, &doc); err != nil {
			t.Fatalf("%v: %s", err, d)
		}
		if doc.Version != "2012-10-17" {
			t.Errorf("a policy has version %q", doc.Version)
		}
		out = append(out, doc.Statement...)
	}
	return out
}

// granted returns the statements of a role's policies.
func granted(t *testing.T, rs template.Resources, role string) []statement {
	t.Helper()
	docs, err := rs.RolePolicies(role)
	if err != nil {
		t.Fatal(err)
	}
	return statements(t, docs...)
}

// number reads a number of a resolved property.
func number(v any) int {
	var n int
	if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil {
		return -1
	}
	return n
}

func splitDots(path string) []string { return strings.Split(path, ".") }
