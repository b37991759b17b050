package awsemu

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

const (
	macAlgorithm = "HMAC_SHA_256"
	mostToMAC    = 4096 // bytes of a message (AWS KMS API, GenerateMac)
	mostMAC      = 6144 // bytes of a MAC (AWS KMS API, VerifyMac)
	macKeyPrefix = "awsemu HMAC key "
)

// macOf checks what both operations ask, and returns the MAC of the message under the key.
func (s *Server) macOf(r *request) (k *KMSKey, sum []byte, f *failure) {
	_, k, f = s.kmsOf(r)
	if f != nil {
		return nil, nil, f
	}
	message, err := base64.StdEncoding.DecodeString(r.str("Message"))
	switch {
	case err != nil || len(message) == 0 || len(message) > mostToMAC:
		return nil, nil, failf(400, "ValidationException", "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length between 1 and %d, inclusive", mostToMAC)
	case k.State == "Disabled":
		return nil, nil, failf(400, "DisabledException", "%s is disabled.", k.ID)
	case k.State != "Enabled":
		return nil, nil, failf(400, "KMSInvalidStateException", "%s is %s.", k.ID, k.State)
	case !k.HMAC:
		return nil, nil, failf(400, "InvalidKeyUsageException", "%s key usage is ENCRYPT_DECRYPT which is not valid for %s.", k.ID, r.operation)
	case r.str("MacAlgorithm") != macAlgorithm:
		return nil, nil, failf(400, "InvalidKeyUsageException", "Algorithm %s is incompatible with key spec HMAC_256.", r.str("MacAlgorithm"))
	}
	mac := hmac.New(sha256.New, []byte(macKeyPrefix+k.ID))
	mac.Write(message)
	return k, mac.Sum(nil), nil
}

func generateMAC(s *Server, r *request) (any, *failure) {
	k, sum, f := s.macOf(r)
	if f != nil {
		return nil, f
	}
	return map[string]any{"KeyId": s.kmsARN(s.accounts[r.who.account], k, r.str("KeyId")), "MacAlgorithm": macAlgorithm, "Mac": base64.StdEncoding.EncodeToString(sum)}, nil
}

func verifyMAC(s *Server, r *request) (any, *failure) {
	k, sum, f := s.macOf(r)
	if f != nil {
		return nil, f
	}
	got, err := base64.StdEncoding.DecodeString(r.str("Mac"))
	if err != nil || len(got) == 0 || len(got) > mostMAC {
		return nil, failf(400, "ValidationException", "1 validation error detected: Value at 'mac' failed to satisfy constraint: Member must have length between 1 and %d, inclusive", mostMAC)
	}
	if !hmac.Equal(got, sum) {
		return nil, failf(400, "KMSInvalidMacException", "The MAC is not the message's.")
	}
	return map[string]any{"KeyId": s.kmsARN(s.accounts[r.who.account], k, r.str("KeyId")), "MacAlgorithm": macAlgorithm, "MacValid": true}, nil
}
