package slackapi

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/notify"
)

// Errors on which callers decide. Every error of this package is an *Error and may wrap one of them. Those on which the
// notifier decides are the notifier's own.
var (
	// ErrNoUser: Slack does not know such a person, or the person cannot be written to.
	ErrNoUser = notify.ErrNoUser
	// ErrNoChannel: there is no such channel, it is archived, or the app is not in it.
	ErrNoChannel = notify.ErrNoChannel
	// ErrGone: the message or view is not there any more, or cannot be changed.
	ErrGone = notify.ErrGone
	// ErrExpiredTrigger: too much time passed since the click; no view can be opened for it.
	ErrExpiredTrigger = errors.New("the click is too old to open a window")
	// ErrAuth: the token is not accepted, or lacks a scope.
	ErrAuth = errors.New("the token is not accepted, or lacks a scope")
	// ErrRateLimited: Slack asked to slow down for longer than it was worth waiting.
	ErrRateLimited = errors.New("asked to slow down")
	// ErrUnavailable: Slack could not be reached or failed; the effect of the call is unknown.
	ErrUnavailable = errors.New("cannot reach it, or it failed")
	// ErrForeignURL: a response_url that is not Slack's. Nothing was sent.
	ErrForeignURL = errors.New("the response_url is not one of Slack's")
)

// Error is a call to Slack that failed.
type Error struct {
	Method     string        // like chat.update
	Code       string        // Slack's own, like message_not_found; empty where Slack gave none
	Needed     string        // the scope that is missing, if Slack says so
	RetryAfter time.Duration // with ErrRateLimited
	kind       error         // one of the above, or nil
	cause      error         // never holds the token or a response_url
	notSent    bool          // the connection was not even made
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("slack " + e.Method)
	if e.kind != nil {
		b.WriteString(": " + e.kind.Error())
	}
	if e.Code != "" {
		b.WriteString(" (" + e.Code + ")")
	}
	if e.Needed != "" {
		b.WriteString(", needed: " + e.Needed)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " for %s", e.RetryAfter)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var out []error
	for _, err := range []error{e.kind, e.cause} {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// RetryIn is how long Slack, or our own pace, asked to wait; 0 if nobody did.
func (e *Error) RetryIn() time.Duration { return e.RetryAfter }

// kinds maps Slack's error codes (Web API, the methods' reference pages).
var kinds = map[string]error{
	"user_not_found": ErrNoUser, "users_not_found": ErrNoUser, "user_not_visible": ErrNoUser, "user_disabled": ErrNoUser,
	"cannot_dm_bot": ErrNoUser, "messages_tab_disabled": ErrNoUser, "not_enabled": ErrNoUser, "user_not_in_channel": ErrNoUser,
	"channel_not_found": ErrNoChannel, "not_in_channel": ErrNoChannel, "is_archived": ErrNoChannel, "restricted_action": ErrNoChannel,
	"message_not_found": ErrGone, "cant_update_message": ErrGone, "edit_window_closed": ErrGone, "not_found": ErrGone,
	"thread_not_found": ErrGone, "cannot_reply_to_message": ErrGone, "no_such_subteam": ErrNoGroup, "subteam_not_found": ErrNoGroup, "plan_upgrade_required": ErrNoGroup,
	"view_not_found": ErrGone, "used_url": ErrGone, "expired_url": ErrGone,
	"expired_trigger_id": ErrExpiredTrigger, "trigger_expired": ErrExpiredTrigger, "exchanged_trigger_id": ErrExpiredTrigger,
	"trigger_exchanged": ErrExpiredTrigger, "invalid_trigger_id": ErrExpiredTrigger, "invalid_trigger": ErrExpiredTrigger,
	"invalid_auth": ErrAuth, "not_authed": ErrAuth, "account_inactive": ErrAuth, "token_revoked": ErrAuth, "token_expired": ErrAuth,
	"missing_scope": ErrAuth, "no_permission": ErrAuth, "org_login_required": ErrAuth, "ekm_access_denied": ErrAuth,
	"ratelimited": ErrRateLimited, "rate_limited": ErrRateLimited,
	"internal_error": ErrUnavailable, "fatal_error": ErrUnavailable, "service_unavailable": ErrUnavailable, "request_timeout": ErrUnavailable,
	"team_added_to_org": ErrUnavailable, "accesslimited": ErrAuth,
}

// typed turns what slack-go and the network return into an *Error.
func (c *Client) typed(method string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Method: method}
	if r, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		e.Code, e.Needed = r.Err, r.Needed
		e.kind = kinds[r.Err]
		if e.kind == nil && len(r.ResponseMetadata.Messages) > 0 {
			e.cause = c.redacted(errors.New(strings.Join(r.ResponseMetadata.Messages, "; ")))
		}
		return e
	}
	if r, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		e.kind, e.RetryAfter = ErrRateLimited, r.RetryAfter
		return e
	}
	if s, ok := errors.AsType[slack.StatusCodeError](err); ok {
		switch {
		case s.Code == 429:
			e.kind = ErrRateLimited
		case s.Code >= 500:
			e.kind = ErrUnavailable
		case method == responseURL && (s.Code == 404 || s.Code == 410): // elsewhere it is a wrong API address
			e.kind = ErrGone
		}
		e.cause = errors.New(s.Status)
		return e
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // its address may be a response_url, which lets anybody answer
		e.kind = ErrUnavailable
		if o, ok := errors.AsType[*net.OpError](err); ok && o.Op == "dial" {
			e.notSent = true
		}
	}
	e.cause = c.redacted(err)
	return e
}

// redacted takes the token out of an error's text, should it ever be there.
func (c *Client) redacted(err error) error {
	if c.token == "" || !strings.Contains(err.Error(), c.token) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), c.token, "[token]"))
}
