package slackapi

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

const (
	token = "xoxb-secret-of-the-test"
	ann   = "U0ANN"
	keys  = "C0KEYS"
)

// ledger keeps what the client waited for and logged. Its pauses pass on its own clock alone.
type ledger struct {
	mu    sync.Mutex
	waits []time.Duration
	log   bytes.Buffer
	onBy  time.Duration // of now
}

func (l *ledger) wait(ctx context.Context, d time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = append(l.waits, d)
	l.onBy += d
	return ctx.Err()
}

func (l *ledger) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(b)
}

func (l *ledger) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC).Add(l.onBy)
}

func (l *ledger) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onBy += d
}

func (l *ledger) options(api string) Options {
	return Options{
		Token: token, APIURL: api, HTTP: &http.Client{Timeout: 300 * time.Millisecond}, Now: l.now, Wait: l.wait,
		Log: slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// start runs the emulated Slack and a client of it. At the end no token is in the log.
func start(t *testing.T, change ...func(*Options)) (*slackemu.Server, *Client, *ledger) {
	t.Helper()
	emu := slackemu.New(slackemu.Options{Token: token, SigningSecret: "s"})
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emu.Close(); err != nil {
			t.Error(err)
		}
	})
	emu.AddUser(slackemu.User{ID: ann, Name: "ann", RealName: "Ann Example", Email: "Ann@example.com"})
	emu.AddUser(slackemu.User{ID: "U0GONE", Name: "gone", Email: "gone@example.com", Deleted: true})
	emu.AddUser(slackemu.User{ID: "U0BOT", Name: "robot", Bot: true})
	emu.AddUser(slackemu.User{ID: "U0GUEST", Name: "guest", UltraGuest: true})
	emu.AddUser(slackemu.User{ID: "U0OUT", Name: "out", TeamID: "T0OTHER", Stranger: true})
	emu.AddChannel(keys, "keys", true)
	emu.AddChannel("C0OTHER", "other", false)
	l := &ledger{}
	o := l.options(emu.APIURL())
	for _, f := range change {
		f(&o)
	}
	t.Cleanup(func() { l.clean(t, "the log", l.log.String()) })
	return emu, New(o), l
}

// clean fails if text shows a token or a response_url.
func (l *ledger) clean(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, token) || strings.Contains(text, "/response/") {
		t.Errorf("a secret is in %s: %s", where, text)
	}
}

// answers gets a response_url as the bot does, by a command that somebody types.
func answers(t *testing.T, emu *slackemu.Server) string {
	t.Helper()
	got := ""
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.FormValue("response_url") }))
	defer h.Close()
	emu.SetBotURL(h.URL)
	if r := emu.As(ann).Command("help"); r.Err != nil || got == "" {
		t.Fatalf("response_url %q, %v", got, r.Err)
	}
	return got
}

var blocks = []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "hello", false, false), nil, nil)}

// call is one method of the client.
type call struct {
	method string
	once   bool // what it says must not be said twice
	do     func(ctx context.Context) error
}

// every returns a working call of each method.
func every(t *testing.T, emu *slackemu.Server, c *Client) []call {
	t.Helper()
	ctx := context.Background()
	in, ts, err := c.Post(ctx, keys, "hello", blocks)
	if err != nil {
		t.Fatal(err)
	}
	url := answers(t, emu)
	title := slack.NewTextBlockObject(slack.PlainTextType, "Title", false, false)
	modal := slack.ModalViewRequest{Type: slack.VTModal, Title: title, Close: title, Blocks: slack.Blocks{BlockSet: blocks}}
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
	return []call{
		{"auth.test", false, func(ctx context.Context) error { _, err := c.AuthTest(ctx); return err }},
		{"users.info", false, func(ctx context.Context) error { _, err := c.UserByID(ctx, ann); return err }},
		{"users.lookupByEmail", false, func(ctx context.Context) error { _, err := c.UserByEmail(ctx, "ann@example.com"); return err }},
		{"conversations.open", false, func(ctx context.Context) error { _, err := c.OpenDM(ctx, ann); return err }},
		{"chat.update", false, func(ctx context.Context) error { return c.Update(ctx, in, ts, "hello again", blocks) }},
		{"views.publish", false, func(ctx context.Context) error { return c.PublishHome(ctx, ann, home) }},
		{"chat.postMessage", true, func(ctx context.Context) error { _, _, err := c.Post(ctx, keys, "hello", blocks); return err }},
		{"chat.postEphemeral", true, func(ctx context.Context) error { return c.PostEphemeral(ctx, keys, ann, "hello", blocks) }},
		{"views.open", true, func(ctx context.Context) error { return c.OpenView(ctx, trigger(t, emu), modal) }},
		{"response_url", true, func(ctx context.Context) error { return c.Respond(ctx, url, "hello", blocks, false) }},
	}
}

func trigger(t *testing.T, emu *slackemu.Server) string {
	t.Helper()
	got := ""
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.FormValue("trigger_id") }))
	defer h.Close()
	emu.SetBotURL(h.URL)
	if r := emu.As(ann).Command("help"); r.Err != nil || got == "" {
		t.Fatalf("trigger %q, %v", got, r.Err)
	}
	return got
}

func sum(ds []time.Duration) string { return fmt.Sprint(ds) }
