package app

import (
	"context"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestResolve reads the references that the configuration may hold, and never repeats a value.
func TestResolve(t *testing.T) {
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	w.AWS.PutForeignSecret(world.Management, "slack-token", "  xoxb-from-aws\n", nil)
	w.AWS.PutForeignSecret(world.Management, "empty", " ", nil)
	full, _ := w.AWS.Secret(world.Management, "slack-token")
	empty, _ := w.AWS.Secret(world.Management, "empty")
	t.Setenv("KEYTURN_TEST_TOKEN", "xoxb-from-env")
	for _, c := range []struct{ name, ref, want, says string }{
		{"environment", "env:KEYTURN_TEST_TOKEN", "xoxb-from-env", ""},
		{"environment not set", "env:KEYTURN_TEST_NONE", "", "KEYTURN_TEST_NONE is not set"},
		{"Secrets Manager", full.ARN, "xoxb-from-aws", ""},
		{"empty secret", empty.ARN, "", "is empty"},
		{"no such secret", full.ARN + "x", "", "allow secretsmanager:GetSecretValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := resolve(context.Background(), w.AWSConfig(), "slack.token", c.ref)
			if got != c.want || (err == nil) != (c.says == "") {
				t.Fatalf("%q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "slack.token")) {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
}
