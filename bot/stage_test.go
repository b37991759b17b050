package bot

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/slackapi"
)

// stage is the bot over HTTP, with the real client, between a store in memory and an emulated Slack that refuses what Slack
// refuses.
type stage struct {
	*bench
	emu *slackemu.Server
	api *slackapi.Client
}

const channel = "C0KEYS"

// inTime is shorter than Slack waits for an answer: to such callers the client gives turns that it keeps for them.
const inTime = 2900 * time.Millisecond

func newStage(t *testing.T) *stage {
	t.Helper()
	emu := slackemu.New(slackemu.Options{Token: "xoxb-test", SigningSecret: secret, TeamID: team})
	if _, err := emu.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emu.Close(); err != nil {
			t.Error(err)
		}
	})
	emu.AddChannel(channel, "keys", true)
	for _, p := range everybody() {
		emu.AddUser(slackemu.User{ID: p.SlackID, Name: strings.ToLower(p.Name), RealName: p.Name, Email: p.Email, TeamID: p.TeamID, Guest: p.Guest, Stranger: p.Outside, Bot: p.Bot, Deleted: p.Deleted})
	}
	s := &stage{emu: emu, api: slackapi.New(slackapi.Options{Token: "xoxb-test", APIURL: emu.APIURL(), Log: slog.New(slog.DiscardHandler)})}
	s.bench = newBench(t, func(o *Options) { o.Slack = s.api })
	s.bot.ack, s.bot.lookup = inTime, inTime
	srv := httptest.NewServer(s.bot)
	t.Cleanup(srv.Close)
	emu.SetBotURL(srv.URL)
	return s
}

// post shows a rotation's notice in the channel, as the notifier does.
func (s *stage) post(r rotation.Rotation) slackemu.Message {
	s.t.Helper()
	m := s.bot.notice(r)
	if _, _, err := s.api.Post(s.t.Context(), channel, m.Text, m.Blocks); err != nil {
		s.t.Fatal(err)
	}
	all := s.emu.Messages(channel)
	return all[len(all)-1]
}

func (s *stage) fine(r slackemu.Result) slackemu.Result {
	s.t.Helper()
	if r.Err != nil {
		s.t.Fatalf("status %d: %v, body %s", r.Status, r.Err, r.Body)
	}
	s.bot.Wait()
	return r
}

// whispers are what came to a person alone.
func (s *stage) whispers(user string) []slackemu.Message {
	return s.emu.As(user).WaitEphemeral(0, time.Second)
}

// lastWhisper is the text of the last of n.
func (s *stage) lastWhisper(user string, n int) string {
	s.t.Helper()
	all := s.whispers(user)
	if len(all) != n {
		s.t.Fatalf("%s got %d answers, want %d", user, len(all), n)
	}
	return all[n-1].Text
}

// labels are the texts on what a person clicks for a deed.
var labels = map[string]string{
	"approve": "Approve", "snooze": "Snooze", "reject": "Reject…", "exempt": "Exempt…", "hold": "Hold…", "release": "Release", "confirm": "New key is in use",
	"extend": "More time", "restore": "Restore", "retry": "Retry", "anyway": "Deactivate anyway", "cancel": "Take approval back",
}

// perform clicks on the notice as a person does, and fills in the window if one opens.
func (s *stage) perform(user string, m slackemu.Message, d deed) (text string) {
	s.t.Helper()
	p := s.emu.As(user)
	before := len(s.whispers(user))
	if d.pick != "" {
		s.fine(p.Choose(m, "approve:0", d.value().Encode()))
	} else {
		s.fine(p.ClickButton(m, labels[d.action]))
	}
	if v := p.Modal(); v != nil && v.CallbackID != "" {
		in := map[string]any{}
		for id, given := range map[string]string{"for": d.form.in, "until": d.form.until, "why": d.form.why} {
			if given != "" {
				in[id] = given
			}
		}
		r := s.fine(p.Submit(in))
		for _, e := range r.Errors {
			return e
		}
		return textOf(p.Modal().Blocks.BlockSet)
	}
	return s.lastWhisper(user, before+1)
}
