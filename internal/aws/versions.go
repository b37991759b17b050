package aws

import (
	"context"
	"fmt"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/keyturn/keyturn/rotator"
)

// Staging labels of Secrets Manager.
const (
	labelCurrent = "AWSCURRENT"
	labelPending = "AWSPENDING"
)

// PutVersion implements rotator.Account.
func (m *member) PutVersion(ctx context.Context, arn, token string, value rotator.Material) error {
	_, err := m.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: &token, SecretString: awssdk.String(value.Reveal()), VersionStages: []string{labelPending},
	})
	if err != nil {
		return failedSecretly("store a version of secret "+arn, err, value.Reveal(), definite(err)...)
	}
	return nil
}

// Version implements rotator.Account.
func (m *member) Version(ctx context.Context, arn, version string) (rotator.Material, error) {
	doing := fmt.Sprintf("read version %s of secret %s", version, arn)
	out, err := m.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: &version})
	if code(err) == "ResourceNotFoundException" {
		return rotator.Material{}, failedSecretly(doing, err, "", rotator.ErrSecretNotFound)
	}
	if err != nil {
		return rotator.Material{}, failedSecretly(doing, err, "")
	}
	if out.SecretString == nil {
		return rotator.Material{}, failed(doing, errUnreadable)
	}
	return rotator.NewMaterial(*out.SecretString), nil
}

// Promote implements rotator.Account. It may be repeated: labels that are where they should be are not moved, and a refusal
// after a lost answer is no failure if the labels have moved.
func (m *member) Promote(ctx context.Context, arn, version, from string) error {
	doing := fmt.Sprintf("make version %s of secret %s current", version, arn)
	state, err := m.Secret(ctx, arn)
	if err != nil {
		return err
	}
	if !state.Exists {
		return fmt.Errorf("%s: %w", doing, rotator.ErrSecretNotFound)
	}
	carries := func(label string) bool { return slices.Contains(state.Labels[version], label) }
	if !carries(labelCurrent) {
		in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &arn, VersionStage: awssdk.String(labelCurrent), MoveToVersionId: &version}
		if from != "" && from != version {
			in.RemoveFromVersionId = &from
		}
		_, refusal := m.secrets.UpdateSecretVersionStage(ctx, in)
		if state, err = m.again(ctx, arn, state, refusal); err != nil {
			return err
		}
		if refusal != nil && !carries(labelCurrent) {
			return failed(doing, refusal, definite(refusal)...)
		}
	}
	if !carries(labelPending) {
		return nil
	}
	_, refusal := m.secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &arn, VersionStage: awssdk.String(labelPending), RemoveFromVersionId: &version,
	})
	if state, err = m.again(ctx, arn, state, refusal); err != nil {
		return err
	}
	if refusal != nil && carries(labelPending) {
		return failed(fmt.Sprintf("take %s off version %s of secret %s", labelPending, version, arn), refusal, definite(refusal)...)
	}
	return nil
}

// again describes the secret once more if a call was refused. If that fails too, the first failure is the one to report.
func (m *member) again(ctx context.Context, arn string, before rotator.SecretState, refusal error) (rotator.SecretState, error) {
	if refusal == nil {
		return before, nil
	}
	now, err := m.Secret(ctx, arn)
	if err != nil {
		return before, failed("move the labels of secret "+arn, refusal, definite(refusal)...)
	}
	return now, nil
}
