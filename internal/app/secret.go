package app

import (
	"context"
	"fmt"
	"os"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// resolve reads a secret that the configuration refers to: env:NAME, or the ARN of a secret in Secrets Manager. The value
// never appears in an error.
func resolve(ctx context.Context, cfg awssdk.Config, what, ref string) (string, error) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		v := os.Getenv(name)
		if v == "" {
			return "", fmt.Errorf("%s: the environment variable %s is not set. Set it to the value that Slack shows for your app", what, name)
		}
		return v, nil
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &ref})
	if err != nil {
		return "", fmt.Errorf("%s: read the secret %s (allow secretsmanager:GetSecretValue on it): %w", what, ref, err)
	}
	if v := strings.TrimSpace(awssdk.ToString(out.SecretString)); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("%s: the secret %s is empty. Store the bare value as its text", what, ref)
}
