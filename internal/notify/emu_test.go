package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/notify"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/slackapi"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// These tests run the real client against the emulated Slack, which refuses what Slack refuses.

const (
	token = "xoxb-of-the-test"
	keys  = "C0KEYS"
	ann   = "U0ANN"
)

var loadMails = sync.OnceValues(func() (*templates.Mails, error) { return templates.LoadMails("") })

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

type rules struct{}

func (rules) For(approval.Target) (rotation.Policy, approval.Rule, bool) {
	return rotation.DefaultPolicy(), approval.Rule{AnyOf: []approval.Circle{{Kind: approval.Owner}}, Required: 1}, true
}

type postbox struct {
	mu sync.Mutex
	to []string
}

func (p *postbox) Send(_ context.Context, to string, _ templates.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = append(p.to, to)
	return nil
}

type shelf struct {
	mu  sync.Mutex
	all map[rotation.ID]rotation.Rotation
}

func (s *shelf) GetRotation(_ context.Context, id rotation.ID) (rotation.Rotation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.all[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r.Clone(), nil
}

func (s *shelf) SaveRotation(_ context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[r.ID].Version != r.Version {
		return r, store.ErrConflict
	}
	r = r.Clone()
	r.Version++
	s.all[r.ID] = r
	return r, nil
}

type office struct {
	*slackemu.Server
	mail     *postbox
	shelf    *shelf
	notifier *notify.Notifier
}

func newOffice(t *testing.T, o slackemu.Options) *office {
	t.Helper()
	o.Token = token
	emu := slackemu.New(o)
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emu.Close(); err != nil {
			t.Error(err)
		}
	})
	emu.AddUser(slackemu.User{ID: ann, Name: "ann", Email: "ann@example.com"})
	emu.AddUser(slackemu.User{ID: "U0BEN", Name: "ben", Email: "ben@example.com"})
	emu.AddUser(slackemu.User{ID: "U0GUEST", Name: "guest", Email: "guest@example.com", UltraGuest: true})
	emu.AddUser(slackemu.User{ID: "U0LEFT", Name: "left", Email: "left@example.com", Deleted: true})
	emu.AddUser(slackemu.User{ID: "U0BOT", Name: "robot", Bot: true})
	emu.AddUser(slackemu.User{ID: "U0OUT", Name: "out", Email: "out@other.example", TeamID: "T0OTHER"})
	emu.AddChannel(keys, "keys", true)
	mails, err := loadMails()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	of := &office{Server: emu, mail: &postbox{}, shelf: &shelf{all: map[rotation.ID]rotation.Rotation{}}}
	client := slackapi.New(slackapi.Options{
		Token: token, APIURL: emu.APIURL(), Log: log, CacheFor: -1,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	now := func() time.Time { return start }
	of.notifier = notify.New(notify.Options{
		Slack: client, Mail: of.mail, Templates: mails, Rules: rules{}, Store: of.shelf, DefaultChannel: keys,
		Teams: []string{"T0ACME"}, Now: now, Real: now, Log: log,
	})
	return of
}

func opened(t *testing.T, n int, owner string) rotation.Rotation {
	t.Helper()
	k := rotation.Key{ID: rotation.KeyID(fmt.Sprintf("AKIAOLDKEY%08d", n)), Status: rotation.Active, Created: start.Add(-95 * rotation.Day),
		LastUse: rotation.LastUse{Kind: rotation.UseSeen, At: start.Add(-9 * rotation.Day), Service: "s3", Region: "eu-west-1"}}
	u := rotation.User{Account: "111122223333", ID: rotation.UserID(fmt.Sprintf("AIDAUSER%04d", n)), Name: rotation.UserName(fmt.Sprintf("user-%d", n)), Path: "/", Keys: []rotation.Key{k}}
	s := rotation.Subject{User: u, AccountName: "Production", AccountEmail: "prod@example.com", Owner: owner, OwnerTagged: true, Policy: rotation.DefaultPolicy()}
	for _, q := range rotation.Plan(u, s.Policy, nil, false, start) {
		if r, err := rotation.Open(s, q, nil, rotation.System, "", start); err == nil {
			return r
		}
	}
	t.Fatal("nothing to open")
	return rotation.Rotation{}
}

func (of *office) many(t *testing.T, n int, owner string) []rotation.ID {
	t.Helper()
	var ids []rotation.ID
	for range n {
		r, err := of.shelf.SaveRotation(context.Background(), opened(t, len(of.shelf.all)+1, owner))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

// tell tells people and keeps what was told, as the rotator does.
func (of *office) tell(r rotation.Rotation) (rotation.Rotation, error) {
	refs, err := of.notifier.Tell(context.Background(), r)
	if err != nil {
		return r.WithTellFailed(refs, start), err
	}
	return r.WithTold(r.PeopleSeq, refs, start), nil
}

func apply(t *testing.T, r rotation.Rotation, events ...rotation.Event) rotation.Rotation {
	t.Helper()
	for _, e := range events {
		var err error
		if r, err = rotation.Apply(r, e, start); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestSlackWhomWhere(t *testing.T) {
	for _, tt := range []struct {
		owner           string
		direct, channel int
		mails           int
	}{
		{"ann@example.com", 1, 0, 0}, {ann, 1, 0, 0}, {"guest@example.com", 0, 1, 1}, {"U0GUEST", 0, 1, 1}, {"left@example.com", 0, 1, 1},
		{"U0LEFT", 0, 1, 0}, {"U0BOT", 0, 1, 0}, {"U0OUT", 0, 1, 1}, {"nobody@example.com", 0, 1, 1}, {"U0NOBODY", 0, 1, 0},
	} {
		t.Run(tt.owner, func(t *testing.T) {
			of := newOffice(t, slackemu.Options{})
			if _, err := of.tell(opened(t, 1, tt.owner)); err != nil {
				t.Fatal(err)
			}
			if d, c, m := len(of.Messages(ann)), len(of.Messages(keys)), len(of.mail.to); d != tt.direct || c != tt.channel || m != tt.mails {
				t.Errorf("%d direct messages, %d in the channel, %d mails", d, c, m)
			}
			if n := of.Counters()["chat.postMessage"]; n != 1 {
				t.Errorf("%d messages in all", n)
			}
		})
	}
}

func TestSlackUpdatesInPlace(t *testing.T) {
	of := newOffice(t, slackemu.Options{})
	r, err := of.tell(opened(t, 1, "ann@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	r, err = of.tell(apply(t, r, rotation.GotStuck{Seen: "two of them"}))
	if err != nil {
		t.Fatal(err)
	}
	dm, ch := of.Messages(ann), of.Messages(keys)
	if len(dm) != 2 || dm[0].Edits != 1 || len(ch) != 1 {
		t.Fatalf("%d direct messages, %d in the channel", len(dm), len(ch))
	}
	// Somebody deletes the message in the channel: the next news stands there anew.
	if _, _, err := slack.New(token, slack.OptionAPIURL(of.APIURL())).DeleteMessage(keys, ch[0].TS); err != nil {
		t.Fatal(err)
	}
	r, err = of.tell(apply(t, r, rotation.Retry{Actor: rotation.Actor{ID: "U0BEN", Via: rotation.ViaSlack}}, rotation.GotStuck{Seen: "still two"}))
	if err != nil {
		t.Fatal(err)
	}
	if ch := of.Messages(keys); len(ch) != 1 || ch[0].Edits != 0 || !strings.Contains(ch[0].Text, "till two") {
		t.Errorf("the channel shows %+v", ch)
	}
	if len(r.Messages) != 2 {
		t.Errorf("recorded %+v", r.Messages)
	}
}

func TestSlackDigestOfHundred(t *testing.T) {
	of := newOffice(t, slackemu.Options{RateLimits: true})
	ids := append(of.many(t, 100, "ann@example.com"), of.many(t, 100, "nobody@example.com")...)
	if err := of.notifier.Opened(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	if d, c := len(of.Messages(ann)), len(of.Messages(keys)); d != 1 || c != 1 || len(of.mail.to) != 0 {
		t.Fatalf("%d direct messages, %d in the channel, %d mails", d, c, len(of.mail.to))
	}
	if got := of.Messages(keys)[0]; !strings.Contains(string(got.RawBlocks), "100 ") {
		t.Errorf("the digest does not count: %s", got.Text)
	}
	for _, id := range ids {
		if r := of.shelf.all[id]; r.Untold() || r.Telling != nil {
			t.Fatalf("%s: told %d of %d", id, r.ToldSeq, r.PeopleSeq)
		}
	}
}

// Slack posts and does not answer: nothing is posted again at once, and the next try, which cannot know, repeats it once.
func TestSlackPostOfUnknownEffect(t *testing.T) {
	of := newOffice(t, slackemu.Options{})
	of.SetFault(slackemu.Fault{Method: "chat.postMessage", Kind: slackemu.FaultDrop})
	r, err := of.tell(opened(t, 1, "ann@example.com"))
	if !errors.Is(err, slackapi.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if n := len(of.Messages(ann)); n != 1 {
		t.Fatalf("%d messages at once", n)
	}
	for range 3 {
		if r, err = of.tell(r); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(of.Messages(ann)); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestSlackChannelClosed(t *testing.T) {
	of := newOffice(t, slackemu.Options{})
	of.AddChannel(keys, "keys", false)
	r, err := of.tell(apply(t, opened(t, 1, "ann@example.com"), rotation.GotStuck{Seen: "two of them"}))
	if !errors.Is(err, notify.ErrNoChannel) || len(of.Messages(ann)) != 1 {
		t.Fatalf("%d direct messages, %v", len(of.Messages(ann)), err)
	}
	of.AddChannel(keys, "keys", true) // invited
	if _, err := of.tell(r); err != nil {
		t.Fatal(err)
	}
	if d, c := len(of.Messages(ann)), len(of.Messages(keys)); d != 1 || c != 1 {
		t.Errorf("%d direct messages, %d in the channel", d, c)
	}
}

func TestSlackReports(t *testing.T) {
	of := newOffice(t, slackemu.Options{})
	ctx := context.Background()
	if err := of.notifier.RunDone(ctx, scheduler.Summary{Started: start, Ended: start.Add(time.Minute), Accounts: 4}); err != nil {
		t.Error(err)
	}
	r := opened(t, 1, ann)
	rep := scheduler.AccountReport{Account: scheduler.Account{ID: "111122223333", Email: "prod@example.com"}, At: start, Open: []rotation.Rotation{r}}
	for i := range 60 {
		u := rotation.User{Name: rotation.UserName(fmt.Sprintf("user-%d", i)), Keys: []rotation.Key{{ID: r.Old.ID, Created: start}}}
		rep.Findings = append(rep.Findings, scheduler.Finding{User: u, Owner: ann, Policy: r.Policy, Proposal: rotation.Proposal{Act: rotation.ActOpen, Kind: rotation.Rotate, Old: r.Old.ID, Reason: r.Reason}})
	}
	if err := of.notifier.AccountDone(ctx, rep); err != nil {
		t.Error(err)
	}
	if c := len(of.Messages(keys)); c != 2 || strings.Join(of.mail.to, " ") != "prod@example.com ann@example.com" {
		t.Errorf("%d messages in the channel, mails to %v", c, of.mail.to)
	}
}

func TestSlackConcurrently(t *testing.T) {
	of := newOffice(t, slackemu.Options{})
	ids := of.many(t, 12, "ann@example.com")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := of.notifier.Opened(context.Background(), ids); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if r := of.shelf.all[id]; r.Untold() || r.Telling != nil {
			t.Errorf("%s: told %d of %d, claim %v", id, r.ToldSeq, r.PeopleSeq, r.Telling)
		}
	}
	rows := 0
	for _, m := range of.Messages(ann) {
		rows += max(1, strings.Count(string(m.RawBlocks), `"review"`))
	}
	if rows != len(ids) {
		t.Errorf("%d rows and notices for %d rotations", rows, len(ids))
	}
}
