package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// interaction serves clicks and submitted windows. What decides is saved before the ack; what only says or shows something
// follows after it.
func (b *Bot) interaction(ctx context.Context, w http.ResponseWriter, body []byte) {
	c, err := parseInteraction(body)
	if err != nil {
		b.o.Log.Warn("interaction not understood", "error", err.Error())
		http.Error(w, "not an interaction", http.StatusBadRequest)
		return
	}
	switch c.Type {
	case slack.InteractionTypeBlockActions:
		for _, a := range c.ActionCallback.BlockActions {
			if a != nil {
				b.click(ctx, c, *a)
			}
		}
		w.WriteHeader(http.StatusOK)
	case slack.InteractionTypeViewSubmission:
		b.submission(ctx, w, c)
	case slack.InteractionTypeMessageAction:
		b.afterAck(ctx, func(ctx context.Context) { b.shortcut(ctx, payloadOf(body), c) })
		w.WriteHeader(http.StatusOK)
	default: // view_closed, and kinds that this version does not use
		w.WriteHeader(http.StatusOK)
	}
}

var errPayload = errors.New("the payload is missing or not for this app")

// parseInteraction reads the form that Slack posts: one field with JSON.
func parseInteraction(body []byte) (slack.InteractionCallback, error) {
	var c slack.InteractionCallback
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return c, errPayload
	}
	payload := form.Get("payload")
	if payload == "" {
		return c, errPayload
	}
	if err := json.Unmarshal([]byte(payload), &c); err != nil {
		return slack.InteractionCallback{}, errPayload
	}
	if c.User.ID == "" {
		return slack.InteractionCallback{}, errPayload
	}
	return c, nil
}

// payloadOf is the JSON of an interaction that was read already.
func payloadOf(body []byte) []byte {
	form, _ := url.ParseQuery(string(body))
	return []byte(form.Get("payload"))
}

// actionOf returns the action and the value of what was clicked: a button, or an option of the menu.
func actionOf(a slack.BlockAction) (action, value string) {
	action, _, _ = strings.Cut(a.ActionID, ":")
	value = a.Value
	if action == templates.ActMore || a.SelectedOption.Value != "" {
		action, value, _ = strings.Cut(a.SelectedOption.Value, " ")
	}
	return action, value
}

// click serves one click.
func (b *Bot) click(ctx context.Context, c slack.InteractionCallback, a slack.BlockAction) {
	action, value := actionOf(a)
	p := placeOf(c)
	if action == templates.ActPage {
		b.notePaging(ctx, p, value)
		b.afterAck(ctx, func(ctx context.Context) { b.turn(ctx, p, value) })
		return
	}
	v, err := templates.ParseValue(value)
	if err != nil || v.Episode < 1 && action != templates.ActRenew {
		b.unknownButton(ctx, p, action)
		return
	}
	switch action {
	case templates.ActRenew:
		b.afterAck(ctx, func(ctx context.Context) { b.askRenewal(ctx, p, v) })
	case templates.ActReview, templates.ActHistory:
		b.afterAck(ctx, func(ctx context.Context) { b.show(ctx, p, action, v) })
	case templates.ActSnooze, templates.ActHold, templates.ActExtend, templates.ActReject, templates.ActExempt, templates.ActAnyway, templates.ActGlass:
		b.afterAck(ctx, func(ctx context.Context) { b.ask(ctx, p, action, v) })
	default:
		b.pressed(ctx, p, b.person(ctx, p.user), action, v)
	}
}

// unknownButton answers a button that this version does not know.
func (b *Bot) unknownButton(ctx context.Context, p place, action string) {
	b.o.Log.Warn("button not understood", "actor", p.user, "action", templates.Cut(action, 40))
	b.note(ctx, approval.Person{SlackID: p.user}, noteUnknown, "a button that this version does not know")
	b.afterAck(ctx, func(ctx context.Context) { b.say(ctx, p, templates.AnswerTrouble(templates.TroubleOldValue)) })
}

// notePaging notes a click on Next or Previous.
func (b *Bot) notePaging(ctx context.Context, p place, value string) {
	who := approval.Person{SlackID: p.user}
	if c, err := parseCursor(value); err != nil {
		b.note(ctx, who, noteUnknown, "a button that this version does not know")
	} else {
		b.note(ctx, who, notePage, strings.Join(strings.Fields(fmt.Sprintf("%s %s %d", c.List, typed(c.Arg), c.Page)), " "))
	}
}

// pressed carries out what a button says by itself. Where today's rule wants a reason too, the window asks for it.
func (b *Bot) pressed(ctx context.Context, p place, who approval.Person, action string, v templates.Value) {
	d, ok := decisionOn(action, v.ID, who, wish{pick: v.Pick, shown: v.Digest})
	if !ok {
		b.unknownButton(ctx, p, action)
		return
	}
	d.episode = v.Episode
	out := b.settle(ctx, d)
	if out.why == error(errNoWhy) {
		b.afterAck(ctx, func(ctx context.Context) { b.ask(ctx, p, action, v) })
		return
	}
	b.log(ctx, d, out)
	b.afterAck(ctx, func(ctx context.Context) { b.answer(ctx, p, out) })
}

// answer tells the person how it ended, once. A message that is out of date is refreshed; one that the notifier keeps up
// (any message that is not ephemeral and belongs to this rotation) is left to it after a decision.
func (b *Bot) answer(ctx context.Context, p place, out outcome) {
	switch {
	case p.modal != "":
		b.replace(ctx, p, b.whole(out))
		return
	case (out.ending == done || out.ending == earlier) && p.ephemeral:
		b.replace(ctx, p, out.message)
		return
	case out.ending == earlier:
		b.replace(ctx, p, out.message)
	case out.ending == stale, out.ending == refused && p.ephemeral:
		b.replace(ctx, p, b.notice(out.rotation))
	}
	b.say(ctx, p, out.message)
}

// whole is the answer where no refreshed message stands beside it: it shows the plan as it is now.
func (b *Bot) whole(out outcome) templates.Message {
	m := out.message
	if out.ending == stale {
		m.Blocks = append(slices.Clone(m.Blocks), b.notice(out.rotation).Blocks...)
	}
	return m
}

// reading is a rotation for somebody who may read, or what to answer instead.
func (b *Bot) reading(ctx context.Context, user string, id rotation.ID) (rotation.Rotation, approval.Person, *templates.Message) {
	who := b.person(ctx, user)
	if why := b.mayRead(who); why != "" {
		m := b.turnedAway(ctx, who, "read", why)
		return rotation.Rotation{}, who, &m
	}
	r, err := b.o.Store.GetRotation(ctx, id)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			b.o.Log.Error("rotation not read", "rotation", id, "error", err.Error())
		}
		m := templates.AnswerTrouble(troubleOf(err))
		return rotation.Rotation{}, who, &m
	}
	return r, who, nil
}

// show opens the history, or shows the notice of a digest's or list's row as it is now.
func (b *Bot) show(ctx context.Context, p place, action string, v templates.Value) {
	r, who, no := b.reading(ctx, p.user, v.ID)
	if no == nil {
		b.note(ctx, who, noteRead, action+" "+string(r.Old.ID))
	}
	switch {
	case no != nil:
		b.say(ctx, p, *no)
	case action == templates.ActHistory:
		h, err := b.history(ctx, r, 1)
		if err != nil {
			b.say(ctx, p, b.troubled("history not read", err))
			return
		}
		b.window(ctx, p, templates.ModalHistory(h))
	case p.home || p.modal != "":
		b.window(ctx, p, templates.ModalAnswer(b.notice(r)))
	default:
		b.say(ctx, p, b.notice(r))
	}
}

// ask opens the window for what needs more words, unless it is sure to be refused.
func (b *Bot) ask(ctx context.Context, p place, action string, v templates.Value) {
	who := b.person(ctx, p.user)
	now := b.o.Now()
	trial := wish{why: "-", in: time.Minute, until: now.Add(rotation.Day), pick: v.Pick, shown: v.Digest}
	d, _ := decisionOn(action, v.ID, who, trial)
	d.episode = v.Episode
	r, e, err := b.facts(ctx, d)
	if err != nil {
		b.answer(ctx, p, trouble(rotation.Rotation{}, err))
		return
	}
	out, _ := b.look(ctx, d, r, e)
	if out.ending != done {
		b.log(ctx, d, out)
		b.answer(ctx, p, out)
		return
	}
	if action == templates.ActExempt {
		if out, ok := b.exemptible(ctx, &r, who); !ok {
			b.log(ctx, d, out)
			b.answer(ctx, p, out)
			return
		}
	}
	b.note(ctx, who, noteOpened, action+" of "+string(v.ID))
	b.window(ctx, p, form(action, r, v, b))
}

func form(action string, r rotation.Rotation, v templates.Value, b *Bot) slack.ModalViewRequest {
	switch action {
	case templates.ActSnooze:
		return templates.ModalSnooze(r, v)
	case templates.ActHold:
		return templates.ModalHold(r, v)
	case templates.ActExtend:
		return templates.ModalExtend(r, v)
	case templates.ActReject:
		return templates.ModalReject(r, v, b.o.Now())
	case templates.ActExempt:
		return templates.ModalExempt(r, v, b.o.Now())
	case templates.ActAnyway:
		return templates.ModalAnyway(r, v)
	case templates.ActGlass:
		return templates.ModalGlass(r, v)
	default:
		return templates.ModalApprove(r, v)
	}
}
