package slackapi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/notify"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

func TestTypedErrors(t *testing.T) {
	emu, c, _ := start(t)
	modal := slack.ModalViewRequest{Type: slack.VTModal, Title: slack.NewTextBlockObject(slack.PlainTextType, "T", false, false), Blocks: slack.Blocks{BlockSet: blocks}}
	post := func(to string) func(context.Context) error {
		return func(ctx context.Context) error { _, _, err := c.Post(ctx, to, "hello", nil); return err }
	}
	fault := func(code string, do func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			emu.SetFault(slackemu.Fault{Kind: slackemu.FaultError, Code: code, Times: -1})
			defer emu.ClearFaults()
			return do(ctx)
		}
	}
	update := func(ctx context.Context) error { return c.Update(ctx, keys, "1.000000", "hello", nil) }
	tests := []struct {
		name string
		do   func(context.Context) error
		want error
		code string
	}{
		{"nobody has the ID", func(ctx context.Context) error { _, err := c.UserByID(ctx, "U0NOBODY"); return err }, ErrNoUser, "user_not_found"},
		{"nobody has the address", func(ctx context.Context) error { _, err := c.UserByEmail(ctx, "x@example.com"); return err }, ErrNoUser, "users_not_found"},
		{"an empty ID", func(ctx context.Context) error { _, err := c.UserByID(ctx, ""); return err }, ErrNoUser, ""},
		{"an empty address", func(ctx context.Context) error { _, err := c.UserByEmail(ctx, " "); return err }, ErrNoUser, ""},
		{"direct messages with a bot", func(ctx context.Context) error { _, err := c.OpenDM(ctx, "U0BOT"); return err }, ErrNoUser, "cannot_dm_bot"},
		{"direct messages with somebody who left", func(ctx context.Context) error { _, err := c.OpenDM(ctx, "U0GONE"); return err }, ErrNoUser, "user_disabled"},
		{"messages are switched off", fault("messages_tab_disabled", post(keys)), ErrNoUser, "messages_tab_disabled"},
		{"no such channel", post("C0NONE"), ErrNoChannel, "channel_not_found"},
		{"not invited", post("C0OTHER"), ErrNoChannel, "not_in_channel"},
		{"archived", fault("is_archived", post(keys)), ErrNoChannel, "is_archived"},
		{"no such message", update, ErrGone, "message_not_found"},
		{"too old to be changed", fault("edit_window_closed", update), ErrGone, "edit_window_closed"},
		{"somebody else's message", fault("cant_update_message", update), ErrGone, "cant_update_message"},
		{"a closed window", func(ctx context.Context) error { return c.UpdateView(ctx, "V0NONE", modal) }, ErrGone, "not_found"},
		{"a trigger that never was", func(ctx context.Context) error { return c.OpenView(ctx, "1.2.3", modal) }, ErrExpiredTrigger, "invalid_trigger_id"},
		{"a scope is missing", fault("missing_scope", post(keys)), ErrAuth, "missing_scope"},
		{"the token was revoked", fault("token_revoked", post(keys)), ErrAuth, "token_revoked"},
		{"blocks that Slack refuses", func(ctx context.Context) error {
			_, _, err := c.Post(ctx, keys, "", nil)
			return err
		}, nil, "no_text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do(context.Background())
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != tt.code || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v (%s)", err, tt.want, tt.code)
			}
			if !strings.HasPrefix(err.Error(), "slack "+e.Method) {
				t.Errorf("it does not say what was tried: %v", err)
			}
		})
	}
}

func TestScopeIsNamed(t *testing.T) {
	emu := slackemu.New(slackemu.Options{Token: token, Scopes: []string{"chat:write"}})
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = emu.Close() }()
	l := &ledger{}
	c := New(l.options(emu.APIURL()))
	_, err := c.UserByEmail(context.Background(), "ann@example.com")
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "users:read.email") {
		t.Errorf("got %v", err)
	}
}

func TestWrongToken(t *testing.T) {
	emu, _, l := start(t)
	o := l.options(emu.APIURL())
	o.Token = "xoxb-another"
	if _, err := New(o).AuthTest(context.Background()); !errors.Is(err, ErrAuth) {
		t.Errorf("got %v", err)
	}
}

// The notifier decides on these; they are its own.
func TestSentinels(t *testing.T) {
	if ErrNoUser != notify.ErrNoUser || ErrNoChannel != notify.ErrNoChannel || ErrGone != notify.ErrGone {
		t.Error("the notifier would not know these errors")
	}
	for _, err := range []error{ErrNoUser, ErrNoChannel, ErrGone, ErrExpiredTrigger, ErrAuth, ErrRateLimited, ErrUnavailable, ErrForeignURL} {
		if s := err.Error(); unicode.IsUpper(rune(s[0])) || strings.HasSuffix(s, ".") {
			t.Errorf("%q cannot stand within a longer error", s)
		}
	}
}

func TestForeignURL(t *testing.T) {
	emu, c, _ := start(t)
	good := answers(t, emu)
	emu.ResetCounters()
	port := strings.TrimPrefix(emu.URL(), "http://127.0.0.1")
	for _, u := range []string{
		"", "nonsense", "https://example.com/response/1", "http://hooks.slack.com/x", "https://hooks.slack.com.example.com/x",
		"https://hooks.slack.com@example.com/x", "https://user:pw@hooks.slack.com/x", "https://hooks.slack.com:8443/x",
		"//hooks.slack.com/x", "file:///etc/passwd", "https://127.0.0.1" + port + "/response/1", "http://127.0.0.1:1/response/1",
		"http://localhost" + port + "/response/1", "http://user@127.0.0.1" + port + "/response/1", "http://169.254.169.254/latest", "\x00",
	} {
		err := c.Respond(context.Background(), u, "hello", nil, false)
		if !errors.Is(err, ErrForeignURL) {
			t.Errorf("%q: %v", u, err)
		} else if u != "" && strings.Contains(err.Error(), u) {
			t.Errorf("the error shows it: %v", err)
		}
	}
	if n := emu.Counters()["response_url"]; n != 0 {
		t.Fatalf("%d answers went out", n)
	}
	for _, u := range []string{"https://hooks.slack.com/commands/1", "https://hooks.slack-gov.com/actions/1", good} {
		if !c.ours(u) {
			t.Errorf("%q was refused", u)
		}
	}
	if err := c.Respond(context.Background(), good, "hello", blocks, false); err != nil {
		t.Fatal(err)
	}
	if ms := emu.As(ann).WaitEphemeral(1, time.Second); len(ms) != 1 {
		t.Errorf("%d messages arrived", len(ms))
	}
}

func TestResponseURLRunsOut(t *testing.T) {
	emu, c, l := start(t)
	u := answers(t, emu)
	for range 5 {
		if err := c.Respond(context.Background(), u, "hello", nil, false); err != nil {
			t.Fatal(err)
		}
	}
	err := c.Respond(context.Background(), u, "hello", nil, false)
	if !errors.Is(err, ErrGone) {
		t.Fatalf("got %v", err)
	}
	l.clean(t, "the error", err.Error())
}
