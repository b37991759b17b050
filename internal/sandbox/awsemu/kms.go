package awsemu

import (
	"slices"
	"strings"
)

var kmsOperations = map[string]operation{
	"DescribeKey": describeKey, "ListAliases": listAliases, "GenerateMac": generateMAC, "VerifyMac": verifyMAC,
}

// AddKMSKey adds a key of KMS and returns its ARN.
func (s *Server) AddKMSKey(acct string, k KMSKey) (arn string) {
	s.with(acct, func(a *account) {
		if k.ID == "" {
			k.ID = s.uuid()
		}
		if k.State == "" {
			k.State = "Enabled"
		}
		a.kms[k.ID] = &k
		for _, al := range k.Aliases {
			a.aliases[al] = &k
		}
		arn = s.arn("kms", acct, "key/"+k.ID)
	})
	return arn
}

// SetKMSKeyState sets the state of a key: Disabled, PendingDeletion. id may be an alias or an ARN too.
func (s *Server) SetKMSKeyState(acct, id, state string) {
	s.with(acct, func(a *account) { must(s.kmsKey(a, id), "KMS key", id).State = state })
}

// kmsKey finds a key by ID, ARN, alias or alias ARN. Only an ARN leads to another account.
func (s *Server) kmsKey(a *account, id string) *KMSKey {
	if parts := strings.SplitN(id, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[2] == "kms" {
		if a = s.accounts[parts[4]]; a == nil || parts[1] != s.opts.Partition || parts[3] != s.opts.Region {
			return nil
		}
		id = parts[5]
		if !strings.HasPrefix(id, "alias/") && !strings.HasPrefix(id, "key/") {
			return nil
		}
	}
	if strings.HasPrefix(id, "alias/") {
		return a.aliases[id]
	}
	return a.kms[strings.TrimPrefix(id, "key/")]
}

func (s *Server) kmsOf(r *request) (*account, *KMSKey, *failure) {
	a, id := s.accounts[r.who.account], r.str("KeyId")
	if id == "" {
		return a, nil, missing(r, "KeyId")
	}
	k := s.kmsKey(a, id)
	switch {
	case k != nil:
		return a, k, nil
	case strings.Contains(id, "alias/"):
		return a, nil, failf(400, "NotFoundException", "Alias %s is not found.", s.arn("kms", a.ID, id[strings.Index(id, "alias/"):]))
	case strings.HasPrefix(id, "arn:"):
		return a, nil, failf(400, "NotFoundException", "Key '%s' does not exist", id)
	default:
		return a, nil, failf(400, "NotFoundException", "Key '%s' does not exist", s.arn("kms", a.ID, "key/"+id))
	}
}

func describeKey(s *Server, r *request) (any, *failure) {
	a, k, f := s.kmsOf(r)
	if f != nil {
		return nil, f
	}
	owner := a.ID
	if parts := strings.Split(r.str("KeyId"), ":"); len(parts) == 6 {
		owner = parts[4]
	}
	manager := "CUSTOMER"
	if k.AWSManaged {
		manager = "AWS"
	}
	about := map[string]any{
		"KeyId": k.ID, "Arn": s.arn("kms", owner, "key/"+k.ID), "AWSAccountId": owner, "Enabled": k.State == "Enabled",
		"KeyState": k.State, "KeyManager": manager, "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS",
		"MultiRegion": false, "EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"},
	}
	if k.HMAC {
		about["KeyUsage"], about["KeySpec"], about["MacAlgorithms"] = "GENERATE_VERIFY_MAC", "HMAC_256", []string{macAlgorithm}
		delete(about, "EncryptionAlgorithms")
	}
	return map[string]any{"KeyMetadata": about}, nil
}

// listAliases pages by 50, or by Limit: at most 100.
func listAliases(s *Server, r *request) (any, *failure) {
	a, only := s.accounts[r.who.account], (*KMSKey)(nil)
	if r.has("KeyId") {
		var f *failure
		if _, only, f = s.kmsOf(r); f != nil {
			return nil, f
		}
	}
	var all []string
	for al, k := range a.aliases {
		if only == nil || only == k {
			all = append(all, al)
		}
	}
	slices.Sort(all)
	size, f := s.size(r, "Limit", 50, 100)
	if f != nil {
		return nil, f
	}
	shown, next, ok := cut(all, r.str("Marker"), size, same)
	if !ok {
		return nil, failf(400, "InvalidMarkerException", "Could not deserialize marker %q", r.str("Marker"))
	}
	list := []any{}
	for _, al := range shown {
		list = append(list, map[string]any{"AliasName": al, "AliasArn": s.arn("kms", a.ID, al), "TargetKeyId": a.aliases[al].ID})
	}
	out := map[string]any{"Aliases": list, "Truncated": next != ""}
	if next != "" {
		out["NextMarker"] = next
	}
	return out, nil
}

// forSecret is what a data key of Secrets Manager is for: KMS gets both as the encryption context.
type forSecret struct{ arn, version string }

// validation is the version that Secrets Manager names when it tries a key that a secret is to have.
const validation = "RequestToValidateKeyAccess"

// usable reports whether Secrets Manager can use a secret's key for the caller: to write under it ("kms:GenerateDataKey") or
// to read. The AWS-managed key asks for nothing. Key policies are taken to leave the decision to the callers' own policies.
func (s *Server) usable(r *request, a *account, id, action string, use forSecret) *failure {
	if id == "" || strings.HasSuffix(id, "alias/aws/secretsmanager") {
		return nil
	}
	k := s.kmsKey(a, id)
	if k != nil && k.AWSManaged {
		return nil
	}
	acct := s.accounts[r.who.account]
	if r.who.role != "" && k == nil && acct.roles[r.who.role] != nil && acct.roles[r.who.role].denies(action) {
		return refused(r, "AccessDenied", "Access to KMS is not allowed")
	}
	if r.who.role != "" && k != nil {
		q := s.kmsAsk(r, a, k, id, action, use.arn, use.version)
		v := s.judge(r, q)
		s.keep(r, q, v)
		if !v.allowed {
			return refused(r, "AccessDenied", "Access to KMS is not allowed")
		}
	}
	if k != nil && k.State == "Enabled" {
		return nil
	}
	state := "not there"
	if k != nil {
		state = k.State
	}
	if action == "kms:Decrypt" {
		return failf(400, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key. The key %s is %s.", id, state)
	}
	return failf(400, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key. The key %s is %s.", id, state)
}
