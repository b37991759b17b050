package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
	w.Slack.SetAckWithin(time.Minute) // processes are started for clicks: how long that takes is a figure of make bench
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
