package infra

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/bot"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/rotation"
)

// TestExampleConfig: the example is valid as it stands, names the roles of the templates, and begins carefully.
func TestExampleConfig(t *testing.T) {
	b, err := os.ReadFile("config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("config.example.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	o := c.Organization
	if o.MemberRole != "keyturn-member" || o.ScanRole != "keyturn-member-read" || o.ManagementRole != "keyturn-list-accounts" || o.ManagementAccount != management {
		t.Errorf("roles: %+v", o)
	}
	if c.Store.DynamoDB != "env:KEYTURN_TABLE" {
		t.Errorf("store: %+v", c.Store)
	}
	role := load(t, "member-role.yaml")
	if p := *role.Parameters["SecretPrefix"].Default; !strings.HasPrefix(c.Secrets.Name, p) {
		t.Errorf("secrets are called %s, and the roles in the accounts reach %s*", c.Secrets.Name, p)
	}
	if p := *role.Parameters["ExemptGroup"].Default; o.ExemptGroup != p {
		t.Errorf("the exemption group is %s, and the roles in the accounts read %s", o.ExemptGroup, p)
	}
	if last := c.Rules[len(c.Rules)-1]; last.Policy.Mode != rotation.ModeAudit || !last.Match.Any() {
		t.Errorf("what no rule names is changed: %+v", last)
	}
}

// TestManifest: the Slack app has the scopes that keyturn needs and that doctor asks for, and not one more.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("slack-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	var got object
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(b), "${FUNCTION_URL}", "https://x.example.com/")), &got); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		path []string
		want any
	}{
		{"scopes", []string{"oauth_config", "scopes"}, object{"bot": []any{"chat:write", "commands", "im:write", "usergroups:read", "users:read", "users:read.email"}}},
		{"events", []string{"settings", "event_subscriptions"}, object{"request_url": "https://x.example.com/slack/events", "bot_events": []any{"app_home_opened"}}},
		{"buttons", []string{"settings", "interactivity"}, object{"is_enabled": true, "request_url": "https://x.example.com/slack/interactions"}},
		{"home", []string{"features", "app_home", "home_tab_enabled"}, true},
		{"Socket Mode", []string{"settings", "socket_mode_enabled"}, false},
		{"rotation of the token", []string{"settings", "token_rotation_enabled"}, false},
	} {
		var v any = got
		for _, k := range c.path {
			m, _ := v.(object)
			v = m[k]
		}
		if diff := cmp.Diff(c.want, v); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
	features, _ := got["features"].(object)
	shortcuts, _ := features["shortcuts"].([]any)
	if len(shortcuts) != 1 {
		t.Fatalf("shortcuts: %v", shortcuts)
	}
	if leaked, _ := shortcuts[0].(object); leaked["type"] != "message" || leaked["callback_id"] != bot.ShortcutLeaked {
		t.Errorf("the shortcut: %v", leaked)
	}
	commands, _ := features["slash_commands"].([]any)
	if len(commands) != 1 {
		t.Fatalf("commands: %v", commands)
	}
	keys, _ := commands[0].(object)
	if keys["command"] != "/keys" || keys["url"] != "https://x.example.com/slack/commands" {
		t.Errorf("the command: %v", keys)
	}
}
