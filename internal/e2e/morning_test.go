package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store"
)

const (
	morningKeys   = 500
	morningOwners = 40
)

func morningOwner(i int) string { return fmt.Sprintf("U0MORNING%02d", i%morningOwners) }

// morning fills the production account with users of 40 owners, whose keys were made within three hours, so many days ago.
func morning(s *stage, keys, days int) {
	for i := range morningOwners {
		s.Slack.AddUser(slackemu.User{ID: morningOwner(i), Name: fmt.Sprintf("owner-%02d", i), RealName: fmt.Sprintf("Owner %d", i), Email: fmt.Sprintf("owner-%02d@acme.example", i), TZ: "Europe/Berlin"})
	}
	now := s.Clock.Now()
	for i := range keys {
		name := fmt.Sprintf("service-%03d", i)
		s.AWS.AddUser(world.Prod, awsemu.User{Name: name, Path: "/", Tags: map[string]string{"owner": fmt.Sprintf("owner-%02d@acme.example", i%morningOwners)}, CreatedAt: now.AddDate(-1, 0, 0)})
		made := now.AddDate(0, 0, -days).Add(time.Duration(i) * 3 * time.Hour / time.Duration(keys))
		s.AWS.AddKey(world.Prod, name, awsemu.Key{Created: made, LastUsed: now.Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: world.Region})
	}
}

// heard counts what was posted to somebody.
func (s *stage) heard(who string) (posted int) { return len(s.Slack.Messages(who)) }

// TestOneMorning: 500 keys of 40 owners become due on one morning, and nobody is flooded: one message for each owner, one mail
// for the owner of the account, and no call that Slack would have refused.
func TestOneMorning(t *testing.T) {
	if raced {
		t.Skip("make test runs the morning without the race detector, for its time")
	}
	for name, tc := range map[string]struct {
		days int
		warn func(s *stage) // people are told that it will come
		come func(s *stage) // until everything is due
	}{
		"found by the first scan": {96, func(*stage) {}, func(s *stage) { s.scan() }},
		"due while the tick runs": {85, func(s *stage) {
			s.scan()
			s.Clock.Advance(5*rotation.Day - 2*time.Hour)
			s.pass(time.Minute)
			for i := range morningOwners {
				if n := s.heard(morningOwner(i)); n != 1 {
					s.tb.Errorf("%s heard %d times of what will come", morningOwner(i), n)
				}
			}
		}, func(s *stage) {
			for range 6 * 4 { // with a tick every quarter of an hour
				s.Clock.Advance(15 * time.Minute)
				s.pass(time.Second)
			}
			s.scan()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			morning(s, morningKeys, tc.days)
			s.Slack.LimitRates(s.hands.Now)
			tc.warn(s)
			before := map[string]int{}
			for i := range morningOwners {
				before[morningOwner(i)] = s.heard(morningOwner(i))
			}
			began, mails := s.hands.Now(), len(s.AWS.Mails())
			tc.come(s)
			took := s.hands.Now().Sub(began)
			due := 0
			page := store.Page{}
			for {
				rs, next, err := s.app.Store.ListRotations(t.Context(), store.Filter{OpenOnly: true}, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rs {
					if r.State == rotation.Awaiting {
						due++
					}
					if r.Untold() {
						t.Errorf("%s: nobody was told of %s", r.UserName, r.State)
					}
				}
				if next == "" {
					break
				}
				page.After = next
			}
			if due != morningKeys {
				t.Fatalf("%d of %d are due", due, morningKeys)
			}
			posted, most, named := 0, 0, 0
			for i := range morningOwners {
				who := morningOwner(i)
				n := s.heard(who) - before[who]
				posted, most = posted+n, max(most, n)
				text := ""
				for _, m := range s.Slack.Messages(who) {
					text += s.Slack.Render(m)
				}
				for k := i; k < morningKeys; k += morningOwners {
					if strings.Contains(text, fmt.Sprintf("service-%03d", k)) {
						named++
					}
				}
			}
			toAccount := len(s.AWS.Mails()) - mails
			t.Logf("%d keys of %d owners: %d messages to owners, at most %d to one, %d in the channel, %d mails; %d keys are named in them; sent within %v on the protocol's clock, with %d calls",
				morningKeys, morningOwners, posted, most, s.heard(world.Channel), toAccount, named, took.Round(time.Second), total(s.Slack.Counters()))
			if posted != morningOwners || most != 1 {
				t.Errorf("%d messages, at most %d to one owner", posted, most)
			}
			if named != morningKeys {
				t.Errorf("%d of %d keys are named", named, morningKeys)
			}
			s.Slack.WithinLimits(t)
		})
	}
}

func total(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
