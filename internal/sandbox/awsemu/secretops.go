package awsemu

import (
	"maps"
	"slices"
	"strings"
	"time"
)

var smOperations = map[string]operation{
	"CreateSecret": createSecret, "DescribeSecret": describeSecret, "GetSecretValue": getSecretValue, "PutSecretValue": putSecretValue,
	"UpdateSecretVersionStage": updateStage, "PutResourcePolicy": putPolicy, "GetResourcePolicy": getPolicy,
	"TagResource": tagSecret, "UntagResource": untagSecret, "UpdateSecret": updateSecret, "DeleteSecret": deleteSecret,
	"RestoreSecret": restoreSecret, "ListSecrets": listSecrets,
}

func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func parameter(format string, args ...any) *failure {
	return failf(400, "InvalidParameterException", format, args...)
}

func illegal(format string, args ...any) *failure {
	return failf(400, "InvalidRequestException", format, args...)
}

func notFound(format string, args ...any) *failure {
	return failf(400, "ResourceNotFoundException", format, args...)
}

// secret finds the secret of a request. Pending deletion blocks everything but describing, restoring and deleting.
func (s *Server) secret(r *request, alive bool) (*account, *secret, *failure) {
	a, id := s.accounts[r.who.account], r.str("SecretId")
	if id == "" {
		return a, nil, missing(r, "SecretId")
	}
	if parts := strings.SplitN(id, ":", 7); len(parts) == 7 && parts[0] == "arn" && parts[4] != a.ID {
		return a, nil, s.denied(r, ask{action: r.action(), shown: id}, "because no resource-based policy allows the "+r.action()+" action")
	}
	x := a.secret(id, s.opts.Now())
	if x == nil {
		return a, nil, notFound("Secrets Manager can't find the specified secret.")
	}
	if alive && !x.deleted.IsZero() {
		return a, nil, illegal("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return a, x, nil
}

const mostTags = 50

// tags reads the Tags of a request and checks what a secret with others would have.
func (r *request) tags(others map[string]string) (map[string]string, *failure) {
	out := maps.Clone(others)
	if out == nil {
		out = map[string]string{}
	}
	list, _ := r.in["Tags"].([]any)
	for _, t := range list {
		m, _ := t.(map[string]any)
		k, v := text(m, "Key"), text(m, "Value")
		switch {
		case k == "" || len([]rune(k)) > 128 || len([]rune(v)) > 256:
			return nil, invalid(r, "1 validation error detected: a tag's key has 1 to 128 characters and its value at most 256")
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return nil, parameter("Tag keys that start with aws: are reserved.")
		}
		out[k] = v
	}
	if len(out) > mostTags {
		return nil, parameter("A secret has at most %d tags.", mostTags)
	}
	return out, nil
}

// createSecret makes a container, with a first version if the request has a value. Again with the token and the value of a
// version that is there, it changes nothing.
func createSecret(s *Server, r *request) (any, *failure) {
	a, name := s.accounts[r.who.account], r.str("Name")
	if !secretName.MatchString(name) {
		return nil, failf(400, "ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	value, given, f := r.value()
	if f != nil {
		return nil, f
	}
	token := r.str("ClientRequestToken")
	if given && !validToken(token) {
		return nil, parameter("ClientRequestToken must be 32-64 characters long.")
	}
	if x := a.secret(name, s.opts.Now()); x != nil {
		switch v := x.version(token); {
		case !x.deleted.IsZero():
			return nil, illegal("You can't create this secret because a secret with this name is already scheduled for deletion.")
		case given && v != nil && v.value == value.value && v.binary == value.binary:
			return map[string]any{"ARN": x.arn, "Name": name, "VersionId": v.id}, nil
		}
		return nil, failf(400, "ResourceExistsException", "The operation failed because the secret %s already exists.", name)
	}
	tags, f := r.tags(nil)
	if f != nil {
		return nil, f
	}
	x := s.newContainer(name, a.ID, tags)
	use := forSecret{x.arn, token}
	if f := s.validKey(r, a, r.str("KmsKeyId"), use); f != nil {
		return nil, f
	}
	if f := s.keyFor(r, a, r.str("KmsKeyId"), given, use); f != nil {
		return nil, f
	}
	a.secrets[name] = x
	x.kmsKey, x.description = r.str("KmsKeyId"), r.str("Description")
	out := map[string]any{"ARN": x.arn, "Name": name}
	if given {
		value.id, value.created = token, x.created
		x.versions = append(x.versions, &value)
		x.move(current, &value)
		out["VersionId"] = token
	}
	return out, nil
}

// keyFor checks the KMS key that a secret is to have: that it is there, and with a value to encrypt that it can be used.
func (s *Server) keyFor(r *request, a *account, id string, used bool, use forSecret) *failure {
	if used {
		if f := s.usable(r, a, id, "kms:GenerateDataKey", use); f != nil {
			return f
		}
	}
	if id != "" && !strings.HasSuffix(id, "alias/aws/secretsmanager") && s.kmsKey(a, id) == nil {
		return illegal("The KMS key %s does not exist.", id)
	}
	return nil
}

// validKey tries the key that a secret gets, as Secrets Manager does before it relies on it: whoever gives a secret a key must
// be able to write and to read under it. It binds roles with policies of their own.
func (s *Server) validKey(r *request, a *account, id string, use forSecret) *failure {
	ro := s.accounts[r.who.account].roles[r.who.role]
	k := s.kmsKey(a, id)
	if ro == nil || ro.policies == nil || k == nil || k.AWSManaged {
		return nil
	}
	for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
		q := s.kmsAsk(r, a, k, id, action, use.arn, validation)
		v := s.judge(r, q)
		s.keep(r, q, v)
		if !v.allowed {
			return refused(r, "AccessDenied", "Access to KMS is not allowed")
		}
	}
	return nil
}

func describeSecret(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, false)
	if f != nil {
		return nil, f
	}
	out := x.describe("VersionIdsToStages")
	if len(x.replicas) > 0 {
		var list []any
		for _, c := range x.replicas {
			m := map[string]any{"Region": c.Region, "Status": c.Status}
			if c.KMSKeyID != "" {
				m["KmsKeyId"] = c.KMSKeyID
			}
			if c.Message != "" {
				m["StatusMessage"] = c.Message
			}
			list = append(list, m)
		}
		out["ReplicationStatus"], out["PrimaryRegion"] = list, s.opts.Region
	}
	return out, nil
}

// describe is what DescribeSecret and ListSecrets have in common. Versions without a label are not shown.
func (x *secret) describe(stages string) map[string]any {
	labels, tags := map[string]any{}, []any{}
	for _, v := range x.versions {
		if len(v.labels) > 0 {
			labels[v.id] = slices.Clone(v.labels)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(x.tags)) {
		tags = append(tags, map[string]any{"Key": k, "Value": x.tags[k]})
	}
	out := map[string]any{"ARN": x.arn, "Name": x.name, "Tags": tags, "CreatedDate": epoch(x.created), "LastChangedDate": epoch(x.changed)}
	if len(labels) > 0 {
		out[stages] = labels
	}
	if x.rotation {
		out["RotationEnabled"] = true
	}
	if x.description != "" {
		out["Description"] = x.description
	}
	if x.kmsKey != "" {
		out["KmsKeyId"] = x.kmsKey
	}
	if !x.accessed.IsZero() {
		out["LastAccessedDate"] = epoch(x.accessed.UTC().Truncate(24 * time.Hour))
	}
	if !x.deleted.IsZero() {
		out["DeletedDate"] = epoch(x.deleted)
	}
	return out
}

func tagSecret(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	tags, f := r.tags(x.tags)
	if f != nil {
		return nil, f
	}
	x.tags, x.changed = tags, s.opts.Now()
	return nil, nil
}

func untagSecret(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	for _, k := range strs(r.in["TagKeys"]) {
		delete(x.tags, k)
	}
	x.changed = s.opts.Now()
	return nil, nil
}

// updateSecret changes key and description, and makes a new current version of a value. A new key encrypts the labelled
// versions again.
func updateSecret(s *Server, r *request) (any, *failure) {
	a, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	value, given, f := r.value()
	if f != nil {
		return nil, f
	}
	id := x.kmsKey
	if n := r.str("KmsKeyId"); n != "" {
		id = n
	}
	use := forSecret{x.arn, r.str("ClientRequestToken")}
	if id != x.kmsKey {
		if f := s.validKey(r, a, id, use); f != nil {
			return nil, f
		}
	}
	if f := s.keyFor(r, a, id, given || id != x.kmsKey && len(x.versions) > 0, use); f != nil {
		return nil, f
	}
	out := map[string]any{"ARN": x.arn, "Name": x.name}
	if given {
		v, f := x.put(r.str("ClientRequestToken"), value, []string{current}, s.opts.Now())
		if f != nil {
			return nil, f
		}
		out["VersionId"] = v.id
	}
	x.kmsKey, x.changed = id, s.opts.Now()
	if r.has("Description") {
		x.description = r.str("Description")
	}
	return out, nil
}

func deleteSecret(s *Server, r *request) (any, *failure) {
	force, days := r.bool("ForceDeleteWithoutRecovery"), r.num("RecoveryWindowInDays", 30)
	switch {
	case force && r.has("RecoveryWindowInDays"):
		return nil, parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < 7 || days > 30:
		return nil, parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	a, x, f := s.secret(r, false)
	now := s.opts.Now()
	switch {
	case f != nil && force && f.code == "ResourceNotFoundException":
		return map[string]any{"Name": r.str("SecretId"), "DeletionDate": epoch(now)}, nil
	case f != nil:
		return nil, f
	case len(x.replicas) > 0:
		return nil, illegal("You can't delete a secret that is replicated to other Regions.")
	case force:
		delete(a.secrets, x.name)
		return map[string]any{"ARN": x.arn, "Name": x.name, "DeletionDate": epoch(now)}, nil
	case !x.deleted.IsZero():
		return nil, illegal("You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	x.deleted, x.window = now, time.Duration(days)*24*time.Hour
	return map[string]any{"ARN": x.arn, "Name": x.name, "DeletionDate": epoch(now.Add(x.window))}, nil
}

func restoreSecret(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, false)
	if f != nil {
		return nil, f
	}
	x.deleted = time.Time{}
	return map[string]any{"ARN": x.arn, "Name": x.name}, nil
}
