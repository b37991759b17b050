package slackemu

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// everyInput is a form with every kind of input, in the JSON of the wire.
const everyInput = `{"type":"modal","title":{"type":"plain_text","text":"All"},"submit":{"type":"plain_text","text":"Save"},"blocks":[
{"type":"input","block_id":"text","label":{"type":"plain_text","text":"Text"},"element":{"type":"plain_text_input","action_id":"a","initial_value":"was here"}},
{"type":"input","block_id":"number","label":{"type":"plain_text","text":"Number"},"element":{"type":"number_input","action_id":"a","is_decimal_allowed":false}},
{"type":"input","block_id":"group","label":{"type":"plain_text","text":"Group"},"element":{"type":"static_select","action_id":"a","option_groups":[
 {"label":{"type":"plain_text","text":"Days"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1d"}]},
 {"label":{"type":"plain_text","text":"Weeks"},"options":[{"text":{"type":"plain_text","text":"Two"},"value":"2w"}]}]}},
{"type":"input","block_id":"radio","label":{"type":"plain_text","text":"Radio"},"element":{"type":"radio_buttons","action_id":"a","options":[
 {"text":{"type":"plain_text","text":"Yes"},"value":"y"},{"text":{"type":"plain_text","text":"No"},"value":"n"}],"initial_option":{"text":{"type":"plain_text","text":"No"},"value":"n"}}},
{"type":"input","block_id":"checks","label":{"type":"plain_text","text":"Checks"},"element":{"type":"checkboxes","action_id":"a","options":[
 {"text":{"type":"mrkdwn","text":"*Bold*"},"value":"b"},{"text":{"type":"plain_text","text":"Other"},"value":"o"}]}},
{"type":"input","block_id":"user","label":{"type":"plain_text","text":"User"},"element":{"type":"users_select","action_id":"a"}},
{"type":"input","block_id":"users","label":{"type":"plain_text","text":"Users"},"element":{"type":"multi_users_select","action_id":"a","initial_users":["U0BEN"]}},
{"type":"input","block_id":"channel","label":{"type":"plain_text","text":"Channel"},"element":{"type":"channels_select","action_id":"a"}},
{"type":"input","block_id":"date","label":{"type":"plain_text","text":"Date"},"element":{"type":"datepicker","action_id":"a","initial_date":"2026-06-01"}},
{"type":"input","block_id":"time","label":{"type":"plain_text","text":"Time"},"element":{"type":"timepicker","action_id":"a"}},
{"type":"input","block_id":"moment","label":{"type":"plain_text","text":"Moment"},"element":{"type":"datetimepicker","action_id":"a"}},
{"type":"actions","block_id":"acts","elements":[{"type":"overflow","action_id":"menu","options":[{"text":{"type":"plain_text","text":"Help"},"value":"help"}]}]}
]}`

func TestEveryInput(t *testing.T) {
	var got last
	s, _ := start(t, got.bot(nil))
	p := s.As(ann)
	fine(t, p.SendShortcut(t))
	a := s.perform("views.open", testToken, params{"trigger_id": got.Load().TriggerID, "view": everyInput})
	if a.body["ok"] != true {
		t.Fatalf("got %v", a.body)
	}
	fine(t, p.ChooseView("menu", "help"))
	if act := got.Load().ActionCallback.BlockActions[0]; act.SelectedOption.Value != "help" || act.BlockID != "acts" {
		t.Errorf("the action is %+v", act)
	}
	fine(t, p.ChooseView("time/a", "08:30"))
	if act := got.Load().ActionCallback.BlockActions[0]; act.SelectedTime != "08:30" {
		t.Errorf("the action is %+v", act)
	}
	for name, values := range map[string]map[string]any{
		"no such option":      {"group": "9d"},
		"no such check":       {"checks": []string{"b", "z"}},
		"a moment in words":   {"moment": "soon"},
		"an overflow's value": {"acts/menu": "help"},
	} {
		if r := p.Submit(values); r.Err == nil || r.Status != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := p.Submit(map[string]any{"number": 42}); len(r.Errors) != 5 {
		t.Errorf("missing are %v", r.Errors)
	}
	values := map[string]any{
		"group": "Two", "radio": "y", "checks": []string{"b"}, "user": ben, "channel": keys, "moment": int64(1780300800),
	}
	if r := p.Submit(map[string]any{"group": "", "checks": []string{}}); len(r.Errors) != 5 {
		t.Errorf("missing are %v", r.Errors)
	}
	before := p.Modal()
	if err := s.views.top(ann).enter(values); err != nil {
		t.Fatal(err)
	}
	golden(t, "form", p.RenderView(p.Modal()))
	if before.ID != p.Modal().ID {
		t.Error("another view")
	}
	fine(t, p.Submit(nil))
	state := map[string]string{}
	for block, actions := range got.Load().View.State.Values {
		v := actions["a"]
		text := v.Value + v.SelectedOption.Value + v.SelectedUser + v.SelectedChannel + v.SelectedDate + v.SelectedTime
		for _, o := range v.SelectedOptions {
			text += o.Value
		}
		for _, u := range v.SelectedUsers {
			text += u
		}
		if v.SelectedDateTime != 0 {
			text = json.Number("1780300800").String()
		}
		state[block] = text
	}
	want := map[string]string{
		"text": "was here", "number": "42", "group": "2w", "radio": "y", "checks": "b", "user": ben, "users": ben, "channel": keys,
		"date": "2026-06-01", "time": "08:30", "moment": "1780300800",
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("state.values (-want +got):\n%s", diff)
	}
}

func TestRenderRich(t *testing.T) {
	s, api := start(t, &bot{})
	section := func(e ...slack.RichTextSectionElement) *slack.RichTextSection { return slack.NewRichTextSection(e...) }
	text := func(s string) slack.RichTextSectionElement { return slack.NewRichTextSectionTextElement(s, nil) }
	fallback := "then"
	rich := slack.NewRichTextBlock("r",
		section(text("To "), slack.NewRichTextSectionUserElement(ann, nil), text(" in "), slack.NewRichTextSectionChannelElement(keys, nil),
			text(", "), slack.NewRichTextSectionLinkElement("https://example.com", "see", nil), text(" "), slack.NewRichTextSectionEmojiElement("key", 0, nil),
			text(" "), slack.NewRichTextSectionDateElement(1780300800, "{date_num}", nil, &fallback)),
		slack.NewRichTextList(slack.RTEListOrdered, 0, section(text("first")), section(text("second"))))
	data := slack.NewDataTableBlock("Due").
		AddRow(slack.NewDataTableRawTextCell("Key"), slack.NewDataTableRawTextCell("Days"), slack.NewDataTableRawTextCell("Do")).
		AddRow(slack.NewDataTableRawTextCell("AKIA1"), slack.NewDataTableRawNumberCell(9).WithText("nine"), slack.NewDataTableActionCell(button("go1", "1", "Review"))).
		AddRow(slack.NewDataTableRichTextCell(section(text("AKIA2"))), slack.NewDataTableRawNumberCell(12.5), slack.NewDataTableActionCell(button("go2", "2", "Review")))
	image := slack.NewImageBlock("https://example.com/a.png", "a chart", "i", nil)
	if _, _, err := api.PostMessage(ann, slack.MsgOptionBlocks(rich, data, image, slack.NewMarkdownBlock("m", "## As it is"))); err != nil {
		t.Fatal(err)
	}
	m := s.Messages(ann)[0]
	golden(t, "rich", s.Render(m))
	if r := s.As(ann).Choose(m, "go2", "2"); r.Err != nil {
		t.Errorf("a button in a data table: %v", r.Err)
	}
}

func TestEventParses(t *testing.T) {
	s, _ := start(t, &bot{})
	fine(t, s.As(ann).OpenHome())
	_, _, body := s.LastRequest()
	e, err := slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken())
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := e.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
	if !ok || inner.User != ann || inner.Tab != "home" || inner.Channel != s.DM(ann) || e.TeamID != testTeam {
		t.Errorf("got %+v", e)
	}
}

func TestConversationsOpen(t *testing.T) {
	s, api := start(t, &bot{})
	ch, _, open, err := api.OpenConversation(openDM(ann))
	if err != nil || open || ch.ID != s.DM(ann) {
		t.Errorf("got %+v, open %t, %v", ch, open, err)
	}
	_, _, open, err = api.OpenConversation(openDM(ann))
	if err != nil || !open {
		t.Errorf("again: open %t, %v", open, err)
	}
	if _, _, _, err := api.OpenConversation(&slack.OpenConversationParameters{ChannelID: ch.ID}); err != nil {
		t.Errorf("by channel: %v", err)
	}
	_, _, _, err = api.OpenConversation(&slack.OpenConversationParameters{ChannelID: keys})
	wantCode(t, err, "channel_not_found")
	_, _, _, err = api.OpenConversation(&slack.OpenConversationParameters{Users: []string{ann, ben}})
	wantCode(t, err, "missing_scope")
	s.UpdateUser(User{ID: ann, Deleted: true})
	_, _, err = api.PostMessage(ch.ID, slack.MsgOptionText("x", false))
	wantCode(t, err, "user_disabled")
}
