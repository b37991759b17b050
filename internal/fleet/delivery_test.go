package fleet

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store"
)

// TestDeliveredTwiceAndOutOfOrder hands every record and every account over several times, and those of different rotations in
// any order: it comes to the same as the usual delivery.
func TestDeliveredTwiceAndOutOfOrder(t *testing.T) {
	ends := map[string]string{}
	for _, twice := range []bool{false, true} {
		s := newStage(t, plan{seed: (*world.World).Seed, rotator: func(o *lambdaemu.StreamOptions) {
			if twice {
				o.Duplicates, o.Shuffle = 2, rand.New(rand.NewPCG(1, 2))
			}
		}})
		s.scan()
		if twice {
			s.scan() // the same run once more, then another one with each message of the queue twice
			if o := s.fire(`{"task":"scan","run":"another"}`); o.Failed {
				t.Fatal("the scan failed")
			}
			sent := s.accounts.Messages()
			for _, m := range sent {
				s.accounts.Put(m.Body)
			}
			if len(sent) < 3 {
				t.Fatalf("only %d messages were sent", len(sent))
			}
			s.pump()
		}
		s.approveAll()
		for range 5 {
			s.until(s.Clock.Now().Add(6 * rotation.Day))
			s.approveAll()
		}
		rs, _, err := s.store.ListRotations(t.Context(), store.Filter{}, store.Page{Limit: store.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range rs {
			if r.Untold() || r.Acting != nil {
				t.Errorf("twice %v: %s is untold, or claimed for ever", twice, r.ID)
			}
			all = append(all, fmt.Sprintf("%s %s %s", r.UserName, r.State, r.Outcome))
		}
		end := fmt.Sprintf("%s\nkeys %d", strings.Join(all, "\n"), keysOf(s))
		ends[fmt.Sprint(twice)] = end
		if len(s.given) > 0 || len(s.dead.Messages()) > 0 {
			t.Errorf("twice %v: %d records and %d messages were given up", twice, len(s.given), len(s.dead.Messages()))
		}
	}
	if ends["false"] != ends["true"] {
		t.Errorf("once:\n%s\ntwice:\n%s", ends["false"], ends["true"])
	}
}

func keysOf(s *stage) (n int) {
	for _, user := range []string{world.Billing, world.Unused, world.TwoActive, world.Conflict, world.Leftover, world.NoSlack} {
		n += len(s.AWS.Keys(world.Prod, user))
	}
	return n
}

// TestBurstOfClicks lets twenty people press every button of one notice in the same instant, while no process of the bot is
// running: each gets an answer, and the key has one outcome.
func TestBurstOfClicks(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	m, ok := s.notice(world.Owner, old)
	if !ok {
		t.Fatal("no notice")
	}
	s.bot.Recycle()
	before := s.bot.Stats()
	var all sync.WaitGroup
	results := make([]slackemu.Result, 20)
	for i := range results {
		who := world.Owner
		if i%2 == 1 {
			who = world.OnCall
		}
		all.Go(func() { results[i] = s.Slack.As(who).ClickButton(m, "Approve") })
	}
	all.Wait()
	for i, r := range results {
		if r.Err != nil {
			t.Errorf("click %d: %v", i, r.Err)
		}
	}
	if got := s.bot.Stats(); got.Throttles > before.Throttles || got.Errors > before.Errors || got.Starts == before.Starts {
		t.Errorf("before %+v, then %+v", before, got)
	}
	s.pump()
	r, _ := s.find(old)
	if r.State != rotation.Installing || len(r.Approvals) != 1 || len(s.AWS.Keys(world.Prod, world.Billing)) != 2 {
		t.Errorf("%s with %d approvals and %d keys\n%s", r.State, len(r.Approvals), len(s.AWS.Keys(world.Prod, world.Billing)), s.logs.tail())
	}
}

// TestApprovalIsCheap counts what a click on Approve asks of others before it is acknowledged: two calls of the table and one
// of Slack.
func TestApprovalIsCheap(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	s.command(s.Slack.As(world.Owner), "/keys help") // the environment is warm
	m, _ := s.notice(world.Owner, old)
	s.AWS.ResetCounters()
	slack := map[string]int{}
	var mu sync.Mutex
	s.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
		mu.Lock()
		defer mu.Unlock()
		if c.Phase == slackemu.Before {
			slack[c.Method]++
		}
		return slackemu.Proceed
	})
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	table, others := 0, 0
	for k, n := range s.AWS.Counters() {
		if k.Service == "dynamodb" {
			table += n
		} else {
			others += n
		}
	}
	t.Logf("a click: %d calls of DynamoDB, %d of other services of AWS, of Slack %v", table, others, slack)
	answers := slack["response_url"] // the answer to the person, after the decision was saved
	delete(slack, "response_url")
	if table > 2 || others > 0 || len(slack) > 1 || slack["users.info"] > 1 || answers > 1 {
		t.Errorf("it may take 2 calls of DynamoDB and 1 of Slack, and one answer: %v %v", s.AWS.Counters(), slack)
	}
}

// TestLostAnswers lets DynamoDB, SQS and Slack lose answers: nothing is done twice and nothing is lost.
func TestLostAnswers(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	for _, f := range []awsemu.Fault{
		{Service: "sqs", Operation: "SendMessageBatch", Kind: awsemu.FaultDrop, Nth: 1},
		{Service: "dynamodb", Operation: "PutItem", Kind: awsemu.FaultDrop, Nth: 3, Times: 2},
		{Service: "dynamodb", Operation: "UpdateItem", Kind: awsemu.FaultDrop, Nth: 1},
		{Service: "dynamodb", Operation: "Query", Kind: awsemu.FaultThrottle, Nth: 4, Times: 2},
	} {
		s.AWS.SetFault(f)
	}
	s.scan()
	m, ok := s.notice(world.Owner, old)
	if !ok {
		t.Fatalf("no notice\n%s", s.logs.tail())
	}
	s.AWS.SetFault(awsemu.Fault{Service: "dynamodb", Operation: "PutItem", Kind: awsemu.FaultDrop, Nth: 1, Times: 1})
	if r := s.Slack.As(world.Owner).ClickButton(m, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.pump()
	s.goOn("issued", func() bool { r, _ := s.find(old); return r.State == rotation.Installing && !r.Untold() })
	r, _ := s.find(old)
	if len(r.Approvals) != 1 || len(s.AWS.Keys(world.Prod, world.Billing)) != 2 || len(s.given) > 0 {
		t.Errorf("%d approvals, %d keys, %d records given up", len(r.Approvals), len(s.AWS.Keys(world.Prod, world.Billing)), len(s.given))
	}
}
