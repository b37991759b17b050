package templates

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// An account may have thousands of keys that are due on one morning. A mail shows as many as a person reads, says how many it
// leaves out, and where they are.
func TestMailsAreBounded(t *testing.T) {
	mails, err := LoadMails("")
	if err != nil {
		t.Fatal(err)
	}
	a := AccountView{ID: "111122223333", Name: "acme-prod"}
	const all = 5000
	for i := range all {
		a.Open = append(a.Open, rotation.Rotation{
			ID: rotation.ID(fmt.Sprint("111122223333/AIDA", i)), Account: a.ID, UserName: rotation.UserName(fmt.Sprint("service-", i)), State: rotation.Awaiting,
			Kind: rotation.Rotate, Reason: rotation.ExpiredActiveKey, Policy: rotation.DefaultPolicy(), Old: rotation.KeyRef{ID: rotation.KeyID(fmt.Sprint("AKIA", i))},
		})
		a.Findings = append(a.Findings, FindingView{User: rotation.UserName(fmt.Sprint("other-", i)), Policy: rotation.DefaultPolicy()})
	}
	v := View{}
	account, err := mails.AccountMail(a, v)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := mails.OwnerMail("owner@example.com", a, v)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]Mail{"account": account, "owner": owner} {
		for form, text := range map[string]string{"text": m.Text, "HTML": m.HTML} {
			more := fmt.Sprintf("nd %d more", all-mostRows)
			if n := strings.Count(text, more); n != 2 {
				t.Errorf("%s, %s: %q stands there %d times, want 2", name, form, more, n)
			}
			if len(text) > 600_000 || !strings.Contains(text, "service-99") || strings.Contains(text, "service-100") {
				t.Errorf("%s, %s: %d bytes", name, form, len(text))
			}
		}
	}
}
