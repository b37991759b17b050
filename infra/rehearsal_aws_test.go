package infra

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// run performs a command of the CLI in an account, and returns what it prints.
func (b *rehearsal) run(account string, c call) (string, error) {
	name, stack := c.flags["function-name"], c.flags["stack-name"]
	switch c.op {
	case "fill in":
		for _, file := range c.rest {
			if err := b.fill(filepath.Join(c.dir, file)); err != nil {
				return "", err
			}
		}
		return "", nil
	case "sts get-caller-identity":
		return account + "\n", nil
	case "secretsmanager create-secret":
		out, err := b.secrets.CreateSecret(b.t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(c.flags["name"]), SecretString: aws.String(c.flags["secret-string"])})
		if err != nil {
			return "", err
		}
		return *out.ARN + "\n", nil
	case "secretsmanager put-secret-value":
		_, err := b.secrets.PutSecretValue(b.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(c.flags["secret-id"]), SecretString: aws.String(c.flags["secret-string"])})
		return "", err
	case "s3api head-object":
		if b.buckets["s3://"+c.flags["bucket"]+"/"+c.flags["key"]] == nil {
			return "", errors.New("Not Found")
		}
		return "{}\n", nil
	case "s3 cp":
		content, err := os.ReadFile(c.rest[0])
		b.buckets[c.rest[1]] = content
		return "", err
	case "cloudformation deploy":
		return "", b.deploy(account, stack, c)
	case "cloudformation describe-stacks":
		return b.url + "/\n", nil
	case "cloudformation list-stack-instances":
		return "[]\n", nil
	case "cloudformation delete-stack":
		delete(b.stacks, stack)
		return "", nil
	case "lambda invoke":
		return b.invoke(name, c)
	case "lambda update-function-configuration":
		b.functions[name].Recycle()
		return "{}\n", nil
	case "lambda wait":
		return "", nil
	case "lambda put-function-concurrency":
		b.reserved[name] = c.flags["reserved-concurrent-executions"]
		return "{}\n", nil
	case "scheduler get-schedule":
		return `{"Name":"` + c.flags["name"] + `","GroupName":"` + c.flags["group-name"] + `"}` + "\n", nil
	case "scheduler update-schedule":
		if c.flags["state"] == "DISABLED" && strings.Contains(c.flags["cli-input-json"], `"GroupName":"keyturn"`) {
			b.disabled++
		}
		return "{}\n", nil
	case "sqs get-queue-url":
		return c.flags["queue-name"] + "\n", nil
	case "sqs receive-message":
		out := ""
		for _, m := range b.queues[c.flags["queue-url"]].Messages() {
			out += m.Body + "\n"
		}
		return out, nil
	case "sqs purge-queue":
		b.take(c.flags["queue-url"], func(string) {})
		return "", nil
	case "sqs start-message-move-task":
		arn := c.flags["source-arn"]
		if arn != "arn:aws:sqs:"+world.Region+":"+account+":keyturn-accounts-failed" {
			return "", fmt.Errorf("%s is no queue of dead letters", arn)
		}
		b.take("keyturn-accounts-failed", func(body string) { b.queues["keyturn-accounts"].Put(body) })
		return "{}\n", nil
	}
	return "", fmt.Errorf("this stand-in has no %s", c.op)
}

func (b *rehearsal) take(queue string, f func(body string)) {
	for _, m := range b.queues[queue].Take(100) {
		f(m.Body)
		b.queues[queue].Done(m.Receipt)
	}
}

// invoke invokes a function and writes its answer into the file that the command names.
func (b *rehearsal) invoke(name string, c call) (string, error) {
	f := b.functions[name]
	switch {
	case f == nil || len(c.rest) != 1:
		return "", fmt.Errorf("Function not found: %s, or no file: %v", name, c.rest) //nolint:staticcheck // as AWS says it
	case b.reserved[name] == "0":
		return "", fmt.Errorf("TooManyRequestsException: %s", name)
	}
	r, err := f.Invoke(b.t.Context(), []byte(c.flags["payload"]))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("{\"StatusCode\":200,\"FunctionError\":%q}\n", r.FunctionError), os.WriteFile(filepath.Join(c.dir, c.rest[0]), r.Payload, 0o600)
}
