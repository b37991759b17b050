package fleet

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// summaries are the run's summaries in the channel.
func (s *stage) summaries() (out []string) {
	for _, m := range s.Slack.Messages(world.Channel) {
		if strings.Contains(strings.ToLower(m.Text), "scan") {
			out = append(out, m.Text)
		}
	}
	return out
}

// A run whose messages were lost is closed by the next one, which says which accounts were not scanned.
func TestLostMessagesAreSaid(t *testing.T) {
	s := newStage(t, plan{})
	if o := s.fire(`{"task":"scan","run":"first"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	lost := 0
	for _, m := range s.accounts.Take(10) {
		if strings.Contains(m.Body, world.Prod) {
			s.accounts.Done(m.Receipt)
			lost++
			continue
		}
		s.accounts.Return(m.Receipt)
	}
	if lost != 1 {
		t.Fatalf("%d messages were lost", lost)
	}
	s.pump()
	if n := s.summaries(); len(n) != 0 {
		t.Errorf("a run that is not over was summed up: %q", n)
	}
	// A scan by hand an hour later does not give the first one up.
	s.Clock.Advance(time.Hour)
	s.writeClock(filepath.Dir(s.clockFile))
	if o := s.fire(`{"task":"scan","run":"by-hand"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	s.pump()
	if n := s.summaries(); len(n) != 1 {
		t.Errorf("%d summaries: %q", len(n), n)
	}
	s.Clock.Advance(rotation.Day)
	s.writeClock(filepath.Dir(s.clockFile))
	if o := s.fire(`{"task":"scan","run":"second"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	s.pump()
	if n := s.summaries(); len(n) != 3 {
		t.Errorf("%d summaries: %q", len(n), n)
	}
	named := false
	for _, m := range s.Slack.Messages(world.Channel) {
		named = named || strings.Contains(string(m.RawBlocks), world.Prod) && strings.Contains(string(m.RawBlocks), "did not end")
	}
	if !named {
		t.Error("nobody says that the scan of the account did not end")
	}
	if r, ok := s.find(s.hero()); !ok || r.Untold() {
		t.Errorf("found %v, untold %v", ok, r.Untold())
	}
}

// The schedule may fire twice, or be tried again: it is one run, with one summary.
func TestScheduleFiresTwice(t *testing.T) {
	s := newStage(t, plan{})
	if o := s.fire(`{"task":"scan","run":"the-same"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	sent := s.accounts.Messages()
	s.pump()
	for _, m := range sent { // a second copy of each, as the same schedule sends them
		s.accounts.Put(m.Body)
	}
	s.pump()
	if o := s.fire(`{"task":"scan","run":"the-same"}`); o.Failed {
		t.Fatal("the scan failed")
	}
	s.pump()
	if n := s.summaries(); len(n) != 1 {
		t.Errorf("%d summaries: %q", len(n), n)
	}
	notices := 0
	for _, m := range s.Slack.Messages(world.Owner) {
		if strings.Contains(string(m.RawBlocks), s.hero()) {
			notices++
		}
	}
	if notices != 1 {
		t.Errorf("%d notices to the owner", notices)
	}
	mails := map[string]int{}
	for _, m := range s.AWS.Mails() {
		mails[strings.Join(m.To, " ")+" "+m.Subject]++
	}
	for mail, n := range mails {
		if n > 1 {
			t.Errorf("%d times: %s", n, mail)
		}
	}
}

// A message of a run that the table does not know scans nothing, and ends where a person finds it.
func TestMessageOfAnUnknownRun(t *testing.T) {
	s := newStage(t, plan{})
	s.accounts.Put(`{"run":"of another table","part":0,"account":{"ID":"` + world.Prod + `","Name":"acme-prod","State":"ACTIVE"}}`)
	for range receives(t) {
		s.pump()
	}
	if n := len(s.dead.Messages()); n != 1 {
		t.Errorf("%d messages in the dead-letter queue", n)
	}
	if _, ok := s.find(s.hero()); ok || len(s.AWS.Mails()) > 0 || !strings.Contains(s.logs.String(), `"UnknownRecords":1`) {
		t.Errorf("scanned %v, %d mails", ok, len(s.AWS.Mails()))
	}
}

// What a person asks for is opened at once, and not by the next scan.
func TestRequestIsServedAtOnce(t *testing.T) {
	s := newStage(t, plan{seed: (*world.World).Seed})
	s.scan()
	key := s.AWS.Keys(world.Prod, "service-01")[0].ID
	if _, ok := s.find(key); ok {
		t.Fatal("a young key has a rotation")
	}
	s.command(s.Slack.As(world.OnCall), "/keys rotate service-01@"+world.Prod+" because it is time")
	if r, ok := s.find(key); !ok || r.State != rotation.Awaiting || r.Untold() || r.RequestedBy.ID != world.OnCall {
		t.Errorf("found %v: %s, untold %v, by %s\n%s", ok, r.State, r.Untold(), r.RequestedBy, s.logs.tail())
	}
}

// doctor says what is wrong outside, and how to mend it.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name, check string
		harm        func(*stage)
		says, mend  string
	}{
		{"no stream", "store", func(s *stage) { s.AWS.SetStream(s.table, "") }, "stream", "deploy the stack"},
		{"a stream of keys", "store", func(s *stage) { s.AWS.SetStream(s.table, "KEYS_ONLY") }, "NEW_IMAGE", "deploy the stack"},
		{"no queue", "queue of accounts", func(s *stage) { s.AWS.RemoveQueue(central, "keyturn-accounts") }, "queue", "KEYTURN_QUEUE_URL"},
		{"no role", "account " + world.Prod, func(s *stage) { s.AWS.RemoveRole(world.Prod, "keyturn-member-read") }, "keyturn-member-read", "create the role"},
		{"no address", "mail", func(s *stage) { s.AWS.AddIdentity(central, world.From, false) }, "not verified", "verify the address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, plan{})
			tc.harm(s)
			found := false
			for _, c := range s.examine(s.scheduler) {
				if strings.HasPrefix(c.Name, tc.check) && !c.OK {
					found = strings.Contains(c.Text, tc.says) && strings.Contains(c.Mend, tc.mend)
					if !found {
						t.Errorf("%s: %s; %s", c.Name, c.Text, c.Mend)
					}
				}
			}
			if !found {
				t.Error("doctor found nothing wrong")
			}
		})
	}
}

// A table that somebody emptied, or a second region: tagged pairs wait for a person, and no key is touched.
func TestEmptyTable(t *testing.T) {
	s := newStage(t, plan{})
	old := s.hero()
	s.scan()
	s.command(s.Slack.As(world.OnCall), "/keys approve "+old)
	if len(s.AWS.Keys(world.Prod, world.Billing)) != 2 {
		t.Fatal("no new key")
	}
	s.empty()
	s.Clock.Advance(rotation.Day)
	s.writeClock(filepath.Dir(s.clockFile))
	s.scan()
	r, ok := s.find(old)
	if !ok || r.Stuck == nil || r.Reason != rotation.UnaccountedPair {
		t.Fatalf("found %v: %s %s\n%s", ok, r.State, r.Reason, s.logs.tail())
	}
	for range 5 {
		s.until(s.Clock.Now().Add(10 * rotation.Day))
	}
	for _, k := range s.AWS.Keys(world.Prod, world.Billing) {
		if k.Inactive {
			t.Errorf("key %s was deactivated by a keyturn that knows nothing of it", k.ID)
		}
	}
}

// A scan for which the time of the function is never enough goes on in a bounded number of invocations, and then counts as
// failed: it neither goes round for ever nor keeps the run open.
func TestScanThatComesToNoEnd(t *testing.T) {
	s := newStage(t, plan{limit: func(role string, o *lambdaemu.Options) {
		if role == "scheduler" {
			o.Timeout = 10 * time.Second // less than a scan keeps to save what it saw
		}
	}})
	s.scan()
	if n := s.scheduler.Stats().Invocations; n < 20 || n > 100 {
		t.Errorf("%d invocations", n)
	}
	if len(s.accounts.Messages())+len(s.dead.Messages()) > 0 {
		t.Error("messages are left")
	}
	if n := s.summaries(); len(n) != 1 {
		t.Errorf("%d summaries: %q", len(n), n)
	}
	if l := s.logs.String(); !strings.Contains(l, "comes to no end") || !strings.Contains(l, `"ScanFailures":1`) {
		t.Error("no line and no figure says so")
	}
}

// A run that cannot be read any more stops no later one.
func TestUnreadableRunStopsNoOther(t *testing.T) {
	s := newStage(t, plan{})
	if err := s.store.BeginRun(t.Context(), "unreadable", []byte("no head"), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.store.SetState(t.Context(), "open_runs", "unreadable"); err != nil {
		t.Fatal(err)
	}
	s.scan()
	if _, ok := s.notice(world.Owner, s.hero()); !ok || len(s.summaries()) != 1 {
		t.Errorf("notice %v, summaries %q", ok, s.summaries())
	}
}
