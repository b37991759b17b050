package slackemu

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestAuth(t *testing.T) {
	s, api := start(t, &bot{})
	r, err := api.AuthTest()
	if err != nil {
		t.Fatal(err)
	}
	if r.TeamID != testTeam || r.UserID != BotUserID || r.BotID != BotID {
		t.Errorf("got %+v", r)
	}
	if got := r.Header.Get("X-OAuth-Scopes"); got != strings.Join(AllScopes, ",") {
		t.Errorf("scopes %q", got)
	}
	if team, err := api.GetTeamInfo(); err != nil || team.ID != testTeam {
		t.Errorf("team.info: %v, %v", team, err)
	}
	_, err = slack.New("xoxb-wrong", slack.OptionAPIURL(s.APIURL())).AuthTest()
	wantCode(t, err, "invalid_auth")
	_, err = slack.New("", slack.OptionAPIURL(s.APIURL())).AuthTest()
	wantCode(t, err, "not_authed")
}

func TestEmptyOptionsRefuse(t *testing.T) {
	s := New(Options{})
	if a := s.perform("auth.test", "", params{}); a.body["error"] != "not_authed" {
		t.Errorf("without a token: %v", a.body)
	}
	if a := s.perform("auth.test", "x", params{}); a.body["error"] != "invalid_auth" {
		t.Errorf("with some token: %v", a.body)
	}
}

func TestMissingScope(t *testing.T) {
	_, api := start(t, &bot{}, func(o *Options) { o.Scopes = []string{"commands"} })
	calls := map[string]func() error{
		"chat:write":       func() error { _, _, err := api.PostMessage(keys, slack.MsgOptionText("x", false)); return err },
		"im:write":         func() error { _, _, _, err := api.OpenConversation(openDM(ann)); return err },
		"users:read":       func() error { _, err := api.GetUserInfo(ann); return err },
		"users:read.email": func() error { _, err := api.GetUserByEmail("ann@example.com"); return err },
		"usergroups:read":  func() error { _, err := api.GetUserGroupMembers("S0"); return err },
	}
	for scope, call := range calls {
		t.Run(scope, func(t *testing.T) {
			e := wantCode(t, call(), "missing_scope")
			if e.Needed != scope || e.Provided != "commands" {
				t.Errorf("needed %q, provided %q", e.Needed, e.Provided)
			}
		})
	}
}

func openDM(user string) *slack.OpenConversationParameters {
	return &slack.OpenConversationParameters{Users: []string{user}}
}

func TestErrors(t *testing.T) {
	s, api := start(t, &bot{})
	text := slack.MsgOptionText("x", false)
	post := func(ch string, o ...slack.MsgOption) error { _, _, err := api.PostMessage(ch, o...); return err }
	update := func(ch, ts string, o ...slack.MsgOption) error {
		_, _, _, err := api.UpdateMessage(ch, ts, o...)
		return err
	}
	_, ts, err := api.PostMessage(keys, text)
	if err != nil {
		t.Fatal(err)
	}
	said := s.As(ann).Say(keys, "hello")
	view := func(v slack.ModalViewRequest, trigger string) error { _, err := api.OpenView(trigger, v); return err }
	home := func(user, hash string) error {
		_, err := api.PublishView(user, slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}, hash)
		return err
	}
	for _, c := range []struct {
		name, code string
		err        error
	}{
		{"unknown channel", "channel_not_found", post("C0NONE", text)},
		{"not a member", "not_in_channel", post("C0OTHER", text)},
		{"a deleted user", "user_disabled", post("U0GONE", text)},
		{"a bot", "cannot_dm_bot", post("U0BOT", text)},
		{"nothing to say", "no_text", post(keys, slack.MsgOptionText("", false))},
		{"no blocks either", "no_text", post(keys, slack.MsgOptionBlocks([]slack.Block{}...))},
		{"much too long", "msg_too_long", post(keys, slack.MsgOptionText(strings.Repeat("x", 40_001), false))},
		{"update too long", "msg_too_long", update(keys, ts, slack.MsgOptionText(strings.Repeat("x", 4001), false))},
		{"update unknown", "message_not_found", update(keys, "1.000001", text)},
		{"update elsewhere", "channel_not_found", update("C0NONE", ts, text)},
		{"update somebody's", "cant_update_message", update(keys, said.TS, text)},
		{"delete somebody's", "cant_delete_message", func() error { _, _, err := api.DeleteMessage(keys, said.TS); return err }()},
		{"ephemeral to nobody", "user_not_found", func() error { _, err := api.PostEphemeral(keys, "U0NONE", text); return err }()},
		{"open unknown", "user_not_found", func() error { _, _, _, err := api.OpenConversation(openDM("U0NONE")); return err }()},
		{"open deleted", "user_disabled", func() error { _, _, _, err := api.OpenConversation(openDM("U0GONE")); return err }()},
		{"open bot", "cannot_dm_bot", func() error { _, _, _, err := api.OpenConversation(openDM("U0BOT")); return err }()},
		{"info unknown", "user_not_found", func() error { _, err := api.GetUserInfo("U0NONE"); return err }()},
		{"e-mail unknown", "users_not_found", func() error { _, err := api.GetUserByEmail("no@example.com"); return err }()},
		{"e-mail of the deleted", "users_not_found", func() error { _, err := api.GetUserByEmail("gone@example.com"); return err }()},
		{"e-mail of outsiders", "users_not_found", func() error { _, err := api.GetUserByEmail("out@other.example"); return err }()},
		{"unknown group", "no_such_subteam", func() error { _, err := api.GetUserGroupMembers("S0NONE"); return err }()},
		{"unknown trigger", "invalid_trigger_id", view(modal(slack.NewDividerBlock()), "nope")},
		{"unknown view", "not_found", func() error { _, err := api.UpdateView(modal(), "", "", "V0NONE"); return err }()},
		{"home of nobody", "user_not_found", home("U0NONE", "")},
		{"home with a stale hash", "hash_conflict", home(ann, "old")},
		{"permalink of nothing", "message_not_found", func() error {
			_, err := api.GetPermalink(&slack.PermalinkParameters{Channel: keys, Ts: "1.000001"})
			return err
		}()},
	} {
		t.Run(c.name, func(t *testing.T) { wantCode(t, c.err, c.code) })
	}
}

func TestMessages(t *testing.T) {
	s, api := start(t, &bot{})
	section := slack.NewSectionBlock(mrkdwn("hello"), nil, nil)
	ch, ts, err := api.PostMessage(ann, slack.MsgOptionText("hello", false), slack.MsgOptionBlocks(section))
	if err != nil || ch != s.DM(ann) {
		t.Fatalf("posted to %q: %v", ch, err)
	}
	if m := s.Messages(ann); len(m) != 1 || m[0].Text != "hello" || len(m[0].Blocks.BlockSet) != 1 || m[0].Blocks.BlockSet[0].ID() == "" {
		t.Fatalf("got %+v", m)
	}
	_, _, threaded, err := api.PostMessageWithResponse(ch, slack.MsgOptionText("re", false), slack.MsgOptionTS(ts))
	if err != nil || threaded.ThreadTimestamp != ts {
		t.Errorf("in the thread %q: %v", threaded.ThreadTimestamp, err)
	}
	if _, _, _, err := api.UpdateMessage(ch, ts, slack.MsgOptionText("done", false)); err != nil {
		t.Fatal(err)
	}
	m := s.As(ann).Messages()
	if m[0].Text != "done" || m[0].RawBlocks != nil || len(m[0].Blocks.BlockSet) != 0 || m[0].Edits != 1 {
		t.Errorf("an update without blocks takes them away: %+v", m[0])
	}
	if m[1].ThreadTS != ts || m[1].TS <= m[0].TS {
		t.Errorf("the reply is %+v", m[1])
	}
	link, err := api.GetPermalink(&slack.PermalinkParameters{Channel: ch, Ts: ts})
	if err != nil || !strings.Contains(link, ch) {
		t.Errorf("permalink %q: %v", link, err)
	}
	if _, _, err := api.DeleteMessage(ch, ts); err != nil {
		t.Fatal(err)
	}
	if left := s.Messages(ann); len(left) != 1 {
		t.Errorf("left: %+v", left)
	}
	_, _, err = api.PostMessage(ch, slack.MsgOptionText("re", false), slack.MsgOptionTS(ts))
	wantCode(t, err, "thread_not_found")
}

func TestPeople(t *testing.T) {
	s, api := start(t, &bot{})
	u, err := api.GetUserByEmail("ANN@example.com")
	if err != nil || u.ID != ann || u.Profile.Email != "ann@example.com" || u.TZ != "Europe/Berlin" || u.TeamID != testTeam {
		t.Errorf("got %+v, %v", u, err)
	}
	out := must(api.GetUserInfo("U0OUT"))
	if !out.IsStranger || out.TeamID != "T0OTHER" || out.Profile.Email != "" {
		t.Errorf("the outsider is %+v", out)
	}
	if g := must(api.GetUserInfo("U0GUEST")); !g.IsRestricted || !g.IsUltraRestricted {
		t.Errorf("the guest is %+v", g)
	}
	all := must(api.GetUsersContext(context.Background(), slack.GetUsersOptionLimit(3)))
	var ids []string
	for _, u := range all {
		ids = append(ids, u.ID)
	}
	if diff := cmp.Diff([]string{BotUserID, ann, ben, "U0GONE", "U0BOT", "U0OUT", "U0GUEST"}, ids); diff != "" {
		t.Errorf("users.list by pages (-want +got):\n%s", diff)
	}
	if n := s.Counters()["users.list"]; n != 3 {
		t.Errorf("%d calls of users.list", n)
	}
	s.AddGroup("S0SEC", ann, ben)
	if diff := cmp.Diff([]string{ann, ben}, must(api.GetUserGroupMembers("S0SEC"))); diff != "" {
		t.Error(diff)
	}
	c := must(api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: keys}))
	if c.Name != "keys" || !c.IsMember {
		t.Errorf("the channel is %+v", c)
	}
	list, _, err := api.GetConversations(&slack.GetConversationsParameters{})
	if err != nil || len(list) != 2 {
		t.Errorf("conversations.list: %v, %v", list, err)
	}
}

func TestWithoutEmailScope(t *testing.T) {
	_, api := start(t, &bot{}, func(o *Options) { o.Scopes = []string{"users:read", "chat:write", "chat:write.public"} })
	if u := must(api.GetUserInfo(ann)); u.Profile.Email != "" {
		t.Errorf("shows %q", u.Profile.Email)
	}
	if _, _, err := api.PostMessage("C0OTHER", slack.MsgOptionText("x", false)); err != nil {
		t.Errorf("chat:write.public needs no membership: %v", err)
	}
}

func TestNotAnAPI(t *testing.T) {
	s, api := start(t, &bot{})
	resp := must(http.Get(s.URL() + "/elsewhere"))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", resp.StatusCode)
	}
	_, err := api.GetEmoji()
	wantCode(t, err, "unknown_method")
}
