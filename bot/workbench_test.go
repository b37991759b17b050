package bot

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// The people of the tests, by what they are.
const (
	owner        = "U0OWNER1"
	accountOwner = "U0ACCT01"
	named        = "U0NAMED1"
	other        = "U0OTHER1" // a full member whom no rule names
	guest        = "U0GUEST1"
	outsider     = "U0OUTSID"
	former       = "U0FORMER"
	robot        = "U0ROBOT1"
	nobody       = "U0NOBODY" // Slack does not know them
)

const (
	team    = "T0ACME"
	secret  = "8f742231b10e8888abcd99yyyzzz85a5"
	account = rotation.AccountID("111122223333")
	oldKey  = rotation.KeyID("AKIAOLDOLDOLDOLD0001")
	newKey  = rotation.KeyID("AKIANEWNEWNEWNEW0002")
	twoKey  = rotation.KeyID("AKIATWOTWOTWOTWO0003")
)

var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func everybody() []approval.Person {
	member := func(id, name, email string) approval.Person {
		return approval.Person{SlackID: id, TeamID: team, Name: name, Email: email, Known: true}
	}
	g, o, f, r := member(guest, "The guest", "guest@acme.example"), member(outsider, "The outsider", "out@other.example"), member(former, "The former one", "former@acme.example"), member(robot, "Robot", "")
	g.Guest, o.Outside, o.TeamID, f.Deleted, r.Bot = true, true, "T0OTHER", true, true
	return []approval.Person{
		member(owner, "The owner", "owner@acme.example"), member(accountOwner, "The account owner", "account@acme.example"),
		member(named, "The named one", "named@acme.example"), member(other, "Somebody else", "other@acme.example"), g, o, f, r,
	}
}

// may are the people whom the rule of the tests lets decide; all others are refused.
var may = []string{owner, accountOwner, named}

// someRules is one rule for everything.
type someRules struct {
	mu      sync.Mutex
	policy  rotation.Policy
	rule    approval.Rule
	nothing bool
}

func (s *someRules) For(approval.Target) (rotation.Policy, approval.Rule, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy, s.rule, !s.nothing
}

// logged keeps what was logged.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// lines returns what was logged since the last time.
func (l *logged) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := strings.Split(strings.TrimSuffix(l.buf.String(), "\n"), "\n")
	l.buf.Reset()
	if out[0] == "" {
		return nil
	}
	return out
}

// bench is a bot with a store and a Slack in memory.
type bench struct {
	t     testing.TB
	bot   *Bot
	store *memStore
	slack *fakeSlack
	rules *someRules
	log   *logged
	woken chan rotation.ID

	mu  sync.Mutex
	now time.Time
}

func newBench(t testing.TB, change ...func(*Options)) *bench {
	e := &bench{t: t, store: newMemStore(), slack: newFakeSlack(everybody()...), log: &logged{}, now: start, woken: make(chan rotation.ID, 10_000)}
	e.rules = &someRules{policy: rotation.DefaultPolicy(), rule: approval.Rule{Name: "policy[0]", Required: 1, AnyOf: []approval.Circle{
		{Kind: approval.Owner}, {Kind: approval.AccountOwner}, {Kind: approval.SlackUser, ID: named}}}}
	e.rules.policy.Rule = e.rules.rule.Name
	o := Options{
		SigningSecret: secret, Store: e.store, Slack: e.slack, Rules: e.rules, Teams: []string{team}, Now: e.clock,
		Wake: func(id rotation.ID) { e.woken <- id }, Log: slog.New(slog.NewTextHandler(e.log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	e.bot = New(o)
	e.bot.ack, e.bot.lookup = time.Minute, time.Minute // what is slow here is the machine
	t.Cleanup(e.bot.Wait)
	return e
}

func (e *bench) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *bench) advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

func sign(ts, body, with string) string {
	h := hmac.New(sha256.New, []byte(with))
	fmt.Fprintf(h, "v0:%s:%s", ts, body)
	return "v0=" + hex.EncodeToString(h.Sum(nil))
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func signedRequest(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	ts := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("X-Slack-Request-Timestamp", ts)
	r.Header.Set("X-Slack-Signature", sign(ts, body, secret))
	return r
}

// send posts a signed body and returns once the bot has answered in full.
func (e *bench) send(path, body string) *httptest.ResponseRecorder {
	w := newRecorder()
	e.bot.ServeHTTP(w, signedRequest(path, body))
	e.bot.Wait()
	return w
}

// says is the answer to a slash command.
func (e *bench) says(user, text string) commandText {
	e.t.Helper()
	w := e.send("/slack/commands", commandForm(user, text))
	var c commandText
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != http.StatusOK {
		e.t.Fatalf("/keys %s by %s: status %d, body %q: %v", text, user, w.Code, w.Body, err)
	}
	if c.Type != slack.ResponseTypeEphemeral || c.Text == "" {
		e.t.Fatalf("/keys %s by %s: %q", text, user, w.Body)
	}
	return c
}

type commandText struct {
	Type   string       `json:"response_type"`
	Text   string       `json:"text"`
	Blocks slack.Blocks `json:"blocks"`
}

func commandForm(user, text string) string {
	return url.Values{"command": {"/keys"}, "user_id": {user}, "team_id": {team}, "text": {text}, "channel_id": {"C0KEYS"}}.Encode()
}

// click is a click on a button of a message in a channel.
type click struct {
	user, action, value string
	ephemeral           bool
	modal               bool // in a window
	home                bool
	menu                bool // an option of the overflow menu
	quiet               bool // without a response_url
}

func (c click) body() string {
	a := map[string]any{"type": "button", "action_id": c.action, "block_id": "b", "value": c.value, "action_ts": "1"}
	if c.menu {
		a = map[string]any{"type": "overflow", "action_id": "more", "block_id": "b", "selected_option": map[string]any{"value": c.action + " " + c.value}}
	}
	p := map[string]any{
		"type": "block_actions", "user": map[string]any{"id": c.user, "team_id": team}, "trigger_id": "trigger-" + c.user, "actions": []any{a},
		"response_url": "https://hooks.slack.com/" + c.user, "channel": map[string]any{"id": "C0KEYS"},
		"container": map[string]any{"type": "message", "channel_id": "C0KEYS", "message_ts": "1.5", "is_ephemeral": c.ephemeral},
	}
	if c.quiet {
		delete(p, "response_url")
	}
	if c.modal || c.home {
		kind := "modal"
		if c.home {
			kind = "home"
		}
		delete(p, "response_url")
		delete(p, "channel")
		p["container"] = map[string]any{"type": "view", "view_id": "V1"}
		p["view"] = map[string]any{"id": "V1", "type": kind}
	}
	return payload(p)
}

func payload(p any) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return url.Values{"payload": {string(b)}}.Encode()
}

// press clicks and returns what was said by it.
func (e *bench) press(c click) []said {
	e.t.Helper()
	if w := e.send("/slack/interactions", c.body()); w.Code != http.StatusOK || w.Body.Len() > 0 {
		e.t.Fatalf("%s by %s: status %d, body %q", c.action, c.user, w.Code, w.Body)
	}
	return e.slack.heard()
}

// filledIn is a filled-in window.
type filledIn struct {
	user, action string
	value        templates.Value
	why, in      string
	until        string
}

func (f filledIn) body() string {
	values := map[string]any{"why": map[string]any{"why": map[string]any{"type": "plain_text_input", "value": f.why}}}
	if f.in != "" {
		values["for"] = map[string]any{"for": map[string]any{"type": "static_select", "selected_option": map[string]any{"value": f.in}}}
	}
	if f.until != "" {
		values["until"] = map[string]any{"until": map[string]any{"type": "datepicker", "selected_date": f.until}}
	}
	return payload(map[string]any{
		"type": "view_submission", "user": map[string]any{"id": f.user, "team_id": team},
		"view": map[string]any{"id": "V1", "type": "modal", "callback_id": f.action, "private_metadata": f.value.Encode(), "state": map[string]any{"values": values}},
	})
}

// submitted is how a window was answered: the errors of its fields, or what took its place.
type submitted struct {
	Errors map[string]string
	Text   string
	Blocks []slack.Block
}

func (e *bench) submit(f filledIn) submitted {
	e.t.Helper()
	return e.answered(e.send("/slack/interactions", f.body()))
}

// answered is how a window was answered.
func (e *bench) answered(w *httptest.ResponseRecorder) submitted {
	e.t.Helper()
	var r slack.ViewSubmissionResponse
	var raw struct {
		View struct {
			Blocks slack.Blocks `json:"blocks"`
		} `json:"view"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		e.t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &raw); err != nil {
		e.t.Fatal(err)
	}
	return submitted{Errors: r.Errors, Text: textOf(raw.View.Blocks.BlockSet), Blocks: raw.View.Blocks.BlockSet}
}

// wants checks that a text has all the parts.
func wants(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// only returns the one thing that was said, by a method.
func only(t testing.TB, all []said, method string) said {
	t.Helper()
	if len(all) != 1 || all[0].Method != method {
		t.Fatalf("said %d things, want one by %s: %+v", len(all), method, all)
	}
	return all[0]
}
