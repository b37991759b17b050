package awsemu

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
)

func TestKMSKeys(t *testing.T) {
	e := start(t)
	arn := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/keyturn", "alias/a"}})
	e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/aws/secretsmanager"}, AWSManaged: true})
	foreign := e.AddKMSKey(other, KMSKey{Aliases: []string{"alias/central"}})
	c := e.kms()
	describe := func(id string) (*types.KeyMetadata, error) {
		out, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
		if err != nil {
			return nil, err
		}
		return out.KeyMetadata, nil
	}
	for _, id := range []string{arn, "alias/keyturn", "arn:aws:kms:eu-central-1:200000000002:alias/keyturn", arn[len(arn)-36:]} {
		k := ok(describe(id))(t)
		if *k.Arn != arn || !k.Enabled || k.KeyManager != types.KeyManagerTypeCustomer {
			t.Errorf("%s: %+v", id, k)
		}
	}
	if k := ok(describe("alias/aws/secretsmanager"))(t); k.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("AWS-managed: %+v", k)
	}
	if k := ok(describe(foreign))(t); *k.AWSAccountId != other {
		t.Errorf("of another account, by its ARN: %+v", k)
	}
	for _, id := range []string{"alias/central", "alias/nothing", "1234", arn + "0", "arn:aws:kms:us-east-1:200000000002:alias/keyturn", "arn:aws:kms:eu-central-1:999999999999:key/1", "arn:aws:kms:eu-central-1:200000000002:other/1"} {
		_, err := describe(id)
		refusedWith(t, err, "NotFoundException", 400)
	}
	e.SetKMSKeyState(member, "alias/keyturn", "Disabled")
	if k := ok(describe(arn))(t); k.Enabled || k.KeyState != types.KeyStateDisabled {
		t.Errorf("disabled: %+v", k)
	}
	var got []string
	for p := kms.NewListAliasesPaginator(c, &kms.ListAliasesInput{Limit: ptr(int32(2))}); p.HasMorePages(); {
		for _, a := range ok(p.NextPage(ctx))(t).Aliases {
			got = append(got, *a.AliasName)
		}
	}
	if diff := cmp.Diff([]string{"alias/a", "alias/aws/secretsmanager", "alias/keyturn"}, got); diff != "" {
		t.Error(diff)
	}
	if a := ok(c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: &arn}))(t).Aliases; len(a) != 2 {
		t.Errorf("aliases of a key: %+v", a)
	}
	_, err := c.ListAliases(ctx, &kms.ListAliasesInput{Limit: ptr(int32(101))})
	refusedWith(t, err, "ValidationException", 400)
	_, err = c.ListAliases(ctx, &kms.ListAliasesInput{Marker: ptr("guessed")})
	refusedWith(t, err, "InvalidMarkerException", 400)
	_, err = c.ListAliases(ctx, &kms.ListAliasesInput{KeyId: ptr("alias/nothing")})
	refusedWith(t, err, "NotFoundException", 400)
}

func TestSecretsUnderACustomerManagedKey(t *testing.T) {
	e := start(t)
	arn := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/keyturn"}})
	c := e.secrets()
	create := func(name, key string, value *string) error {
		_, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, KmsKeyId: &key, SecretString: value})
		return err
	}
	put := func() error {
		_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("a"), SecretString: ptr("v")})
		return err
	}
	get := func() error {
		_, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("a")})
		return err
	}
	ok(0, create("a", "alias/keyturn", ptr("v")))(t)
	refusedWith(t, create("b", "alias/nothing", nil), "InvalidRequestException", 400)
	refusedWith(t, create("b", "alias/nothing", ptr("v")), "EncryptionFailure", 400)
	ok(0, create("c", "alias/aws/secretsmanager", ptr("v")))(t)

	e.SetRoleDeny(member, "keyturn-member", "kms:GenerateDataKey")
	refusedWith(t, put(), "AccessDeniedException", 400)
	ok(0, get())(t)
	e.SetRoleDeny(member, "keyturn-member", "kms:Decrypt")
	ok(0, put())(t)
	refusedWith(t, get(), "AccessDeniedException", 400)
	e.SetRoleDeny(member, "keyturn-member")

	e.SetKMSKeyState(member, arn, "Disabled")
	refusedWith(t, put(), "EncryptionFailure", 400)
	refusedWith(t, get(), "DecryptionFailure", 400)
	refusedWith(t, create("d", arn, ptr("v")), "EncryptionFailure", 400)
	ok(0, create("d", arn, nil))(t) // nothing to encrypt
	_, err := c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("c"), KmsKeyId: &arn})
	refusedWith(t, err, "EncryptionFailure", 400)
}
