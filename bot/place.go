package bot

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// place is where a click came from, and so where its answer goes.
type place struct {
	user      string
	channel   string
	ts        string
	response  string // response_url
	trigger   string
	modal     string // the view's ID, if it was clicked in a window
	home      bool
	ephemeral bool
}

func placeOf(c slack.InteractionCallback) place {
	p := place{user: c.User.ID, channel: c.Container.ChannelID, ts: c.Container.MessageTs, response: c.ResponseURL, trigger: c.TriggerID, ephemeral: c.Container.IsEphemeral}
	if p.channel == "" {
		p.channel = c.Channel.ID
	}
	switch c.View.Type {
	case slack.VTModal:
		p.modal = c.View.ID
	case slack.VTHomeTab:
		p.home = true
	}
	return p
}

// say answers beside what was clicked, for the person alone. It runs after the ack.
func (b *Bot) say(ctx context.Context, p place, m templates.Message) {
	var err error
	switch {
	case p.modal != "":
		err = b.o.Slack.UpdateView(ctx, p.modal, templates.ModalAnswer(m))
	case p.response != "":
		err = b.o.Slack.Respond(ctx, p.response, m.Text, m.Blocks, false)
	case p.channel != "" && !p.home:
		err = b.o.Slack.PostEphemeral(ctx, p.channel, p.user, m.Text, m.Blocks)
	default:
		var dm string
		if dm, err = b.o.Slack.OpenDM(ctx, p.user); err == nil {
			_, _, err = b.o.Slack.Post(ctx, dm, m.Text, m.Blocks)
		}
	}
	b.unsaid(err, p)
}

// replace puts a message in place of what was clicked, if that can be: a message, an ephemeral one, or a window.
func (b *Bot) replace(ctx context.Context, p place, m templates.Message) {
	var err error
	switch {
	case p.modal != "":
		err = b.o.Slack.UpdateView(ctx, p.modal, templates.ModalAnswer(m))
	case p.ephemeral && p.response != "":
		err = b.o.Slack.Respond(ctx, p.response, m.Text, m.Blocks, true)
	case p.channel != "" && p.ts != "" && !p.ephemeral:
		err = b.o.Slack.Update(ctx, p.channel, p.ts, m.Text, m.Blocks)
	}
	b.unsaid(err, p)
}

// window opens a window for a click, or turns the one that was clicked in into it.
func (b *Bot) window(ctx context.Context, p place, v slack.ModalViewRequest) {
	var err error
	if p.modal != "" {
		err = b.o.Slack.UpdateView(ctx, p.modal, v)
	} else {
		err = b.o.Slack.OpenView(ctx, p.trigger, v)
	}
	if err != nil {
		b.unsaid(err, p)
		b.say(ctx, p, templates.AnswerSentence("the window could not be opened in time. Please click again"))
	}
}

func (b *Bot) unsaid(err error, p place) {
	if err != nil {
		b.o.Log.Warn("answer not delivered", "actor", p.user, "error", err.Error())
	}
}

// notice is the message of a rotation as it is now.
func (b *Bot) notice(r rotation.Rotation) templates.Message {
	return templates.Notice(r, b.view(r))
}

func (b *Bot) view(r rotation.Rotation) templates.View {
	return templates.View{Now: b.o.Now(), Who: b.who(r)}
}
