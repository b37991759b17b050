package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

var update = flag.Bool("update", false, "write the goldens anew")

// talk is a conversation that is written down: what people do, and everything that they see of it.
type talk struct {
	*stage
	t    *testing.T
	out  strings.Builder
	seen map[string]string // what each message showed, by channel and timestamp
	mail int
}

func newTalk(t *testing.T, s *stage) *talk {
	return &talk{stage: s, t: t, seen: map[string]string{}}
}

// people are who takes part, by what the transcript calls them.
var people = []struct{ id, name string }{
	{world.Owner, "the owner"}, {world.AccountOwner, "the account's owner"}, {world.OnCall, "the on-call engineer"}, {world.Second, "the second approver"},
	{world.Newcomer, "a newcomer"}, {world.Guest, "a guest"}, {world.Former, "a former employee"}, {world.Outsider, "somebody of another workspace"},
}

func called(id string) string {
	for _, p := range people {
		if p.id == id {
			return p.name
		}
	}
	return id
}

func (k *talk) write(format string, args ...any) { fmt.Fprintf(&k.out, format, args...) }

// quote writes what somebody sees.
func (k *talk) quote(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		k.write("    │ %s", line)
	}
}

// chapter begins a part of the story.
func (k *talk) chapter(text string) {
	k.write("\n══ %s (%s)\n", text, k.Clock.Now().UTC().Format("Monday 2006-01-02 15:04 UTC"))
}

// says types a command.
func (k *talk) says(who, text string) slackemu.Message {
	k.t.Helper()
	k.write("\n%s: /keys %s\n", called(who), text)
	r := k.Slack.As(who).Command(text)
	if r.Err != nil {
		k.t.Fatalf("%s: /keys %s: %v", called(who), text, r.Err)
	}
	k.app.Drain()
	if r.Ephemeral == nil {
		k.write("    (no answer)\n")
		return slackemu.Message{}
	}
	k.quote(k.Slack.Render(*r.Ephemeral))
	k.news()
	return *r.Ephemeral
}

// clicks presses a button of a message, by its text.
func (k *talk) clicks(who string, m slackemu.Message, button string) {
	k.t.Helper()
	k.write("\n%s presses [%s]\n", called(who), button)
	k.act(who, func(p *slackemu.Person) slackemu.Result { return p.ClickButton(m, button) })
}

// chooses takes an entry of the menu of a message.
func (k *talk) chooses(who string, m slackemu.Message, entry string) {
	k.t.Helper()
	k.write("\n%s chooses %q\n", called(who), entry)
	k.act(who, func(p *slackemu.Person) slackemu.Result { return p.Choose(m, "more", entry) })
}

// act does something and writes down what the person sees of it: an answer, a window, and what is new anywhere.
func (k *talk) act(who string, do func(*slackemu.Person) slackemu.Result) {
	k.t.Helper()
	p := k.Slack.As(who)
	before := len(p.WaitEphemeral(0, 0))
	window := viewID(p)
	r := do(p)
	if r.Err != nil {
		k.t.Fatalf("%s: %v\n%s", called(who), r.Err, k.out.String())
	}
	k.app.Drain()
	for _, m := range p.WaitEphemeral(0, 0)[before:] {
		k.quote(k.Slack.Render(m))
	}
	for _, field := range sortedKeys(r.Errors) {
		k.write("    (beside %s: %s)\n", field, r.Errors[field])
	}
	if v := p.Modal(); v != nil && (viewID(p) != window || r.Action == "update" || r.Action == "push") {
		k.write("    a window:\n")
		k.quote(k.Slack.RenderView(v))
	}
	k.news()
}

func viewID(p *slackemu.Person) string {
	if v := p.Modal(); v != nil {
		return v.ID + v.Hash
	}
	return ""
}

// submits fills the open window in.
func (k *talk) submits(who string, values map[string]any) {
	k.t.Helper()
	var said []string
	for _, f := range sortedKeys(values) {
		said = append(said, fmt.Sprintf("%s: %v", f, values[f]))
	}
	k.write("\n%s fills the window in {%s}\n", called(who), strings.Join(said, ", "))
	k.act(who, func(p *slackemu.Person) slackemu.Result { return p.Submit(values) })
}

// closes closes whatever window is open.
func (k *talk) closes(who string) {
	for p := k.Slack.As(who); p.Modal() != nil; {
		p.CloseModal()
	}
}

// home opens the Home.
func (k *talk) home(who string) {
	k.t.Helper()
	k.write("\n%s opens the Home\n", called(who))
	if r := k.Slack.As(who).OpenHome(); r.Err != nil {
		k.t.Fatal(r.Err)
	}
	k.app.Drain()
	k.quote(k.Slack.RenderView(k.Slack.As(who).Home()))
}

// news writes down every message that is new or changed, and every mail, wherever it is.
func (k *talk) news() {
	places := []string{world.Channel, world.ProdRoom}
	for _, p := range people {
		places = append(places, p.id)
	}
	for _, place := range places {
		for _, m := range k.Slack.Messages(place) {
			id, now := m.Channel+m.TS, k.Slack.Render(m)
			before, known := k.seen[id]
			if known && before == now {
				continue
			}
			k.seen[id] = now
			where := "to " + called(place)
			switch place {
			case world.Channel:
				where = "in the channel"
			case world.ProdRoom:
				where = "in the production channel"
			}
			switch {
			case known:
				where += ", a message is updated"
			case m.ThreadTS != "" && m.ThreadTS != m.TS:
				where += ", in the thread"
			}
			k.write("  %s:\n", where)
			k.quote(now)
		}
	}
	mails := k.AWS.Mails()
	var lines []string // accounts are scanned side by side, so that mails come in any order
	for _, m := range mails[k.mail:] {
		lines = append(lines, fmt.Sprintf("  mail to %s: %s\n", strings.Join(m.To, ", "), m.Subject))
	}
	slices.Sort(lines)
	k.write("%s", strings.Join(lines, ""))
	k.mail = len(mails)
}

// passes lets time go by.
func (k *talk) passes(text string, do func()) {
	k.t.Helper()
	k.write("\n(%s)\n", text)
	do()
	k.news()
}

// latest is the newest message of a place with buttons and with a text in it.
func (k *talk) latest(place, with string) slackemu.Message {
	k.t.Helper()
	ms := k.Slack.Messages(place)
	for _, m := range slices.Backward(ms) {
		if strings.Contains(string(m.RawBlocks), `"actions"`) && strings.Contains(string(m.RawBlocks)+m.Text, with) {
			return m
		}
	}
	k.t.Fatalf("%s has no message with buttons and %q\n%s", called(place), with, k.out.String())
	return slackemu.Message{}
}

// digest is the newest message of a place with a text in it, and with a row for each key.
func (k *talk) digest(place, with string) slackemu.Message {
	k.t.Helper()
	for _, m := range slices.Backward(k.Slack.Messages(place)) {
		if text := string(m.RawBlocks); strings.Contains(text, `"button"`) && strings.Contains(text, with) {
			return m
		}
	}
	k.t.Fatalf("%s has no digest with %q\n%s", called(place), with, k.out.String())
	return slackemu.Message{}
}

// changing are parts of a transcript that are different each time.
var changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{24,64}|took [0-9]+ (second|minute)s?( [0-9]+ seconds?)?`)

// golden compares the transcript with the file of that name.
func (k *talk) golden(name string) {
	k.t.Helper()
	got := changing.ReplaceAllString(k.out.String(), "(something)")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			k.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			k.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		k.t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		k.t.Errorf("the conversation is another one (-update writes it anew):\n%s", diff)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
