package infra

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/infra/template"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store/dynamo"
)

// deploy does what CloudFormation would do of a template, as far as the emulators go.
func (b *rehearsal) deploy(account, stack string, c call) error {
	tpl, err := template.Load(c.flags["template-file"])
	if err != nil {
		return err
	}
	params := map[string]string{}
	for _, o := range strings.Split(c.flags["parameter-overrides"], "\n") {
		k, v, _ := strings.Cut(o, "=")
		params[k] = v
	}
	b.stacks[stack] = params
	env := template.Env{Account: account, Region: world.Region, Stack: stack, Params: params, Attributes: map[string]string{}}
	if zipped, main := b.buckets["s3://"+params["CodeBucket"]+"/"+params["CodeKey"]]; main {
		if err := b.db.Table(b.t.Context(), dynamo.Schema("keyturn")); err != nil {
			return err
		}
		b.AWS.SetStream("keyturn", "NEW_IMAGE")
		env.Attributes["Table.StreamArn"] = b.AWS.StreamARN(account, "keyturn")
		rs, err := tpl.Resolve(env)
		if err != nil {
			return err
		}
		if err := b.roles(account, rs); err != nil {
			return err
		}
		return b.start(rs, zipped)
	}
	rs, err := tpl.Resolve(env)
	if err != nil {
		return err
	}
	for _, id := range ofType(rs, "AWS::CloudFormation::StackSet") {
		if err := b.members(rs[id]); err != nil {
			return err
		}
	}
	return b.roles(account, rs)
}

// members deploys the template of a StackSet into every account but the management account.
func (b *rehearsal) members(set template.Resource) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(fmt.Sprint(set.Get("TemplateURL")), "https://"), ".s3."+world.Region+".amazonaws.com/")
	tpl, err := template.Parse("member-role.yaml", b.buckets["s3://"+bucket+"/"+key])
	if err != nil {
		return err
	}
	params := map[string]string{}
	list, _ := set.Get("Parameters").([]any)
	for _, p := range list {
		m, _ := p.(map[string]any)
		params[fmt.Sprint(m["ParameterKey"])] = fmt.Sprint(m["ParameterValue"])
	}
	for _, account := range []string{world.Prod, world.Dev, home} {
		rs, err := tpl.Resolve(template.Env{Account: account, Region: world.Region, Params: params})
		if err != nil {
			return err
		}
		if err := b.roles(account, rs); err != nil {
			return err
		}
	}
	return nil
}

func (b *rehearsal) roles(account string, rs template.Resources) error {
	for _, id := range ofType(rs, "AWS::IAM::Role") {
		name := fmt.Sprint(rs[id].Get("RoleName"))
		policies, err := rs.RolePolicies(id)
		if err != nil {
			return err
		}
		b.AWS.AddRole(account, name, "")
		for i, p := range policies {
			if err := b.AWS.SetRolePolicy(account, name, fmt.Sprint(i), p); err != nil {
				return err
			}
		}
		trust, err := rs.TrustPolicy(id)
		if err != nil {
			return err
		}
		if id == "ScheduleRole" {
			continue // EventBridge Scheduler is no emulator's
		}
		if err := b.AWS.SetRoleTrust(account, name, trust); err != nil {
			return err
		}
	}
	return nil
}

// start makes queues and functions, from the zip that was uploaded.
func (b *rehearsal) start(rs template.Resources, zipped []byte) error {
	task := filepath.Join(b.dir, "task")
	z, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return err
	}
	if err := os.CopyFS(task, z); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(task, "bootstrap"), 0o755); err != nil { // CopyFS keeps it from being written, not from being run
		return err
	}
	for _, id := range []string{"AccountsDeadLetters", "StreamFailures", "ScheduleFailures", "AccountsQueue"} {
		q := awsemu.Queue{Name: fmt.Sprint(rs[id].Get("QueueName"))}
		if id == "AccountsQueue" {
			q.MaxReceives, q.DeadLetter, q.VisibilityTimeout = number(rs[id].Get("RedrivePolicy", "maxReceiveCount")), "keyturn-accounts-failed", time.Hour
		}
		b.queues[q.Name] = b.AWS.AddQueue(home, q)
	}
	accounts := b.queues["keyturn-accounts"]
	for _, id := range ofType(rs, "AWS::Lambda::Function") {
		name := fmt.Sprint(rs[id].Get("FunctionName"))
		env := []string{"AWS_ENDPOINT_URL=" + b.AWS.URL(), "AWS_EC2_METADATA_DISABLED=true"}
		vars, _ := rs[id].Get("Environment", "Variables").(map[string]any)
		for k, v := range vars {
			if k == "KEYTURN_QUEUE_URL" {
				v = accounts.URL()
			}
			env = append(env, fmt.Sprintf("%s=%v", k, v))
		}
		slices.Sort(env)
		f, err := lambdaemu.New(lambdaemu.Options{
			Name: name, Path: filepath.Join(task, "bootstrap"), TaskRoot: task, Env: env, Account: home, Region: world.Region, Log: b.log,
			Timeout: time.Duration(number(rs[id].Get("Timeout"))) * time.Second, MemoryMB: number(rs[id].Get("MemorySize")),
			Credentials: func() lambdaemu.Credentials {
				c, err := b.AWS.RoleCredentials(home, name, name)
				if err != nil {
					b.t.Error(err)
				}
				return lambdaemu.Credentials(c)
			},
		})
		if err != nil {
			return err
		}
		b.functions[name] = f
		b.t.Cleanup(func() { _ = f.Close() })
	}
	slack := httptest.NewServer(b.functions["keyturn-bot"].URL())
	b.t.Cleanup(slack.Close)
	b.url = slack.URL
	b.Slack.SetBotURL(slack.URL)
	b.accounts, err = lambdaemu.NewQueueMapping(lambdaemu.QueueOptions{Target: b.functions["keyturn-scheduler"], Source: queueSource{accounts}, ARN: accounts.ARN(), BatchSize: 1, ReportBatchItemFailures: true})
	return err
}
