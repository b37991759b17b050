package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// searchSecrets looks for every secret that the emulated AWS ever gave out in everything that the product wrote: its folder
// with database and log, all that went through Slack, all mail.
func (j *journey) searchSecrets() {
	j.t.Helper()
	secrets := j.AWS.SecretStrings()
	if len(secrets) == 0 {
		j.t.Fatal("there are no secrets to search for, so the search proves nothing")
	}
	look := func(where string, b []byte) {
		if bytes.Contains(b, []byte("SANDBOXSECRET")) {
			j.t.Errorf("secret material in %s", where)
		}
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				j.t.Errorf("a secret access key in %s", where)
			}
		}
	}
	searched := 0
	err := filepath.WalkDir(j.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		searched++
		look(path, b)
		return err
	})
	if err != nil || searched < 2 {
		j.t.Fatalf("searched %d files: %v", searched, err)
	}
	for _, b := range j.Slack.AllTraffic() {
		look("Slack", b)
	}
	for _, m := range j.AWS.Mails() {
		look("mail", []byte(strings.Join([]string{m.Subject, m.Text, m.HTML, fmt.Sprint(m.Headers)}, "\n")))
	}
}

// valueOf reads a secret's value the way that users of the pattern do.
func valueOf(t *testing.T, value string) (id, secret string) {
	t.Helper()
	var v struct{ AccessKeyId, SecretAccessKey string }
	if err := json.Unmarshal([]byte(value), &v); err != nil || v.AccessKeyId == "" || v.SecretAccessKey == "" {
		t.Fatal("the value is not what users of the pattern read")
	}
	return v.AccessKeyId, v.SecretAccessKey
}

// readAsUser reads the secret the way the user's own program would, and checks whose key it is.
func (j *journey) readAsUser(id, secret, arn string) error {
	cfg := j.AWSConfig()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(*who.Arn, "/"+world.Billing) {
		return fmt.Errorf("the key belongs to %s", *who.Arn)
	}
	return readAs(j.World, id, secret, arn)
}

// readAs reads a secret with a key and nothing else.
func readAs(w *world.World, id, secret, arn string) error {
	cfg := w.AWSConfig()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	_, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
	return err
}
