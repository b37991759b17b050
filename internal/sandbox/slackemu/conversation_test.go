package slackemu

import (
	"testing"

	"github.com/slack-go/slack"
)

func TestThreads(t *testing.T) {
	s, api := start(t, &bot{})
	post := func(ch, thread, text string, more ...slack.MsgOption) (string, error) {
		_, ts, err := api.PostMessage(ch, append(more, slack.MsgOptionText(text, false), slack.MsgOptionTS(thread))...)
		return ts, err
	}
	parent := must(post(keys, "", "parent"))
	reply := must(post(keys, parent, "reply"))
	_, _, resp, err := api.PostMessageWithResponse(keys, slack.MsgOptionText("to all", false), slack.MsgOptionTS(parent), slack.MsgOptionBroadcast())
	if err != nil || resp.SubType != slack.MsgSubTypeThreadBroadcast || resp.ThreadTimestamp != parent {
		t.Errorf("the broadcast is %+v, %v", resp, err)
	}
	for _, c := range []struct{ name, channel, thread, code string }{
		{"no such message", keys, "1.000001", "thread_not_found"},
		{"a message of another channel", ann, parent, "thread_not_found"},
		{"a reply", keys, reply, "cannot_reply_to_message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := post(c.channel, c.thread, "x")
			wantCode(t, err, c.code)
		})
	}
	if _, _, _, err := api.UpdateMessage(keys, reply, slack.MsgOptionText("changed", false)); err != nil {
		t.Fatal(err)
	}
	all := s.Messages(keys)
	replies := s.Replies(all[0])
	if len(replies) != 2 || replies[0].Text != "changed" || replies[0].ThreadTS != parent || replies[0].Edits != 1 || replies[0].Broadcast || !replies[1].Broadcast {
		t.Errorf("the replies are %+v", replies)
	}
	s.Delete(all[0])
	s.Delete(Message{Channel: keys, TS: "1.000001"})
	_, err = post(keys, parent, "too late")
	wantCode(t, err, "thread_not_found")
	if left := s.Messages(keys); len(left) != 2 {
		t.Errorf("the replies went too: %+v", left)
	}
}

func TestConversationGolden(t *testing.T) {
	var got last
	b := got.bot(nil)
	b.command = func(slack.SlashCommand) any { return "Nothing is due." }
	s, api := start(t, b)
	s.PutGroup(Group{ID: "S0SEC", Handle: "secops"})
	p := s.As(ann)
	post := func(ch, text string, more ...slack.MsgOption) string {
		_, ts, err := api.PostMessage(ch, append(more, slack.MsgOptionText(text, false))...)
		return must(ts, err)
	}
	due := post(ann, "notice", notice())
	post(keys, "Two keys are due, <!subteam^S0SEC>.")
	lost := post(keys, "This one goes.")
	post(keys, "What was in its thread stays.", slack.MsgOptionTS(lost))
	p.Reply(s.Messages(keys)[0], "Which?")
	s.Delete(s.Messages(keys)[1])
	post(ann, "<@U0BEN> approved.", slack.MsgOptionTS(due))
	post(ann, "Stuck: look at it.", slack.MsgOptionTS(due), slack.MsgOptionBroadcast())
	if _, _, _, err := api.UpdateMessage(s.DM(ann), due, slack.MsgOptionText("Approved by <@U0BEN>, <!date^1780300800^{date_num} {time}|in June>.", false)); err != nil {
		t.Fatal(err)
	}
	fine(t, p.Command("due"))
	shown := fine(t, p.Command("due")).Ephemeral
	fine(t, s.As(ben).Command("due"))
	if _, err := api.PublishView(ann, slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{
		slack.NewSectionBlock(mrkdwn("*My keys*"), nil, slack.NewAccessory(button("all", "1", "Show all")))}}}, ""); err != nil {
		t.Fatal(err)
	}
	fine(t, p.GlobalShortcut("leaked"))
	if _, err := api.OpenView(got.Load().TriggerID, exemptForm()); err != nil {
		t.Fatal(err)
	}
	golden(t, "conversation", "What Ann sees:\n\n"+p.Screen()+"\n\nWhat Ann sees in the channel:\n\n"+p.Conversation(keys)+
		"\n\nWhat Ben sees:\n\n"+s.As(ben).Screen())
	if all := s.Conversation(ann); all != p.Conversation(ann) {
		t.Errorf("her direct message reads differently to her:\n%s", all)
	}
	if shown == nil || len(p.WaitEphemeral(0, 0)) != 0 {
		t.Errorf("the answer to a command counts as a message that came later: %+v", shown)
	}
}

// What a click replaces an ephemeral answer by stands in its place, and counts as something that came.
func TestAnswerIsReplaced(t *testing.T) {
	var got last
	b := got.bot(nil)
	b.command = func(slack.SlashCommand) any {
		return slack.Msg{Text: "page 1", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewActionBlock("", button("next", "2", "Next"))}}}
	}
	s, _ := start(t, b)
	p := s.As(ann)
	m := fine(t, p.Command("due")).Ephemeral
	fine(t, p.Click(*m, "next"))
	respond := func(msg slack.WebhookMessage) {
		t.Helper()
		if err := slack.PostWebhook(got.Load().ResponseURL, &msg); err != nil {
			t.Fatal(err)
		}
	}
	respond(slack.WebhookMessage{Text: "page 2", ReplaceOriginal: true})
	if now := p.WaitEphemeral(1, 0); len(now) != 1 || now[0].Text != "page 2" || now[0].TS != m.TS || now[0].Edits != 1 {
		t.Errorf("there came %+v", now)
	}
	if text := p.Conversation(ann); text != "keyturn (edited) (only visible to you)\n    page 2" {
		t.Errorf("she sees:\n%s", text)
	}
	respond(slack.WebhookMessage{DeleteOriginal: true})
	if text := p.Screen(); text != "" {
		t.Errorf("she still sees:\n%s", text)
	}
}

func TestShortcuts(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	_, ts, err := api.PostMessage(keys, slack.MsgOptionText("AKIAEXAMPLE leaked", false))
	if err != nil {
		t.Fatal(err)
	}
	m := s.Messages(keys)[0]
	fine(t, s.As(ann).Shortcut(m, "leaked"))
	cb := got.Load()
	if cb.Type != slack.InteractionTypeMessageAction || cb.CallbackID != "leaked" || cb.MessageTs != ts || cb.Channel.ID != keys ||
		cb.Message.Text != m.Text || cb.TriggerID == "" || cb.ResponseURL == "" || cb.ActionTs == "" || cb.User.ID != ann || cb.Container.Type != "" {
		t.Errorf("a shortcut of a message sends %+v", cb)
	}
	fine(t, s.As(ben).GlobalShortcut("leaked"))
	cb = got.Load()
	if cb.Type != slack.InteractionTypeShortcut || cb.CallbackID != "leaked" || cb.TriggerID == "" || cb.ActionTs == "" ||
		cb.User.ID != ben || cb.ResponseURL != "" || cb.Channel.ID != "" || cb.Message.Text != "" {
		t.Errorf("a global shortcut sends %+v", cb)
	}
	if r := s.As(ann).Shortcut(Message{Channel: keys, TS: "1", Ephemeral: true, For: ann}, "leaked"); r.Err == nil {
		t.Error("an ephemeral message has a shortcut")
	}
}
