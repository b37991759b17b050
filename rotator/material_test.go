package rotator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestMaterialNeverPrints, by whatever verb, in whatever it is kept.
func TestMaterialNeverPrints(t *testing.T) {
	m := NewMaterial(marker)
	values := map[string]any{
		"itself": m, "a pointer": &m, "created": Created{ID: oldKey, Secret: m}, "a slice": []Material{m}, "a map": map[string]Material{"k": m},
		"an unexported field": struct{ secret Material }{m}, "an unexported pointer": struct{ secret *Material }{&m},
		"an unexported slice": struct{ all []Material }{[]Material{m}}, "the stored value": value(Created{ID: oldKey, User: userName, Secret: m}),
	}
	for name, v := range values {
		out := fmt.Sprintf("%v|%+v|%#v|%s|%q|%d|%x", v, v, v, v, v, v, v) + fmt.Sprint(v) + fmt.Errorf("wrapped: %v", v).Error()
		b, _ := json.Marshal(v)
		out += string(b)
		var logs bytes.Buffer
		slog.New(slog.NewTextHandler(&logs, nil)).Info("m", "v", v, "group", slog.GroupValue(slog.Any("v", v)))
		slog.New(slog.NewJSONHandler(&logs, nil)).Info("m", "v", v)
		out += logs.String()
		for _, leak := range []string{marker, fmt.Sprintf("%x", marker), fmt.Sprintf("%d", []byte(marker))} {
			if strings.Contains(out, strings.Trim(leak, "[]")) {
				t.Errorf("%s prints its secret", name)
			}
		}
	}
	if m.Reveal() != marker || (Material{}).Reveal() != "" {
		t.Fatal("Reveal")
	}
}

// TestTheStoredValueIsTheSameEveryTime, because Secrets Manager refuses another value under the same token.
func TestTheStoredValueIsTheSameEveryTime(t *testing.T) {
	l := newLife(t)
	c := Created{ID: oldKey, User: userName, Created: l.now, Status: rotation.Active, Secret: NewMaterial("abc/+=<>&\"")}
	want := `{"AccessKeyId":"AKIAOLDOLDOLDOLDOLD1","SecretAccessKey":"abc/+=\u003c\u003e\u0026\"","UserName":"billing","Status":"Active","CreateDate":"2026-06-01T08:00:00Z"}`
	if got := value(c).Reveal(); got != want {
		t.Fatalf("%s", got)
	}
	id, secret, ok := readValue(value(c))
	if !ok || id != c.ID || secret.Reveal() != c.Secret.Reveal() {
		t.Fatal("it does not read what it wrote")
	}
	for _, other := range []string{"", "{}", "null", "AKIA", `{"AccessKeyId":"A"}`, `{"SecretAccessKey":"A"}`, `[]`} {
		if _, _, ok := readValue(NewMaterial(other)); ok {
			t.Errorf("%q is taken for a value", other)
		}
	}
}

// TestNoSecretIsLoggedStoredOrTold when everything around it fails. The store looks at every save by itself.
func TestNoSecretIsLoggedStoredOrTold(t *testing.T) {
	for _, call := range []string{"CreateAccessKey", "PutSecretValue", "GetSecretValue", "GetCallerIdentity", "UpdateSecretVersionStage", "TagResource", "UpdateAccessKey:Inactive"} {
		for _, after := range []bool{false, true} {
			l := to(t, rotation.Approved)
			var said []string
			for _, err := range []error{errFault, errDenied, errFault} {
				l.once(call, after, answer(err))
				if err := l.wakeErr(t.Context()); err != nil {
					said = append(said, err.Error())
				}
				l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
			}
			l.noSecrets()
			if strings.Contains(errors.Join(errors.New(strings.Join(said, ""))).Error(), marker) {
				t.Fatalf("%s: secret material in an error", call)
			}
		}
	}
}
