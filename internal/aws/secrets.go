package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/keyturn/keyturn/rotator"
)

// managed is the value of rotator.TagManaged on secrets that keyturn made.
const managed = "true"

// Secret implements rotator.Account.
func (m *member) Secret(ctx context.Context, nameOrARN string) (rotator.SecretState, error) {
	out, err := m.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &nameOrARN})
	if code(err) == "ResourceNotFoundException" {
		return rotator.SecretState{}, nil
	}
	if err != nil {
		return rotator.SecretState{}, failed(fmt.Sprintf("describe secret %s in %s", nameOrARN, m.account), err)
	}
	inSync := func(r types.ReplicationStatusType) bool { return r.Status == types.StatusTypeInSync }
	return rotator.SecretState{
		Exists: true, ARN: awssdk.ToString(out.ARN), Name: awssdk.ToString(out.Name), Tags: tagMap(out.Tags),
		RotationEnabled: awssdk.ToBool(out.RotationEnabled), PendingDeletion: out.DeletedDate != nil, KMSKeyID: awssdk.ToString(out.KmsKeyId),
		Labels: out.VersionIdsToStages, ReplicasInSync: !slices.ContainsFunc(out.ReplicationStatus, func(r types.ReplicationStatusType) bool { return !inSync(r) }),
	}, nil
}

// PrepareSecret implements rotator.Account. It touches no secret without keyturn's tag, whoever asks for it.
func (m *member) PrepareSecret(ctx context.Context, spec rotator.SecretSpec) (rotator.SecretState, error) {
	doing := fmt.Sprintf("prepare secret %s in %s", spec.Name, m.account)
	if spec.Tags[rotator.TagManaged] != managed {
		return rotator.SecretState{}, fmt.Errorf("%s: its tags would not say that it is keyturn's: %w", doing, rotator.ErrDefinite)
	}
	state, err := m.Secret(ctx, spec.Name)
	if err != nil {
		return rotator.SecretState{}, err
	}
	if !state.Exists {
		if err := m.createSecret(ctx, spec); err != nil {
			return rotator.SecretState{}, failed(doing, err, definite(err)...)
		}
		if state, err = m.Secret(ctx, spec.Name); err != nil {
			return rotator.SecretState{}, err
		}
	}
	switch {
	case !state.Exists:
		return rotator.SecretState{}, fmt.Errorf("%s: it was created and is not there yet", doing)
	case state.Tags[rotator.TagManaged] != managed:
		return rotator.SecretState{}, fmt.Errorf("%s: it is not keyturn's: it has no tag %s: %w", doing, rotator.TagManaged, rotator.ErrDefinite)
	}
	if err := m.amend(ctx, &state, spec); err != nil {
		return rotator.SecretState{}, failed(doing, err, definite(err)...)
	}
	return state, nil
}

// createSecret makes the container, without a value. One that appeared in between is no error: it is looked at next.
func (m *member) createSecret(ctx context.Context, spec rotator.SecretSpec) error {
	in := &secretsmanager.CreateSecretInput{Name: &spec.Name, Tags: tagList(spec.Tags)}
	if spec.Description != "" {
		in.Description = &spec.Description
	}
	if spec.KMSKeyID != "" {
		in.KmsKeyId = &spec.KMSKeyID
	}
	_, err := m.secrets.CreateSecret(ctx, in)
	if code(err) == "ResourceExistsException" {
		return nil
	}
	return err
}

// amend brings an existing secret up to the spec, and state with it. What is as it should be is not written.
func (m *member) amend(ctx context.Context, state *rotator.SecretState, spec rotator.SecretSpec) error {
	if !sameKMSKey(state.KMSKeyID, spec.KMSKeyID) {
		key := spec.KMSKeyID
		if key == "" {
			key = defaultKMSKey
		}
		if _, err := m.secrets.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: &state.ARN, KmsKeyId: &key}); err != nil {
			return err
		}
		state.KMSKeyID = key
	}
	missing := map[string]string{}
	for k, v := range spec.Tags {
		if have, ok := state.Tags[k]; !ok || have != v {
			missing[k] = v
		}
	}
	if len(missing) > 0 {
		if _, err := m.secrets.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &state.ARN, Tags: tagList(missing)}); err != nil {
			return err
		}
		maps.Copy(state.Tags, missing)
	}
	return m.allowReader(ctx, state.ARN, spec.UserARN)
}

// allowReader lets the user read the secret.
func (m *member) allowReader(ctx context.Context, secret, userARN string) error {
	out, err := m.secrets.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &secret})
	if err != nil {
		return err
	}
	policy, changed, err := allowing(awssdk.ToString(out.ResourcePolicy), userARN)
	if err != nil || !changed {
		return err
	}
	_, err = m.secrets.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
		SecretId: &secret, ResourcePolicy: &policy, BlockPublicPolicy: awssdk.Bool(true),
	})
	return err
}

// TagSecret implements rotator.Account.
func (m *member) TagSecret(ctx context.Context, arn string, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	if _, err := m.secrets.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &arn, Tags: tagList(tags)}); err != nil {
		return failed("tag secret "+arn, err, definite(err)...)
	}
	return nil
}

func tagMap(tags []types.Tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
	}
	return out
}

func tagList(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: awssdk.String(k), Value: awssdk.String(tags[k])})
	}
	return out
}
