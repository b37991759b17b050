package slackemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func newBot(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestSignature(t *testing.T) {
	s, _ := start(t, &bot{event: func(_ http.Header, body []byte) any {
		var e struct{ Challenge string }
		if err := json.Unmarshal(body, &e); err != nil {
			return err.Error()
		}
		return e.Challenge
	}})
	if r := fine(t, s.VerifyURL("c1")); string(r.Body) != "c1" {
		t.Errorf("the challenge came back as %q", r.Body)
	}
	path, header, body := s.LastRequest()
	if path != PathEvents || !bytes.Contains(body, []byte("url_verification")) {
		t.Errorf("the last request went to %s: %s", path, body)
	}
	fine(t, s.SendRaw(path, header, body))
	for name, h := range map[string]http.Header{
		"none":         {"Content-Type": {typeJSON}},
		"other body":   s.SignedHeader(typeJSON, []byte("other"), time.Now()),
		"too old":      s.SignedHeader(typeJSON, body, time.Now().Add(-6*time.Minute)),
		"from tomorow": s.SignedHeader(typeJSON, body, time.Now().Add(24*time.Hour)),
	} {
		if r := s.SendRaw(path, h, body); r.Status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, r.Status)
		}
	}
	// The example of Slack's documentation on verifying requests.
	doc := New(Options{SigningSecret: "8f742231b10e8888abcd99yyyzzz85a5"})
	const docBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	if got := doc.Sign("1531420618", []byte(docBody)); got != "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" {
		t.Errorf("signature %s", got)
	}
}

func TestTriggerExpires(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	c := &clock{now: time.Now()}
	s.real = c.Now
	fine(t, s.As(ann).SendShortcut(t))
	c.Advance(3*time.Second + time.Millisecond)
	_, err := api.OpenView(got.Load().TriggerID, modal(slack.NewDividerBlock()))
	wantCode(t, err, "expired_trigger_id")
}

func TestResponseURL(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	c := &clock{now: time.Now()}
	s.real = c.Now
	if _, _, err := api.PostMessage(ann, slack.MsgOptionText("notice", false), notice()); err != nil {
		t.Fatal(err)
	}
	p := s.As(ann)
	click := func() string {
		fine(t, p.Click(p.Messages()[0], "snooze"))
		return got.Load().ResponseURL
	}
	post := func(u string, m slack.WebhookMessage) error { return slack.PostWebhook(u, &m) }
	u := click()
	for range responseUses {
		if err := post(u, slack.WebhookMessage{Text: "only you"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := post(u, slack.WebhookMessage{Text: "once more"}); !hasStatus(err, http.StatusNotFound) {
		t.Errorf("a sixth use: %v", err)
	}
	whispers := p.WaitEphemeral(responseUses, time.Second)
	if len(whispers) != responseUses || !whispers[0].Ephemeral || whispers[0].For != ann || len(s.As(ben).WaitEphemeral(0, 0)) != 0 {
		t.Errorf("got %+v", whispers)
	}
	if err := post(click(), slack.WebhookMessage{Text: x(40_001)}); !hasStatus(err, http.StatusBadRequest) {
		t.Errorf("too long: %v", err)
	}
	if err := post(click(), slack.WebhookMessage{Text: "to all", ResponseType: slack.ResponseTypeInChannel}); err != nil || len(p.Messages()) != 2 {
		t.Errorf("in the channel: %v", err)
	}
	again := click()
	if err := post(again, slack.WebhookMessage{Text: "replaced", ReplaceOriginal: true}); err != nil {
		t.Fatal(err)
	}
	if m := p.Messages()[0]; m.Text != "replaced" || m.RawBlocks != nil {
		t.Errorf("the original is %+v", m)
	}
	if err := post(again, slack.WebhookMessage{DeleteOriginal: true}); err != nil || len(p.Messages()) != 1 {
		t.Errorf("after deleting: %v, %+v", err, p.Messages())
	}
	c.Advance(30*time.Minute + time.Second)
	if err := post(again, slack.WebhookMessage{Text: "late"}); !hasStatus(err, http.StatusNotFound) {
		t.Errorf("after half an hour: %v", err)
	}
}

func hasStatus(err error, status int) bool {
	var e slack.StatusCodeError
	return errors.As(err, &e) && e.Code == status
}

func TestEphemeral(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	if _, err := api.PostEphemeral(keys, ann, slack.MsgOptionText("psst", false), notice()); err != nil {
		t.Fatal(err)
	}
	m := s.As(ann).WaitEphemeral(1, time.Second)[0]
	if len(s.Messages(keys)) != 0 {
		t.Error("an ephemeral message stands in the channel")
	}
	fine(t, s.As(ann).Click(m, "approve"))
	cb := got.Load()
	if !cb.Container.IsEphemeral || cb.Message.Timestamp != "" {
		t.Errorf("container %+v, message %+v", cb.Container, cb.Message)
	}
	if err := slack.PostWebhook(cb.ResponseURL, &slack.WebhookMessage{Text: "done", ReplaceOriginal: true}); err != nil {
		t.Fatal(err)
	}
	if now := s.As(ann).WaitEphemeral(1, time.Second); len(now) != 1 || now[0].Text != "done" {
		t.Errorf("got %+v", now)
	}
}

func TestRateLimits(t *testing.T) {
	s, api := start(t, &bot{}, func(o *Options) { o.RateLimits = true })
	c := &clock{now: time.Now()}
	s.opt.RateClock = c.Now
	post := func(ch string) error {
		_, _, err := api.PostMessage(ch, slack.MsgOptionText("x", false))
		return err
	}
	for range postBurst {
		if err := post(keys); err != nil {
			t.Fatal(err)
		}
	}
	var limit *slack.RateLimitedError
	if err := post(keys); !errors.As(err, &limit) || limit.RetryAfter < time.Second {
		t.Errorf("beyond a burst: %v", err)
	}
	if err := post(ann); err != nil {
		t.Errorf("another channel: %v", err)
	}
	c.Advance(limit.RetryAfter)
	if err := post(keys); err != nil {
		t.Errorf("after waiting: %v", err)
	}
	for range tier3 {
		if _, _, _, err := api.OpenConversation(openDM(ann)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := api.OpenConversation(openDM(ann)); !errors.As(err, &limit) || limit.RetryAfter != time.Minute {
		t.Errorf("beyond tier 3: %v", err)
	}
}

func TestFaults(t *testing.T) {
	s, api := start(t, &bot{})
	post := func(ctx context.Context, ch string) error {
		_, _, err := api.PostMessageContext(ctx, ch, slack.MsgOptionText("x", false))
		return err
	}
	bg := context.Background()
	t.Run("the nth, n times", func(t *testing.T) {
		s.SetFault(Fault{Method: "chat.postMessage", Nth: 2, Times: 2, Kind: FaultError, Code: "fatal_error"})
		for i, want := range []bool{true, false, false, true} {
			if err := post(bg, keys); (err == nil) != want {
				t.Errorf("call %d: %v", i+1, err)
			}
		}
	})
	s.ClearFaults()
	t.Run("a channel", func(t *testing.T) {
		s.SetFault(Fault{Channel: ann, Times: -1, Kind: FaultRateLimited, RetryAfter: 1500 * time.Millisecond})
		var limit *slack.RateLimitedError
		if err := post(bg, s.DM(ann)); !errors.As(err, &limit) || limit.RetryAfter != 2*time.Second {
			t.Errorf("got %v", err)
		}
		if err := post(bg, keys); err != nil {
			t.Errorf("elsewhere: %v", err)
		}
	})
	s.ClearFaults()
	for _, c := range []struct {
		kind      FaultKind
		performed int
	}{{FaultDrop, 1}, {FaultDropBefore, 0}, {FaultStatus, 0}, {FaultHang, 0}} {
		before := len(s.Messages(keys))
		s.SetFault(Fault{Kind: c.kind})
		ctx, cancel := context.WithTimeout(bg, 100*time.Millisecond)
		err := post(ctx, keys)
		cancel()
		if err == nil || len(s.Messages(keys)) != before+c.performed {
			t.Errorf("kind %d: error %v, %d messages more", c.kind, err, len(s.Messages(keys))-before)
		}
		if c.kind == FaultStatus && !hasStatus(err, http.StatusServiceUnavailable) {
			t.Errorf("got %v", err)
		}
	}
}

func TestHangEndsWithClose(t *testing.T) {
	s := New(Options{Token: testToken})
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Start(); err == nil {
		t.Error("starts twice")
	}
	s.SetFault(Fault{Kind: FaultHang})
	came, ended := make(chan struct{}), make(chan error, 1)
	s.OnCall(func(Call) Action { close(came); return Proceed })
	api := slack.New(testToken, slack.OptionAPIURL(s.APIURL()))
	go func() { _, err := api.AuthTest(); ended <- err }()
	<-came
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("a call that hangs answers")
	}
}

func TestOnCall(t *testing.T) {
	s, api := start(t, &bot{})
	var mu sync.Mutex
	var seen []Call
	abort := Phase(0)
	s.OnCall(func(c Call) Action {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c)
		if c.Phase == abort {
			return Abort
		}
		return Proceed
	})
	post := func() error { _, _, err := api.PostMessage(keys, slack.MsgOptionText("x", false)); return err }
	for _, c := range []struct {
		abort           Phase
		fails           bool
		phases, written int
	}{{0, false, 2, 1}, {Before, true, 1, 1}, {After, true, 2, 2}} {
		mu.Lock()
		seen, abort = nil, c.abort
		mu.Unlock()
		if err := post(); (err != nil) != c.fails {
			t.Errorf("abort %d: %v", c.abort, err)
		}
		mu.Lock()
		if len(seen) != c.phases || seen[0].Method != "chat.postMessage" || seen[0].Seq != seen[len(seen)-1].Seq {
			t.Errorf("abort %d: %+v", c.abort, seen)
		}
		mu.Unlock()
		if n := len(s.Messages(keys)); n != c.written {
			t.Errorf("abort %d: %d messages", c.abort, n)
		}
	}
	s.OnCall(nil)
	if err := post(); err != nil {
		t.Error(err)
	}
	if n := s.Counters()["chat.postMessage"]; n != 4 {
		t.Errorf("%d calls counted", n)
	}
	if s.ResetCounters(); len(s.Counters()) != 0 {
		t.Error("still counted")
	}
}

func TestTrafficFindsSecrets(t *testing.T) {
	s, api := start(t, &bot{command: func(slack.SlashCommand) any { return "answer/42+" }})
	if _, _, err := api.PostMessage(keys, slack.MsgOptionText("wJalr/XUtn+FEMI", false)); err != nil {
		t.Fatal(err)
	}
	fine(t, s.As(ann).Command("typed/me+"))
	for _, want := range []string{"wJalr/XUtn+FEMI", "answer/42+", "typed/me+", url.QueryEscape("typed/me+"), `"ok":true`} {
		found := false
		for _, b := range s.AllTraffic() {
			found = found || strings.Contains(string(b), want)
		}
		if !found {
			t.Errorf("%q is not in the traffic", want)
		}
	}
}

// TestCrowd has fifty people click the same message at the same instant while the bot edits it, over and over.
func TestCrowd(t *testing.T) {
	const people, rounds = 50, 20
	var api *slack.Client
	var clicks atomic.Int64
	s, client := start(t, &bot{interaction: func(cb slack.InteractionCallback) any {
		clicks.Add(1)
		if _, _, _, err := api.UpdateMessage(cb.Channel.ID, cb.Container.MessageTs, slack.MsgOptionText(cb.User.ID, false), notice()); err != nil {
			return err.Error()
		}
		return nil
	}})
	api = client
	if _, _, err := api.PostMessage(keys, slack.MsgOptionText("x", false), notice()); err != nil {
		t.Fatal(err)
	}
	for range rounds {
		m := s.Messages(keys)[0]
		var wg sync.WaitGroup
		gate := make(chan struct{})
		for i := range people {
			p := s.As([]string{ann, ben}[i%2])
			wg.Go(func() {
				<-gate
				if r := p.Click(m, "approve"); r.Err != nil || len(r.Body) > 0 {
					t.Errorf("%v %s", r.Err, r.Body)
				}
			})
		}
		close(gate)
		wg.Wait()
	}
	if n := clicks.Load(); n != people*rounds || s.Messages(keys)[0].Edits != people*rounds {
		t.Errorf("%d clicks, %d edits", n, s.Messages(keys)[0].Edits)
	}
}

func TestTimestamps(t *testing.T) {
	at := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	s, api := start(t, &bot{}, func(o *Options) { o.Now = func() time.Time { return at } })
	before := ""
	for range 3 {
		_, ts, err := api.PostMessage(keys, slack.MsgOptionText("x", false))
		if err != nil || ts <= before || !strings.HasPrefix(ts, "1780300800.") {
			t.Errorf("ts %q after %q: %v", ts, before, err)
		}
		before = ts
	}
	if len(s.As(ann).MessagesIn(keys)) != 3 {
		t.Error("messages are missing")
	}
}
