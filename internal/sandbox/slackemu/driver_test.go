package slackemu

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// last keeps the last interaction that a bot got.
type last struct {
	atomic.Pointer[slack.InteractionCallback]
}

func (l *last) bot(answer func(slack.InteractionCallback) any) *bot {
	return &bot{interaction: func(cb slack.InteractionCallback) any {
		l.Store(&cb)
		if answer == nil {
			return nil
		}
		return answer(cb)
	}}
}

func notice() slack.MsgOption {
	menu := slack.NewOverflowBlockElement("more",
		slack.NewOptionBlockObject("reject 1", plain("Reject"), nil), slack.NewOptionBlockObject("hold 1", plain("Hold"), nil))
	days := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Days"), "days",
		slack.NewOptionBlockObject("1d", plain("1 day"), nil), slack.NewOptionBlockObject("7d", plain("7 days"), nil))
	sure := button("approve", "v1", "Approve").WithConfirm(slack.NewConfirmationBlockObject(plain("Sure?"), plain("Rotate?"), plain("Yes"), plain("No")))
	return slack.MsgOptionBlocks(
		slack.NewSectionBlock(mrkdwn("Key 1"), nil, slack.NewAccessory(button("review", "r1", "Review"))),
		slack.NewSectionBlock(mrkdwn("Key 2"), nil, slack.NewAccessory(button("review", "r2", "Review"))),
		slack.NewActionBlock("decide", sure, button("snooze", "v2", "Snooze"), menu, days))
}

func TestClick(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	if _, _, err := api.PostMessage(ann, slack.MsgOptionText("notice", false), notice()); err != nil {
		t.Fatal(err)
	}
	p := s.As(ann)
	m := p.Messages()[0]
	for _, c := range []struct {
		name                     string
		do                       func() Result
		action, block, val, kind string
	}{
		{"by action_id", func() Result { return p.Click(m, "snooze") }, "snooze", "decide", "v2", "button"},
		{"with block", func() Result { return p.Click(m, "decide/snooze") }, "snooze", "decide", "v2", "button"},
		{"one that asks first", func() Result { return p.ClickButton(m, "Approve") }, "approve", "decide", "v1", "button"},
		{"one of several", func() Result { return p.Choose(m, "review", "r2") }, "review", "", "r2", "button"},
		{"an overflow by text", func() Result { return p.ClickButton(m, "Hold") }, "more", "decide", "hold 1", "overflow"},
		{"an overflow by value", func() Result { return p.Choose(m, "more", "reject 1") }, "more", "decide", "reject 1", "overflow"},
		{"a select", func() Result { return p.Choose(m, "days", "7d") }, "days", "decide", "7d", "static_select"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fine(t, c.do())
			cb := got.Load()
			a := cb.ActionCallback.BlockActions[0]
			if a.ActionID != c.action || c.block != "" && a.BlockID != c.block || string(a.Type) != c.kind || a.Value+a.SelectedOption.Value != c.val {
				t.Errorf("the action is %+v", a)
			}
			if cb.User.ID != ann || cb.User.TeamID != testTeam || cb.Team.ID != testTeam || cb.Channel.ID != s.DM(ann) {
				t.Errorf("user %+v, team %+v, channel %+v", cb.User, cb.Team, cb.Channel)
			}
			if cb.Container.MessageTs != m.TS || cb.Container.ChannelID != m.Channel || cb.Container.Type != "message" || cb.Message.Text != "notice" {
				t.Errorf("container %+v, message %q", cb.Container, cb.Message.Text)
			}
			if cb.TriggerID == "" || cb.ResponseURL == "" || a.ActionTs == "" {
				t.Errorf("trigger %q, response_url %q, action_ts %q", cb.TriggerID, cb.ResponseURL, a.ActionTs)
			}
		})
	}
	if v := got.Load().BlockActionState.Values["decide"]["days"]; v.SelectedOption.Value != "7d" {
		t.Errorf("state.values has %+v", v)
	}
	for name, r := range map[string]Result{
		"no such button": p.Click(m, "nothing"), "no such text": p.ClickButton(m, "Nothing"),
		"no such option": p.Choose(m, "days", "9d"), "an unknown message": p.Click(Message{}, "x"),
	} {
		if r.Err == nil || r.Status != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestStaleClick(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	ch, ts, err := api.PostMessage(ann, slack.MsgOptionText("old", false), notice())
	if err != nil {
		t.Fatal(err)
	}
	stale := s.As(ann).Messages()[0]
	if _, _, _, err := api.UpdateMessage(ch, ts, slack.MsgOptionText("new", false)); err != nil {
		t.Fatal(err)
	}
	fine(t, s.As(ann).Click(stale, "approve"))
	if cb := got.Load(); cb.Message.Text != "old" || cb.ActionCallback.BlockActions[0].Value != "v1" {
		t.Errorf("a stale screen sends what it shows, got %q", cb.Message.Text)
	}
	fine(t, s.As("U0OUT").Click(stale, "approve"))
	if cb := got.Load(); cb.User.TeamID != "T0OTHER" || cb.Team.ID != testTeam {
		t.Errorf("the outsider has the team %q", cb.User.TeamID)
	}
	fine(t, s.As(ann).Shortcut(stale, "why"))
	if cb := got.Load(); cb.Type != slack.InteractionTypeMessageAction || cb.CallbackID != "why" || cb.Message.Text != "old" {
		t.Errorf("the shortcut is %+v", cb)
	}
}

func TestCommand(t *testing.T) {
	section := slack.NewSectionBlock(mrkdwn("*due*"), nil, nil)
	for _, c := range []struct {
		name   string
		answer any
		text   string
		blocks int
		shared bool
		bad    string
	}{
		{name: "empty"},
		{name: "text", answer: "just text", text: "just text"},
		{name: "ephemeral", answer: slack.Msg{Text: "due", Blocks: slack.Blocks{BlockSet: []slack.Block{section}}}, text: "due", blocks: 1},
		{name: "in channel", answer: slack.Msg{Text: "hi", ResponseType: slack.ResponseTypeInChannel}, text: "hi", shared: true},
		{name: "refused", answer: slack.Msg{Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewSectionBlock(mrkdwn(x(3001)), nil, nil)}}}, bad: "invalid_blocks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := start(t, &bot{command: func(cmd slack.SlashCommand) any {
				if cmd.Command != "/keys" || cmd.Text != "due 7d" || cmd.UserID != ann || cmd.TeamID != testTeam || cmd.ChannelName != "keys" {
					return "wrong command"
				}
				return c.answer
			}})
			r := s.As(ann).CommandIn(keys, "due 7d")
			if c.bad != "" {
				if r.Err == nil || !strings.Contains(r.Err.Error(), c.bad) {
					t.Errorf("got %v", r.Err)
				}
				return
			}
			fine(t, r)
			if c.answer == nil {
				if r.Ephemeral != nil {
					t.Errorf("got %+v", r.Ephemeral)
				}
				return
			}
			m := r.Ephemeral
			if m.Text != c.text || len(m.Blocks.BlockSet) != c.blocks || m.Ephemeral == c.shared || len(s.Messages(keys)) == 1 != c.shared {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func exemptForm() slack.ModalViewRequest {
	until := slack.NewInputBlock("until", plain("Until"), nil, slack.NewDatePickerBlockElement("date"))
	reason := slack.NewInputBlock("reason", plain("Reason"), plain("For the record"),
		slack.NewPlainTextInputBlockElement(plain("Why"), "text").WithMinLength(3).WithMaxLength(10))
	who := slack.NewInputBlock("who", plain("Who"), nil, slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, plain("Who"), "who",
		slack.NewOptionBlockObject("a", plain("Ann"), nil), slack.NewOptionBlockObject("b", plain("Ben"), nil))).WithOptional(true)
	return modal(until, reason, who, slack.NewActionBlock("acts", button("preview", "p", "Preview")))
}

func TestModal(t *testing.T) {
	var got last
	var answer any
	var api *slack.Client
	s, client := start(t, got.bot(func(cb slack.InteractionCallback) any {
		if cb.Type == slack.InteractionTypeBlockActions && cb.Container.Type == "message" {
			if _, err := api.OpenView(cb.TriggerID, exemptForm()); err != nil {
				return err.Error()
			}
		}
		if cb.Type == slack.InteractionTypeViewSubmission {
			return answer
		}
		return nil
	}))
	api = client
	if _, _, err := api.PostMessage(ann, notice()); err != nil {
		t.Fatal(err)
	}
	p := s.As(ann)
	open := func() {
		t.Helper()
		if r := fine(t, p.Click(p.Messages()[0], "approve")); len(r.Body) > 0 {
			t.Fatal(string(r.Body))
		}
	}
	if r := p.Submit(nil); r.Err == nil {
		t.Error("submits what is not open")
	}
	open()
	if v := p.Modal(); v == nil || v.CallbackID != "exempt" || v.Title.Text != "Exempt" {
		t.Fatalf("the modal is %+v", v)
	}
	if s.As(ben).Modal() != nil {
		t.Error("somebody else sees the modal")
	}

	r := p.Submit(map[string]any{"reason": "no"})
	want := map[string]string{"until": "Please complete this required field.", "reason": "Please use at least 3 characters."}
	if diff := cmp.Diff(want, r.Errors); diff != "" || r.Status != 0 {
		t.Errorf("sent with status %d (-want +got):\n%s", r.Status, diff)
	}
	if r := p.Submit(map[string]any{"nothing": "x"}); r.Err == nil {
		t.Error("fills in what is not there")
	}
	fine(t, p.ClickViewButton("Preview"))
	if cb := got.Load(); cb.View.State.Values["reason"]["text"].Value != "no" || cb.Container.ViewID != cb.View.ID || cb.View.PrivateMetadata != "meta" {
		t.Errorf("the view is %+v", cb.View)
	}

	answer = slack.NewErrorsViewSubmissionResponse(map[string]string{"until": "too far"})
	values := map[string]any{"until/date": "2026-07-01", "reason": "because", "who": []string{"a", "Ben"}}
	if r := fine(t, p.Submit(values)); r.Action != "errors" || r.Errors["until"] != "too far" || p.Modal() == nil {
		t.Errorf("got %+v", r)
	}
	answer = slack.NewErrorsViewSubmissionResponse(map[string]string{"acts": "not an input"})
	if r := p.Submit(nil); r.Err == nil {
		t.Error("shows an error beside what is no input")
	}
	next := modal(slack.NewSectionBlock(mrkdwn("Step 2"), nil, nil))
	answer = slack.NewUpdateViewSubmissionResponse(&next)
	if r := fine(t, p.Submit(nil)); r.Action != "update" || len(p.Modal().Blocks.BlockSet) != 1 {
		t.Errorf("got %+v", r)
	}
	cb := got.Load()
	if v := cb.View.State.Values; v["until"]["date"].SelectedDate != "2026-07-01" || v["reason"]["text"].Value != "because" || len(v["who"]["who"].SelectedOptions) != 2 {
		t.Errorf("state.values are %+v", v)
	}
	answer = slack.NewPushViewSubmissionResponse(&next)
	fine(t, p.Submit(nil))
	if v := p.Modal(); v.PreviousViewID == "" || v.RootViewID != v.PreviousViewID {
		t.Errorf("on top is %+v", v)
	}
	answer = nil
	fine(t, p.Submit(nil))
	if p.Modal() == nil {
		t.Fatal("an empty answer closes one view, not all")
	}
	answer = slack.NewClearViewSubmissionResponse()
	fine(t, p.Submit(nil))
	if p.Modal() != nil {
		t.Fatal("still open")
	}

	open()
	id := p.Modal().ID
	if r := p.CloseModal(); r.Err != nil || r.Status != 0 {
		t.Errorf("told the bot of closing a view that does not ask for it: %+v", r)
	}
	_, err := api.UpdateView(next, "", "", id)
	wantCode(t, err, "not_found")
	answer = "nonsense"
	open()
	if r := p.Submit(values); r.Err == nil {
		t.Error("takes nonsense for an answer")
	}
}

func TestViewCalls(t *testing.T) {
	var got last
	s, api := start(t, got.bot(nil))
	form := modal(slack.NewActionBlock("acts", button("go", "1", "Go")))
	form.NotifyOnClose = true
	trigger := func() string {
		t.Helper()
		fine(t, s.As(ann).SendShortcut(t))
		return got.Load().TriggerID
	}
	first, err := api.OpenView(trigger(), form)
	if err != nil {
		t.Fatal(err)
	}
	form.Title = plain("Second")
	if _, err := api.UpdateView(form, "", first.Hash, first.View.ID); err != nil {
		t.Fatal(err)
	}
	_, err = api.UpdateView(form, "", first.Hash, first.View.ID)
	wantCode(t, err, "hash_conflict")
	if got := s.As(ann).Modal().Title.Text; got != "Second" {
		t.Errorf("shows %q", got)
	}
	for range mostStack - 1 {
		if _, err := api.PushView(trigger(), form); err != nil {
			t.Fatal(err)
		}
	}
	_, err = api.PushView(trigger(), form)
	wantCode(t, err, "push_limit_reached")
	fine(t, s.As(ann).CloseModal())
	if cb := got.Load(); cb.Type != slack.InteractionTypeViewClosed || cb.View.Title.Text != "Second" {
		t.Errorf("got %+v", cb)
	}
	used := trigger()
	if _, err := api.OpenView(used, form); err != nil {
		t.Fatal(err)
	}
	_, err = api.OpenView(used, form)
	wantCode(t, err, "exchanged_trigger_id")
	form.ExternalID = "mine"
	if _, err := api.UpdateView(form, "", "", s.As(ann).Modal().ID); err != nil {
		t.Fatal(err)
	}
	if _, err := api.UpdateView(form, "mine", "", ""); err != nil {
		t.Errorf("by external_id: %v", err)
	}
	_, err = api.PushView(trigger(), form)
	wantCode(t, err, "duplicate_external_id")
}

// SendShortcut gets a fresh trigger to the bot.
func (p *Person) SendShortcut(t *testing.T) Result {
	t.Helper()
	return p.Shortcut(p.Say(dmID(p.id), "x"), "trigger")
}

func TestHome(t *testing.T) {
	var api *slack.Client
	var retries atomic.Int32
	s, client := start(t, &bot{event: func(h http.Header, _ []byte) any {
		if n, err := strconv.Atoi(h.Get("X-Slack-Retry-Num")); err == nil && h.Get("X-Slack-Retry-Reason") == "http_timeout" {
			retries.Add(int32(n))
		}
		v := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewActionBlock("a", button("mine", "1", "My keys"))}}}
		if _, err := api.PublishView(ann, v, ""); err != nil {
			return err.Error()
		}
		return nil
	}})
	api = client
	p := s.As(ann)
	if p.Home() != nil {
		t.Error("there is a Home before it was published")
	}
	if r := fine(t, p.OpenHome()); len(r.Body) > 0 {
		t.Fatal(string(r.Body))
	}
	if h := p.Home(); h == nil || h.Type != slack.VTHomeTab || len(h.Blocks.BlockSet) != 1 {
		t.Errorf("the Home is %+v", h)
	}
	first, again := p.OpenHomeRetry()
	fine(t, first)
	fine(t, again)
	if retries.Load() != 1 {
		t.Errorf("%d retries", retries.Load())
	}
	fine(t, p.ClickView("mine"))
}

func TestBotMisbehaves(t *testing.T) {
	release := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == PathCommands {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		http.Error(w, "no", http.StatusInternalServerError)
	})
	s, _ := start(t, &bot{})
	srv := newBot(t, h)
	s.SetBotURL(srv)
	s.ackWithin = 50 * time.Millisecond
	if r := s.As(ann).Command("slow"); !errors.Is(r.Err, ErrTimeout) || r.Status != 0 {
		t.Errorf("got %+v", r)
	}
	close(release)
	s.ackWithin = 3 * time.Second
	if r := s.As(ann).OpenHome(); !errors.Is(r.Err, ErrStatus) || r.Status != http.StatusInternalServerError {
		t.Errorf("got %+v", r)
	}
	s.SetBotURL("http://127.0.0.1:1")
	if r := s.As(ann).OpenHome(); r.Err == nil {
		t.Error("an unreachable bot answers")
	}
}
