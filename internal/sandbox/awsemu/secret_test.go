package awsemu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

// token makes a version's ID of n.
func token(n int) string { return fmt.Sprintf("%032d", n) }

// container makes a secret without a value and returns its ARN.
func (e *emu) container(name string) string {
	e.t.Helper()
	return *ok(e.secrets().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name}))(e.t).ARN
}

func (e *emu) labels(name string) map[string][]string {
	e.t.Helper()
	return ok(e.secrets().DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name}))(e.t).VersionIdsToStages
}

func TestSecretNames(t *testing.T) {
	e := start(t)
	c := e.secrets()
	for name, good := range map[string]bool{
		"keyturn/200000000002/billing-export": true, "a_+=.@-": true, strings.Repeat("a", 512): true,
		"a,b": false, "a b": false, "": false, "ü": false, strings.Repeat("a", 513): false, "a\n": false,
	} {
		out, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name})
		if !good {
			refusedWith(t, err, "ValidationException", 400)
			continue
		}
		arn := *ok(out, err)(t).ARN
		if prefix := "arn:aws:secretsmanager:eu-central-1:200000000002:secret:" + name + "-"; !strings.HasPrefix(arn, prefix) || len(arn) != len(prefix)+6 {
			t.Errorf("ARN %s", arn)
		}
		for _, id := range []string{name, arn, arn[:len(arn)-7]} {
			if got := *ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id}))(t).Name; got != name {
				t.Errorf("%s is %s", id, got)
			}
		}
	}
	for _, id := range []string{"nothing", "arn:aws:secretsmanager:eu-central-1:200000000002:secret:a_+=.@--AAAAAA", "arn:aws:secretsmanager:us-east-1:200000000002:secret:a_+=.@-"} {
		_, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
		refusedWith(t, err, "ResourceNotFoundException", 400)
	}
	_, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("arn:aws:secretsmanager:eu-central-1:300000000003:secret:x-AAAAAA")})
	refusedWith(t, err, "AccessDeniedException", 400)
}

func TestCreateSecret(t *testing.T) {
	e := start(t)
	c := e.secrets()
	in := &secretsmanager.CreateSecretInput{Name: ptr("a"), SecretString: ptr("v"), ClientRequestToken: ptr(token(1)), Description: ptr("d"), Tags: []types.Tag{{Key: ptr("k"), Value: ptr("v")}}}
	first := ok(c.CreateSecret(ctx, in))(t)
	again := ok(c.CreateSecret(ctx, in))(t) // the same token and value
	if *first.ARN != *again.ARN || *first.VersionId != token(1) || *again.VersionId != token(1) {
		t.Errorf("%+v is not %+v", again, first)
	}
	in.SecretString = ptr("w")
	_, err := c.CreateSecret(ctx, in)
	refusedWith(t, err, "ResourceExistsException", 400)
	_, err = c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a")})
	refusedWith(t, err, "ResourceExistsException", 400)
	_, err = c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("b"), SecretString: ptr("v"), ClientRequestToken: ptr("short")})
	refusedWith(t, err, "InvalidParameterException", 400)
	_, err = c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("b"), SecretString: ptr("v"), SecretBinary: []byte("v")})
	refusedWith(t, err, "InvalidParameterException", 400)

	d := ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t)
	if *d.Description != "d" || len(d.Tags) != 1 || d.RotationEnabled != nil || d.KmsKeyId != nil || d.DeletedDate != nil || !d.CreatedDate.Equal(e.clock.Now()) {
		t.Errorf("%+v", d)
	}
	e.container("empty")
	_, err = c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("empty")})
	refusedWith(t, err, "ResourceNotFoundException", 400)
	if l := e.labels("empty"); len(l) != 0 {
		t.Errorf("labels of a container: %v", l)
	}
	e.SetSecretRotation(member, "empty", true)
	if d := ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("empty")}))(t); !*d.RotationEnabled {
		t.Error("rotation is not shown")
	}
}

func TestDeletingASecret(t *testing.T) {
	e := start(t)
	c := e.secrets()
	arn := e.container("a")
	del := func(days *int64, force *bool) (*secretsmanager.DeleteSecretOutput, error) {
		return c.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: ptr("a"), RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force})
	}
	for _, days := range []int64{0, 6, 31} {
		_, err := del(&days, nil)
		refusedWith(t, err, "InvalidParameterException", 400)
	}
	_, err := del(ptr(int64(7)), ptr(true))
	refusedWith(t, err, "InvalidParameterException", 400)
	e.SetReplicas(member, "a", Replica{Region: "eu-west-1"})
	_, err = del(nil, nil)
	refusedWith(t, err, "InvalidRequestException", 400)
	e.SetReplicas(member, "a")

	out := ok(del(nil, nil))(t)
	if !out.DeletionDate.Equal(e.clock.Now().Add(30 * day)) {
		t.Errorf("deletion on %s", out.DeletionDate)
	}
	for name, call := range map[string]func() error{
		"get": func() error {
			_, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
			return err
		},
		"put": func() error {
			_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), SecretString: ptr("v")})
			return err
		},
		"create": func() error {
			_, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("a")})
			return err
		},
		"tag": func() error {
			_, err := c.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: ptr("a"), Tags: []types.Tag{}})
			return err
		},
		"update": func() error {
			_, err := c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("a")})
			return err
		},
		"delete": func() error { _, err := del(nil, nil); return err },
	} {
		t.Run(name, func(t *testing.T) { refusedWith(t, call(), "InvalidRequestException", 400) })
	}
	if d := ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t); d.DeletedDate == nil {
		t.Error("describing does not show it")
	}
	ok(c.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &arn}))(t)
	if i, _ := e.Secret(member, "a"); i.Deleted {
		t.Error("not restored")
	}

	ok(del(ptr(int64(7)), nil))(t)
	e.clock.advance(7*day - time.Second)
	if _, there := e.Secret(member, "a"); !there {
		t.Error("gone before the recovery window ended")
	}
	e.clock.advance(time.Second)
	_, err = c.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: ptr("a")})
	refusedWith(t, err, "ResourceNotFoundException", 400)
	if again := e.container("a"); again == arn {
		t.Error("a new secret of the same name has the ARN of the old one")
	}
	ok(del(nil, ptr(true)))(t)
	ok(del(nil, ptr(true)))(t) // of one that is not there
	if n := len(e.Secrets(member)); n != 0 {
		t.Errorf("%d secrets", n)
	}
}

func TestTagsOfASecret(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	tag := func(tags ...types.Tag) error {
		_, err := c.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: ptr("a"), Tags: tags})
		return err
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: ptr(fmt.Sprint(i)), Value: ptr("v")})
	}
	ok(0, tag(types.Tag{Key: ptr("k"), Value: ptr("v")}))(t)
	refusedWith(t, tag(many...), "InvalidParameterException", 400) // 51
	ok(0, tag(many[:49]...))(t)
	refusedWith(t, tag(types.Tag{Key: ptr("aws:x"), Value: ptr("v")}), "InvalidParameterException", 400)
	refusedWith(t, tag(types.Tag{Key: ptr(""), Value: ptr("v")}), "ValidationException", 400)
	refusedWith(t, tag(types.Tag{Key: ptr("k"), Value: ptr(strings.Repeat("v", 257))}), "ValidationException", 400)
	ok(c.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: ptr("a"), TagKeys: []string{"k", "nothing"}}))(t)
	i, _ := e.Secret(member, "a")
	if len(i.Tags) != 49 || i.Tags["k"] != "" {
		t.Errorf("%d tags", len(i.Tags))
	}
	i.Tags["mine"] = "x"
	if again, _ := e.Secret(member, "a"); again.Tags["mine"] != "" {
		t.Error("the emulator's tags were handed out")
	}
}

func TestUpdateSecret(t *testing.T) {
	e := start(t)
	c := e.secrets()
	e.container("a")
	key := e.AddKMSKey(member, KMSKey{})
	out := ok(c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("a"), Description: ptr("d"), KmsKeyId: &key, SecretString: ptr("v"), ClientRequestToken: ptr(token(1))}))(t)
	d := ok(c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t)
	if *out.VersionId != token(1) || *d.Description != "d" || *d.KmsKeyId != key || !cmp.Equal(d.VersionIdsToStages, map[string][]string{token(1): {"AWSCURRENT"}}) {
		t.Errorf("%+v", d)
	}
	_, err := c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("a"), KmsKeyId: ptr("alias/nothing")})
	refusedWith(t, err, "EncryptionFailure", 400)
}

func TestReplicas(t *testing.T) {
	e := start(t)
	e.container("a")
	e.SetReplicas(member, "a", Replica{Region: "eu-west-1"}, Replica{Region: "eu-west-2", Status: "Failed", Message: "no such key", KMSKeyID: "alias/x"})
	d := ok(e.secrets().DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: ptr("a")}))(t)
	r := d.ReplicationStatus
	if len(r) != 2 || r[0].Status != types.StatusTypeInSync || r[1].Status != types.StatusTypeFailed || *r[1].StatusMessage != "no such key" || *r[1].KmsKeyId != "alias/x" || *d.PrimaryRegion != region {
		t.Errorf("%+v", r)
	}
}
