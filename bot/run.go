package bot

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// commandAnswer is the body that answers a slash command: for the person alone.
type commandAnswer struct {
	ResponseType string        `json:"response_type"`
	Text         string        `json:"text"`
	Blocks       []slack.Block `json:"blocks,omitempty"`
}

// command serves a slash command. The answer is the body of the ack.
func (b *Bot) command(ctx context.Context, w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err == nil && form.Get("ssl_check") == "1" { // Slack looks whether the certificate is good
		w.WriteHeader(http.StatusOK)
		return
	}
	if err != nil || form.Get("command") == "" || form.Get("user_id") == "" {
		b.o.Log.Warn("command not understood")
		http.Error(w, "not a slash command", http.StatusBadRequest)
		return
	}
	p := Parse(b.o.Prefix, form.Get("command"), form.Get("text"))
	if p.Result != nil {
		what, event := misread(form.Get("text")), noteUsage
		if what == "help" {
			event = noteRead
		}
		b.note(ctx, approval.Person{SlackID: form.Get("user_id")}, event, what)
	}
	switch {
	case p.Ignore:
		b.o.Log.Warn("command is not ours", "command", templates.Cut(form.Get("command"), 40))
		w.WriteHeader(http.StatusOK)
	case p.Result != nil:
		whisper(w, *p.Result)
	default:
		p.Command.Respond = form.Get("response_url")
		whisper(w, b.run(ctx, *p.Command, form.Get("user_id")))
	}
}

func whisper(w http.ResponseWriter, m templates.Message) {
	reply(w, commandAnswer{ResponseType: slack.ResponseTypeEphemeral, Text: m.Text, Blocks: m.Blocks})
}

// run carries a command out and returns its answer.
func (b *Bot) run(ctx context.Context, c Command, user string) templates.Message {
	who := b.person(ctx, user)
	switch c.Name {
	case "status", "list", "mine", "due", "history", "why", "report":
		if b.mayRead(who) == "" { // the refusal is noted where it is said
			b.note(ctx, who, noteRead, asked(c))
		}
		return b.read(ctx, c, who)
	case templates.ActLeaked:
		return b.leaked(ctx, leak{key: c.Key, why: c.Reason}, who)
	case templates.ActEnd:
		return b.unexempt(ctx, c, who)
	case "rotate":
		return b.rotate(ctx, c, who)
	case "exempt":
		return b.exempt(ctx, c, who)
	}
	r, err := b.o.Store.RotationByKey(ctx, c.Key)
	if err != nil {
		event := noteNotNow
		if !errors.Is(err, store.ErrNotFound) {
			event = noteTrouble
		}
		b.note(ctx, who, event, c.Name+" "+string(c.Key)+": no rotation was found")
		return b.noRotation(ctx, c.Key, who, err)
	}
	d, ok := decisionOn(c.Name, r.ID, who, wish{why: c.Reason, in: c.For, pick: c.Pick, named: c.Key})
	if !ok {
		return b.inTrouble(ctx, who, c.Name, "command without an action", errors.New(c.Name))
	}
	out := b.decide(ctx, d)
	if out.why == error(errNamePick) || out.why == error(errLastKey) {
		shown := b.notice(out.rotation).Blocks
		if c.Name == templates.ActGlass {
			shown = templates.GlassPlan(out.rotation, b.view(out.rotation))
		}
		out.message.Blocks = append(out.message.Blocks, shown...)
	}
	return out.message
}

// noRotation answers where no rotation names the key. What scans know of it is told to those who may read.
func (b *Bot) noRotation(ctx context.Context, key rotation.KeyID, who approval.Person, err error) templates.Message {
	if !errors.Is(err, store.ErrNotFound) {
		return b.troubled("rotation not read", err)
	}
	if why := b.mayRead(who); why != "" {
		return b.turnedAway(ctx, who, "read", why)
	}
	s, u, k, err := b.findKey(ctx, key)
	switch {
	case err != nil:
		return b.troubled("snapshots not read", err)
	case k.ID == "":
		return templates.AnswerSentence("keyturn knows no key " + string(key) + ". Check the ID, or look with " + b.o.Prefix + " mine; a key made since the last scan is not known yet")
	default:
		return templates.AnswerSentence("there is no rotation of key " + string(k.ID) + " (" + string(u.Name) + " in " + string(s.Account) + ") to decide on. " + b.o.Prefix + " rotate " + string(u.Name) + "@" + string(s.Account) + " asks for one")
	}
}

// who says who could decide on a rotation today.
func (b *Bot) who(r rotation.Rotation) string {
	_, rule, ok := b.o.Rules.For(approval.TargetOf(r))
	if !ok {
		return ""
	}
	return approval.Who(rule, approval.SubjectOf(r, b.o.Teams))
}
