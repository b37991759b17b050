package aws

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
)

var (
	v1 = strings.Repeat("1", 32)
	v2 = strings.Repeat("2", 32)
	v3 = strings.Repeat("3", 32)
)

// container prepares a secret.
func (w *world) container(t *testing.T) (rotator.Account, string) {
	t.Helper()
	a := w.account(t)
	s, err := a.PrepareSecret(t.Context(), spec())
	if err != nil {
		t.Fatal(err)
	}
	return a, s.ARN
}

// stages returns the labels by version.
func (w *world) stages() map[string][]string {
	out := map[string][]string{}
	s, _ := w.Secret(prod, secretName)
	for _, v := range s.Versions {
		out[v.ID] = v.Labels
	}
	return out
}

func TestPutVersion(t *testing.T) {
	w := start(t, awsemu.Options{})
	a, arn := w.container(t)
	value := rotator.NewMaterial(`{"SecretAccessKey":"` + awsemu.Marker + `"}`)
	w.SetFault(awsemu.Fault{Operation: "PutSecretValue", Kind: awsemu.FaultDrop})
	for range 2 { // the same token and value again is no change
		if err := a.PutVersion(t.Context(), arn, v1, value); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string][]string{v1: {"AWSPENDING", "AWSCURRENT"}}, w.stages()); diff != "" {
		t.Error(diff)
	}
	got, err := a.Version(t.Context(), arn, v1)
	if err != nil || got.Reveal() != value.Reveal() {
		t.Errorf("another value, error %v", err)
	}
	if _, err := a.Version(t.Context(), arn, v2); !errors.Is(err, rotator.ErrSecretNotFound) {
		t.Errorf("no such version: %v", err)
	}
	if _, err := a.Version(t.Context(), "nowhere", v2); !errors.Is(err, rotator.ErrSecretNotFound) {
		t.Errorf("no such secret: %v", err)
	}
	if err := a.PutVersion(t.Context(), arn, v1, rotator.NewMaterial("another")); !errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("the same token with another value: %v", err)
	}
	w.SetFault(awsemu.Fault{Operation: "PutSecretValue", Kind: awsemu.FaultThrottle, Times: -1})
	if err := a.PutVersion(t.Context(), arn, v1, value); err == nil || errors.Is(err, rotator.ErrDefinite) {
		t.Errorf("throttled, so worth repeating: %v", err)
	}
	w.DeleteSecret(prod, secretName)
	if _, err := a.Version(t.Context(), arn, v1); err == nil || errors.Is(err, rotator.ErrSecretNotFound) {
		t.Errorf("scheduled for deletion, so not gone: %v", err)
	}
}

func TestPromote(t *testing.T) {
	current := func(v string) []string { return []string{v} }
	for _, tc := range []struct {
		name     string
		versions []string // each was promoted but the last one
		from     string
		up       func(*world)
		want     map[string][]string
		err      bool
	}{
		{name: "the first version", versions: []string{v1}, want: map[string][]string{v1: current("AWSCURRENT")}},
		{name: "the first version, said to be current already", versions: []string{v1}, from: v1, want: map[string][]string{v1: current("AWSCURRENT")}},
		{name: "the second", versions: []string{v1, v2}, from: v1, want: map[string][]string{v1: {"AWSPREVIOUS"}, v2: {"AWSCURRENT"}}},
		{name: "not from where it is", versions: []string{v1, v2, v3}, from: v1, err: true,
			want: map[string][]string{v1: {"AWSPREVIOUS"}, v2: {"AWSCURRENT"}, v3: {"AWSPENDING"}}},
		{name: "from nothing, although there is one", versions: []string{v1, v2}, err: true, want: map[string][]string{v1: {"AWSCURRENT"}, v2: {"AWSPENDING"}}},
		{name: "both answers lost", versions: []string{v1, v2}, from: v1, want: map[string][]string{v1: {"AWSPREVIOUS"}, v2: {"AWSCURRENT"}}, up: func(w *world) {
			w.SetFault(awsemu.Fault{Operation: "UpdateSecretVersionStage", Kind: awsemu.FaultDrop})
			w.SetFault(awsemu.Fault{Operation: "UpdateSecretVersionStage", Kind: awsemu.FaultDrop, Nth: 2})
		}},
		{name: "denied", versions: []string{v1, v2}, from: v1, err: true, want: map[string][]string{v1: {"AWSCURRENT"}, v2: {"AWSPENDING"}}, up: func(w *world) {
			w.SetRoleDeny(prod, memberRole, "secretsmanager:UpdateSecretVersionStage")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			a, arn := w.container(t)
			for i, v := range tc.versions {
				if err := a.PutVersion(t.Context(), arn, v, rotator.NewMaterial(v)); err != nil {
					t.Fatal(err)
				}
				if i == len(tc.versions)-1 {
					break
				}
				from := ""
				if i > 0 {
					from = tc.versions[i-1]
				}
				if err := a.Promote(t.Context(), arn, v, from); err != nil {
					t.Fatal(err)
				}
			}
			if tc.up != nil {
				tc.up(w)
			}
			last := tc.versions[len(tc.versions)-1]
			for range 2 { // it may be repeated
				err := a.Promote(t.Context(), arn, last, tc.from)
				if (err != nil) != tc.err || tc.err && !errors.Is(err, rotator.ErrDefinite) {
					t.Fatalf("error %v", err)
				}
				if diff := cmp.Diff(tc.want, w.stages()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	t.Run("no secret", func(t *testing.T) {
		w := start(t, awsemu.Options{})
		if err := w.account(t).Promote(t.Context(), "nowhere", v1, ""); !errors.Is(err, rotator.ErrSecretNotFound) {
			t.Errorf("error %v", err)
		}
	})
}
