package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/infra/template"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store/dynamo"
)

// central is the account where keyturn runs: an ordinary member of the organization.
const (
	central = "500000000005"
	org     = "o-emulated00"
)

// stage is the organization with keyturn deployed in it: the roles, table, queues, functions and event source mappings that
// the templates describe. Nothing moves unless a test says so: a schedule fires, a queue or a stream is polled.
type stage struct {
	*world.World
	t     testing.TB
	table string
	store *dynamo.Store // a look at the table that passes by the emulator's policies
	logs  *logs

	bot, scheduler, rotator *lambdaemu.Function
	accounts, dead          *awsemu.QueueHandle
	queue                   *lambdaemu.QueueMapping
	rotations, requests     *lambdaemu.StreamMapping
	given                   []json.RawMessage // what the streams gave up
	read                    int               // records of the stream that were offered
	clockFile               string
	keys                    map[string]string // KMS keys by account
}

// plan is how a stage differs from the usual one.
type plan struct {
	at      time.Time // zero: world.Start
	seed    func(*world.World)
	binary  string // zero: the test binary itself, whose clock stands in a file
	env     func(role string) []string
	config  func(*stage, string) string
	rotator func(*lambdaemu.StreamOptions)
	queue   func(*lambdaemu.QueueOptions)
	limit   func(role string, o *lambdaemu.Options)
	params  func(s *stage, file, account string, params map[string]string) // of the templates
}

// logs is what the functions logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logs) tail() string {
	s := l.String()
	return s[max(0, len(s)-8000):]
}

// server is one dynalite for all tests of the package, with a table for each stage.
var server = sync.OnceValues(func() (*dynalite.Server, error) { return dynalite.Start(context.Background()) })

var tables struct {
	sync.Mutex
	n int
}

func newStage(t testing.TB, p plan) *stage {
	t.Helper()
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if !p.at.IsZero() {
		w.Clock.Advance(p.at.Sub(w.Clock.Now()))
	}
	if p.seed == nil {
		p.seed = (*world.World).SeedHero
	}
	p.seed(w)
	db, err := server()
	if err != nil {
		t.Fatal(err)
	}
	tables.Lock()
	tables.n++
	s := &stage{World: w, t: t, table: fmt.Sprintf("keyturn-%d", tables.n), logs: &logs{}}
	tables.Unlock()
	s.makeTable(db.URL())
	s.deploy(p)
	s.functions(p)
	s.mappings(p)
	return s
}

// makeTable makes the table on the server behind the emulator.
func (s *stage) makeTable(url string) {
	s.t.Helper()
	client := s.raw()
	if _, err := client.CreateTable(s.t.Context(), dynamo.Schema(s.table)); err != nil {
		s.t.Fatal(err)
	}
	s.store = dynamo.New(dynamo.Options{Client: client, Table: s.table})
	s.AWS.SetDynamoDB(awsemu.DynamoDB{URL: url, Account: central})
	s.AWS.SetStream(s.table, "NEW_IMAGE")
}

// raw is the table without anybody before it.
func (s *stage) raw() *dynamodb.Client {
	s.t.Helper()
	db, err := server()
	if err != nil {
		s.t.Fatal(err)
	}
	url := db.URL()
	return dynamodb.New(dynamodb.Options{BaseEndpoint: &url, Region: world.Region, Credentials: credentials.NewStaticCredentialsProvider("AKIDTABLE", "none", "")})
}

// empty takes everything out of the table, as if another region began.
func (s *stage) empty() {
	s.t.Helper()
	raw := s.raw()
	all, err := raw.Scan(s.t.Context(), &dynamodb.ScanInput{TableName: &s.table})
	if err != nil || len(all.LastEvaluatedKey) > 0 {
		s.t.Fatalf("%v, or more than a page", err)
	}
	for _, it := range all.Items {
		key := map[string]types.AttributeValue{"pk": it["pk"], "sk": it["sk"]}
		if _, err := raw.DeleteItem(s.t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: key}); err != nil {
			s.t.Fatal(err)
		}
	}
}

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

// pump lets everything that was sent arrive: messages of the queue, records of the stream, until nothing moves any more.
func (s *stage) pump() {
	s.t.Helper()
	for moved := true; moved; {
		moved = false
		for _, r := range s.AWS.StreamRecords(s.table, s.read) {
			s.read = r.Sequence
			if err := s.rotations.Offer(r.JSON); err != nil {
				s.t.Fatal(err)
			}
			if err := s.requests.Offer(r.JSON); err != nil {
				s.t.Fatal(err)
			}
			moved = true
		}
		for _, poll := range []func(context.Context) (int, error){s.queue.Poll, s.rotations.Drain, s.requests.Drain} {
			n, err := poll(s.t.Context())
			if err != nil {
				s.t.Fatalf("%v\n%s", err, s.logs.tail())
			}
			moved = moved || n > 0
		}
	}
}

// fire is one occurrence of a schedule.
func (s *stage) fire(payload string) lambdaemu.Outcome {
	s.t.Helper()
	sched := lambdaemu.Schedule{ARN: "arn:aws:scheduler:" + world.Region + ":" + central + ":schedule/default/keyturn", TargetARN: s.scheduler.ARN(), Async: &lambdaemu.Async{Target: s.scheduler, Retries: 2}}
	o, err := sched.Fire(s.t.Context(), []byte(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// scan is a whole run: the schedule, the accounts, the notices.
func (s *stage) scan() {
	s.t.Helper()
	if o := s.fire(fmt.Sprintf(`{"task":"scan","run":%q}`, s.Clock.Now().UTC().Format(time.RFC3339))); o.Failed {
		s.t.Fatalf("the scan failed: %s\n%s", o.Attempts[0].Payload, s.logs.tail())
	}
	s.pump()
}

// tick is the other schedule.
func (s *stage) tick() {
	s.t.Helper()
	if o := s.fire(`{"task":"tick"}`); o.Failed {
		s.t.Fatalf("the tick failed: %s\n%s", o.Attempts[0].Payload, s.logs.tail())
	}
	s.pump()
}

// find reads the rotation of a key.
func (s *stage) find(key string) (rotation.Rotation, bool) {
	r, err := s.store.RotationByKey(context.Background(), rotation.KeyID(key))
	return r, err == nil
}

// hero is the key of the story.
func (s *stage) hero() string { return s.AWS.Keys(world.Prod, world.Billing)[0].ID }

// notice is the newest message to the owner with a button to approve a key.
func (s *stage) notice(who, key string) (slackemu.Message, bool) {
	ms := s.Slack.Messages(who)
	for i := len(ms) - 1; i >= 0; i-- {
		if b := string(ms[i].RawBlocks); strings.Contains(b, `"approve"`) && strings.Contains(b, key) {
			return ms[i], true
		}
	}
	return slackemu.Message{}, false
}

// until moves the clock forward to at, never back, and ticks.
func (s *stage) until(at time.Time) {
	s.t.Helper()
	if d := at.Sub(s.Clock.Now()); d > 0 {
		s.Clock.Advance(d + time.Second)
	}
	s.writeClock(filepath.Dir(s.clockFile))
	s.tick()
}

func (s *stage) writeClock(dir string) {
	path := filepath.Join(dir, "clock")
	if err := os.WriteFile(path+".new", []byte(fmt.Sprint(s.Clock.Now().Unix())), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.t.Fatal(err)
	}
}
