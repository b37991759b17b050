package slackemu

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const (
	testToken  = "xoxb-test"
	testSecret = "signing-secret"
	testTeam   = "T0TEST"
	ann        = "U0ANN"
	ben        = "U0BEN"
	keys       = "C0KEYS"
)

// clock is the real clock of a server under test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bot is a fake app. Its functions return what the bot answers: nil for an empty body, a string for text, or what is
// written as JSON.
type bot struct {
	command     func(slack.SlashCommand) any
	interaction func(slack.InteractionCallback) any
	event       func(http.Header, []byte) any
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := verified(r.Header, body); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	var out any
	switch r.URL.Path {
	case PathCommands:
		out, err = b.onCommand(body)
	case PathInteractions:
		out, err = b.onInteraction(body)
	case PathEvents:
		if b.event != nil {
			out = b.event(r.Header, body)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch o := out.(type) {
	case nil:
	case string:
		_, _ = io.WriteString(w, o)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(o)
	}
}

func verified(h http.Header, body []byte) error {
	v, err := slack.NewSecretsVerifier(h, testSecret)
	if err != nil {
		return err
	}
	if _, err := v.Write(body); err != nil {
		return err
	}
	return v.Ensure()
}

func (b *bot) onCommand(body []byte) (any, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || b.command == nil {
		return nil, err
	}
	return b.command(slack.SlashCommand{
		TeamID: form.Get("team_id"), ChannelID: form.Get("channel_id"), UserID: form.Get("user_id"), Text: form.Get("text"),
		Command: form.Get("command"), TriggerID: form.Get("trigger_id"), ResponseURL: form.Get("response_url"),
		ChannelName: form.Get("channel_name"),
	}), nil
}

func (b *bot) onInteraction(body []byte) (any, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	var cb slack.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &cb); err != nil {
		return nil, err
	}
	if b.interaction == nil {
		return nil, nil
	}
	return b.interaction(cb), nil
}

// start runs a server with two people and a channel, and a bot.
func start(t *testing.T, b *bot, change ...func(*Options)) (*Server, *slack.Client) {
	t.Helper()
	h := httptest.NewServer(b)
	t.Cleanup(h.Close)
	o := Options{Token: testToken, SigningSecret: testSecret, TeamID: testTeam, BotURL: h.URL}
	for _, f := range change {
		f(&o)
	}
	s := New(o)
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.AddUser(User{ID: ann, Name: "ann", RealName: "Ann Example", Email: "ann@example.com", TZ: "Europe/Berlin"})
	s.AddUser(User{ID: ben, Name: "ben", RealName: "Ben Example", Email: "ben@example.com"})
	s.AddUser(User{ID: "U0GONE", Name: "gone", Deleted: true, Email: "gone@example.com"})
	s.AddUser(User{ID: "U0BOT", Name: "robot", Bot: true})
	s.AddUser(User{ID: "U0OUT", Name: "out", RealName: "Out Sider", Email: "out@other.example", TeamID: "T0OTHER", Stranger: true})
	s.AddUser(User{ID: "U0GUEST", Name: "guest", UltraGuest: true})
	s.AddChannel(keys, "keys", true)
	s.AddChannel("C0OTHER", "other", false)
	return s, slack.New(testToken, slack.OptionAPIURL(s.APIURL()))
}

// wantCode checks the error that Slack answered with.
func wantCode(t *testing.T, err error, code string) slack.SlackErrorResponse {
	t.Helper()
	var e slack.SlackErrorResponse
	if !errors.As(err, &e) || e.Err != code {
		t.Fatalf("got the error %v, want %s", err, code)
	}
	return e
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func fine(t *testing.T, r Result) Result {
	t.Helper()
	if r.Err != nil || r.Status != http.StatusOK {
		t.Fatalf("status %d, error %v, body %s", r.Status, r.Err, r.Body)
	}
	return r
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
}

func mrkdwn(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, false)
}

func button(id, value, text string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(id, value, plain(text))
}

func modal(blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("Exempt"), Submit: plain("Save"), Close: plain("Cancel"), CallbackID: "exempt",
		PrivateMetadata: "meta", Blocks: slack.Blocks{BlockSet: blocks},
	}
}
