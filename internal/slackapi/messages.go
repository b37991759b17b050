package slackapi

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// Identity is whom the token stands for.
type Identity struct {
	TeamID string
	UserID string
	BotID  string
	Scopes []string // empty where the server does not say
}

// AuthTest asks Slack whom the token stands for.
func (c *Client) AuthTest(ctx context.Context) (Identity, error) {
	var r *slack.AuthTestResponse
	err := c.call(ctx, "auth.test", "", repeatable, func(ctx context.Context) (err error) {
		r, err = c.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return Identity{}, err
	}
	id := Identity{TeamID: r.TeamID, UserID: r.UserID, BotID: r.BotID}
	for _, s := range strings.Split(r.Header.Get("X-Oauth-Scopes"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			id.Scopes = append(id.Scopes, s)
		}
	}
	return id, nil
}

func content(text string, blocks []slack.Block) slack.MsgOption {
	return slack.MsgOptionCompose(slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
}

// Post writes a message. It is not tried again when Slack may have posted it.
func (c *Client) Post(ctx context.Context, channel, text string, blocks []slack.Block) (string, string, error) {
	var in, ts string
	err := c.call(ctx, "chat.postMessage", channel, once, func(ctx context.Context) (err error) {
		in, ts, err = c.api.PostMessageContext(ctx, channel, content(text, blocks))
		return err
	})
	return in, ts, err
}

// PostIn writes a reply in the thread of a message. Only those who follow the thread, or are mentioned, are told by Slack.
// With broadcast the channel shows it too. ErrGone if the message is not there any more.
func (c *Client) PostIn(ctx context.Context, channel, threadTS, text string, blocks []slack.Block, broadcast bool) (string, string, error) {
	var in, ts string
	opts := []slack.MsgOption{content(text, blocks), slack.MsgOptionTS(threadTS)}
	if broadcast {
		opts = append(opts, slack.MsgOptionBroadcast())
	}
	err := c.call(ctx, "chat.postMessage", channel, once, func(ctx context.Context) (err error) {
		in, ts, err = c.api.PostMessageContext(ctx, channel, opts...)
		return err
	})
	return in, ts, err
}

// Update replaces a message's text and blocks. ErrGone if it cannot be changed any more.
func (c *Client) Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error {
	return c.call(ctx, "chat.update", "", repeatable, func(ctx context.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, channel, ts, content(text, blocks))
		return err
	})
}

// PostEphemeral writes a message that only user sees.
func (c *Client) PostEphemeral(ctx context.Context, channel, user, text string, blocks []slack.Block) error {
	return c.call(ctx, "chat.postEphemeral", "", once, func(ctx context.Context) error {
		_, err := c.api.PostEphemeralContext(ctx, channel, user, content(text, blocks))
		return err
	})
}

// CheckChannel reports whether the app can write to a channel, without writing anything that somebody sees: it whispers to
// itself, which needs no more than chat:write. ErrNoChannel if it cannot.
func (c *Client) CheckChannel(ctx context.Context, channel string) error {
	me, err := c.AuthTest(ctx)
	if err != nil {
		return err
	}
	err = c.PostEphemeral(ctx, channel, me.UserID, "keyturn checks whether it can write here.", nil)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == "user_not_in_channel" {
		e.kind = ErrNoChannel // the user is the app itself
	}
	return err
}

// OpenDM returns the channel of the direct messages with a user. ErrNoUser if there can be none.
func (c *Client) OpenDM(ctx context.Context, userID string) (string, error) {
	var ch *slack.Channel
	err := c.call(ctx, "conversations.open", "", repeatable, func(ctx context.Context) (err error) {
		ch, _, _, err = c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{userID}})
		return err
	})
	if err != nil {
		return "", err
	}
	if ch == nil || ch.ID == "" {
		return "", &Error{Method: "conversations.open", kind: ErrNoUser}
	}
	return ch.ID, nil
}

// responseURL is what errors call an answer through a response_url.
const responseURL = "response_url"

// Respond answers through a response_url: an ephemeral message, or with replace, in place of the message that was clicked.
// An address that is neither Slack's nor the API's own host gets nothing: ErrForeignURL.
func (c *Client) Respond(ctx context.Context, to, text string, blocks []slack.Block, replace bool) error {
	if !c.ours(to) {
		return &Error{Method: responseURL, kind: ErrForeignURL}
	}
	msg := &slack.WebhookMessage{Text: text, ResponseType: slack.ResponseTypeEphemeral, ReplaceOriginal: replace}
	if len(blocks) > 0 {
		msg.Blocks = &slack.Blocks{BlockSet: blocks}
	}
	return c.call(ctx, responseURL, "", once, func(ctx context.Context) error {
		return slack.PostWebhookCustomHTTPContext(ctx, to, c.http, msg)
	})
}

// slackHosts serve response_urls (commercial and GovSlack).
var slackHosts = []string{"hooks.slack.com", "hooks.slack-gov.com"}

func (c *Client) ours(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Host == "" {
		return false
	}
	if u.Scheme == "https" && slices.Contains(slackHosts, strings.ToLower(u.Host)) {
		return true
	}
	return u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host)
}
