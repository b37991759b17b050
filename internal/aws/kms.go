package aws

import (
	"context"
	"errors"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keyturn/keyturn/internal/audit"
)

// MAC signs with an HMAC key of KMS, with our own credentials. The key never leaves KMS (AWS KMS Developer Guide, "HMAC keys
// in AWS KMS").
type MAC struct {
	key string // ARN or alias
	kms macCalls
}

var _ audit.MAC = (*MAC)(nil)

// MAC returns what signs with a key, by its ARN or its alias.
func (c *Client) MAC(key string) *MAC { return &MAC{key, newMAC(c.cfg)} }

// Generate implements audit.MAC. It needs kms:GenerateMac.
func (m *MAC) Generate(ctx context.Context, message []byte) ([]byte, error) {
	out, err := m.kms.GenerateMac(ctx, &kms.GenerateMacInput{KeyId: awssdk.String(m.key), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: message})
	if err != nil {
		return nil, failed("sign with KMS key "+m.key, err)
	}
	return out.Mac, nil
}

// Verify implements audit.MAC. It needs kms:VerifyMac.
func (m *MAC) Verify(ctx context.Context, message, mac []byte) (bool, error) {
	out, err := m.kms.VerifyMac(ctx, &kms.VerifyMacInput{KeyId: awssdk.String(m.key), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: message, Mac: mac})
	if bad := (*types.KMSInvalidMacException)(nil); errors.As(err, &bad) {
		return false, nil
	}
	if err != nil {
		return false, failed("verify with KMS key "+m.key, err)
	}
	return out.MacValid, nil
}
