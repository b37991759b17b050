package slackapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

func TestStanding(t *testing.T) {
	_, c, _ := start(t)
	for id, want := range map[string]approval.Person{
		ann:       {SlackID: ann, TeamID: "T0ACME", Email: "ann@example.com", Known: true, Zone: "UTC"},
		"U0GUEST": {SlackID: "U0GUEST", TeamID: "T0ACME", Known: true, Zone: "UTC", Guest: true},
		"U0BOT":   {SlackID: "U0BOT", TeamID: "T0ACME", Known: true, Zone: "UTC", Bot: true},
		"U0GONE":  {SlackID: "U0GONE", TeamID: "T0ACME", Email: "gone@example.com", Known: true, Zone: "UTC", Deleted: true},
		"U0OUT":   {SlackID: "U0OUT", TeamID: "T0OTHER", Known: true, Zone: "UTC", Outside: true},
	} {
		got, err := c.UserByID(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name == "" {
			t.Errorf("%s has no name", id)
		}
		got.Name = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	if p := personOf(&slack.User{ID: slackbot}); !p.Bot {
		t.Error("Slackbot passes for a person")
	}
}

func TestByEmail(t *testing.T) {
	_, c, _ := start(t)
	p, err := c.UserByEmail(context.Background(), " ANN@example.com ")
	if err != nil || p.SlackID != ann || p.Email != "ann@example.com" {
		t.Errorf("%+v, %v", p, err)
	}
}

// Standing is remembered for minutes: somebody who became a guest, or left, is one soon.
func TestPeopleAreForgotten(t *testing.T) {
	emu, c, l := start(t)
	ctx := context.Background()
	look := func(wantGuest bool, wantCalls int) {
		t.Helper()
		p, err := c.UserByID(ctx, ann)
		if err != nil {
			t.Fatal(err)
		}
		if n := emu.Counters()["users.info"]; p.Guest != wantGuest || n != wantCalls {
			t.Errorf("guest %v after %d calls, want %v after %d", p.Guest, n, wantGuest, wantCalls)
		}
	}
	look(false, 1)
	emu.UpdateUser(slackemu.User{ID: ann, Name: "ann", Guest: true})
	l.pass(defaultCache - time.Second)
	look(false, 1)
	l.pass(time.Second)
	look(true, 2)
	look(true, 2)
}

func TestFailuresAreNotRemembered(t *testing.T) {
	emu, c, _ := start(t)
	ctx := context.Background()
	if _, err := c.UserByEmail(ctx, "new@example.com"); !errors.Is(err, ErrNoUser) {
		t.Fatalf("got %v", err)
	}
	emu.AddUser(slackemu.User{ID: "U0NEW", Name: "new", Email: "new@example.com"})
	if p, err := c.UserByEmail(ctx, "new@example.com"); err != nil || p.SlackID != "U0NEW" {
		t.Errorf("%+v, %v", p, err)
	}
	emu.SetFault(slackemu.Fault{Method: "users.info", Kind: slackemu.FaultError, Code: "fatal_error", Times: 3})
	if p, err := c.UserByID(ctx, ann); !errors.Is(err, ErrUnavailable) || p.Known {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := c.UserByID(ctx, ann); err != nil || !p.Known {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestCacheSwitchedOff(t *testing.T) {
	emu, c, _ := start(t, func(o *Options) { o.CacheFor = -1 })
	for range 2 {
		if _, err := c.UserByID(context.Background(), ann); err != nil {
			t.Fatal(err)
		}
	}
	if n := emu.Counters()["users.info"]; n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	p := newPeople(time.Hour, time.Now)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range mostPeople / 2 {
				p.put(fmt.Sprint(i, j), approval.Person{})
				p.get(fmt.Sprint(i, j))
			}
		})
	}
	wg.Wait()
	if n := len(p.known); n > mostPeople {
		t.Errorf("%d people are remembered", n)
	}
}

func TestIdentityAndChannel(t *testing.T) {
	emu, c, _ := start(t)
	ctx := context.Background()
	id, err := c.AuthTest(ctx)
	if err != nil || id.TeamID != "T0ACME" || id.UserID != slackemu.BotUserID || len(id.Scopes) != len(slackemu.AllScopes) {
		t.Errorf("%+v, %v", id, err)
	}
	if err := c.CheckChannel(ctx, keys); err != nil {
		t.Error(err)
	}
	for _, ch := range []string{"C0OTHER", "C0NONE"} {
		if err := c.CheckChannel(ctx, ch); !errors.Is(err, ErrNoChannel) {
			t.Errorf("%s: %v", ch, err)
		}
	}
	emu.SetFault(slackemu.Fault{Method: "chat.postEphemeral", Kind: slackemu.FaultError, Code: "user_not_in_channel"})
	if err := c.CheckChannel(ctx, keys); !errors.Is(err, ErrNoChannel) {
		t.Errorf("the app is not in the channel: %v", err)
	}
	if n := len(emu.Messages(keys)); n != 0 {
		t.Errorf("%d messages that everybody sees", n)
	}
}
