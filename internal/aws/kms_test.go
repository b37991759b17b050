package aws

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
)

func TestMAC(t *testing.T) {
	w := start(t, awsemu.Options{})
	arn := w.AddKMSKey(home, awsemu.KMSKey{Aliases: []string{"alias/keyturn-audit"}, HMAC: true})
	w.AddKMSKey(home, awsemu.KMSKey{Aliases: []string{"alias/plain"}})
	c := New(Options{Config: w.config})
	ctx := t.Context()
	sig, err := c.MAC("alias/keyturn-audit").Generate(ctx, []byte("what happened"))
	if err != nil || len(sig) != 32 {
		t.Fatalf("%x, %v", sig, err)
	}
	for name, tc := range map[string]struct {
		key, message string
		mac          []byte
		want         bool
		says         string
	}{
		"the same":             {arn, "what happened", sig, true, ""},
		"another message":      {arn, "what did not happen", sig, false, ""},
		"a MAC that was cut":   {arn, "what happened", sig[:16], false, ""},
		"a key to encrypt":     {"alias/plain", "what happened", sig, false, "alias/plain"},
		"a key that is absent": {"alias/none", "what happened", sig, false, "alias/none"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.MAC(tc.key).Verify(ctx, []byte(tc.message), tc.mac)
			if got != tc.want || (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	w.SetKMSKeyState(home, arn, "Disabled")
	if _, err := c.MAC(arn).Generate(ctx, []byte("x")); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("a key that is disabled: %v", err)
	}
}
