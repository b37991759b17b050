package awsemu

import (
	"encoding/base64"
	"slices"
	"time"
)

const longestValue = 65536

func validToken(token string) bool { return len(token) >= 32 && len(token) <= 64 }

// value reads SecretString or SecretBinary of a request. given is false where there is neither.
func (r *request) value() (v version, given bool, f *failure) {
	text, isText := r.in["SecretString"].(string)
	coded, isBinary := r.in["SecretBinary"].(string)
	raw, err := base64.StdEncoding.DecodeString(coded)
	switch {
	case isText && isBinary:
		return v, false, parameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case isBinary && err != nil:
		return v, false, failf(400, "SerializationException", "SecretBinary is no base64.")
	case len(text) > longestValue || len(raw) > longestValue:
		return v, false, invalid(r, "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to %d", longestValue)
	case isBinary:
		return version{value: coded, binary: true}, true, nil
	}
	return version{value: text}, isText, nil
}

// put makes a version, unless it is there with the same value. The first one of a secret gets AWSCURRENT by itself.
func (x *secret) put(token string, v version, labels []string, now time.Time) (*version, *failure) {
	if !validToken(token) {
		return nil, parameter("ClientRequestToken must be 32-64 characters long.")
	}
	if old := x.version(token); old != nil {
		if old.value != v.value || old.binary != v.binary {
			return nil, failf(400, "ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, x.arn)
		}
		return old, nil
	}
	if len(x.versions) == 0 && !slices.Contains(labels, current) {
		labels = append(slices.Clone(labels), current)
	}
	v.id, v.created = token, now
	x.versions = append(x.versions, &v)
	for _, l := range labels {
		x.move(l, &v)
	}
	x.changed = now
	return &v, nil
}

func putSecretValue(s *Server, r *request) (any, *failure) {
	a, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	value, given, f := r.value()
	if f != nil {
		return nil, f
	}
	if !given {
		return nil, illegal("You must provide either SecretString or SecretBinary.")
	}
	labels := []string{current}
	if r.has("VersionStages") {
		labels = strs(r.in["VersionStages"])
		bad := func(l string) bool { return l == "" || len(l) > 256 }
		if len(labels) == 0 || len(labels) > labelsPerRecord || slices.ContainsFunc(labels, bad) {
			return nil, invalid(r, "1 validation error detected: Value at 'versionStages' failed to satisfy constraint: Member must have 1 to %d labels of 1 to 256 characters", labelsPerRecord)
		}
	}
	if f := s.usable(r, a, x.kmsKey, "kms:GenerateDataKey", forSecret{x.arn, r.str("ClientRequestToken")}); f != nil {
		return nil, f
	}
	if old := x.version(r.str("ClientRequestToken")); old != nil { // whose value is compared
		if f := s.usable(r, a, x.kmsKey, "kms:Decrypt", forSecret{x.arn, old.id}); f != nil {
			return nil, f
		}
	}
	v, f := x.put(r.str("ClientRequestToken"), value, labels, s.opts.Now())
	if f != nil {
		return nil, f
	}
	return map[string]any{"ARN": x.arn, "Name": x.name, "VersionId": v.id, "VersionStages": stages(v)}, nil
}

func stages(v *version) []string { return append([]string{}, v.labels...) }

func getSecretValue(s *Server, r *request) (any, *failure) {
	a, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	id, label := r.str("VersionId"), r.str("VersionStage")
	var v *version
	switch {
	case id != "":
		if v = x.version(id); v == nil {
			return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: %s", id)
		}
		if label != "" && !slices.Contains(v.labels, label) {
			return nil, illegal("You provided a VersionStage that is not associated to the provided VersionId.")
		}
	default:
		if label == "" {
			label = current
		}
		if v = x.labelled(label); v == nil {
			return nil, notFound("Secrets Manager can't find the specified secret value for staging label: %s", label)
		}
	}
	if f := s.usable(r, a, x.kmsKey, "kms:Decrypt", forSecret{x.arn, v.id}); f != nil {
		return nil, f
	}
	x.accessed = s.opts.Now()
	out := map[string]any{"ARN": x.arn, "Name": x.name, "VersionId": v.id, "VersionStages": stages(v), "CreatedDate": epoch(v.created)}
	if v.binary {
		out["SecretBinary"] = v.value
	} else {
		out["SecretString"] = v.value
	}
	return out, nil
}

// updateStage moves or takes off a label. A label that is on another version leaves it only if the request says which.
func updateStage(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	label, to, from := r.str("VersionStage"), r.str("MoveToVersionId"), r.str("RemoveFromVersionId")
	has := x.labelled(label)
	switch {
	case label == "" || len(label) > 256:
		return nil, invalid(r, "1 validation error detected: Value at 'versionStage' failed to satisfy constraint: Member must have 1 to 256 characters")
	case to == "" && from == "":
		return nil, parameter("You must specify MoveToVersionId or RemoveFromVersionId.")
	case label == current && to == "":
		return nil, parameter("You can't remove the AWSCURRENT staging label without moving it to another version.")
	case to != "" && x.version(to) == nil:
		return nil, notFound("Secrets Manager can't find the specified secret version: %s.", to)
	case from != "" && x.version(from) == nil:
		return nil, notFound("Secrets Manager can't find the specified secret version: %s.", from)
	case from != "" && (has == nil || has.id != from):
		return nil, parameter("The parameter RemoveFromVersionId can't be %s. Staging label %s is not attached to that version.", from, label)
	case to != "" && has != nil && has.id != to && from == "":
		return nil, parameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, has.id)
	case to != "" && (has == nil || has.id != to) && len(x.version(to).labels) >= labelsPerRecord:
		return nil, failf(400, "LimitExceededException", "A version has at most %d staging labels.", labelsPerRecord)
	}
	if to != "" {
		x.move(label, x.version(to))
	} else {
		has.drop(label)
	}
	x.changed = s.opts.Now()
	return map[string]any{"ARN": x.arn, "Name": x.name}, nil
}

func putPolicy(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	if r.str("ResourcePolicy") == "" {
		return nil, missing(r, "ResourcePolicy")
	}
	p, f := s.parsePolicy(r.str("ResourcePolicy"))
	if f != nil {
		return nil, f
	}
	if r.bool("BlockPublicPolicy") && p.public() {
		return nil, failf(400, "PublicPolicyException", "The resource policy grants broad access to the secret, and BlockPublicPolicy is set.")
	}
	x.policy = p
	return map[string]any{"ARN": x.arn, "Name": x.name}, nil
}

func getPolicy(s *Server, r *request) (any, *failure) {
	_, x, f := s.secret(r, true)
	if f != nil {
		return nil, f
	}
	out := map[string]any{"ARN": x.arn, "Name": x.name}
	if x.policy != nil {
		out["ResourcePolicy"] = s.shown(x.policy)
	}
	return out, nil
}
