package fleet

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/keyturn/keyturn/infra/template"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// deploy sets up what the templates describe in the accounts: roles with their policies, queues, secrets.
func (s *stage) deploy(p plan) {
	s.t.Helper()
	a := s.AWS
	resolve := func(file, account string, params map[string]string) template.Resources {
		if p.params != nil {
			p.params(s, file, account, params)
		}
		return s.resolve(file, account, params)
	}
	a.AddAccount(awsemu.Account{ID: central, Name: "acme-security", Email: "security@acme.example", ParentID: "r-acme"})
	a.AddIdentity(central, world.From, true)
	a.PutForeignSecret(central, "keyturn-slack-token", world.Token, nil)
	a.PutForeignSecret(central, "keyturn-slack-signing", world.Signing, nil)
	s.dead = a.AddQueue(central, awsemu.Queue{Name: "keyturn-accounts-failed"})
	s.accounts = a.AddQueue(central, awsemu.Queue{Name: "keyturn-accounts", VisibilityTimeout: time.Hour, MaxReceives: receives(s.t), DeadLetter: "keyturn-accounts-failed"})
	main := resolve("keyturn.yaml", central, map[string]string{
		"CodeBucket": "bucket", "CodeKey": "key", "OrganizationId": org, "ManagementAccountId": world.Management, "TableName": s.table,
		"SlackTokenSecretArn": s.secretARN("keyturn-slack-token"), "SlackSigningSecretArn": s.secretARN("keyturn-slack-signing"),
		"EmailFrom": world.From, "EmailIdentity": world.From,
	})
	for id, name := range map[string]string{"BotRole": "keyturn-bot", "SchedulerRole": "keyturn-scheduler", "RotatorRole": "keyturn-rotator"} {
		s.role(main, id, central, name)
	}
	s.role(resolve("list-accounts-role.yaml", world.Management, s.trusting()), "Role", world.Management, "keyturn-list-accounts")
	for _, acct := range []string{world.Prod, world.Dev, central} {
		params := s.trusting()
		params["SecretsRegion"] = world.Region
		a.AddGroup(acct, "IAMKeyRotationExemptionGroup")
		member := resolve("member-role.yaml", acct, params)
		s.role(member, "ReadRole", acct, "keyturn-member-read")
		s.role(member, "Role", acct, "keyturn-member")
	}
}

func (s *stage) trusting() map[string]string {
	return map[string]string{"CentralAccountId": central, "OrganizationId": org}
}

func (s *stage) secretARN(name string) string {
	info, ok := s.AWS.Secret(central, name)
	if !ok {
		s.t.Fatalf("there is no secret %s", name)
	}
	return info.ARN
}

// folder is where the templates lie, from this package.
const folder = "../../infra"

func (s *stage) resolve(file, account string, params map[string]string) template.Resources {
	s.t.Helper()
	tpl, err := template.Load(filepath.Join(folder, file))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := tpl.Resolve(template.Env{Account: account, Region: world.Region, Params: params, Attributes: attributes})
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// role gives a role of the emulator the policies of one in a template.
func (s *stage) role(res template.Resources, id, account, name string) {
	s.t.Helper()
	if name != world.MemberRole || account == central {
		s.AWS.AddRole(account, name, "")
	}
	policies, err := res.RolePolicies(id)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, p := range policies {
		if err := s.AWS.SetRolePolicy(account, name, fmt.Sprint("policy-", i), p); err != nil {
			s.t.Fatal(err)
		}
	}
	trust, err := res.TrustPolicy(id)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.AWS.SetRoleTrust(account, name, trust); err != nil {
		s.t.Fatal(err)
	}
}

// config is the configuration that lies beside the binary.
func (s *stage) config() string {
	return fmt.Sprintf(`organization:
  management_account: "%s"
  management_role: keyturn-list-accounts
  member_role: keyturn-member
  scan_role: keyturn-member-read
policy:
  - match: {account: "%s"}
    mode: audit
  - mode: approve
    approvers: {any_of: [owner, account_owner, "user:%s"]}
owner_tag: owner
slack:
  token: %s
  signing_secret: %s
  default_channel: %s
  teams: [%s]
  api_url: %s
email: {from: %s}
store: {dynamodb: "env:KEYTURN_TABLE"}
`, world.Management, world.Dev, world.OnCall, s.secretARN("keyturn-slack-token"), s.secretARN("keyturn-slack-signing"),
		world.Channel, world.Team, s.Slack.APIURL(), world.From)
}

// functions makes the three functions of one artifact.
func (s *stage) functions(p plan) {
	s.t.Helper()
	dir := s.t.TempDir()
	text := s.config()
	if p.config != nil {
		text = p.config(s, text)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyturn.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.writeClock(dir)
	binary := p.binary
	if binary == "" {
		binary = self(s.t)
	}
	for role, f := range map[string]**lambdaemu.Function{"bot": &s.bot, "scheduler": &s.scheduler, "rotator": &s.rotator} {
		env := []string{
			"KEYTURN_ROLE=" + role, "KEYTURN_TABLE=" + s.table, "AWS_ENDPOINT_URL=" + s.AWS.URL(), "AWS_EC2_METADATA_DISABLED=true",
			childEnv + "=" + filepath.Join(dir, "clock"),
		}
		if role == "scheduler" {
			env = append(env, "KEYTURN_QUEUE_URL="+s.accounts.URL())
		}
		if p.env != nil {
			env = append(env, p.env(role)...)
		}
		o := lambdaemu.Options{
			Name: "keyturn-" + role, Path: binary, TaskRoot: dir, Env: env, Account: central, Region: world.Region, Log: s.logs,
			Timeout: timeouts(s.t)[role], MemoryMB: 512,
			Credentials: func() lambdaemu.Credentials {
				c, err := s.AWS.RoleCredentials(central, "keyturn-"+role, "keyturn-"+role)
				if err != nil {
					s.t.Error(err)
				}
				return lambdaemu.Credentials(c)
			},
		}
		if p.limit != nil {
			p.limit(role, &o)
		}
		fn, err := lambdaemu.New(o)
		if err != nil {
			s.t.Fatal(err)
		}
		*f = fn
		s.t.Cleanup(func() { _ = fn.Close() })
	}
	url := httptest.NewServer(s.bot.URL())
	s.t.Cleanup(url.Close)
	s.Slack.SetBotURL(url.URL)
	s.clockFile = filepath.Join(dir, "clock")
}

// queueSource lets Lambda take from a queue.
type queueSource struct{ *awsemu.QueueHandle }

func (q queueSource) Take(most int) []lambdaemu.Message {
	var out []lambdaemu.Message
	for _, m := range q.QueueHandle.Take(most) {
		out = append(out, lambdaemu.Message{ID: m.ID, Receipt: m.Receipt, Body: m.Body, Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Receives)}})
	}
	return out
}

func (q queueSource) Done(receipt string)   { q.QueueHandle.Done(receipt) }
func (q queueSource) Return(receipt string) { q.QueueHandle.Return(receipt) }

// mappings makes the event source mappings as the template has them.
func (s *stage) mappings(p plan) {
	s.t.Helper()
	q := lambdaemu.QueueOptions{Target: s.scheduler, Source: queueSource{s.accounts}, ARN: s.accounts.ARN(), BatchSize: 1, MaximumConcurrency: 5, ReportBatchItemFailures: true}
	if p.queue != nil {
		p.queue(&q)
	}
	var err error
	if s.queue, err = lambdaemu.NewQueueMapping(q); err != nil {
		s.t.Fatal(err)
	}
	stream := func(id string, target lambdaemu.Target) lambdaemu.StreamOptions {
		o := mapping(s.t, id)
		o.Target, o.ARN = target, s.AWS.StreamARN(central, s.table)
		o.OnFailure = func(r json.RawMessage) { s.given = append(s.given, r) }
		return o
	}
	ro := stream("RotationsStream", s.rotator)
	if p.rotator != nil {
		p.rotator(&ro)
	}
	if s.rotations, err = lambdaemu.NewStreamMapping(ro); err != nil {
		s.t.Fatal(err)
	}
	if s.requests, err = lambdaemu.NewStreamMapping(stream("RequestsStream", s.scheduler)); err != nil {
		s.t.Fatal(err)
	}
}
