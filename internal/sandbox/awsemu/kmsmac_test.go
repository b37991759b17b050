package awsemu

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestMACs(t *testing.T) {
	e := start(t)
	arn := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/audit"}, HMAC: true})
	second := e.AddKMSKey(member, KMSKey{HMAC: true})
	plain := e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/plain"}})
	c := e.kms()
	generate := func(key string, alg types.MacAlgorithmSpec, message []byte) (*kms.GenerateMacOutput, error) {
		return c.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: &key, MacAlgorithm: alg, Message: message})
	}
	verify := func(key string, alg types.MacAlgorithmSpec, message, mac []byte) (*kms.VerifyMacOutput, error) {
		return c.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: &key, MacAlgorithm: alg, Message: message, Mac: mac})
	}
	const sha256 = types.MacAlgorithmSpecHmacSha256
	longest := bytes.Repeat([]byte("x"), 4096)
	made := ok(generate("alias/audit", sha256, longest))(t)
	if *made.KeyId != arn || len(made.Mac) != 32 || made.MacAlgorithm != sha256 {
		t.Errorf("%+v", made)
	}
	if v := ok(verify(arn, sha256, longest, made.Mac))(t); !v.MacValid || *v.KeyId != arn {
		t.Errorf("%+v", v)
	}
	if other := ok(generate(second, sha256, longest))(t); bytes.Equal(other.Mac, made.Mac) {
		t.Error("two keys make one MAC")
	}
	if k := ok(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &arn}))(t).KeyMetadata; k.KeyUsage != types.KeyUsageTypeGenerateVerifyMac || k.KeySpec != types.KeySpecHmac256 || len(k.EncryptionAlgorithms) != 0 {
		t.Errorf("%+v", k)
	}
	for name, tc := range map[string]struct {
		key     string
		alg     types.MacAlgorithmSpec
		message []byte
		code    string
	}{
		"too long":              {arn, sha256, append(longest, 'x'), "ValidationException"},
		"nothing":               {arn, sha256, []byte{}, "ValidationException"},
		"another algorithm":     {arn, types.MacAlgorithmSpecHmacSha512, longest, "InvalidKeyUsageException"},
		"a key to encrypt with": {plain, sha256, longest, "InvalidKeyUsageException"},
		"no key":                {"alias/none", sha256, longest, "NotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(tc.key, tc.alg, tc.message)
			refusedWith(t, err, tc.code, 400)
			_, err = verify(tc.key, tc.alg, tc.message, made.Mac)
			refusedWith(t, err, tc.code, 400)
		})
	}
	for name, mac := range map[string][]byte{"cut": made.Mac[:31], "another": bytes.Repeat([]byte{0}, 32)} {
		if _, err := verify(arn, sha256, longest, mac); err == nil || !strings.Contains(err.Error(), "KMSInvalidMacException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := verify(second, sha256, longest, made.Mac)
	refusedWith(t, err, "KMSInvalidMacException", 400)
	_, err = verify(arn, sha256, longest, []byte{})
	refusedWith(t, err, "ValidationException", 400)
	for state, code := range map[string]string{"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"} {
		e.SetKMSKeyState(member, arn, state)
		_, err = generate(arn, sha256, longest)
		refusedWith(t, err, code, 400)
		_, err = verify(arn, sha256, longest, made.Mac)
		refusedWith(t, err, code, 400)
	}
	e.SetKMSKeyState(member, arn, "Enabled")

	e.SetRoleDeny(member, "keyturn-member", "kms:VerifyMac")
	ok(generate(arn, sha256, longest))(t)
	_, err = verify(arn, sha256, longest, made.Mac)
	refusedWith(t, err, "AccessDeniedException", 400)
}
