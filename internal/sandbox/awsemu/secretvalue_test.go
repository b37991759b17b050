package awsemu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
)

// TestVersions walks through the labels of a rotation, call by call.
func TestVersions(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	put := func(n int, value string, labels ...string) func() error {
		return func() error {
			_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(n)), SecretString: &value, VersionStages: labels})
			return err
		}
	}
	stage := func(label string, to, from int) func() error {
		in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: ptr("a"), VersionStage: &label}
		if to > 0 {
			in.MoveToVersionId = ptr(token(to))
		}
		if from > 0 {
			in.RemoveFromVersionId = ptr(token(from))
		}
		return func() error { _, err := c.UpdateSecretVersionStage(ctx, in); return err }
	}
	type labels map[string][]string
	for _, step := range []struct {
		what string
		call func() error
		code string
		want labels // nil: as before
	}{
		{"the first version gets AWSCURRENT by itself", put(1, "one", "AWSPENDING"), "", labels{token(1): {"AWSPENDING", "AWSCURRENT"}}},
		{"the same again is no change", put(1, "one", "OTHER"), "", labels{token(1): {"AWSPENDING", "AWSCURRENT"}}},
		{"another value is refused", put(1, "two", "AWSPENDING"), "ResourceExistsException", nil},
		{"AWSPENDING moves silently", put(2, "two", "AWSPENDING"), "", labels{token(1): {"AWSCURRENT"}, token(2): {"AWSPENDING"}}},
		{"moving AWSCURRENT needs to know from where", stage("AWSCURRENT", 2, 0), "InvalidParameterException", nil},
		{"and from the right version", stage("AWSCURRENT", 2, 2), "InvalidParameterException", nil},
		{"and from one that exists", stage("AWSCURRENT", 2, 9), "ResourceNotFoundException", nil},
		{"to one that exists", stage("AWSCURRENT", 9, 1), "ResourceNotFoundException", nil},
		{"it sets AWSPREVIOUS", stage("AWSCURRENT", 2, 1), "", labels{token(1): {"AWSPREVIOUS"}, token(2): {"AWSPENDING", "AWSCURRENT"}}},
		{"again it does not match", stage("AWSCURRENT", 2, 1), "InvalidParameterException", nil},
		{"without from it is no change", stage("AWSCURRENT", 2, 0), "", labels{token(1): {"AWSPREVIOUS"}, token(2): {"AWSPENDING", "AWSCURRENT"}}},
		{"AWSPENDING comes off separately", stage("AWSPENDING", 0, 2), "", labels{token(1): {"AWSPREVIOUS"}, token(2): {"AWSCURRENT"}}},
		{"and only once", stage("AWSPENDING", 0, 2), "InvalidParameterException", nil},
		{"AWSCURRENT cannot be taken off", stage("AWSCURRENT", 0, 2), "InvalidParameterException", nil},
		{"no version is no request", stage("AWSPENDING", 0, 0), "InvalidParameterException", nil},
		{"no label neither", stage("", 2, 0), "ValidationException", nil},
		{"a put without labels is current", put(3, "three"), "", labels{token(2): {"AWSPREVIOUS"}, token(3): {"AWSCURRENT"}}},
		{"a label of our own", stage("MINE", 3, 0), "", labels{token(2): {"AWSPREVIOUS"}, token(3): {"AWSCURRENT", "MINE"}}},
		{"moves like the others", stage("MINE", 2, 0), "InvalidParameterException", nil},
		{"with from", stage("MINE", 2, 3), "", labels{token(2): {"AWSPREVIOUS", "MINE"}, token(3): {"AWSCURRENT"}}},
		{"back to an older version", stage("AWSCURRENT", 2, 3), "", labels{token(2): {"MINE", "AWSCURRENT"}, token(3): {"AWSPREVIOUS"}}},
	} {
		t.Run(step.what, func(t *testing.T) {
			before := e.labels("a")
			err := step.call()
			if step.code != "" {
				refusedWith(t, err, step.code, 400)
			} else if err != nil {
				t.Fatal(err)
			}
			want := map[string][]string(step.want)
			if want == nil {
				want = before
			}
			if diff := cmp.Diff(want, e.labels("a")); diff != "" {
				t.Error(diff)
			}
		})
	}
	info, _ := e.Secret(member, "a")
	if v := info.Versions; len(v) != 3 || v[0].Value != "one" || len(v[0].Labels) != 0 {
		t.Errorf("versions: %+v", v)
	}
	old := ok(c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a"), VersionId: ptr(token(1))}))(t)
	if *old.SecretString != "one" || len(old.VersionStages) != 0 {
		t.Errorf("a deprecated version can still be read by its ID: %+v", old)
	}
}

func TestPutSecretValueRefuses(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	labels := make([]string, 21)
	for i := range labels {
		labels[i] = fmt.Sprint(i)
	}
	for name, tc := range map[string]struct {
		in   secretsmanager.PutSecretValueInput
		code string
	}{
		"short token":     {secretsmanager.PutSecretValueInput{ClientRequestToken: ptr(token(1)[1:]), SecretString: ptr("v")}, "InvalidParameterException"},
		"long token":      {secretsmanager.PutSecretValueInput{ClientRequestToken: ptr(strings.Repeat("a", 65)), SecretString: ptr("v")}, "InvalidParameterException"},
		"no value":        {secretsmanager.PutSecretValueInput{}, "InvalidRequestException"},
		"two values":      {secretsmanager.PutSecretValueInput{SecretString: ptr("v"), SecretBinary: []byte("v")}, "InvalidParameterException"},
		"too large":       {secretsmanager.PutSecretValueInput{SecretString: ptr(strings.Repeat("a", 65537))}, "ValidationException"},
		"too many labels": {secretsmanager.PutSecretValueInput{SecretString: ptr("v"), VersionStages: labels}, "ValidationException"},
		"empty label":     {secretsmanager.PutSecretValueInput{SecretString: ptr("v"), VersionStages: []string{""}}, "ValidationException"},
		"unknown secret":  {secretsmanager.PutSecretValueInput{SecretString: ptr("v"), SecretId: ptr("b")}, "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.in.SecretId == nil {
				tc.in.SecretId = ptr("a")
			}
			_, err := c.PutSecretValue(ctx, &tc.in)
			refusedWith(t, err, tc.code, 400)
		})
	}
	ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(1)), SecretString: ptr("v"), VersionStages: labels[:20]}))(t)
	_, err := c.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: ptr("a"), VersionStage: ptr("more"), MoveToVersionId: ptr(token(1))})
	refusedWith(t, err, "LimitExceededException", 400)
}

func TestGetSecretValue(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	for n, v := range []string{"one", "two"} {
		ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(n)), SecretString: &v}))(t)
	}
	ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(2)), SecretBinary: []byte("bin"), VersionStages: []string{"BIN"}}))(t)
	for name, tc := range map[string]struct {
		id, stage  string
		want, code string
	}{
		"current":            {want: "two"},
		"previous":           {stage: "AWSPREVIOUS", want: "one"},
		"by version":         {id: token(0), want: "one"},
		"by both":            {id: token(0), stage: "AWSPREVIOUS", want: "one"},
		"binary":             {stage: "BIN", want: "bin"},
		"both, not the same": {id: token(0), stage: "AWSCURRENT", code: "InvalidRequestException"},
		"unknown version":    {id: token(7), code: "ResourceNotFoundException"},
		"unknown label":      {stage: "AWSPENDING", code: "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &secretsmanager.GetSecretValueInput{SecretId: ptr("a")}
			if tc.id != "" {
				in.VersionId = &tc.id
			}
			if tc.stage != "" {
				in.VersionStage = &tc.stage
			}
			out, err := c.GetSecretValue(ctx, in)
			if tc.code != "" {
				refusedWith(t, err, tc.code, 400)
				return
			}
			got := string(ok(out, err)(t).SecretBinary)
			if out.SecretString != nil {
				got = *out.SecretString
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	d := ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t)
	if !d.LastAccessedDate.Equal(e.clock.Now().Truncate(day)) {
		t.Errorf("accessed %v", d.LastAccessedDate)
	}
}

func TestOldVersionsAreForgotten(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(0)), SecretString: ptr("v"), VersionStages: []string{"KEEP"}}))(t)
	for n := range 110 {
		ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), ClientRequestToken: ptr(token(n + 1)), SecretString: ptr("v")}))(t)
	}
	info, _ := e.Secret(member, "a")
	if n := len(info.Versions); n != 100 || info.Versions[0].ID != token(0) || info.Versions[99].ID != token(110) {
		t.Errorf("%d versions, from %s", n, info.Versions[0].ID)
	}
}
