package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

const secretName = "keyturn/" + prod + "/billing-export"

func spec(change ...func(*rotator.SecretSpec)) rotator.SecretSpec {
	s := rotator.SecretSpec{
		Name: secretName, Description: "a key", UserARN: "arn:aws:iam::" + prod + ":user/jobs/billing-export",
		Tags: map[string]string{rotator.TagManaged: "true", rotator.TagUserID: "AIDA1", rotator.TagRotation: prod + "/AIDA1"},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func TestSecretIsNotThere(t *testing.T) {
	w := start(t, awsemu.Options{})
	for _, id := range []string{secretName, "arn:aws:secretsmanager:eu-central-1:" + prod + ":secret:x-AbCdEf"} {
		if s, err := w.account(t).Secret(t.Context(), id); err != nil || s.Exists {
			t.Errorf("%+v, error %v", s, err)
		}
	}
	w.SetFault(awsemu.Fault{Operation: "DescribeSecret", Kind: awsemu.FaultError, Code: "AccessDeniedException", Status: 400, Times: -1})
	if _, err := w.account(t).Secret(t.Context(), secretName); err == nil {
		t.Error("a refusal is not an absence")
	}
}

func TestPrepareSecret(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	key := w.AddKMSKey(prod, awsemu.KMSKey{Aliases: []string{"alias/keyturn"}})
	state, err := a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) { s.KMSKeyID = key }))
	if err != nil {
		t.Fatal(err)
	}
	state.Labels = nil // none or empty
	want := rotator.SecretState{Exists: true, ARN: state.ARN, Name: secretName, Tags: spec().Tags, KMSKeyID: key, ReplicasInSync: true}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Error(diff)
	}
	have, _ := w.Secret(prod, secretName)
	if len(have.Versions) != 0 || !strings.Contains(have.Policy, spec().UserARN) {
		t.Errorf("secret %+v", have)
	}

	// As it is, nothing is written.
	w.ResetCounters()
	if _, err := a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) { s.KMSKeyID = key })); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"CreateSecret", "UpdateSecret", "TagResource", "PutResourcePolicy"} {
		if n := w.calls("secretsmanager", op); n != 0 {
			t.Errorf("%d times %s, although nothing differs", n, op)
		}
	}

	// What differs is.
	other := w.AddKMSKey(prod, awsemu.KMSKey{})
	w.AddUser(prod, awsemu.User{Name: "renamed", Path: "/jobs/"})
	state, err = a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) {
		s.KMSKeyID, s.Tags[rotator.TagRotation], s.UserARN = other, "another", "arn:aws:iam::"+prod+":user/jobs/renamed"
	}))
	if err != nil || state.KMSKeyID != other || state.Tags[rotator.TagRotation] != "another" || state.Tags[rotator.TagUserID] != "AIDA1" {
		t.Errorf("%+v, error %v", state, err)
	}
	have, _ = w.Secret(prod, secretName)
	if have.KMSKeyID != other || have.Tags[rotator.TagRotation] != "another" || strings.Contains(have.Policy, "billing-export") || !strings.Contains(have.Policy, "/renamed") {
		t.Errorf("secret %+v", have)
	}
	if state, err = a.PrepareSecret(t.Context(), spec()); err != nil || state.KMSKeyID != defaultKMSKey {
		t.Errorf("%+v, error %v", state, err)
	}
}

func TestPrepareSecretRefuses(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	w.PutForeignSecret(prod, secretName, "theirs", map[string]string{"team": "x"})
	before, _ := w.Secret(prod, secretName)
	if _, err := a.PrepareSecret(t.Context(), spec()); !errors.Is(err, rotator.ErrDefinite) || !strings.Contains(err.Error(), "not keyturn's") {
		t.Errorf("somebody else's: %v", err)
	}
	if after, _ := w.Secret(prod, secretName); cmp.Diff(before, after) != "" {
		t.Errorf("it was touched: %s", cmp.Diff(before, after))
	}
	untagged := spec(func(s *rotator.SecretSpec) { s.Name, s.Tags = "other", nil })
	if _, err := a.PrepareSecret(t.Context(), untagged); err == nil {
		t.Error("one without our tag was made")
	}

	if _, err := a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) { s.Name = "mine" })); err != nil {
		t.Fatal(err)
	}
	w.DeleteSecret(prod, "mine")
	if _, err := a.PrepareSecret(t.Context(), spec(func(s *rotator.SecretSpec) { s.Name = "mine" })); !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("scheduled for deletion: %v", err)
	}
	noUser := spec(func(s *rotator.SecretSpec) { s.Name, s.UserARN = "nobody", "arn:aws:iam::"+prod+":user/nobody" })
	if _, err := a.PrepareSecret(t.Context(), noUser); err == nil || !strings.Contains(err.Error(), "MalformedPolicyDocument") {
		t.Errorf("a user whom AWS does not know yet: %v", err)
	}
}

// Two processes create the same container at once: the second finds it there.
func TestPrepareSecretRace(t *testing.T) {
	for name, rival := range map[string]map[string]string{"ours": spec().Tags, "theirs": {"team": "x"}} {
		t.Run(name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			a := w.account(t)
			w.OnCall(func(c awsemu.Call) awsemu.Action {
				if c.Operation == "CreateSecret" && c.Phase == awsemu.Before {
					w.PutForeignSecret(prod, secretName, "first", rival)
				}
				return awsemu.Proceed
			})
			state, err := a.PrepareSecret(t.Context(), spec())
			if (err == nil) != (name == "ours") || state.Exists != (err == nil) {
				t.Errorf("%+v, error %v", state, err)
			}
		})
	}
}

// A lost answer of each call is made good by the SDK's retry.
func TestPrepareSecretLostAnswers(t *testing.T) {
	for _, op := range []string{"DescribeSecret", "CreateSecret", "GetResourcePolicy", "PutResourcePolicy"} {
		t.Run(op, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			a := w.account(t)
			w.SetFault(awsemu.Fault{Operation: op, Kind: awsemu.FaultDrop})
			if state, err := a.PrepareSecret(t.Context(), spec()); err != nil || !state.Exists {
				t.Errorf("%+v, error %v", state, err)
			}
		})
	}
}

func TestSecretState(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	if _, err := a.PrepareSecret(t.Context(), spec()); err != nil {
		t.Fatal(err)
	}
	w.SetSecretRotation(prod, secretName, true)
	w.DeleteSecret(prod, secretName)
	s, err := a.Secret(t.Context(), secretName)
	if err != nil || !s.RotationEnabled || !s.PendingDeletion {
		t.Errorf("%+v, error %v", s, err)
	}
	for status, want := range map[string]bool{"InSync": true, "InProgress": false, "Failed": false} {
		m := fixed(t, 200, "application/x-amz-json-1.1", `{"ARN":"a","Name":"n","ReplicationStatus":[{"Region":"r1","Status":"InSync"},{"Region":"r2","Status":"`+status+`"}]}`)
		if s, err := m.Secret(t.Context(), "n"); err != nil || s.ReplicasInSync != want {
			t.Errorf("%s: %+v, error %v", status, s, err)
		}
	}
}

func TestTagSecret(t *testing.T) {
	w := start(t, awsemu.Options{})
	a := w.account(t)
	s, err := a.PrepareSecret(t.Context(), spec())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.TagSecret(t.Context(), s.ARN, map[string]string{rotator.TagOldKey: "AKIAOLD", rotator.TagNewKey: "AKIANEW"}); err != nil {
		t.Fatal(err)
	}
	have, _ := w.Secret(prod, secretName)
	if have.Tags[rotator.TagOldKey] != "AKIAOLD" || have.Tags[rotator.TagNewKey] != "AKIANEW" || have.Tags[rotator.TagManaged] != "true" {
		t.Errorf("tags %v", have.Tags)
	}
	if err := a.TagSecret(t.Context(), "arn:nowhere", map[string]string{"a": "b"}); err == nil {
		t.Error("a secret that is not there was tagged")
	}
	if err := a.TagSecret(t.Context(), s.ARN, nil); err != nil {
		t.Error(err)
	}
}

// Of two secrets of one user the one that changed last counts.
func TestPairsPreferred(t *testing.T) {
	now := day0
	w := start(t, awsemu.Options{Now: func() time.Time { return now }})
	for i, name := range []string{"keyturn/b-first", "keyturn/a-second"} {
		w.PutForeignSecret(prod, name, "v", map[string]string{rotator.TagManaged: "true", rotator.TagUserID: "AIDA1", rotator.TagOldKey: fmt.Sprint("AKIA", i)})
		now = now.Add(time.Hour)
	}
	s, err := w.client().Secrets(t.Context(), scheduler.Account{ID: prod})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Pairs(t.Context()); err != nil || got["AIDA1"].Old != "AKIA1" {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestPairs(t *testing.T) {
	w := start(t, awsemu.Options{})
	tags := func(user, old string) map[string]string {
		return map[string]string{
			rotator.TagManaged: "true", rotator.TagUserID: user, rotator.TagRotation: prod + "/" + user,
			rotator.TagOldKey: old, rotator.TagNewKey: "AKIANEW",
		}
	}
	for i := range 130 {
		id := "AIDA" + strings.Repeat("A", i%7) + string(rune('A'+i%26)) + strings.Repeat("B", i/26)
		w.PutForeignSecret(prod, "keyturn/"+id+strings.Repeat("x", i), "v", tags(id+strings.Repeat("C", i), "AKIAOLD"))
	}
	w.PutForeignSecret(prod, "keyturn/old-name", "v", tags("AIDARENAMED", "AKIAFIRST"))
	w.PutForeignSecret(prod, "keyturn/new-name", "v", tags("AIDARENAMED", "AKIASECOND"))
	w.DeleteSecret(prod, "keyturn/old-name")
	w.PutForeignSecret(prod, "keyturn/leaving", "v", tags("AIDALEAVING", "AKIAOLD"))
	w.DeleteSecret(prod, "keyturn/leaving")
	w.PutForeignSecret(prod, "keyturn/foreign", "v", map[string]string{rotator.TagUserID: "AIDAFOREIGN"})
	w.PutForeignSecret(prod, "keyturn/denied", "v", map[string]string{rotator.TagManaged: "false", rotator.TagUserID: "AIDADENIED"})
	w.PutForeignSecret(prod, "keyturn/similar", "v", map[string]string{rotator.TagManaged + "-by": "true", rotator.TagUserID: "AIDASIMILAR"})
	w.PutForeignSecret(prod, "keyturn/nobody", "v", map[string]string{rotator.TagManaged: "true"})
	s, err := w.client().Secrets(t.Context(), scheduler.Account{ID: prod})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Pairs(t.Context())
	if err != nil || len(got) != 132 {
		t.Fatalf("%d pairs, error %v", len(got), err)
	}
	arn, _ := w.Secret(prod, "keyturn/new-name")
	want := scheduler.Pair{SecretARN: arn.ARN, Rotation: rotation.ID(prod + "/AIDARENAMED"), Old: "AKIASECOND", New: "AKIANEW"}
	if diff := cmp.Diff(want, got["AIDARENAMED"]); diff != "" {
		t.Error(diff)
	}
	if _, ok := got["AIDALEAVING"]; !ok {
		t.Error("a pair whose secret is to be deleted is missing")
	}
	if w.calls("secretsmanager", "ListSecrets") != 2 {
		t.Errorf("%d pages", w.calls("secretsmanager", "ListSecrets"))
	}
	w.SetFault(awsemu.Fault{Operation: "ListSecrets", Kind: awsemu.FaultThrottle, Nth: 2, Times: -1})
	if got, err := s.Pairs(t.Context()); err == nil {
		t.Errorf("half of them: %d", len(got))
	}
}
